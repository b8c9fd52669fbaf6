"""Stories of tries that were given up and got their money all the same."""

from collections.abc import Sequence
from typing import ClassVar

from typing_extensions import override

from tallystick.services.collect_invoice import collect_invoice
from tallystick.services.ids import new_id
from tallystick.services.pay_invoice import pay_invoice
from tallystick.services.try_to_collect import sweep_collections
from tests.faults.collecting import Renews
from tests.faults.outcomes import LIES, REFUNDS, Outcome, news_arrives
from tests.faults.stage import Case, Stage, time_passes
from tests.scripted_bank import Delayed, ScriptedBank
from tests.world import NOON, World


class LateTry(Renews):
    """The bank has said cancelled of a try, whose confirmation lands all the same.

    Its invoice is owed, and paid by it after all.
    """

    name = "late money of a try, still owed"
    outcomes: ClassVar[Sequence[Outcome]] = REFUNDS[:1]

    @override
    async def begin(self, stage: Stage, outcome: Outcome) -> Case:
        """A try that was given up, and whose money comes now."""
        case = await super().begin(stage, outcome)
        world, late = stage.world, Delayed()
        provider = world.provider
        assert isinstance(provider, ScriptedBank), "the stage's bank has a script"
        provider.script("confirm", late)
        provider.script("cancel", *LIES["cancel"])
        assert case.invoice is not None, "there is something to charge"
        await collect_invoice(world.ctx, case.invoice)
        await stage.become_due([case])
        await sweep_collections(world.app, NOON)
        await self.meanwhile(stage, case)
        case.late = late
        return case

    @override
    async def ready(self, stage: Stage, cases: Sequence[Case]) -> None:
        """It lands."""
        for case in cases:
            assert case.late is not None, "something is on its way"
            await case.late.deliver()
            case.late = None

    async def meanwhile(self, stage: Stage, case: Case) -> None:
        """What happens before the money comes."""

    @override
    async def tell(self, stage: Stage, case: Case, outcome: Outcome, shop: World) -> None:
        """The provider tells of it, and the sweeper gives back what nobody owes."""
        await news_arrives(stage, case, shop)
        await time_passes(stage, shop, case)

    @override
    async def afterwards(self, stage: Stage, case: Case, outcome: Outcome) -> None:
        """It is told until somebody has listened."""
        await super().afterwards(stage, case, outcome)
        await news_arrives(stage, case)


class LateTryAfterAll(LateTry):
    """The same, when a person has had it charged again: what came late goes back."""

    name = "late money of a try, paid meanwhile"
    outcomes: ClassVar[Sequence[Outcome]] = REFUNDS

    @override
    async def meanwhile(self, stage: Stage, case: Case) -> None:
        """Another try takes the money."""
        assert case.invoice is not None, "there is something to pay"
        await pay_invoice(stage.world.ctx, case.invoice, new_id())
