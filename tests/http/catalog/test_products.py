"""Products, their prices and their taxes."""

from decimal import Decimal

import pytest
from meteroid import models as m

from tests.http.catalog.shop import Shop

TIERS = [
    {"first_unit": 0, "rate": "0.10"},
    {"first_unit": 1000, "rate": "0.05", "flat_fee": "2", "flat_cap": "100"},
]
DIMENSION = {"key": "region", "value": "eu"}


def test_a_product_of_each_fee_is_created_and_found_again(shop: Shop) -> None:
    """Every fee structure is returned as it was sent, and found under the product's id."""
    metric = shop.metric()
    structures: list[tuple[str, m.ProductFeeStructure]] = [
        ("RATE", m.RateFeeStructure()),
        (
            "SLOT",
            m.SlotFeeStructure(
                slot_unit_name="seat",
                upgrade_policy=m.SlotUpgradePolicyEnum.PRORATED,
                downgrade_policy=m.SlotDowngradePolicyEnum.REMOVE_AT_END_OF_PERIOD,
            ),
        ),
        ("CAPACITY", m.CapacityFeeStructure(metric_id=metric)),
        ("USAGE", m.UsageFeeStructure(metric_id=metric, model=m.UsageModelEnum.TIERED)),
        (
            "EXTRA_RECURRING",
            m.ExtraRecurringFeeStructure(billing_type=m.ExtraRecurringBillingTypeEnum.ARREARS),
        ),
        ("ONE_TIME", m.OneTimeFeeStructure()),
    ]
    for fee_type, structure in structures:
        made = shop.sdk.products.create(
            fee_structure=structure,
            name=fee_type,
            product_family_id=shop.family(),
            description="As sold",
        )

        assert made.id.startswith("prd_")
        assert (made.fee_type, made.fee_structure) == (fee_type, structure)
        assert (made.catalog, made.archived_at, made.description) == (True, None, "As sold")
        assert shop.sdk.products.retrieve(made.id) == made


def test_a_product_outside_the_catalog_is_found_but_not_listed(shop: Shop) -> None:
    """`catalog: false` keeps a product out of the list, not out of reach."""
    made = shop.sdk.products.create(
        catalog=False,
        fee_structure=m.RateFeeStructure(),
        name="Hidden",
        product_family_id=shop.family(),
    )

    assert made.catalog is False
    assert shop.sdk.products.retrieve(made.id) == made
    assert [one.id for one in shop.sdk.products.list()] == []


def test_a_product_tells_its_event(shop: Shop) -> None:
    """`product.created` decodes as the SDK's event."""
    made = shop.sdk.products.retrieve(shop.product())

    (body,) = shop.events("product.created")
    data = m.ProductEvent.from_dict(body).product_event_data
    assert (data.product_id, data.name, data.fee_type) == (made.id, "Support", "RATE")
    assert data.product_family_id == shop.family()


def test_a_product_of_an_unknown_family_or_metric_is_refused(shop: Shop) -> None:
    """An unknown family is not found, an unknown metric is a fault; nothing is created."""
    unknown = "0198c4a5-7b3e-7c11-9f00-0123456789ab"
    rate = {"type": "RATE"}

    assert shop.refused(
        "POST",
        "/products",
        {"name": "X", "product_family_id": unknown, "fee_structure": rate},
    ) == (404, [("product_family_id", "unknown")])
    assert shop.refused(
        "POST",
        "/products",
        {
            "name": "X",
            "product_family_id": shop.family(),
            "fee_structure": {"type": "CAPACITY", "metric_id": unknown},
        },
    ) == (400, [("fee_structure.metric_id", "unknown")])
    assert shop.counts()["products"] == 0


def test_every_fault_of_a_product_is_told_at_once(shop: Shop) -> None:
    """Name, family and fee structure are each refused with their own path."""
    status, faults = shop.refused(
        "POST",
        "/products",
        {
            "name": "x" * 256,
            "product_family_id": "plan_1",
            "fee_structure": {"type": "SLOT", "slot_unit_name": "", "policy": 1},
            "catalog": "yes",
        },
    )

    assert status == 400
    assert sorted(faults) == [
        ("catalog", "wrong_type"),
        ("fee_structure.policy", "unknown_field"),
        ("fee_structure.slot_unit_name", "too_short"),
        ("name", "too_long"),
        ("product_family_id", "malformed_id"),
    ]


