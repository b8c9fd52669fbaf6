"""The doctor is silent about a healthy shop, and names whatever is broken in it."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tallystick.db.audit import RULES
from tallystick.db.audit.rule import findings
from tallystick.db.due_deliveries import endpoints_due, real_time
from tallystick.db.engine import Database, Tx, connect
from tallystick.domain.coupons import Percentage
from tallystick.domain.credit_note import (
    Amount,
    CreditToBalance,
    DebtCancellation,
    Everything,
    Refund,
)
from tallystick.domain.offer_request import OfferRequest
from tallystick.domain.payment import FailureReason
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import RateFee
from tallystick.domain.webhook_endpoint import EndpointFields
from tallystick.services.changing_plan import open_plan_change
from tallystick.services.claim_deliveries import claim_deliveries
from tallystick.services.confirm_result import Completed, InFlight, PaymentFailed
from tallystick.services.create_webhook_endpoint import create_webhook_endpoint
from tallystick.services.examine import examine, examine_within
from tallystick.services.ids import new_id
from tallystick.services.issue_credit_note import CreditRequest, issue_credit_note
from tallystick.services.late_money import refund_late_money
from tallystick.services.plan_wanted import PlanChangeRequest
from tallystick.services.record_failure import record_failure
from tallystick.services.record_purchase import record_purchase
from tallystick.services.refund_invoice import refund_invoice
from tallystick.services.relay_events import relay_events
from tallystick.services.schedule_plan import schedule_plan
from tallystick.services.sequence_events import sequence_events
from tests.crediting import bought
from tests.database import in_own_loop
from tests.importing import imported
from tests.reversing import reversible
from tests.shops import attempts
from tests.world import World, open_world, rate

DECLINED = "4000000000000002"
QUESTION_IS_LOST = "4000000000009987"
ANSWER_IS_LOST = "4000000000009979"

UNGUARDED = """
    do $$
    declare one record;
    begin
        for one in select conname, conrelid::regclass as place from pg_constraint
                   where contype = 'c' and conrelid <> 0 and coninhcount = 0
                     and connamespace in ('public'::regnamespace, 'sandbox'::regnamespace)
        loop execute format('alter table %s drop constraint %I', one.place, one.conname);
        end loop;
        for one in select indexrelid::regclass as name from pg_index i
                   join pg_class c on c.oid = i.indrelid
                   where i.indisunique and not i.indisprimary
                     and c.relnamespace in ('public'::regnamespace, 'sandbox'::regnamespace)
                     and not exists (select from pg_constraint where conindid = i.indexrelid)
        loop execute format('drop index %s', one.name);
        end loop;
    end $$;
