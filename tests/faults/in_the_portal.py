"""Stories of customers in their portal: they give a method that is charged later."""

from collections.abc import Sequence
from contextlib import suppress
from typing import ClassVar

from typing_extensions import override

from tallystick.domain.errors import TallystickError
from tallystick.domain.payment import MethodRefused
from tallystick.services.add_own_method import (
    Added,
    AddedResult,
    Challenged,
    add_own_method,
    continue_adding,
)
from tallystick.services.confirm_result import Consent
from tallystick.services.ids import new_id
from tallystick.services.portal_token import (
    OpenedPortal,
    PortalScope,
    issue_portal_token,
    open_portal,
)
from tallystick.services.sweep_setups import sweep_setups
from tests.faults.bank import Pays
from tests.faults.outcomes import TO_SAVE, Buyer, Outcome
from tests.faults.stage import Case, Facts, Stage
from tests.faults.story import Seen, Story
from tests.providers.contract import ACCEPTANCE
from tests.world import NOON, PUBLIC_URL, World

SCOPES = (PortalScope.READ, PortalScope.MANAGE)
HOUR_SECONDS = 3600


class AddsMethod(Story):
    """A customer adds a method in the portal, and sends the form again if nothing is heard."""

    name = "method added in the portal"
    outcomes: ClassVar[Sequence[Outcome]] = TO_SAVE

    @override
    async def begin(self, stage: Stage, outcome: Outcome) -> Case:
        """A customer with a link to the portal, and what will be typed there."""
        world = stage.world
        customer = await world.customer()
        async with world.app.transaction() as tx:
            made = await issue_portal_token(
                world.ctx.within(tx), customer, HOUR_SECONDS, SCOPES
            )
        return stage.scripted(
            Case(
                customer=customer,
                due=0,
                shown=made.token,
                pays=outcome.pays,
                typed=await stage.bank.typed(outcome.pays),
            )
        )

    async def send(self, case: Case, shop: World) -> tuple[OpenedPortal, AddedResult]:
        """Open the portal, and send the form under its id."""
        assert case.shown is not None, "there is a link"
        portal = await open_portal(shop.app, case.shown, NOON)
        consent = Consent(
            text_version="1", language="en", text="...", given_at=NOON, acceptance=ACCEPTANCE
        )
        return portal, await add_own_method(
            portal, case.key, case.pays.kind, case.typed, consent, f"{PUBLIC_URL}/portal"
        )

    @override
    async def tell(self, stage: Stage, case: Case, outcome: Outcome, shop: World) -> None:
        """The form; the bank's page and the way back; the sweeper, where nobody comes back."""
        with suppress(MethodRefused):
            portal, answer = await self.send(case, shop)
            if isinstance(answer, Challenged) and outcome.buyer in BACK:
                await self.at_the_bank(stage, case, outcome)
                await continue_adding(portal, case.key)
        if outcome.is_swept:
            await stage.become_due([case])
            await sweep_setups(shop.app, NOON)

    async def at_the_bank(self, stage: Stage, case: Case, outcome: Outcome) -> None:
        """The customer answers the challenge, or does not."""
        if outcome.buyer in BACK:
            approve = outcome.buyer is Buyer.APPROVES
            for reference in await stage.references([case]):
                await stage.bank.answers(stage.world, reference, approve=approve)

    @override
    async def afterwards(self, stage: Stage, case: Case, outcome: Outcome) -> None:
        """Who was at the bank answers there; what was lost lands."""
        await self.at_the_bank(stage, case, outcome)
        await super().afterwards(stage, case, outcome)

    @override
    def seen(self, case: Case, now: Facts) -> Seen:
        """Methods and money."""
        return now.methods, now.kept

    @override
    def once(self, case: Case, paid: str) -> Seen:
        """One method, and nothing is taken."""
        return 1, 0

    @override
    def none(self, case: Case) -> list[Seen]:
        """None is kept."""
        return [(0, 0)]

    @override
    def paid(self, outcome: Outcome) -> str:
        """Nothing is paid."""
        return "PAID"

    @override
    async def again(self, stage: Stage, cases: Sequence[Case]) -> None:
        """The customer fills in another form, with a good card."""
        for case in cases:
            case.key, case.pays = new_id(), Pays.GOOD
            case.typed = await stage.bank.typed(Pays.GOOD)
            with suppress(TallystickError):
                _, answer = await self.send(case, stage.world)
                assert answer == Added(), f"no method can be added: {answer}"


BACK = {Buyer.APPROVES, Buyer.REFUSES}
"""Those who come back from the bank."""
