"""What a trial that is charged first costs, and what may happen between its tries."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from tallystick.domain.coupons import Fixed, Percentage
from tallystick.domain.payment import Cancelled
from tallystick.services.collect_invoice import collect_due
from tallystick.services.confirm_result import AlreadyHeld, Completed
from tallystick.services.examine import examine
from tallystick.services.refund_invoice import sweep_refunds
from tests.real_time import debits_are_decided
from tests.scripted_bank import Ask, ScriptedBank, silent, with_bank
from tests.subscribing import Merchant
from tests.trials import ENDS, at_the_end, finalize, in_trial, stands, swept
from tests.world import SoldPlan, World

FAILS_WHEN_CHARGED = "4000000000000341"


@pytest.fixture
def merchant(world: World) -> Merchant:
    """Whoever moves the shop's clock."""
    return Merchant(world=world)


@pytest.mark.parametrize(
    ("balance", "charged", "applied"), [(4900, [], 4900), (6000, [], 4900), (900, [4000], 900)]
)
async def test_the_balance_pays_first(
    world: World, merchant: Merchant, balance: int, charged: list[int], applied: int
) -> None:
    """What covers it all makes it active without any charge; a part is held meanwhile."""
    customer, _ = await in_trial(world)
    await world.balance(customer, balance)

    await merchant.travel(ENDS)

    made = await world.one("select * from invoices")
    assert (made["status"], made["payment_status"]) == ("FINALIZED", "PAID")
    assert made["applied_balance"] == applied
    assert await world.charges() == charged
    left = await world.one("select balance, held from customer_balances")
    assert (left["balance"], left["held"]) == (balance - applied, 0)
    assert (await stands(world))["status"] == "ACTIVE"


async def test_a_decline_gives_the_balance_back(world: World, merchant: Merchant) -> None:
    """EUR 9 are held while the card is asked, and free again afterwards."""
    customer, _ = await in_trial(world, FAILS_WHEN_CHARGED)
    await world.balance(customer, 900)

    await merchant.travel(ENDS)

    left = await world.one("select balance, held from customer_balances")
    assert (left["balance"], left["held"]) == (900, 0)


async def test_too_little_to_charge(world: World, merchant: Merchant) -> None:
    """EUR 0.10 after a coupon of EUR 48.90: written off, final and active at once."""
    coupon = await world.coupon("NEARLY", Fixed(amount=Decimal("48.90"), currency="EUR"))
    await in_trial(world, coupon_ids=[coupon])

    await merchant.travel(ENDS)

    made = await world.one("select * from invoices")
    assert (made["total"], made["written_off"], made["payment_status"]) == (10, 10, "PAID")
    assert (await stands(world))["status"] == "ACTIVE"
    assert await world.charges() == []


async def test_a_coupon_is_used_once_however_often_it_is_tried(
    world: World, merchant: Merchant
) -> None:
    """20 % of the first invoice: EUR 39.20 on the third day, and EUR 49 the month after."""
    coupon = await world.coupon("FIRST", Percentage(percentage=Decimal(20)), recurring_value=1)
    await in_trial(world, FAILS_WHEN_CHARGED, coupon_ids=[coupon])
    await merchant.travel(ENDS)
    good = (await world.card()).token
    await world.execute("update payment_methods set token = $1", good)

    await merchant.travel(date(2026, 4, 28))

    assert await world.charges() == [3920, 4900]
    used = await world.one("select applied_count, applied_amount from coupon_redemptions")
    assert (used["applied_count"], used["applied_amount"]) == (1, 980)


async def test_invoices_that_wait_for_a_person(world: World, merchant: Merchant) -> None:
    """Without automatic finalization nothing is charged before somebody has looked."""
    await in_trial(world, auto_advance_invoices=False)
    await merchant.travel(ENDS)

    draft = await world.one("select id, status, charged_first from invoices")
    assert (draft["status"], draft["charged_first"]) == ("DRAFT", False)
    assert (await stands(world))["status"] == "ACTIVE"
    assert await world.charges() == []

    await finalize(world, draft["id"])
    await collect_due(world.ctx)
    assert await world.charges() == [4900]


async def test_a_new_checkout_supersedes_it(world: World, merchant: Merchant) -> None:
    """Bought anew between two tries: the old draft is dropped, and never tried again."""
    customer, plan = await in_trial(world, FAILS_WHEN_CHARGED)
    await merchant.travel(date(2026, 3, 25))

    session = await world.session(customer, plan)
    assert await world.confirm(session) == Completed()
    await merchant.travel(date(2026, 4, 20))

    assert await world.charges() == [4900]
    rows = await world.fetch("select status from subscriptions order by id")
    assert [row["status"] for row in rows] == ["SUPERSEDED", "ACTIVE"]
    (made,) = await merchant.invoices()
    assert made["invoice_date"] == date(2026, 3, 25)
    failed = await world.one("select state, invoice_id from collections")
    assert (failed["state"], failed["invoice_id"]) == ("FAILED", None)


async def test_a_checkout_under_way_puts_the_try_off(world: World) -> None:
    """While the plan is being bought anew the old trial is not charged; later it is."""
    customer, plan = await in_trial(world, FAILS_WHEN_CHARGED)
    merchant = Merchant(world=world)
    await merchant.travel(date(2026, 3, 26))
    session = await world.session(customer, plan)
    asks = await world.card("4000002500003155")
    await world.confirm(session, method=asks)
    tried = datetime(2026, 3, 27, tzinfo=UTC)
    await world.execute("update tenants set clock = $1", tried)
    later = world.at(tried)

    assert await collect_due(later.ctx) == 0

    draft = await world.one("select collect_at, invoice_date from invoices")
    assert draft["collect_at"] == datetime(2026, 3, 27, 1, tzinfo=UTC)
    assert len(await world.fetch("select * from collections")) == 1
    await merchant.is_sound()


