"""Direct debit: accepted at the checkout, decided days later."""

from tallystick.domain.payment import Pending
from tallystick.services.confirm_result import Completed
from tallystick.services.settle_debit import settle_debit
from tests.real_time import debits_are_decided
from tests.shops import attempts, invoice, subscription, told
from tests.soundness import assert_sound
from tests.world import World

FAILS_LATER = "DE62370400440532013001"


async def test_an_accepted_debit_starts_the_subscription_at_once(world: World) -> None:
    """Accepted is bought: the subscription is live, the invoice PROCESSING, unpaid."""
    session = await world.session(await world.customer(), await world.plan())

    assert await world.confirm(session, method=await world.debit()) == Completed()

    assert await world.charges() == []
    made, bill = await subscription(world), await invoice(world)
    assert made["status"] == "ACTIVE"
    assert (bill["status"], bill["payment_status"], bill["amount_due"]) == (
        "FINALIZED",
        "PROCESSING",
        4900,
    )
    payment = await world.one("select * from transactions")
    assert (payment["status"], payment["amount"], payment["processed_at"]) == (
        "PENDING",
        4900,
        None,
    )
    assert "invoice.paid" not in await told(world)
    method = await world.one("select * from payment_methods")
    assert (method["kind"], method["account_number_hint"]) == ("DIRECT_DEBIT", "3000")
    await assert_sound(world)


async def test_a_settled_debit_pays_the_invoice_once(world: World) -> None:
    """When the money comes the invoice is PAID and says so once, however often it is told."""
    session = await world.session(await world.customer(), await world.plan())
    await world.confirm(session, method=await world.debit())

    assert await debits_are_decided(world) == 1

    assert await world.charges() == [4900]
    bill = await invoice(world)
    assert (bill["payment_status"], bill["amount_due"], bill["settled"]) == ("PAID", 0, 4900)
    (attempt,) = await attempts(world)
    await settle_debit(
        world.ctx,
        attempt["reference"],
        await world.provider.look(world.tenant_id, attempt["reference"]),
    )
    assert (await told(world)).count("invoice.paid") == 1
    assert await debits_are_decided(world) == 0
    await assert_sound(world)


async def test_a_debit_that_fails_later_leaves_the_invoice_owed(world: World) -> None:
    """No money comes: the invoice is ERRORED with EUR 49 due, and the subscription stays."""
    session = await world.session(await world.customer(), await world.plan())
    await world.confirm(session, method=await world.debit(FAILS_LATER))

    await debits_are_decided(world)

    bill = await invoice(world)
    assert (bill["payment_status"], bill["amount_due"]) == ("ERRORED", 4900)
    assert (await subscription(world))["status"] == "ACTIVE"
    payment = await world.one("select * from transactions")
    assert (payment["status"], payment["error"]) == ("FAILED", '{"reason": "DEBIT_FAILED"}')
    assert (await told(world))[-1] == "payment.failed"
    assert await world.charges() == []
    await assert_sound(world)


async def test_a_debit_still_under_way_changes_nothing(world: World) -> None:
    """An answer that is no end of the debit leaves the invoice as it is."""
    session = await world.session(await world.customer(), await world.plan())
    await world.confirm(session, method=await world.debit())
    (attempt,) = await attempts(world)

    await settle_debit(world.ctx, attempt["reference"], Pending())
    await settle_debit(world.ctx, "unknown", Pending())

    assert (await invoice(world))["payment_status"] == "PROCESSING"
