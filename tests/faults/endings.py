"""Stories of sessions that end, or change their mind, while they are being paid."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import ClassVar

from typing_extensions import override

from tallystick.domain.errors import Conflict
from tallystick.services.confirm_result import Completed
from tallystick.services.continue_checkout import use_another_method
from tallystick.services.end_session import cancel_session, expire_session
from tests.faults.at_a_page import CREDIT, Buys
from tests.faults.bank import Pays
from tests.faults.outcomes import ENDINGS, Outcome
from tests.faults.stage import Case, Stage, time_passes
from tests.faults.story import Seen, press, session_of
from tests.world import NOON, World

LATER = NOON + timedelta(hours=2)
"""The link's time is over."""


class IsCancelled(Buys):
    """The merchant cancels while the buyer pays."""

    name = "cancel while paying"
    outcomes: ClassVar[Sequence[Outcome]] = ENDINGS
    ends_as: ClassVar[str] = "CANCELLED"

    async def end(self, case: Case, shop: World) -> None:
        """The end that is asked for; the answer may be that it is too late, or to ask again."""
        with suppress(Conflict):
            await cancel_session(shop.ctx, session_of(case))

    @override
    async def tell(self, stage: Stage, case: Case, outcome: Outcome, shop: World) -> None:
        """The button, and the end."""
        await press(case, shop)
        await self.end(case, shop)
        if outcome.is_swept:
            await time_passes(stage, shop, case)

    @override
    async def rounds(self, stage: Stage, cases: Sequence[Case], outcome: Outcome) -> None:
        """Whoever has heard nothing asks for the end again."""
        for case in cases:
            await self.end(case, stage.world)
        await stage.rounds(cases, decides=outcome.decides)
        for case in cases:
            await self.end(case, stage.world)

    @override
    def none(self, case: Case) -> list[Seen]:
        """The link has ended, and nothing is taken."""
        return [(self.ends_as, 0, 0, [], CREDIT, 0)]

    @override
    async def again(self, stage: Stage, cases: Sequence[Case]) -> None:
        """The merchant makes another link for the same customer."""
        for case in cases:
            case.session = await stage.world.session(
                case.customer, await stage.plan(), coupon_ids=(stage.made["coupon"],)
            )
        await super().again(stage, cases)


class Expires(IsCancelled):
    """The link's time is over while the buyer pays."""

    name = "expiry while paying"
    ends_as = "EXPIRED"

    @override
    async def end(self, case: Case, shop: World) -> None:
        """The worker finds that it is over."""
        await expire_session(shop.at(LATER).ctx, session_of(case))


class LeavesForAnotherCard(Buys):
    """The buyer wants to pay in another way, and does."""

    name = "another method while paying"
    outcomes: ClassVar[Sequence[Outcome]] = ENDINGS

    @override
    async def tell(self, stage: Stage, case: Case, outcome: Outcome, shop: World) -> None:
        """The button, the change of mind, and the button with a good card."""
        card = await stage.bank.method(stage.world, Pays.GOOD, on_file=False)
        await press(case, shop)
        if await use_another_method(shop.ctx, session_of(case)) != Completed():
            case.method = card
            await press(case, shop)
        if outcome.is_swept:
            await time_passes(stage, shop, case)
