"""After a failure: the worker has done its rounds, and exactly one of two things is true."""

from dataclasses import dataclass

from tallystick.services.confirm_result import Completed
from tallystick.services.late_money import refund_late_money
from tallystick.services.record_purchase import record_purchase
from tests.faults.stories import GOOD, Case, Kind
from tests.real_time import debits_are_decided, sweep
from tests.shops import stored


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a session came to: its state, what the bank has moved, how many subscriptions."""

    state: str
    moved: tuple[tuple[str, int], ...]
    subscriptions: int

    @property
    def kept(self) -> int:
        """What the merchant has of the buyer's money."""
        return sum(amount if kind == "CHARGE" else -amount for kind, amount in self.moved)


async def outcome_of(case: Case) -> Outcome:
    """What a session has come to by now."""
    moved = await case.world.fetch(
        "select m.kind, m.amount from sandbox.movements m "
        "join payment_attempts a on a.tenant_id = m.tenant_id and a.reference = m.reference "
        "where a.session_id = $1 order by m.id",
        case.session,
    )
    subscriptions = await case.world.fetch(
        "select id from subscriptions where checkout_session_id = $1", case.session
    )
    return Outcome(
        state=(await stored(case.world, case.session))["state"],
        moved=tuple((row["kind"], row["amount"]) for row in moved),
        subscriptions=len(subscriptions),
    )


async def worker_does_its_rounds(case: Case) -> None:
    """Sweep, settle, hear again of money that came too late, and give it back."""
    world = case.world
    case.bank.steps.clear()
    await _close_what_the_bank_lied_about(case)
    await sweep(world)
    await debits_are_decided(world)
    for row in await world.fetch(
        "select a.id from payment_attempts a join sandbox.intents i "
        "on i.tenant_id = a.tenant_id and i.reference = a.reference "
        "where a.session_id = $1 and a.state = 'FAILED' and i.state = 'SUCCEEDED'",
        case.session,
    ):
        async with world.database.transaction() as tx:
            await record_purchase(world.ctx, tx, row["id"])
        await refund_late_money(world.ctx, row["id"])


async def assert_bought_once_or_not_at_all(case: Case, kind: Kind) -> Outcome:
    """One charge and one subscription; or neither, and then an open session can be bought."""
    await worker_does_its_rounds(case)
    outcome = await outcome_of(case)
    if outcome.state == "COMPLETED":
        assert (outcome.kept, outcome.subscriptions) == (kind.due, 1), outcome
        return outcome
    assert outcome.state in {"CREATED", "CANCELLED", "EXPIRED"}, outcome
    assert (outcome.kept, outcome.subscriptions) == (0, 0), outcome
    if outcome.state == "CREATED":
        bought = await case.confirm(case.world, GOOD, pays=kind.pays)
        assert bought == Completed(), bought
        after = await outcome_of(case)
        assert (after.kept, after.subscriptions) == (kind.due, 1), after
    return outcome


async def _close_what_the_bank_lied_about(case: Case) -> None:
    """A challenge that was said to be cancelled is refused in the end."""
    for row in await case.world.fetch(
        "select i.reference from payment_attempts a join sandbox.intents i "
        "on i.tenant_id = a.tenant_id and i.reference = a.reference "
        "where a.session_id = $1 and a.state = 'FAILED' and i.state = 'CHALLENGED'",
        case.session,
    ):
        await case.world.sandbox.answer_challenge(
            case.world.tenant_id, row["reference"], approve=False
        )
