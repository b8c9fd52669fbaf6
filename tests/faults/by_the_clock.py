"""Stories in which a day comes, and the worker does all of it: draft, finalize, charge, record.

Each customer has a tenant of its own, whose clock alone is moved: `bill_due` takes up every
tenant that anything is due of, and the others must have nothing. When a story was told its
clock is put back, so that what is left of it waits for the others' rounds.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from typing_extensions import override

from tallystick.domain.offer_request import OfferRequest
from tallystick.services.cancel_subscription import cancel_subscription
from tallystick.services.collect_invoice import collect_invoice
from tallystick.services.confirm_result import Completed
from tallystick.services.due_work import bill_due
from tallystick.services.plan_wanted import PlanChangeRequest
from tallystick.services.schedule_plan import schedule_plan
from tests.faults.bank import Pays
from tests.faults.collecting import AGAIN, EndsTrial, FromFile, only_invoice, subscribed
from tests.faults.outcomes import DEBITS, DECLINE, LATE, NETWORK, NOBODY, SUCCESS, Outcome
from tests.faults.stage import Case, Facts, Stage, time_passes
from tests.faults.story import Seen, money, new_invoices
from tests.real_time import travel
from tests.world import NOON, World

A_MONTH_LATER = datetime.combine(NOON.date().replace(month=4), NOON.time(), NOON.tzinfo)
GRACE = timedelta(hours=13)
"""A draft is final when its hours of grace are over."""


CHARGES = (SUCCESS, DECLINE, *DEBITS[:2], *NETWORK[:2], *LATE[:1])
"""How a renewal is charged does not follow from what it bills: some of each kind."""


class ByTheClock(FromFile):
    """A day of a subscription comes, and the worker goes round."""

    is_alone: ClassVar[bool] = True
    comes: ClassVar[datetime] = A_MONTH_LATER + GRACE
    """When all of it is due."""

    @override
    async def begin(self, stage: Stage, outcome: Outcome) -> Case:
        """A subscription that is paid until that day, and a method."""
        own = await stage.beside()
        customer = await own.world.customer()
        await own.on_file(customer, Pays.GOOD)
        made, _ = await subscribed(own, customer, await own.plan())
        await collect_invoice(own.world.ctx, await only_invoice(own, customer))
        # The newest is the one that is charged.
        await own.on_file(customer, outcome.pays)
        case = Case(customer=customer, due=4900, subscription=made, own=own)
        await self.before(own, case)
        return own.scripted(case)

    async def before(self, stage: Stage, case: Case) -> None:
        """What was asked for before that day."""

    @override
    async def tell(self, stage: Stage, case: Case, outcome: Outcome, shop: World) -> None:
        """The day has come: everything that is due is done; days later the bank's last word."""
        await travel(stage.world, self.comes)
        await bill_due(shop.app, NOON)
        if outcome.pays.is_debit and outcome.decides:
            await stage.bank.decides(stage.world, list(case.bank.opened))
            await stage.bank.is_asked_about_debits(shop, [case.customer], 1)
        if outcome.is_swept:
            await time_passes(stage, shop, case)

    @override
    async def told(self, stage: Stage, case: Case) -> None:
        """The clock is put back: what is left waits."""
        await travel(stage.world, NOON)

    @override
    async def rounds(self, stage: Stage, cases: Sequence[Case], outcome: Outcome) -> None:
        """What nobody has done is done by another worker."""
        stage.world = await travel(stage.world, self.comes)
        await stage.rounds(cases, decides=outcome.decides)
        await bill_due(stage.world.app, NOON)
        await stage.rounds(cases, decides=outcome.decides)
        stage.world = await travel(stage.world, NOON)

    @override
    async def again(self, stage: Stage, cases: Sequence[Case]) -> None:
        """The customer has mended the method, and after some days it is tried again."""
        for pays in (Pays.GOOD, Pays.SETTLES):
            await stage.bank.turns(stage.world, [case.customer for case in cases], pays)
        stage.world = await travel(stage.world, self.comes + AGAIN)
        await bill_due(stage.world.app, NOON)
        await stage.rounds(cases)
        stage.world = await travel(stage.world, NOON)

    @override
    def seen(self, case: Case, now: Facts) -> Seen:
        """Subscriptions and their plans, money and invoices."""
        statuses = [status for status, _ in now.subscriptions.values()]
        return statuses, now.live, now.kept - case.was.kept, new_invoices(case, now)

    def plans(self, case: Case) -> list[object]:
        """What it is on afterwards."""
        return list(case.was.live)

    @override
    def once(self, case: Case, paid: str) -> Seen:
        """One invoice of the month, and one charge."""
        return ["ACTIVE"], self.plans(case), *money(case, paid)

    @override
    def none(self, case: Case) -> list[Seen]:
        """The month is owed, and will be tried again."""
        return [(["ACTIVE"], self.plans(case), 0, [("ERRORED", case.due)])]

    @override
    def paid(self, outcome: Outcome) -> str:
        """A debit that bounced is no payment: it can be tried again."""
        return "PAID" if outcome.decides else "PROCESSING"


