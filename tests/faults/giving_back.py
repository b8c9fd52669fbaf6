"""Stories of money that goes back, and of debts that are given up."""

from collections.abc import Sequence
from contextlib import suppress
from typing import ClassVar

from typing_extensions import override

from tallystick.domain.credit_note import Everything, Refund
from tallystick.domain.errors import TallystickError
from tallystick.services.change_invoice import MoneyReceived, receive_money, void_invoice
from tallystick.services.confirm_result import Completed
from tallystick.services.continue_checkout import use_another_method
from tallystick.services.end_session import cancel_session
from tallystick.services.ids import new_id
from tallystick.services.issue_credit_note import CreditRequest
from tallystick.services.refund_invoice import refund_invoice
from tests.faults.at_a_page import CREDIT, Buys
from tests.faults.bank import Pays
from tests.faults.collecting import only_invoice, subscribed
from tests.faults.outcomes import LIES, NOBODY, REFUNDS, REFUSED, Outcome, news_arrives
from tests.faults.stage import Case, Facts, Stage, time_passes
from tests.faults.story import Seen, Story, press, session_of
from tests.scripted_bank import ScriptedBank
from tests.world import World

EVERYTHING = 4900


class Refunds(Story):
    """A purchase of EUR 49 is given back whole, under a credit note."""

    name = "refund by a credit note"
    outcomes: ClassVar[Sequence[Outcome]] = (*REFUNDS, REFUSED)

    @override
    async def begin(self, stage: Stage, outcome: Outcome) -> Case:
        """A purchase, paid by card."""
        world = stage.world
        customer = await world.customer()
        session = await world.session(customer, await stage.plan())
        shown = await stage.shown(self.name, session)
        card = await stage.bank.method(world, Pays.GOOD, on_file=False)
        assert await world.confirm(session, shown=shown, method=card) == Completed()
        invoice = await only_invoice(stage, customer)
        return stage.scripted(Case(customer=customer, due=EVERYTHING, invoice=invoice))

    async def refund(self, case: Case, shop: World) -> None:
        """The request, under an id that every repeat of it has."""
        assert case.invoice is not None, "there is something to give back"
        request = CreditRequest(invoice_id=case.invoice, kind=Refund(), scope=Everything())
        await refund_invoice(shop.ctx, request, case.key)

    @override
    async def tell(self, stage: Stage, case: Case, outcome: Outcome, shop: World) -> None:
        """The request, and time that passes where nobody has answered."""
        with suppress(TallystickError):
            await self.refund(case, shop)
        if outcome.is_swept:
            await time_passes(stage, shop, case)

    @override
    async def afterwards(self, stage: Stage, case: Case, outcome: Outcome) -> None:
        """Who has heard nothing asks again."""
        await super().afterwards(stage, case, outcome)
        await stage.become_due([case])
        await self.refund(case, stage.world)

    @override
    def seen(self, case: Case, now: Facts) -> Seen:
        """What went back, and the notes that count."""
        return case.was.kept - now.kept, [one for one in now.notes.values() if one != "VOIDED"]

    @override
    def once(self, case: Case, paid: str) -> Seen:
        """Once, under one note."""
        return case.due, ["FINALIZED"]

    @override
    def none(self, case: Case) -> list[Seen]:
        """The bank has refused it: the note is void."""
        return [(0, [])]

    @override
    async def again(self, stage: Stage, cases: Sequence[Case]) -> None:
        """It is asked for anew."""
        for case in cases:
            case.key = new_id()
            await self.refund(case, stage.world)


class LateMoney(Buys):
    """The bank has said cancelled, and takes the money all the same; nothing was bought since.

    The purchase is made after all.
    """

    name = "late money, the link open"
    outcomes: ClassVar[Sequence[Outcome]] = REFUNDS[:1]

    @override
    async def begin(self, stage: Stage, outcome: Outcome) -> Case:
        """A challenge that was left, and is approved now."""
        case = await super().begin(stage, outcome)
        world = stage.world
        case.method = await stage.bank.method(world, Pays.ASKS, on_file=False)
        assert isinstance(world.provider, ScriptedBank), "the stage's bank has a script"
        world.provider.script("cancel", *LIES["cancel"])
        await press(case, world)
        await use_another_method(world.ctx, session_of(case))
        await self.meanwhile(stage, case)
        return case

    async def meanwhile(self, stage: Stage, case: Case) -> None:
        """What happens before the money comes."""

    @override
    async def ready(self, stage: Stage, cases: Sequence[Case]) -> None:
        """It comes."""
        for reference in await stage.references(cases):
            await stage.bank.answers(stage.world, reference, approve=True)

    @override
    async def tell(self, stage: Stage, case: Case, outcome: Outcome, shop: World) -> None:
        """The provider tells of it, and what nobody wants goes back."""
        await news_arrives(stage, case, shop)

    @override
    async def afterwards(self, stage: Stage, case: Case, outcome: Outcome) -> None:
        """It is told until somebody has listened."""
        await super().afterwards(stage, case, outcome)
        await news_arrives(stage, case)


