"""A small catalog, and requests resolved against it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import pytest

from tallystick.domain.catalog import AddOn, PlanComponent, PlanVersion, Product
from tallystick.domain.coupons import CouponState, CouponTerms
from tallystick.domain.errors import InvalidInput
from tallystick.domain.offer import Offer
from tallystick.domain.offer_request import (
    CouponFacts,
    ExistingPrice,
    NewPrice,
    OfferFacts,
    OfferRequest,
)
from tallystick.domain.parties import InvoicingEntity
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import (
    CapacityPricing,
    FeeStructure,
    Price,
    Pricing,
    RatePricing,
    SlotPricing,
)
from tallystick.domain.resolve_offer import resolve_offer
from tests.domain.offers import OPEN, PLAN
from tests.domain.samples import fee_for, named

NOW = datetime(2024, 1, 1, 12, tzinfo=UTC)
TODAY = date(2024, 1, 1)
METRIC = UUID(int=9)
MONTHLY, QUARTERLY, ANNUAL = Cadence.MONTHLY, Cadence.QUARTERLY, Cadence.ANNUAL


def rate_pricing(amount: str) -> RatePricing:
    """A fixed amount per period."""
    return RatePricing(rate=Decimal(amount))


def slot_pricing(amount: str, least: int | None = 1, most: int | None = None) -> SlotPricing:
    """An amount per seat, with bounds."""
    return SlotPricing(unit_rate=Decimal(amount), min_slots=least, max_slots=most)


def capacity_pricing(amount: str, included: int) -> CapacityPricing:
    """An amount that includes so many units."""
    return CapacityPricing(
        rate=Decimal(amount), included=included, overage_rate=Decimal("0.05")
    )


def price(
    product: str, pricing: Pricing, cadence: Cadence = MONTHLY, currency: str = "EUR"
) -> Price:
    """A price of a product; its id follows from what it says."""
    return Price(
        id=named(f"price {product} {cadence} {currency} {pricing}"),
        product_id=named(f"product {product}"),
        cadence=cadence,
        currency=currency,
        pricing=pricing,
    )


def component(name: str, *choices: tuple[Pricing, Cadence]) -> PlanComponent:
    """A component of the plan with its choices; the product has its name."""
    return PlanComponent(
        id=named(f"component {name}"),
        name=name,
        product_id=named(f"product {name}"),
        fee=fee_for(choices[0][0]),
        prices=tuple(price(name, pricing, cadence) for pricing, cadence in choices),
    )


def product(name: str, fee: FeeStructure, *, archived: bool = False) -> Product:
    """A product of the catalog."""
    return Product(
        id=named(f"product {name}"),
        product_family_id=named("family"),
        name=name,
        fee=fee,
        archived_at=NOW if archived else None,
    )


def add_on(
    name: str,
    pricing: Pricing,
    *,
    most: int | None = None,
    currency: str = "EUR",
    archived: bool = False,
) -> AddOn:
    """An add-on with its own price and limit."""
    return AddOn(
        id=named(f"add-on {name}"),
        name=name,
        product=product(name, fee_for(pricing)),
        price=price(name, pricing, currency=currency),
        max_instances=most,
        archived_at=NOW if archived else None,
    )


def new_price(pricing: Pricing, cadence: Cadence = MONTHLY, currency: str = "EUR") -> NewPrice:
    """A price made for the offer."""
    return NewPrice(cadence=cadence, currency=currency, pricing=pricing)


def existing(one: Price) -> ExistingPrice:
    """A price of the catalog, named."""
    return ExistingPrice(id=one.id)


PLATFORM = component("Platform", (rate_pricing("29"), MONTHLY))
SEATS = component(
    "Seats", (slot_pricing("10", 1, 50), MONTHLY), (slot_pricing("96", 1, 50), ANNUAL)
)
BANDWIDTH = component(
    "Bandwidth",
    (capacity_pricing("50", 100), MONTHLY),
    (capacity_pricing("80", 200), MONTHLY),
    (capacity_pricing("500", 100), ANNUAL),
)


def version(*components: PlanComponent, **changes: object) -> PlanVersion:
    """A published version of the plan, in euro."""
    plain = PlanVersion(
        id=named("version"),
        plan_id=PLAN,
        plan_name="Plan",
        product_family_id=named("family"),
        version=3,
        currency="EUR",
        tax_inclusive=False,
        components=components,
        add_ons=(),
        is_published=True,
    )
    return replace(plain, **cast("dict[str, Any]", changes))


def catalog(made: PlanVersion, **changes: object) -> OfferFacts:
    """What a request finds: the version, one metric, an entity that takes cards."""
    plain = OfferFacts(
        version=made,
        plan_name="Plan",
        plan_is_sold=True,
        entity=InvoicingEntity(
            id=named("entity"),
            legal_name="Seller",
            net_terms=30,
            creditor_identifier="DE98ZZZ09999999999",
        ),
        add_ons={},
        products={},
        prices={},
        metric_ids=frozenset({METRIC}),
        coupons=CouponFacts(by_id={}, ids_by_code={}),
    )
    return replace(plain, **cast("dict[str, Any]", changes))


def selling(*add_ons: AddOn) -> dict[UUID, AddOn]:
    """Add-ons by id."""
    return {one.id: one for one in add_ons}


def knowing(*coupons: CouponTerms, state: CouponState = OPEN) -> dict[str, object]:
    """Facts about coupons, all in one state."""
    return {
        "coupons": CouponFacts(
            by_id={terms.id: (terms, state) for terms in coupons},
            ids_by_code={terms.code: terms.id for terms in coupons},
        ),
    }


def counter() -> Callable[[], UUID]:
    """Ids 1, 2, 3, ..."""
    numbers = iter(range(1, 1000))
    return lambda: UUID(int=next(numbers))


def resolved(
    facts: OfferFacts,
    request: OfferRequest | None = None,
    *,
    today: date = TODAY,
    trial_used: bool = False,
) -> Offer:
    """The offer of a request."""
    return resolve_offer(
        request or OfferRequest(),
        facts,
        now=NOW,
        today=today,
        new_id=counter(),
        trial_used=trial_used,
    )


def refused(
    facts: OfferFacts,
    request: OfferRequest | None = None,
    *,
    today: date = TODAY,
    trial_used: bool = False,
) -> list[tuple[str, str]]:
    """The path and code of every fault of a request that is refused."""
    with pytest.raises(InvalidInput) as error:
        resolved(facts, request, today=today, trial_used=trial_used)
    assert all(fault.message for fault in error.value.faults)
    return [(fault.field, fault.code) for fault in error.value.faults]


def messages(facts: OfferFacts, request: OfferRequest) -> list[str]:
    """The sentences of a request that is refused."""
    with pytest.raises(InvalidInput) as error:
        resolved(facts, request)
    return [fault.message for fault in error.value.faults]


def sold(made: Offer) -> list[tuple[str, str, Pricing]]:
    """Name, cadence and pricing of each item, in order."""
    return [(item.name, item.cadence.value, item.pricing) for item in made.items]