class RenewsByTheClock(ByTheClock):
    """A month is over: the next one is drafted, finalized and charged, EUR 49."""

    name = "renewal by the clock"


class ChangesAtTheEnd(ByTheClock):
    """The same, and with the month a plan of EUR 99 begins that was scheduled."""

    name = "renewal with a change of plan"
    outcomes: ClassVar[Sequence[Outcome]] = CHARGES

    @override
    async def before(self, stage: Stage, case: Case) -> None:
        """The change is scheduled."""
        dear = await stage.dearer()
        request = PlanChangeRequest(plan_version_id=dear.version_id, components=OfferRequest())
        assert case.subscription is not None, "it is to change"
        async with stage.world.app.transaction() as tx:
            ctx = stage.world.ctx.within(tx)
            await schedule_plan(ctx, case.subscription, request, preview=False)
        case.wants, case.due = dear.version_id, 9900

    @override
    def plans(self, case: Case) -> list[object]:
        """The new one."""
        return [case.wants]


class EndsAtTheEnd(ByTheClock):
    """The month is over, and so is the cancelled subscription: nothing is billed."""

    name = "end of a cancelled subscription"
    outcomes: ClassVar[Sequence[Outcome]] = (NOBODY,)

    @override
    async def before(self, stage: Stage, case: Case) -> None:
        """It is cancelled for the end of its period."""
        assert case.subscription is not None, "it is to end"
        async with stage.world.app.transaction() as tx:
            await cancel_subscription(stage.world.ctx.within(tx), case.subscription, None, None)

    @override
    def once(self, case: Case, paid: str) -> Seen:
        """It is over, and nobody paid."""
        return ["CANCELLED"], [], 0, []

    @override
    def none(self, case: Case) -> list[Seen]:
        """Nothing else may be."""
        return []


class TrialEndsByTheClock(ByTheClock):
    """Two free weeks are over: EUR 49 less EUR 10 of credit, charged before it goes on."""

    name = "end of a trial by the clock"
    comes: ClassVar[datetime] = NOON + timedelta(days=14)

    @override
    async def begin(self, stage: Stage, outcome: Outcome) -> Case:
        """A trial that a checkout has begun, with a method."""
        own = await stage.beside()
        world = own.world
        customer = await world.customer()
        await world.balance(customer, 1000)
        session = await world.session(customer, await own.plan(), trial_duration_days=14)
        method = await own.bank.method(world, outcome.pays, on_file=True)
        assert await world.confirm(session, method=method) == Completed()
        return own.scripted(Case(customer=customer, due=3900, own=own))

    seen = EndsTrial.seen
    once = EndsTrial.once
    none = EndsTrial.none

    @override
    def paid(self, outcome: Outcome) -> str:
        """As any charge from a saved method before something begins."""
        return EndsTrial().paid(outcome)