async def test_the_try_holds_the_place_against_a_new_checkout(world: World) -> None:
    """A link made after the decline cannot be paid while the old trial is being charged."""
    customer, plan = await in_trial(world, FAILS_WHEN_CHARGED)
    merchant = Merchant(world=world)
    await merchant.travel(date(2026, 3, 26))
    session = await world.session(customer, plan, expires_in_hours=0)
    shown = await world.shown(session)
    tried = datetime(2026, 3, 27, tzinfo=UTC)
    await world.execute("update tenants set clock = $1", tried)
    bank = ScriptedBank(world.sandbox)
    bank.script("confirm", silent)
    later = with_bank(world.at(tried), bank)
    await collect_due(later.ctx)

    assert shown
    assert await later.confirm(session) == AlreadyHeld()

    await swept(later)
    assert await later.confirm(session) == Completed()
    assert await later.charges() == [4900]
    await merchant.is_sound()


async def test_cancelled_before_it_is_paid(world: World, merchant: Merchant) -> None:
    """The draft is dropped, its coupon is not used, and nothing is tried any more."""
    coupon = await world.coupon("SAVE", Percentage(percentage=Decimal(20)))
    await in_trial(world, FAILS_WHEN_CHARGED, coupon_ids=[coupon])
    await merchant.travel(ENDS)

    await merchant.cancel((await stands(world))["id"])
    await merchant.travel(date(2026, 5, 1))

    assert (await stands(world))["status"] == "CANCELLED"
    assert await merchant.invoices() == []
    assert await world.charges() == []
    used = await world.one("select applied_count from coupon_redemptions")
    assert used["applied_count"] == 0


async def test_an_end_that_comes_before_the_retry(world: World, merchant: Merchant) -> None:
    """Two days are left at the trial's end, none three days later: the draft is dropped."""
    await in_trial(world, FAILS_WHEN_CHARGED, end_date=date(2026, 3, 26))

    await merchant.travel(date(2026, 4, 20))

    assert await merchant.invoices() == []
    assert (await stands(world))["status"] == "TRIAL_EXPIRED"
    assert await world.charges() == []


async def test_no_card_that_can_be_charged(world: World, merchant: Merchant) -> None:
    """A card that has expired fails each time, without the bank; then the draft waits."""
    await in_trial(world)
    await world.execute("update payment_methods set card_expiry = '02/2026'")

    await merchant.travel(date(2026, 4, 20))

    assert (await stands(world))["status"] == "TRIAL_EXPIRED"
    tried = await world.fetch("select claimed_at::date as day, failure from collections")
    assert sorted((row["day"], row["failure"]) for row in tried) == [
        (date(2026, 3, day), "CARD_EXPIRED") for day in (24, 27)
    ] + [(date(2026, 4, day), "CARD_EXPIRED") for day in (1, 8)]
    assert await world.charges() == []
    assert await world.fetch("select * from plan_places") == []


async def denies(ask: Ask) -> object:
    """The bank takes the debit and says that it did not."""
    await ask()
    return Cancelled()


async def denied(world: World) -> tuple[UUID, SoldPlan, World]:
    """A debit at the trial's end that the bank denies: customer, plan, and the shop then."""
    customer, plan = await world.customer(), await world.plan()
    await world.balance(customer, 900)
    session = await world.session(customer, plan, trial_duration_days=14)
    assert await world.confirm(session, method=await world.debit()) == Completed()
    bank = ScriptedBank(world.sandbox)
    bank.script("confirm", denies)
    later = with_bank(await at_the_end(world), bank)
    await collect_due(later.ctx)
    assert (await stands(later))["status"] == "TRIAL_EXPIRED"
    return customer, plan, later


async def test_a_debit_that_comes_after_all(world: World) -> None:
    """Given up, and taken by the bank: the trial goes on from its end, with its balance."""
    _, _, later = await denied(world)

    await debits_are_decided(later)

    now = await stands(later)
    assert (now["status"], now["is_being_paid"]) == ("ACTIVE", False)
    assert now["current_period_end"] == date(2026, 4, 24)
    made = await later.one("select * from invoices")
    assert (made["payment_status"], made["applied_balance"]) == ("PAID", 900)
    assert made["collect_at"] is None
    assert await later.charges() == [4000]
    await Merchant(world=later).is_sound()


async def test_a_debit_that_comes_when_the_balance_is_gone(world: World) -> None:
    """What it was claimed with is gone: it stays expired, and the money goes back."""
    customer, _, later = await denied(world)
    await later.execute(
        "update customer_balances set held = 500 where customer_id = $1", customer
    )

    await debits_are_decided(later)
    await sweep_refunds(later.app, ENDS)

    assert (await stands(later))["status"] == "TRIAL_EXPIRED"
    assert (await later.one("select status from invoices"))["status"] == "DRAFT"
    taken, given = await later.sandbox.movements(later.tenant_id)
    assert (taken.kind, given.kind, given.amount) == ("CHARGE", "REFUND", taken.amount)
    # The test itself took the balance, and told nobody.
    found = await examine(later.database)
    assert {one.rule for one in found.breaches} == {"balance-holds"}
