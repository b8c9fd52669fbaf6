"""Drafts that may be merged, ready-made."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

from tallystick.domain.bill import TaxBreakdown
from tallystick.domain.consolidation import Consolidated, Member, Sums, consolidated
from tallystick.domain.invoice import customer_snapshot, seller_snapshot
from tests.domain.contracts import NOON
from tests.domain.purchases import CUSTOMER, ENTITY
from tests.domain.samples import named

_numbers = count(1)


def single(amount: int, *, discount: int = 0, tax: int = 0, **fields: Any) -> Member:  # noqa: ANN401
    """A draft of so much less its discount, with its tax; `fields` of `Member`."""
    member = Member(
        id=named(f"draft {next(_numbers)}"),
        customer_id=CUSTOMER.id,
        invoicing_entity_id=named("entity"),
        invoice_date=date(2026, 4, 10),
        net_terms=0,
        currency="EUR",
        tax_inclusive=False,
        charges=False,
        payment_method_id=None,
        card=None,
        sums=Sums(
            subtotal=amount,
            subtotal_recurring=amount,
            discount=discount,
            tax_amount=tax,
            total=amount - discount + tax,
        ),
        coupons=(),
        breakdown=(row("VAT", "0.2", amount - discount, tax),),
        customer=customer_snapshot(CUSTOMER, CUSTOMER.details, NOON),
        seller=seller_snapshot(ENTITY),
        memo=None,
        purchase_order=None,
    )
    return replace(member, **fields)


def row(name: str, rate: str, taxable: int, tax: int) -> TaxBreakdown:
    """What one rate comes to."""
    return TaxBreakdown(
        name=name,
        rate=Decimal(rate),
        code=None,
        taxable=taxable,
        tax=tax,
        exemption=None,
        reason=None,
    )


def merged(*members: Member) -> Consolidated:
    """The one invoice of these."""
    return consolidated(members, invoice_id=named("consolidated"))
