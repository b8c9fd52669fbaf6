"""The demo's shop: what Acme Cloud sells, and to whom; found again by name at every start.

Everything is made over REST, one thing after the other, each only when it is missing. So a run
that was interrupted is continued by the next one, and nothing is made twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tallystick.cli.demo_api import NOT_FOUND, Api, Refused
from tallystick.cli.demo_customers import CUSTOMERS

Body = Mapping[str, object]

FAMILY = "Acme Cloud"

ENTITY: Body = {
    "legal_name": "Acme Cloud SAS",
    "address": {
        "line1": "12 rue des Archives",
        "zip_code": "75004",
        "city": "Paris",
        "country": "FR",
    },
    "vat_number": "FR11904123452",
    "creditor_identifier": "FR72ZZZ123456",
    "brand_color": "#4338ca",
    "email": "billing@acme.example",
    "registration": "RCS Paris 904 123 452, SAS au capital de 50\u202f000 \u20ac",
    "tax_engine": "EU_VAT",
    "number_pattern": "ACME-{YYYY}-{number}",
    "bank_accounts": [
        {
            "holder": "Acme Cloud SAS",
            "iban": "FR1420041010050500013M02606",
            "bic": "ACMEFRPPXXX",
            "bank_name": "Banque d'Exemple",
            "currency": "EUR",
        }
    ],
}

COUPONS: tuple[Body, ...] = (
    {
        "code": "LAUNCH20",
        "description": "20 % off for a year, for those who were there at the start",
        "discount": {"type": "PERCENTAGE", "percentage": "20"},
        "recurring_value": 12,
        "reusable": True,
    },
    {
        "code": "WELCOME25",
        "description": "EUR 25 off the first invoice",
        "discount": {"type": "FIXED", "amount": "25.00", "currency": "EUR"},
        "recurring_value": 1,
        "reusable": True,
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """What was found or made: plans and add-ons by name, coupons by code, as answered."""

    plans: Mapping[str, Mapping[str, Any]]
    add_ons: Mapping[str, Mapping[str, Any]]
    coupons: Mapping[str, Mapping[str, Any]]

    def component(self, plan: str, name: str) -> str:
        """The id of a plan's component."""
        parts = self.plans[plan]["price_components"]
        return next(str(part["id"]) for part in parts if part["name"] == name)


async def set_up_entity(api: Api) -> None:
    """Give the tenant's entity its address, numbers, colour and taxes, unless it has them."""
    entities = (await api.get("/invoicing-entities"))["data"]
    entity = next(entity for entity in entities if entity["is_default"])
    if entity["vat_number"] is None:
        await api.patch(f"/invoicing-entities/{entity['id']}", ENTITY)


async def set_up_catalog(api: Api) -> Catalog:
    """Find or make everything that is for sale."""
    family = await api.find_or_create("/product_families", "name", {"name": FAMILY})
    family_id = str(family["id"])
    metrics = {
        str(body["code"]): await api.find_or_create(
            "/metrics", "code", {"product_family_id": family_id, **body}
        )
        for body in METRICS
    }
    add_ons = {
        str(body["name"]): await _add_on(api, family_id, body, fee, price)
        for body, fee, price in ADD_ONS
    }
    plans = {}
    for body in _plans(
        api_calls=str(metrics["api_calls"]["id"]),
        transfer=str(metrics["data_transfer"]["id"]),
        add_ons={name: str(add_on["id"]) for name, add_on in add_ons.items()},
    ):
        made = {"product_family_id": family_id, "currency": "EUR", "status": "ACTIVE", **body}
        plans[str(body["name"])] = await api.find_or_create("/plans", "name", made)
    coupons = [*COUPONS, _coupon_of_one_plan(str(plans["Team"]["id"]))]
    return Catalog(
        plans=plans,
        add_ons=add_ons,
        coupons={
            str(body["code"]): await api.find_or_create("/coupons", "code", body)
            for body in coupons
        },
    )


async def set_up_customers(api: Api) -> None:
    """Find or make the customers, each by its alias."""
    for body in CUSTOMERS:
        try:
            await api.get(f"/customers/{body['alias']}")
        except Refused as refused:
            if refused.status != NOT_FOUND:
                raise
            await api.post("/customers", body)


METRICS: tuple[Body, ...] = (
    {"code": "api_calls", "name": "API calls", "aggregation_type": "COUNT"},
    {
        "code": "data_transfer",
        "name": "Data transfer",
        "description": "Gigabytes that left our network",
        "aggregation_type": "SUM",
        "aggregation_key": "gigabytes",
    },
)

