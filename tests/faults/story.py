"""What a story is: how it begins, what happens in it, and how it may have ended."""

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from typing_extensions import override

from tallystick.services.confirm_result import Challenge, Completed
from tallystick.services.continue_checkout import continue_checkout
from tests.faults.bank import Pays
from tests.faults.outcomes import Buyer, Outcome
from tests.faults.stage import Case, Facts, Stage, time_passes
from tests.world import World

Seen = tuple[object, ...]
"""What of the facts a story is about."""


class Story:
    """Something that money moves in, told to one customer after the other."""

    name: ClassVar[str]
    outcomes: ClassVar[Sequence[Outcome]]
    paid_again: ClassVar[str] = "PAID"
    """The payment's status when it has happened at the second try."""
    is_alone: ClassVar[bool] = False
    """Whether there must be no tenants but its own in the database."""

    async def begin(self, stage: Stage, outcome: Outcome) -> Case:
        """Everything that lies before the story, for a customer of its own."""
        raise NotImplementedError

    async def ready(self, stage: Stage, cases: Sequence[Case]) -> None:
        """What is done for all of them together before it begins."""

    async def tell(self, stage: Stage, case: Case, outcome: Outcome, shop: World) -> None:
        """What happens, in a process that may fail; the rest of the world does not fail."""
        raise NotImplementedError

    async def told(self, stage: Stage, case: Case) -> None:
        """It was told: nothing of it may happen in the process of the next one."""

    async def afterwards(self, stage: Stage, case: Case, outcome: Outcome) -> None:
        """What people do who do not know that it failed."""
        if outcome.then is not None:
            await outcome.then(stage, case)

    async def rounds(self, stage: Stage, cases: Sequence[Case], outcome: Outcome) -> None:
        """What the worker does in the end."""
        await stage.rounds(cases, decides=outcome.decides)

    def seen(self, case: Case, now: Facts) -> Seen:
        """What is to be looked at."""
        raise NotImplementedError

    def once(self, case: Case, paid: str) -> Seen:
        """How that looks when it has happened once; `paid` is the payment's status."""
        raise NotImplementedError

    def none(self, case: Case) -> Sequence[Seen]:
        """How it may look when it has not happened, and can yet."""
        raise NotImplementedError

    async def again(self, stage: Stage, cases: Sequence[Case]) -> None:
        """Whoever got nothing tries again, and nothing fails."""
        raise NotImplementedError

    def paid(self, outcome: Outcome) -> str:
        """What the payment's status is after an outcome that took place."""
        if outcome.pays is Pays.BOUNCES:
            return "ERRORED"
        return "PAID" if outcome.decides else "PROCESSING"


def money(case: Case, paid: str) -> tuple[int, list[tuple[str, int]]]:
    """What the bank has in the end, and how the invoice stands."""
    return (case.due, [("PAID", 0)]) if paid == "PAID" else (0, [(paid, case.due)])


def new_invoices(case: Case, now: Facts) -> list[tuple[str, int]]:
    """Payment status and amount due of the final invoices that the story has made."""
    return [
        (paid, due)
        for one, (status, paid, due) in now.invoices.items()
        if status == "FINALIZED" and one not in case.was.invoices
    ]


class Checkout(Story):
    """A story of the page: a session, a buyer, the button."""

    @override
    async def tell(self, stage: Stage, case: Case, outcome: Outcome, shop: World) -> None:
        """The button; the bank's page and the way back; days later the bank's last word."""
        answer = await press(case, shop)
        if isinstance(answer, Challenge) and outcome.buyer in {Buyer.APPROVES, Buyer.REFUSES}:
            await self.at_the_bank(stage, case, outcome)
            await continue_checkout(shop.ctx, session_of(case))
        if outcome.pays.is_debit and outcome.decides:
            await stage.bank.decides(stage.world, list(case.bank.opened))
            await stage.bank.is_asked_about_debits(shop, [case.customer], 1)
        if outcome.is_swept:
            await time_passes(stage, shop, case)

    @override
    async def afterwards(self, stage: Stage, case: Case, outcome: Outcome) -> None:
        """A buyer who was sent to the bank answers there, whatever became of the shop."""
        await self.at_the_bank(stage, case, outcome)
        await super().afterwards(stage, case, outcome)

    async def at_the_bank(self, stage: Stage, case: Case, outcome: Outcome) -> None:
        """The buyer answers the challenge, or does not."""
        if outcome.buyer in {Buyer.APPROVES, Buyer.REFUSES}:
            approve = outcome.buyer is Buyer.APPROVES
            for reference in await stage.references([case]):
                await stage.bank.answers(stage.world, reference, approve=approve)

    @override
    async def again(self, stage: Stage, cases: Sequence[Case]) -> None:
        """The same link, and a good card."""
        for case in cases:
            if case.method is not None:
                case.method = await stage.bank.method(stage.world, Pays.GOOD, on_file=False)
            answer = await press(case, stage.world)
            assert answer == Completed(), f"the link cannot be used again: {answer}"


async def press(case: Case, shop: World) -> object:
    """The button, with the quote that was shown and the case's method."""
    pays = case.method is not None
    return await shop.confirm(
        session_of(case), shown=case.shown, method=case.method, chooses=pays, agrees=pays
    )


def session_of(case: Case) -> UUID:
    """The session of a story that has one."""
    assert case.session is not None, "a story of the page has a session"
    return case.session
