"""The golden cases of payments: what a charge does to its invoice, and what comes after it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tallystick.domain.payment import Method
from tallystick.services.collect_invoice import collect_due
from tallystick.services.confirm_result import Completed
from tallystick.services.ids import new_id
from tests.cases.golden import case
from tests.crediting import Billed
from tests.real_time import debits_are_decided
from tests.reversing import Reversible, reversible
from tests.scenarios.golden_lives import sold
from tests.subscribing import Merchant
from tests.world import World

START = date(2024, 1, 1)
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
FAILS_LATER = "DE62370400440532013001"


async def owing(world: World, told: dict[str, Any], method: Method) -> Merchant:
    """A customer with a saved method, whose first invoice was made and is not paid yet."""
    merchant = Merchant(world=world)
    await merchant.stand_at(NOON)
    customer = await world.customer()
    await saved(world, customer, method)
    plan = await sold(world, told["input"]["plan"])
    await merchant.subscribe(customer, plan, START, charge_automatically=True)
    return merchant


async def saved(world: World, customer: UUID, method: Method) -> None:
    """Keep a method of a customer, as a checkout does."""
    await world.execute(
        "insert into payment_methods (tenant_id, id, customer_id, provider, token, kind,"
        " card_brand, card_last4, card_expiry, account_number_hint, created_at)"
        " values ($1, $2, $3, 'sandbox', $4, $5, $6, $7, $8, $9, $10)",
        world.tenant_id,
        new_id(),
        customer,
        method.token,
        method.kind.value,
        method.card_brand,
        method.card_last4,
        method.card_expiry,
        method.account_hint,
        NOON,
    )


async def stands(merchant: Merchant) -> dict[str, Any]:
    """The only invoice in the words of the cases."""
    (row,) = await merchant.invoices()
    return {
        "status": row["status"].lower(),
        "payment_status": row["payment_status"].lower(),
        "total": row["total"],
        "amount_due": row["amount_due"],
        "prorated": False,
        "retry": row["collect_at"],
    }


async def transactions(world: World) -> list[str]:
    """How every transaction stands, in the words of the cases."""
    rows = await world.fetch("select status from transactions order by id")
    return [row["status"].lower() for row in rows]


@pytest.mark.parametrize("case_id", ["SUB-13"])
async def test_a_stored_card_is_charged_by_itself(world: World, case_id: str) -> None:
    """SUB-13: finalized and unpaid at the creation, paid once it was collected."""
    told = case(case_id)
    merchant = await owing(world, told, await world.card())
    steps = told["expected"]["per_step"]

    for step in steps:
        if step["step"]:
            await collect_due(merchant.world.ctx)
        found = await stands(merchant)
        for wanted in step["invoices"]:
            assert {**found, "index": 0} == {**found, **wanted}
    assert len(await merchant.invoices()) == told["expected"]["invoice_count"]
    assert await world.charges() == [3500]
    await merchant.is_sound()


@pytest.mark.parametrize("case_id", ["PAY-01"])
async def test_a_charge_settles_later(world: World, case_id: str) -> None:
    """PAY-01: pending until the bank has decided; then settled, and nothing is due."""
    told = case(case_id)
    accepted, settled = told["expected"]["per_step"]
    merchant = await owing(world, told, await world.debit())

    await collect_due(merchant.world.ctx)
    assert await transactions(world) == [accepted["transaction"]]

    await debits_are_decided(world)
    assert await transactions(world) == [settled["transaction"]]
    found = await stands(merchant)
    assert found == {**found, **settled["invoice"]}
    await merchant.is_sound()


@pytest.mark.parametrize("case_id", ["PAY-02"])
async def test_a_charge_that_fails_is_tried_again(world: World, case_id: str) -> None:
    """PAY-02: failed, the invoice errored, and one retry after three days."""
    told = case(case_id)
    merchant = await owing(world, told, await world.debit(FAILS_LATER))

    await collect_due(merchant.world.ctx)
    await debits_are_decided(world)

    assert await transactions(world) == [told["expected"]["transaction"]]
    found = await stands(merchant)
    assert found == {**found, **told["expected"]["invoice"]}
    days = timedelta(days=told["derived"]["first_retry_after_days"])
    assert found["retry"] == NOON + days
    waiting = await world.fetch("select id from invoices where collect_at is not null")
    assert len(waiting) == told["expected"]["pending_retries"]
    (subscription,) = await world.fetch("select status from subscriptions")
    assert subscription["status"].lower() == told["derived"]["subscription_status"]
    await merchant.is_sound()


@pytest.mark.parametrize("case_id", ["PAY-04", "PAY-06", "PAY-07"])
async def test_what_is_paid_is_taken_back(world: World, case_id: str) -> None:
    """PAY-04, PAY-06, PAY-07: refunds that nobody here asked for, and disputes.

    The cases' `amount_refunded` is what went back either way; their refunds are cumulative.
    """
    told = case(case_id)
    merchant = await owing(world, told, await world.card())
    found: dict[int, dict[str, Any]] = {}
    bank: Reversible | None = None
    for number, step in enumerate(told["steps"]):
        if step["do"] == "charge":
            await collect_due(merchant.world.ctx)
            (row,) = await merchant.invoices()
            billed = Billed(world=merchant.world, customer_id=row["customer_id"], id=row["id"])
            bank = await reversible(billed)
        elif step["do"] == "webhook":
            assert bank is not None, "what was charged is taken back"
            await hears(bank, step)
            found[number] = await shown(bank)
        await merchant.is_sound()

    for wanted in told["expected"]["per_step"]:
        assert found[wanted["step"]] == {**found[wanted["step"]], **flat(wanted)}


def flat(wanted: dict[str, Any]) -> dict[str, Any]:
    """What a case expects of a payment and its invoice, its expressions summed."""
    invoice = dict(wanted.get("invoice", {}))
    told = {**wanted, **invoice}
    for name in ("amount_refunded", "amount_due"):
        if f"{name}_expr" in told:
            told[name] = sum(int(part) for part in told.pop(f"{name}_expr").split(" + "))
    if told.pop("amount_due_equals_total", False):
        told["amount_due"] = told["total"] = 3500
    return {name: told[name] for name in told if name not in {"step", "invoice"}}


async def hears(bank: Reversible, step: dict[str, Any]) -> None:
    """The provider tells what has happened, once more where it is redelivered."""
    match step["kind"]:
        case "refunded":
            before = (await bank.transaction()).reversed
            await bank.refunded(step["cumulative"] - before)
        case "dispute_withdrawn":
            await bank.disputed(step["amount"])
        case "dispute_reinstated" | "dispute_reinstated (redelivered)":
            reported = await bank.won()
            assert reported.returned == step["amount"]
            await bank.told(reported)
        case other:
            raise AssertionError(other)


async def shown(bank: Reversible) -> dict[str, Any]:
    """The payment and its invoice in the words of the cases."""
    payment, (status, due) = await bank.transaction(), await bank.stands()
    return {
        "transaction": payment.shown_status.lower(),
        "amount_refunded": payment.refunded + payment.reversed,
        "payment_status": status.lower(),
        "amount_due": due,
        "total": (await bank.entry()).total,
    }


@pytest.mark.parametrize("case_id", ["PAY-11"])
async def test_a_checkout_is_completed_once(world: World, case_id: str) -> None:
    """PAY-11: the second confirmation finds the first one's attempt, and charges nothing."""
    told = case(case_id, decided="whose row exists from record on")
    amount = told["steps"][0]["amount"]
    merchant = Merchant(world=world)
    await merchant.stand_at(datetime(2024, 3, 1, 12, tzinfo=UTC))
    session = await world.session(
        await world.customer(),
        await sold(world, told["input"]["plan"]),
        billing_start_date=date.fromisoformat(told["input"]["billing_start_date"]),
        billing_day_anchor=told["input"]["billing_day_anchor"],
    )
    shown = await world.shown(session)
    await world.confirm(session, shown=shown, method=await world.debit())
    first = await world.fetch("select id, amount, status from transactions")

    again = await world.confirm(session, shown=shown, method=await world.debit())

    assert again == Completed()
    expected = told["expected"]
    assert [(one["amount"], one["status"].lower()) for one in first] == [
        (amount, expected["transaction"])
    ]
    second = await world.fetch("select id, amount, status from transactions")
    assert (second == first, len(second)) == (
        expected["same_transaction"],
        expected["transactions"],
    )
    await merchant.is_sound()
