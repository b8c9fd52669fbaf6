"""Subscriptions that are amended by request, and a catalog that the request names."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tallystick.domain.amended_items import Amendment
from tallystick.domain.amendment_request import (
    AmendmentRequest,
    ComponentChange,
)
from tallystick.domain.catalog import PlanVersion
from tallystick.domain.charges import Item
from tallystick.domain.contract import Contract
from tallystick.domain.errors import InvalidInput
from tallystick.domain.offer_request import (
    OfferRequest,
)
from tallystick.domain.pricing import (
    OneTimePricing,
    Price,
    Pricing,
)
from tallystick.domain.resolve_amendment import AmendmentFacts, resolve_amendment
from tests.domain.contracts import contract, life_of
from tests.domain.offers import offer
from tests.domain.orders import (
    MONTHLY,
    PLATFORM,
    SEATS,
    add_on,
    counter,
    new_price,
    rate_pricing,
    selling,
    slot_pricing,
    version,
)
from tests.domain.samples import fee_for, named

START, DAY, FEBRUARY = date(2024, 1, 1), date(2024, 1, 16), date(2024, 2, 1)
SUPPORT = add_on("Support", rate_pricing("10"), most=5)
BACKUP = add_on("Backup", rate_pricing("5"))
VERSION = version(PLATFORM, SEATS)


def own(
    name: str,
    pricing: Pricing,
    cadence: Any = MONTHLY,  # noqa: ANN401 - a cadence
    **fields: Any,  # noqa: ANN401 - of an item
) -> Item:
    """An item of the subscription; of the plan's component of that name."""
    plain = Item(
        id=named(f"own {name}"),
        kind="COMPONENT",
        name=name,
        product_id=named(f"product {name}"),
        price_id=named(f"own price {name}"),
        fee=fee_for(pricing),
        cadence=cadence,
        pricing=pricing,
        component_id=named(f"component {name}"),
    )
    return replace(plain, **fields)


def sold_add_on(name: str, amount: str, instances: int = 1, **fields: Any) -> Item:  # noqa: ANN401
    """An add-on of the subscription, so many times."""
    return own(
        name,
        rate_pricing(amount),
        kind="ADD_ON",
        component_id=None,
        add_on_id=named(f"add-on {name}"),
        instances=instances,
        **fields,
    )


FEE = own("Platform", rate_pricing("29"))
THREE = own("Seats", slot_pricing("10", 1, 50), slots=3)
SETUP = own("Setup", OneTimePricing(unit_price=Decimal(99), quantity=1))
HELP = sold_add_on("Support", "10", 2)


def living(*items: Item, **changes: object) -> Contract:
    """A subscription of these items since January 1."""
    made = offer(*items, start_date=START, created_on=START, **changes)
    return life_of(contract(made, START), START)[-1].contract


def facts(
    made: PlanVersion = VERSION, prices: tuple[Price, ...] = (), **changes: object
) -> AmendmentFacts:
    """What the catalog has: two add-ons, and these prices."""
    plain = AmendmentFacts(
        version=made,
        add_ons=selling(SUPPORT, BACKUP),
        products={},
        prices={one.id: one for one in prices},
        metric_ids=frozenset(),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def wanted(sold: Mapping[str, Any] | None = None, **fields: Any) -> AmendmentRequest:  # noqa: ANN401
    """A request; `sold` is what joins."""
    return AmendmentRequest(sold=OfferRequest(**(sold or {})), **fields)


def resolved(
    request: AmendmentRequest,
    lives: Contract,
    known: AmendmentFacts | None = None,
    *,
    at_period_end: bool = False,
) -> Amendment:
    """The amendment of a request, in the middle of January or at its end."""
    return resolve_amendment(
        request,
        lives,
        known or facts(),
        day=FEBRUARY if at_period_end else DAY,
        at_period_end=at_period_end,
        new_id=counter(),
    )


def refused(
    request: AmendmentRequest,
    lives: Contract,
    known: AmendmentFacts | None = None,
    *,
    at_period_end: bool = False,
) -> list[tuple[str, str]]:
    """The path and code of every fault of a request that is refused."""
    with pytest.raises(InvalidInput) as error:
        resolved(request, lives, known, at_period_end=at_period_end)
    assert all(fault.message for fault in error.value.faults)
    return [(fault.field, fault.code) for fault in error.value.faults]


def message(request: AmendmentRequest, lives: Contract, **how: bool) -> str:
    """The sentence of its one fault."""
    with pytest.raises(InvalidInput) as error:
        resolved(request, lives, at_period_end=how.get("at_period_end", False))
    (fault,) = error.value.faults
    return fault.message


def change(
    item: Item, pricing: Pricing | None = None, name: str | None = None
) -> ComponentChange:
    """Another price of the same rhythm, another name, or both."""
    entry = None if pricing is None else new_price(pricing)
    return ComponentChange(item_id=item.id, name=name, price=entry)
