"""What a request names of the catalog, so that it can be read in one go."""

from tallystick.domain.offer_request import (
    AddOnEntry,
    ExistingProduct,
    Extra,
    NewProductEntry,
    OfferRequest,
    Overridden,
    Parameters,
    PriceOverride,
)
from tallystick.domain.pricing import CapacityFee, RateFee
from tests.domain.orders import (
    METRIC,
    capacity_pricing,
    existing,
    new_price,
    price,
    rate_pricing,
)
from tests.domain.samples import named

KNOWN = [price(name, rate_pricing("1")) for name in ("add-on", "override", "extra")]


def test_everything_that_is_named() -> None:
    """Prices, products and metrics of add-ons, overrides and extras."""
    request = OfferRequest(
        add_ons=(
            AddOnEntry(
                add_on_id=named("a"), customization=PriceOverride(price=existing(KNOWN[0]))
            ),
            AddOnEntry(add_on_id=named("b"), customization=Parameters()),
            AddOnEntry(add_on_id=named("c")),
        ),
        overridden=(
            Overridden(component_id=named("d"), name="D", price=existing(KNOWN[1])),
            Overridden(
                component_id=named("e"),
                name="E",
                price=new_price(rate_pricing("1"), currency="USD"),
            ),
        ),
        extra=(
            Extra(
                name="F",
                product=ExistingProduct(id=named("product")),
                price=existing(KNOWN[2]),
            ),
            Extra(
                name="G",
                product=NewProductEntry(name="G", fee=CapacityFee(metric_id=METRIC)),
                price=new_price(capacity_pricing("1", 2)),
            ),
            Extra(
                name="H",
                product=NewProductEntry(name="H", fee=RateFee()),
                price=new_price(rate_pricing("1")),
            ),
        ),
    )
    assert request.price_ids == [one.id for one in KNOWN]
    assert request.product_ids == [named("product")]
    assert request.metric_ids == [METRIC]


def test_a_plain_request_names_nothing() -> None:
    """It is about what the plan has."""
    request = OfferRequest()
    assert (request.price_ids, request.product_ids, request.metric_ids) == ([], [], [])