class LateMoneyAfterAll(LateMoney):
    """The same, when another card has bought: what came late goes back."""

    name = "late money, bought by another card"
    outcomes: ClassVar[Sequence[Outcome]] = REFUNDS

    @override
    async def meanwhile(self, stage: Stage, case: Case) -> None:
        """Another card buys."""
        case.method = await stage.bank.method(stage.world, Pays.GOOD, on_file=False)
        assert await press(case, stage.world) == Completed()

    @override
    def seen(self, case: Case, now: Facts) -> Seen:
        """Invoices of before are those of the other card."""
        state = now.sessions[session_of(case)]
        return state, len(now.live), now.kept, now.final, now.balance, now.redemptions


class LateMoneyForNothing(LateMoney):
    """The same, when the link was cancelled: what came late goes back."""

    name = "late money, the link ended"
    outcomes: ClassVar[Sequence[Outcome]] = REFUNDS

    @override
    async def meanwhile(self, stage: Stage, case: Case) -> None:
        """The merchant cancels the link."""
        await cancel_session(stage.world.ctx, session_of(case))

    @override
    def once(self, case: Case, paid: str) -> Seen:
        """Nothing is bought or kept."""
        return "CANCELLED", 0, 0, [], CREDIT, 0

    @override
    def none(self, case: Case) -> list[Seen]:
        """Nothing else may be."""
        return []


class IsVoided(Story):
    """EUR 49 are owed, EUR 10 of them paid from the balance, and the invoice is voided."""

    name = "voiding of an invoice"
    outcomes: ClassVar[Sequence[Outcome]] = (NOBODY,)

    @override
    async def begin(self, stage: Stage, outcome: Outcome) -> Case:
        """An invoice that nobody has charged."""
        customer = await stage.world.customer()
        await stage.world.balance(customer, CREDIT)
        await subscribed(stage, customer, await stage.plan())
        invoice = await only_invoice(stage, customer)
        return stage.scripted(Case(customer=customer, due=3900, invoice=invoice))

    async def change(self, case: Case, shop: World) -> None:
        """The request, in its one transaction."""
        assert case.invoice is not None, "it is owed"
        async with shop.app.transaction() as tx:
            await void_invoice(shop.ctx.within(tx), case.invoice)

    @override
    async def tell(self, stage: Stage, case: Case, outcome: Outcome, shop: World) -> None:
        """The request."""
        await self.change(case, shop)

    @override
    def seen(self, case: Case, now: Facts) -> Seen:
        """The invoice, and the balance."""
        return [one for one, _, _ in now.invoices.values()], now.final, now.balance

    @override
    def once(self, case: Case, paid: str) -> Seen:
        """It is void, and the balance has its part again."""
        return ["VOID"], [], CREDIT

    @override
    def none(self, case: Case) -> list[Seen]:
        """It is owed."""
        return [(["FINALIZED"], [("UNPAID", case.due)], 0)]

    @override
    async def again(self, stage: Stage, cases: Sequence[Case]) -> None:
        """The merchant asks again."""
        for case in cases:
            await self.change(case, stage.world)


class IsPaidElsewhere(IsVoided):
    """The same invoice is noted as paid."""

    name = "payment that came another way"

    @override
    async def change(self, case: Case, shop: World) -> None:
        """The request, in its one transaction."""
        assert case.invoice is not None, "it is owed"
        money = MoneyReceived(amount=case.due, paid_at=None, reference=None)
        async with shop.app.transaction() as tx:
            await receive_money(shop.ctx.within(tx), case.invoice, money)

    @override
    def once(self, case: Case, paid: str) -> Seen:
        """It is paid."""
        return ["FINALIZED"], [("PAID", 0)], 0