ADD_ONS: tuple[tuple[Body, Body, Body], ...] = (
    (
        {
            "name": "Priority support",
            "description": "An engineer answers within the hour",
            "max_instances_per_subscription": 5,
            "self_serviceable": True,
        },
        {"type": "RATE"},
        {"type": "RATE", "rate": "60.00"},
    ),
    (
        {
            "name": "Extra environments",
            "description": "Staging, preview, one for each branch",
            "self_serviceable": True,
        },
        {"type": "SLOT", "slot_unit_name": "environment"},
        {"type": "SLOT", "unit_rate": "8.00", "min_slots": 1, "max_slots": 50},
    ),
    (
        {
            "name": "Data migration",
            "description": "We bring your data over, once",
            "max_instances_per_subscription": 1,
        },
        {"type": "ONE_TIME"},
        {"type": "ONE_TIME", "unit_price": "350.00", "quantity": 1},
    ),
)
"""Each add-on, the fee of its product, and that product's price in euros a month."""


async def _add_on(
    api: Api, family_id: str, body: Body, fee: Body, pricing: Body
) -> dict[str, Any]:
    """An add-on with its product and its price, each made when it is missing."""
    if found := await api.find("/addons", "name", str(body["name"])):
        return found
    product = await api.find_or_create(
        "/products",
        "name",
        {"product_family_id": family_id, "name": body["name"], "fee_structure": fee},
    )
    prices_path = f"/products/{product['id']}/prices"
    prices = (await api.get(prices_path))["data"]
    price = (
        prices[0]
        if prices
        else await api.post(
            prices_path, {"cadence": "MONTHLY", "currency": "EUR", "pricing": pricing}
        )
    )
    return await api.post(
        "/addons", {**body, "product_id": product["id"], "price_id": price["id"]}
    )


def _coupon_of_one_plan(team_plan_id: str) -> Body:
    return {
        "code": "TEAM10",
        "description": "10 % off the Team plan, for its first 100 subscribers",
        "discount": {"type": "PERCENTAGE", "percentage": "10"},
        "plan_ids": [team_plan_id],
        "redemption_limit": 100,
    }


def _plans(*, api_calls: str, transfer: str, add_ons: Mapping[str, str]) -> list[Body]:
    """The four plans; each shows another way to price."""
    return [
        {
            "name": "Starter",
            "description": "One flat fee, for a first project",
            "plan_type": "STANDARD",
            "self_service_rank": 1,
            "components": [_rate("Starter fee", "29.00")],
        },
        {
            "name": "Team",
            "description": "By the seat, free for two weeks",
            "plan_type": "STANDARD",
            "self_service_rank": 2,
            "trial": {"duration_days": 14, "is_free": True},
            "components": [_seats([("MONTHLY", "12.00")], least=2, most=50)],
        },
        {
            "name": "Scale",
            "description": "Platform fee, seats, API calls by capacity, data transfer by use",
            "plan_type": "STANDARD",
            "self_service_rank": 3,
            "components": _scale_components(api_calls, transfer),
            "add_ons": [
                {"add_on_id": add_ons["Priority support"], "self_serviceable": True},
                {"add_on_id": add_ons["Extra environments"], "self_serviceable": True},
                {"add_on_id": add_ons["Data migration"]},
            ],
        },
        {
            "name": "Business annual",
            "description": "Everything, paid once a year",
            "plan_type": "STANDARD",
            "self_service_rank": 4,
            "billing": {"net_terms": 30},
            "components": [
                _rate("Business fee", "2990.00", "ANNUAL"),
                {
                    "name": "Set-up",
                    "fee": {"type": "ONE_TIME", "unit_price": "450.00", "quantity": 1},
                },
            ],
        },
    ]


def _scale_components(api_calls: str, transfer: str) -> list[Body]:
    return [
        _rate("Platform fee", "149.00"),
        _seats([("MONTHLY", "15.00"), ("ANNUAL", "150.00")], least=5, most=200),
        {
            "name": "API calls",
            "fee": {
                "type": "CAPACITY",
                "metric_id": api_calls,
                "cadence": "MONTHLY",
                "thresholds": [
                    _threshold(50_000, "79.00", "0.0020"),
                    _threshold(100_000, "139.00", "0.0015"),
                    _threshold(500_000, "549.00", "0.0012"),
                ],
            },
        },
        {
            "name": "Data transfer",
            "fee": {
                "type": "USAGE",
                "metric_id": transfer,
                "cadence": "MONTHLY",
                "pricing": {
                    "type": "TIERED",
                    "tiers": [
                        {"first_unit": 0, "rate": "0.00"},
                        {"first_unit": 100, "rate": "0.09"},
                        {"first_unit": 5_000, "rate": "0.06"},
                    ],
                },
            },
        },
        _rate("Managed backups", "39.00"),
    ]


def _rate(name: str, price: str, term: str = "MONTHLY") -> Body:
    return {"name": name, "fee": {"type": "RATE", "rates": [{"term": term, "price": price}]}}


def _seats(rates: list[tuple[str, str]], *, least: int, most: int) -> Body:
    return {
        "name": "Seats",
        "fee": {
            "type": "SLOT",
            "slot_unit_name": "seat",
            "rates": [{"term": term, "price": price} for term, price in rates],
            "minimum_count": least,
            "quota": most,
        },
    }


def _threshold(included: int, price: str, overage: str) -> Body:
    return {"included_amount": included, "price": price, "per_unit_overage": overage}