@pytest.mark.parametrize(
    ("structure", "pricing"),
    [
        ({"type": "RATE"}, {"type": "RATE", "rate": "45.00"}),
        (
            {"type": "SLOT", "slot_unit_name": "seat"},
            {"type": "SLOT", "unit_rate": "9.90", "min_slots": 2, "max_slots": 50},
        ),
        (
            {"type": "EXTRA_RECURRING", "billing_type": "ADVANCE"},
            {"type": "EXTRA_RECURRING", "unit_price": "3.50", "quantity": 4},
        ),
        ({"type": "ONE_TIME"}, {"type": "ONE_TIME", "unit_price": "500", "quantity": 1}),
    ],
)
def test_a_price_is_returned_as_it_was_sent(
    shop: Shop, structure: dict[str, object], pricing: dict[str, object]
) -> None:
    """A price keeps its decimals, and is listed under its product."""
    product = shop.raw.post(
        "/products",
        json={"name": "P", "product_family_id": shop.family(), "fee_structure": structure},
    ).json()["id"]

    price_id = shop.price(product, pricing, cadence="ANNUAL", currency="USD")

    assert shop.raw.get(f"/products/{product}/prices").json() == {
        "data": [
            {
                "id": price_id,
                "product_id": product,
                "cadence": "ANNUAL",
                "currency": "USD",
                "pricing": pricing,
            }
        ],
        "pagination_meta": {"page": 0, "per_page": 25, "total_items": 1, "total_pages": 1},
    }


@pytest.mark.parametrize(
    "model",
    [
        {"type": "PER_UNIT", "rate": "0.004"},
        {"type": "TIERED", "tiers": TIERS, "block_size": 1},
        {"type": "VOLUME", "tiers": TIERS},
        {"type": "PACKAGE", "block_size": 100, "rate": "5"},
        {
            "type": "MATRIX",
            "rates": [
                {"dimension1": DIMENSION, "per_unit_price": "1"},
                {"dimension1": DIMENSION, "dimension2": DIMENSION, "per_unit_price": "2"},
            ],
        },
    ],
    ids=lambda model: model["type"],
)
def test_a_usage_price_is_returned_as_it_was_sent(shop: Shop, model: dict[str, object]) -> None:
    """Every usage model survives the way in and out."""
    structure = m.UsageFeeStructure(
        metric_id=shop.metric(), model=m.UsageModelEnum(str(model["type"]))
    )
    product = shop.product("Usage", structure)

    shop.price(product, {"type": "USAGE", "model": model})

    (price,) = shop.raw.get(f"/products/{product}/prices").json()["data"]
    assert _without_nulls(price["pricing"]["model"]) == {
        name: value for name, value in model.items() if name != "block_size" or value != 1
    }


@pytest.mark.parametrize(
    ("model", "fault"),
    [
        (
            {"type": "PER_UNIT", "rate": "-1"},
            ("pricing.model.rate", "out_of_range"),
        ),
        (
            {"type": "TIERED", "tiers": [{"first_unit": 5, "rate": "1"}]},
            ("pricing.model.tiers[0].first_unit", "invalid"),
        ),
        (
            {"type": "TIERED", "tiers": [TIERS[0], TIERS[0]]},
            ("pricing.model.tiers[1].first_unit", "invalid"),
        ),
        ({"type": "VOLUME", "tiers": []}, ("pricing.model.tiers", "too_short")),
        (
            {"type": "VOLUME", "tiers": TIERS, "block_size": 10},
            ("pricing.model.block_size", "not_supported_yet"),
        ),
        (
            {"type": "PACKAGE", "block_size": 0, "rate": "1"},
            ("pricing.model.block_size", "out_of_range"),
        ),
        (
            {"type": "MATRIX", "rates": [{"dimension1": DIMENSION, "per_unit_price": "1"}] * 2},
            ("pricing.model.rates[1]", "invalid"),
        ),
        ({"type": "PER_UNIT", "rate": "1e3"}, ("pricing.model.rate", "malformed")),
        ({"type": "PER_PIECE"}, ("pricing.model.type", "unknown_value")),
    ],
)
def test_an_impossible_usage_price_is_refused(
    shop: Shop, model: dict[str, object], fault: tuple[str, str]
) -> None:
    """A price that could not be computed is refused at its own field; nothing is created."""
    product = shop.product(
        "Usage", m.UsageFeeStructure(metric_id=shop.metric(), model=m.UsageModelEnum.TIERED)
    )
    body = {
        "cadence": "MONTHLY",
        "currency": "EUR",
        "pricing": {"type": "USAGE", "model": model},
    }

    assert shop.refused("POST", f"/products/{product}/prices", body) == (400, [fault])
    assert shop.counts()["prices"] == 0


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        (
            {
                "cadence": "MONTHLY",
                "currency": "EUR",
                "pricing": {"type": "ONE_TIME", "unit_price": "1", "quantity": 1},
            },
            [("pricing", "wrong_fee_type")],
        ),
        (
            {
                "cadence": "WEEKLY",
                "currency": "EURO",
                "pricing": {"type": "RATE", "rate": "1.0000000000001"},
            },
            [
                ("cadence", "unknown_value"),
                ("currency", "unknown_value"),
                ("pricing.rate", "malformed"),
            ],
        ),
    ],
)
def test_a_price_that_does_not_suit_its_product_is_refused(
    shop: Shop, body: dict[str, object], faults: list[tuple[str, str]]
) -> None:
    """Kind, cadence, currency and decimals are checked; nothing is created."""
    product = shop.product()

    assert shop.refused("POST", f"/products/{product}/prices", body) == (400, faults)
    assert shop.counts()["prices"] == 0