"""
"""No check and no unique index stands in the way of a breach."""

CASES = re.findall(
    r"^-- ([a-z-]+)\n(.*?)\n(?:\n|\Z)",
    (Path(__file__).parent.parent / "cases" / "breaches.sql").read_text(),
    re.MULTILINE | re.DOTALL,
)


RULE = {rule.name: rule for rule in RULES}


async def everything_happens(world: World) -> None:
    """A shop in which there is one of everything, and nothing is wrong."""
    await somebody_listens(world)
    coupon = await world.coupon("SAVE", Percentage(percentage=Decimal(10)), redemption_limit=5)
    await one_buys(world, coupon_ids=[coupon])
    await one_owes(world)
    await one_pays(world, coupon_ids=[coupon])
    await one_is_declined(world)
    await one_pays_twice(world)
    await one_is_credited(world)
    await one_is_reversed(world)
    await one_changes(world)
    await one_imports(world)
    await sequence_events(world.app)
    await they_are_told(world)


async def somebody_listens(world: World) -> None:
    """An endpoint that is to be told of everything."""
    async with world.app.transaction() as tx:
        wanted = EndpointFields(url="https://hooks.example/")
        await create_webhook_endpoint(world.ctx.within(tx), wanted)


async def they_are_told(world: World) -> None:
    """What happened is passed on, and some of it is under way."""
    async with world.app.database.connection() as tx:
        now = await real_time(tx)
        await relay_events(world.app, now)
        [(tenant_id, endpoint_id)] = await endpoints_due(tx, now, 10)
    assert len(await claim_deliveries(world.app, tenant_id, endpoint_id, now, 2)) == 2


async def one_buys(world: World, **offer: object) -> None:
    """Bought by card, with a coupon and a part of the balance."""
    customer = await world.customer("Buyer")
    await world.balance(customer, 1000)
    session = await world.session(customer, await world.plan(), **offer)
    assert await world.confirm(session) == Completed()


async def one_owes(world: World) -> None:
    """Bought by debit, not settled yet."""
    session = await world.session(await world.customer("Debtor"), await world.plan())
    assert await world.confirm(session, method=await world.debit()) == Completed()


async def one_pays(world: World, **offer: object) -> None:
    """Being paid right now, with a coupon and a part of the balance."""
    customer = await world.customer("Payer")
    await world.balance(customer, 700)
    session = await world.session(customer, await world.plan(), **offer)
    method = await world.card(QUESTION_IS_LOST)
    assert await world.confirm(session, method=method) == InFlight()


async def one_is_declined(world: World) -> None:
    """A link whose card was declined, open for another try."""
    session = await world.session(await world.customer("Declined"), await world.plan())
    declined = await world.confirm(session, method=await world.card(DECLINED))
    assert declined == PaymentFailed(FailureReason.DECLINED)


async def one_pays_twice(world: World) -> None:
    """Money that came late for a session that was bought meanwhile, and went back."""
    session = await world.session(await world.customer("Twice"), await world.plan())
    await world.confirm(session, method=await world.card(ANSWER_IS_LOST))
    late = (await attempts(world))[-1]["id"]
    async with world.app.transaction() as tx:
        await record_failure(world.ctx, tx, late, FailureReason.INTERRUPTED)
    assert await world.confirm(session) == Completed()
    async with world.app.transaction() as tx:
        assert await record_purchase(world.ctx, tx, late) == Completed()
    await refund_late_money(world.ctx, late)


async def one_is_credited(world: World) -> None:
    """Half of what card and balance had paid went back, and the rest to the balance."""
    customer = await world.customer("Credited")
    await world.balance(customer, 1000)
    session = await world.session(customer, await world.plan())
    assert await world.confirm(session) == Completed()
    row = await world.one("select id from invoices where customer_id = $1", customer)
    half = CreditRequest(invoice_id=row["id"], kind=Refund(), scope=Amount(2450))
    await refund_invoice(world.ctx, half, new_id())
    rest = CreditRequest(invoice_id=row["id"], kind=CreditToBalance(), scope=Everything())
    async with world.app.transaction() as tx:
        await issue_credit_note(world.ctx.within(tx), rest)


async def one_is_reversed(world: World) -> None:
    """A dispute of EUR 10 is open, and one of 9 was won after its debt had been forgiven."""
    lasting, won = [await reversible(await bought(world)) for _ in range(2)]
    await lasting.disputed(1000)
    await won.disputed(900)
    await won.billed.credit(DebtCancellation(), Amount(900))
    await won.won()


async def one_changes(world: World) -> None:
    """Changed to a cheaper plan at a checkout, 50.00 to the balance, and back to come."""
    product = await world.product("Fee", RateFee())
    dear, cheap = [
        await world.plan(
            ("Fee", RateFee(), [(Cadence.MONTHLY, rate(price))]), products={"Fee": product}
        )
        for price in ("99.00", "49.00")
    ]
    session = await world.session(await world.customer("Changer"), dear)
    assert await world.confirm(session) == Completed()
    bought = await world.one(
        "select subscription_id as id from checkout_sessions where id = $1", session
    )
    back = PlanChangeRequest(plan_version_id=dear.version_id, components=OfferRequest())
    there = replace(back, plan_version_id=cheap.version_id)
    async with world.app.transaction() as tx:
        ctx = world.ctx.within(tx)
        opened = await open_plan_change(ctx, bought["id"], there, "{}")
    assert opened.session is not None
    assert await world.confirm(opened.session.session.id) == Completed()
    async with world.app.transaction() as tx:
        await schedule_plan(world.ctx.within(tx), bought["id"], back, preview=False)


async def one_imports(world: World) -> None:
    """A file of two customers was imported, one of them in vain."""
    await imported(world, "name,currency\nGood,EUR\nBad,EURO\n")


@pytest.fixture(scope="module")
def shop_dsn(shared_dsn: str) -> str:
    """The database of a shop in which everything has happened."""

    async def fill() -> None:
        database = await Database.open(shared_dsn)
        await everything_happens(await open_world(database))
        await database.close()

    in_own_loop(fill())
    return shared_dsn


@pytest.fixture
async def guarded(shop_dsn: str) -> AsyncIterator[Tx]:
    """A transaction in that shop, undone afterwards."""
    connection = await connect(shop_dsn)
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()


@pytest.fixture
async def tx(guarded: Tx) -> Tx:
    """The same without anything that would refuse a breach."""
    await guarded.execute(UNGUARDED)
    await guarded.execute("set local session_replication_role = replica")
    return guarded


async def test_a_healthy_shop_is_silent(shop_dsn: str) -> None:
    """Bought, owed, being paid, declined, paid twice and refunded: nothing to say."""
    database = await Database.open(shop_dsn)
    found = await examine(database)
    await database.close()

    assert found.breaches == ()
    assert (found.rules, found.tenants) == (len(RULES), 1)


@pytest.mark.parametrize(
    ("rule", "statement"), [case for case in CASES if case[0] != "schema-guards"]
)
async def test_each_breach_is_named(tx: Tx, rule: str, statement: str) -> None:
    """What was changed behind the product's back breaks the rule it should."""
    await tx.execute(statement)

    found = await findings(tx, RULE[rule], 10)

    assert found
    for finding in found:
        assert finding.about
        assert rule.startswith("job-") or finding.tenant_id is not None


@pytest.mark.parametrize("statement", [case[1] for case in CASES if case[0] == "schema-guards"])
async def test_each_missing_guard_is_named(guarded: Tx, statement: str) -> None:
    """A guard that was dropped, disabled or never validated is named, and no other."""
    await guarded.execute(statement)

    (found,) = await findings(guarded, RULE["schema-guards"], 10)

    name = re.search(
        r"(?:trigger|index|constraint|add constraint) (?:sandbox\.)?(\w+)", statement
    )
    assert name is not None
    assert f" {name[1]} of " in found.about


async def test_a_breach_names_its_object(tx: Tx) -> None:
    """The id is the one known outside, and the sentence has both amounts."""
    await tx.execute("update invoices set amount_due = 77 where number = 1")

    found = (await examine_within(tx)).breaches
    (breach,) = (breach for breach in found if breach.rule != "schema-guards")

    assert breach.rule == "invoice-amount-due"
    assert (breach.object or "").startswith("inv_")
    assert breach.about.startswith("77 due of 4410, 1000 from the balance")


async def test_an_empty_database_is_silent(db: Database) -> None:
    """With no tenant there is nothing to break."""
    assert (await examine(db)).breaches == ()


def test_every_rule_is_seen_broken() -> None:
    """No rule without a case that breaks it, and names are unique."""
    names = [rule.name for rule in RULES]
    assert set(names) == {rule for rule, _ in CASES}
    assert len(names) == len(set(names))
