"""Changes that a merchant makes, and whose difference is charged to what is on file."""

from collections.abc import Sequence
from typing import ClassVar

from typing_extensions import override

from tallystick.domain.offer_request import OfferRequest
from tallystick.services.change_plan import change_plan
from tallystick.services.collect_invoice import collect_invoice
from tallystick.services.plan_wanted import PlanChangeRequest
from tests.faults.bank import Pays
from tests.faults.collecting import BillsAtOnce, only_invoice, subscribed
from tests.faults.outcomes import FROM_FILE, Outcome
from tests.faults.stage import Case, Facts, Stage
from tests.faults.story import Seen, money, new_invoices
from tests.world import World


class ChangesPlanAtOnce(BillsAtOnce):
    """From EUR 49 to EUR 99 a month on the first day: the card on file is charged EUR 50."""

    name = "change of plan by the merchant"
    outcomes: ClassVar[Sequence[Outcome]] = FROM_FILE

    @override
    async def begin(self, stage: Stage, outcome: Outcome) -> Case:
        """A subscription that is paid, and a method."""
        dear = await stage.dearer()
        customer = await stage.world.customer()
        await stage.on_file(customer, Pays.GOOD)
        made, _ = await subscribed(stage, customer, await stage.plan())
        await collect_invoice(stage.world.ctx, await only_invoice(stage, customer))
        await stage.on_file(customer, outcome.pays)
        return stage.scripted(
            Case(customer=customer, due=5000, subscription=made, wants=dear.version_id)
        )

    @override
    async def charge(self, case: Case, shop: World) -> None:
        """The change in its transaction, and the charge of its invoice."""
        assert case.subscription is not None, "it is to change"
        assert case.wants is not None, "to another plan"
        request = PlanChangeRequest(plan_version_id=case.wants, components=OfferRequest())
        async with shop.app.transaction() as tx:
            changed = await change_plan(
                shop.ctx.within(tx), case.subscription, request, preview=False
            )
        assert changed.invoice is not None, "the difference is billed"
        await collect_invoice(shop.ctx, changed.invoice.id)

    @override
    def seen(self, case: Case, now: Facts) -> Seen:
        """The plan, money and invoices."""
        return now.live, now.kept - case.was.kept, new_invoices(case, now)

    @override
    def once(self, case: Case, paid: str) -> Seen:
        """It is on the new plan, with one more invoice and one more charge."""
        return [case.wants], *money(case, paid)

    @override
    def none(self, case: Case) -> list[Seen]:
        """It was never changed; or it is, and the difference is owed."""
        return [(case.was.live, 0, []), ([case.wants], 0, [("ERRORED", case.due)])]
