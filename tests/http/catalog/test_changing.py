"""PATCH of everything in the catalog: null clears, left out keeps, and what cannot change.

The fields are those of the client's own models, so that a field that it learns is tried here.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from meteroid import models as m
from meteroid.serialization import to_json_value

from tests.http.catalog.shop import Shop

Json = dict[str, Any]

ANOTHER_CONVERSION = {"factor": 60, "rounding": "DOWN"}
FILTER = {"property": "zone", "op": "IN", "values": ["a", "b"]}
TWENTY = m.PercentageDiscount(percentage="20")


@dataclass(frozen=True, kw_only=True)
class Changeable:
    """A kind of thing: the client's model of its change, how one is made, values to set.

    `cleared` is what null makes of a field; a field that is not in it cannot be cleared.
    """

    path: str
    model: type
    make: Callable[[Shop], str]
    values: Callable[[Shop, Json], Json]
    cleared: Mapping[str, object] = field(default_factory=dict)


def _add_on(shop: Shop) -> str:
    product = shop.product("Care")
    made = shop.sdk.add_ons.create(
        name="Care",
        product_id=product,
        price_id=shop.price(product),
        description="Old",
        max_instances_per_subscription=3,
        self_serviceable=True,
    )
    return made.id


def _coupon(shop: Shop) -> str:
    made = shop.sdk.coupons.create(
        code="SAVE", discount=TWENTY, description="Old", plan_ids=[shop.plan().id]
    )
    return made.id


def _metric(shop: Shop) -> str:
    body = {
        "aggregation_type": "SUM",
        "aggregation_key": "bytes",
        "code": "egress",
        "name": "Egress",
        "product_family_id": shop.family(),
        "description": "Old",
        "filters": [FILTER],
        "segmentation_matrix": {"type": "SINGLE", "key": "region", "values": ["eu"]},
        "unit_conversion": {"factor": 1024, "rounding": "UP"},
        "usage_group_key": "project",
    }
    made: str = shop.raw.post("/metrics", json=body).json()["id"]
    return made


def _product(shop: Shop) -> str:
    fee = {"type": "EXTRA_RECURRING", "billing_type": "ADVANCE"}
    body = {"name": "Backups", "product_family_id": shop.family(), "fee_structure": fee}
    made: str = shop.raw.post("/products", json=body | {"description": "Old"}).json()["id"]
    return made


def _plan(shop: Shop) -> str:
    return shop.plan(description="Old", self_service_rank=2).id


CHANGEABLE = {
    "add-on": Changeable(
        path="/addons",
        model=m.UpdateAddOnRequest,
        make=_add_on,
        values=lambda shop, old: {
            "name": "Premium care",
            "description": "New",
            "price_id": shop.price(old["product_id"], {"type": "RATE", "rate": "12"}),
            "max_instances_per_subscription": 9,
            "self_serviceable": True,
        },
        cleared={
            "description": None,
            "max_instances_per_subscription": None,
            "self_serviceable": False,
        },
    ),
    "coupon": Changeable(
        path="/coupons",
        model=m.UpdateCouponRequest,
        make=_coupon,
        values=lambda shop, _: {
            "description": "New",
            "discount": {"type": "FIXED", "amount": "10.50", "currency": "EUR"},
            "plan_ids": [shop.plan("Other").id],
        },
        cleared={"description": None, "plan_ids": []},
    ),
    "metric": Changeable(
        path="/metrics",
        model=m.UpdateMetricRequest,
        make=_metric,
        values=lambda _, __: {
            "name": "Traffic",
            "description": "New",
            "filters": [FILTER | {"op": "NOT_IN"}, {**FILTER, "property": "kind"}],
            "segmentation_matrix": {
                "type": "LINKED",
                "dimension1_key": "provider",
                "dimension2_key": "region",
                "values": {"aws": ["eu"]},
            },
            "unit_conversion": ANOTHER_CONVERSION,
        },
        cleared={
            "description": None,
            "filters": [],
            "segmentation_matrix": None,
            "unit_conversion": None,
        },
    ),
    "product": Changeable(
        path="/products",
        model=m.UpdateProductRequest,
        make=_product,
        values=lambda _, __: {
            "name": "Snapshots",
            "description": "New",
            "fee_structure": {"type": "EXTRA_RECURRING", "billing_type": "ARREARS"},
        },
        cleared={"description": None},
    ),
    "plan": Changeable(
        path="/plans",
        model=m.PatchPlanRequest,
        make=_plan,
        values=lambda _, __: {"name": "Team", "description": "New", "self_service_rank": 5},
        cleared={"description": None, "self_service_rank": None},
    ),
}


@pytest.fixture(params=list(CHANGEABLE))
def kind(request: pytest.FixtureRequest) -> Changeable:
    """Each kind of thing in turn."""
    return CHANGEABLE[request.param]


def fields_of(kind: Changeable) -> list[str]:
    """What the client can change of it."""
    return [one.name for one in dataclasses.fields(kind.model)]


def read(shop: Shop, kind: Changeable, name: str) -> Json:
    """A thing as it stands on the wire."""
    found: Json = shop.raw.get(f"{kind.path}/{name}").json()
    return found


@settings(
    max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(data=st.data())
def test_null_clears_and_what_is_left_out_stays(
    shop: Shop, kind: Changeable, data: st.DataObject
) -> None:
    """Whatever of its fields a change speaks of, those change, and no other."""
    name = _one(shop, kind)
    old = read(shop, kind, name)
    values = _values(shop, kind, old)
    assert set(values) == set(fields_of(kind)), "every field of the model has a value to set"
    body: Json = {}
    for one in fields_of(kind):
        ways = ["keep", "set"] + (["clear"] if one in kind.cleared else [])
        way = data.draw(st.sampled_from(ways), label=one)
        if way != "keep":
            body[one] = values[one] if way == "set" else None

    answer = shop.raw.patch(f"{kind.path}/{name}", json=body)

    assert answer.status_code == 200, answer.text
    wanted = {one: kind.cleared[one] if value is None else value for one, value in body.items()}
    assert answer.json() == old | wanted
    assert read(shop, kind, name) == old | wanted


_made: dict[tuple[str, str], tuple[str, Json]] = {}


def _one(shop: Shop, kind: Changeable) -> str:
    """The thing of this test, made once."""
    key = (shop.tenant.api_key, kind.path)
    if key not in _made:
        name = kind.make(shop)
        _made[key] = (name, kind.values(shop, read(shop, kind, name)))
    return _made[key][0]


def _values(shop: Shop, kind: Changeable, old: Json) -> Json:
    assert old["id"] == _made[shop.tenant.api_key, kind.path][0]
    return _made[shop.tenant.api_key, kind.path][1]


def test_the_client_changes_every_field(shop: Shop, kind: Changeable) -> None:
    """As the client sends it, each field on its own, and null where it can be cleared."""
    name = kind.make(shop)
    old = read(shop, kind, name)
    values = kind.values(shop, old)
    for one in fields_of(kind):
        sent = kind.model.from_dict({one: values[one]})  # type: ignore[attr-defined]
        body = to_json_value(sent, kind.model)
        assert set(body) == {one}
        answer = shop.raw.patch(f"{kind.path}/{name}", json=body)
        assert answer.status_code == 200, answer.text
        assert answer.json()[one] == values[one]


def test_what_cannot_be_cleared_is_refused_as_null(shop: Shop, kind: Changeable) -> None:
    """All of it at once, each by its name; nothing changes, and nobody is told."""
    name = kind.make(shop)
    old, before = read(shop, kind, name), shop.counts()
    fixed = [one for one in fields_of(kind) if one not in kind.cleared]

    status, faults = shop.refused(
        "PATCH", f"{kind.path}/{name}", dict.fromkeys(fields_of(kind))
    )

    assert (status, sorted(faults)) == (400, sorted((one, "wrong_type") for one in fixed))
    assert read(shop, kind, name) == old
    assert shop.counts() == before


def test_an_empty_change_tells_nobody(shop: Shop, kind: Changeable) -> None:
    """Nothing was said: nothing changes; what is as it was told is no event either."""
    name = kind.make(shop)
    old, before = read(shop, kind, name), shop.counts()
    same = {one: old[one] for one in fields_of(kind)}

    for body in ({}, same):
        answer = shop.raw.patch(f"{kind.path}/{name}", json=body)
        assert (answer.status_code, answer.json()) == (200, old)

    assert shop.counts() == before


def test_a_misspelt_field_is_refused_with_its_neighbour(shop: Shop, kind: Changeable) -> None:
    """A change that nobody understands is no change."""
    name = kind.make(shop)

    answer = shop.raw.patch(f"{kind.path}/{name}", json={"descripton": "New"})

    assert answer.status_code == 400
    (fault,) = answer.json()["errors"]
    assert (fault["field"], fault["code"]) == ("descripton", "unknown_field")
    assert "`description`" in fault["message"]


EVENTS: dict[str, Callable[[Json], Any]] = {
    "addon.updated": lambda body: m.AddOnEvent.from_dict(body).add_on_event_data,
    "coupon.updated": lambda body: m.CouponEvent.from_dict(body).coupon_event_data,
    "metric.updated": lambda body: m.MetricEvent.from_dict(body).metric_event_data,
    "product.updated": lambda body: m.ProductEvent.from_dict(body).product_event_data,
    "plan.updated": lambda body: m.PlanEvent.from_dict(body).plan_event_data,
}


def test_a_change_is_told(shop: Shop, kind: Changeable) -> None:
    """Once, with what it is then, as the client's event of it decodes."""
    name = kind.make(shop)
    shop.raw.patch(f"{kind.path}/{name}", json={"description": "New"})

    noun = kind.path.strip("/").removesuffix("s")
    (body,) = shop.events(f"{noun}.updated")
    data = EVENTS[f"{noun}.updated"](body)
    assert data.description == "New"
    assert name in body.values() or name in str(body)
