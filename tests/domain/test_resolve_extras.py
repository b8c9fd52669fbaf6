"""Components that the plan does not have: of the catalog, or brought along by the offer."""

from uuid import UUID

import pytest

from tallystick.domain.offer import NewProduct
from tallystick.domain.offer_request import (
    ExistingProduct,
    Extra,
    NewProductEntry,
    OfferRequest,
    PriceEntry,
)
from tallystick.domain.pricing import (
    CapacityFee,
    FeeStructure,
    OneTimeFee,
    PerUnit,
    Pricing,
    RateFee,
    SlotFee,
    UsageFee,
    UsageModelType,
    UsagePricing,
)
from tests.domain.orders import (
    METRIC,
    PLATFORM,
    capacity_pricing,
    catalog,
    existing,
    messages,
    new_price,
    price,
    product,
    rate_pricing,
    refused,
    resolved,
    slot_pricing,
    version,
)
from tests.domain.samples import named

EXTRAS = "components.extra_components"
PER_UNIT = UsagePricing(model=PerUnit(rate=rate_pricing("0.1").rate))


def _new(name: str, fee: FeeStructure, entry: PriceEntry) -> Extra:
    return Extra(name=name, product=NewProductEntry(name=name, fee=fee), price=entry)


def _known(name: str, entry: PriceEntry) -> Extra:
    reference = ExistingProduct(id=named(f"product {name}"))
    return Extra(name=name, product=reference, price=entry)


def test_an_extra_of_a_new_product() -> None:
    """The product lands in the plan's family; its price belongs to it."""
    extra = _new("Support", SlotFee(unit_name="agent"), new_price(slot_pricing("20", 2)))
    made = resolved(catalog(version(PLATFORM)), OfferRequest(extra=(extra,)))
    item = made.items[1]
    assert made.new_products == (
        NewProduct(
            id=item.product_id,
            product_family_id=named("family"),
            name="Support",
            fee=SlotFee(unit_name="agent"),
        ),
    )
    assert made.new_prices[0].product_id == item.product_id
    assert (item.name, item.slots, item.component_id) == ("Support", 2, None)
    assert len({item.id, item.product_id, item.price_id}) == 3


def test_an_extra_of_the_catalog() -> None:
    """A known product at a known or a new price."""
    known = price("Support", rate_pricing("20"))
    facts = catalog(
        version(PLATFORM),
        products={known.product_id: product("Support", RateFee())},
        prices={known.id: known},
    )
    wanted = OfferRequest(
        extra=(
            _known("Support", existing(known)),
            _known("Support", new_price(rate_pricing("15"))),
        )
    )
    made = resolved(facts, wanted)
    assert [item.pricing for item in made.items[1:]] == [rate_pricing("20"), rate_pricing("15")]
    assert [len(made.new_products), len(made.new_prices)] == [0, 1]


@pytest.mark.parametrize(
    ("fee", "pricing"),
    [
        (UsageFee(metric_id=METRIC, model=UsageModelType.PER_UNIT), PER_UNIT),
        (CapacityFee(metric_id=METRIC), capacity_pricing("50", 100)),
    ],
)
def test_a_metered_extra_needs_a_metric(fee: FeeStructure, pricing: Pricing) -> None:
    """A known one."""
    facts = catalog(version())
    wanted = OfferRequest(extra=(_new("Metered", fee, new_price(pricing)),))
    assert resolved(facts, wanted).items[0].fee == fee
    without = catalog(version(), metric_ids=frozenset[UUID]())
    path = f"{EXTRAS}[0].product_ref.fee_structure.metric_id"
    assert refused(without, wanted) == [(path, "unknown")]


def test_extras_that_cannot_be() -> None:
    """Unknown and archived products, an old price of a new product, prices that do not suit."""
    tiered = UsageFee(metric_id=named("no metric"), model=UsageModelType.TIERED)
    wanted = OfferRequest(
        extra=(
            _known("Nothing", new_price(rate_pricing("1"))),
            _known("Gone", new_price(rate_pricing("1"))),
            _new("Odd", tiered, existing(price("Odd", PER_UNIT))),
            _new("Odd", tiered, new_price(PER_UNIT)),
            _new("Once", OneTimeFee(), new_price(rate_pricing("1"), currency="USD")),
        )
    )
    gone = product("Gone", RateFee(), archived=True)
    facts = catalog(version(), products={gone.id: gone})
    assert refused(facts, wanted) == [
        (f"{EXTRAS}[0].product_ref.id", "unknown"),
        (f"{EXTRAS}[1].product_ref.id", "archived"),
        (f"{EXTRAS}[2].product_ref.fee_structure.metric_id", "unknown"),
        (f"{EXTRAS}[2].price_entry", "contradiction"),
        (f"{EXTRAS}[3].product_ref.fee_structure.metric_id", "unknown"),
        (f"{EXTRAS}[3].price_entry.pricing", "wrong_fee_type"),
        (f"{EXTRAS}[4].price_entry.currency", "wrong_currency"),
        (f"{EXTRAS}[4].price_entry.pricing", "wrong_fee_type"),
    ]
    assert (
        "must be USAGE pricing with a TIERED model, as the fee of the product says"
        in messages(facts, wanted)
    )


def test_slots_of_an_extra_that_do_not_fit() -> None:
    """More at the least than at the most cannot be; the fault is at the extra."""
    extra = _new("Support", SlotFee(unit_name="agent"), new_price(slot_pricing("20", 2, 5)))
    made = resolved(catalog(version(PLATFORM)), OfferRequest(extra=(extra,)))
    assert made.items[1].slots == 2
