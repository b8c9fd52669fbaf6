"""A window of usage with a threshold: used, looked at, and billed at its end."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from tallystick.domain.billed_ahead import Ahead, BilledAhead
from tallystick.domain.charges import Charge, Item
from tallystick.domain.contract import Contract, RunningCoupon
from tallystick.domain.coupons import CouponTerms
from tallystick.domain.invoice import InvoiceLine
from tallystick.domain.life import Step, open_meters, step
from tallystick.domain.metered import usage_charges
from tallystick.domain.pricing import (
    Tier,
)
from tallystick.domain.renewal import Draft, RenewalFacts, draft_of, threshold_draft
from tallystick.domain.tax import Buyer
from tallystick.domain.usage_pricing import Measured
from tests.domain.contracts import contract, stands
from tests.domain.offers import offer
from tests.domain.purchases import CUSTOMER, ENTITY
from tests.domain.samples import named

NOW = datetime(2024, 1, 1, 12, tzinfo=UTC)
BEGIN, MIDDLE = date(2024, 1, 1), date(2024, 1, 20)
FACTS = RenewalFacts(
    customer=CUSTOMER, entity=ENTITY, buyer=Buyer(country="FR"), product_taxes={}
)
TIERS = (Tier(first_unit=0, rate=Decimal("1.00")), Tier(first_unit=100, rate=Decimal("0.50")))


class Window:
    """A subscription's first month: usage is reported, looked at, and billed at the end."""

    def __init__(
        self, *items: Item, threshold: str = "50.00", coupons: Sequence[CouponTerms] = ()
    ) -> None:
        """Begin on the first of January."""
        running = tuple(
            RunningCoupon(redemption_id=named(one.code), terms=one, applied_count=0)
            for one in coupons
        )
        made = offer(*items, invoice_threshold=Decimal(threshold), created_on=BEGIN)
        begun = contract(replace(made, start_date=BEGIN), BEGIN, coupons=running)
        self.contract: Contract = stands(begun, BEGIN)
        self.used: dict[UUID, list[Measured]] = {}
        self.drafts: list[Draft] = []

    def use(self, item: Item, *usage: Measured) -> None:
        """What was used so far, all of it."""
        self.used[item.id] = list(usage)

    def look(self, day: date = MIDDLE) -> Draft | None:
        """Look whether the threshold is reached."""
        meters = open_meters(self.contract, day)
        made = threshold_draft(
            self.contract,
            self._metered(meters),
            FACTS,
            day=day,
            meters=meters,
            ahead=self.ahead,
            invoice_id=named(f"invoice {len(self.drafts)}"),
            now=NOW,
        )
        if made is not None:
            self.drafts.append(made)
        return made

    def end(self) -> Draft | None:
        """The renewal that ends the window."""
        return self.draft_of(step(self.contract), self.ahead)

    def alone(self) -> Draft | None:
        """The same, had nothing been billed before."""
        return self.draft_of(step(self.contract), BilledAhead())

    def draft_of(self, taken: Step, ahead: BilledAhead) -> Draft | None:
        """The draft of a step."""
        return draft_of(
            taken,
            self._metered(taken.meters),
            FACTS,
            invoice_id=named("renewal"),
            now=NOW,
            ahead=ahead,
        )

    @property
    def ahead(self) -> BilledAhead:
        """What the threshold invoices have billed, as it is read back from their lines."""
        known: dict[tuple[UUID, date, str | None], tuple[int, Decimal]] = {}
        for line in self.lines:
            assert line.explanation.usage is not None
            key = (line.item_id, line.start_date, line.explanation.usage.group)
            amount, quantity = known.get(key, (0, Decimal(0)))
            more = line.explanation.quoted_amount
            known[key] = amount + more, quantity + line.quantity
        coupons: dict[UUID, int] = {}
        for draft in self.drafts:
            for used in draft.used:
                before = coupons.get(used.redemption_id, 0)
                coupons[used.redemption_id] = before + used.amount
        return BilledAhead(
            usage=tuple(
                Ahead(item_id=item, start=start, group=group, amount=amount, quantity=quantity)
                for (item, start, group), (amount, quantity) in known.items()
            ),
            coupons=coupons,
        )

    @property
    def lines(self) -> list[InvoiceLine]:
        """The lines of every threshold invoice."""
        return [line for draft in self.drafts for line in draft.invoice.lines]

    def _metered(self, meters: Sequence[Any]) -> tuple[Charge, ...]:
        return tuple(
            charge
            for meter in meters
            for charge in usage_charges(meter, self.used.get(meter.item.id, []), "EUR")
        )


def of(units: str | Fraction, group: str | None = None) -> Measured:
    """So many units."""
    return Measured(quantity=Fraction(units), group=group)


def amounts(draft: Draft | None) -> list[int]:
    """The lines of a draft."""
    return [] if draft is None else [line.amount for line in draft.invoice.lines]