def test_slots_and_taxes_in_disorder_are_refused(shop: Shop) -> None:
    """A minimum above the maximum, and two rates for one place, are refused."""
    product = shop.raw.post(
        "/products",
        json={
            "name": "Seats",
            "product_family_id": shop.family(),
            "fee_structure": {"type": "SLOT", "slot_unit_name": "seat"},
        },
    ).json()["id"]
    slots = {"type": "SLOT", "unit_rate": "1", "min_slots": 5, "max_slots": 4}

    assert shop.refused(
        "POST",
        f"/products/{product}/prices",
        {"cadence": "MONTHLY", "currency": "EUR", "pricing": slots},
    ) == (400, [("pricing.max_slots", "invalid")])
    french = {"country": "FR", "rate": "0.1"}
    assert shop.refused(
        "PUT", f"/products/{product}/taxes", {"taxes": [french, {**french, "rate": "0.2"}]}
    ) == (400, [("taxes[1]", "duplicate")])


def test_taxes_of_a_product_are_replaced_and_read(shop: Shop) -> None:
    """A product bears no own taxes until they are set; setting them replaces them all."""
    path = f"/products/{shop.product()}/taxes"
    assert shop.raw.get(path).json() == {"taxes": [], "vat_class": "STANDARD"}
    wanted = {
        "taxes": [
            {"country": "FR", "region": None, "rate": "0.055"},
            {"country": "US", "region": "CA", "rate": "0.0725"},
        ],
        "vat_class": "REDUCED",
    }

    answer = shop.raw.put(path, json=wanted)

    assert (answer.status_code, answer.json()) == (200, wanted)
    assert shop.raw.get(path).json() == wanted
    assert shop.raw.put(path, json=wanted).json() == wanted
    assert shop.raw.put(path, json={"taxes": []}).json() == {
        "taxes": [],
        "vat_class": "STANDARD",
    }
    assert len(shop.events("product.updated")) == 2


def test_a_tax_rate_of_one_or_more_is_refused(shop: Shop) -> None:
    """Rates are fractions: 20 is not 20 %."""
    taxes = [{"country": "FR", "rate": "20"}, {"country": "XX", "rate": "0.2"}]

    status, faults = shop.refused(
        "PUT", f"/products/{shop.product()}/taxes", {"taxes": taxes, "vat_class": "HALF"}
    )

    assert status == 400
    assert faults == [
        ("taxes[0].rate", "out_of_range"),
        ("taxes[1].country", "unknown_value"),
        ("vat_class", "unknown_value"),
    ]


def test_decimals_may_be_sent_as_numbers(shop: Shop) -> None:
    """A rate sent as a JSON number is exactly what was written."""
    product = shop.product()
    body = '{"cadence":"MONTHLY","currency":"EUR","pricing":{"type":"RATE","rate":0.10}}'

    answer = shop.raw.post(
        f"/products/{product}/prices",
        content=body,
        headers={"Content-Type": "application/json"},
    )

    assert Decimal(answer.json()["pricing"]["rate"]) == Decimal("0.10")


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {name: _without_nulls(part) for name, part in value.items() if part is not None}
    return [_without_nulls(part) for part in value] if isinstance(value, list) else value
