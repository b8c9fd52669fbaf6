"""The gate of the documentation lets in whom it should."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from meteroid import models as m

from tests.http.catalog.shop import Shop

PAGE = Path(__file__).parents[3] / "docs" / "entitlements.md"


def gate() -> Callable[..., bool]:
    """The function that the page begins with, as it stands there."""
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(code.split("def may", 1)[1].strip().splitlines()) <= 10
    found: dict[str, Any] = {}
    exec(compile(code, str(PAGE), "exec"), found)  # noqa: S102 - our own page
    may: Callable[..., bool] = found["may"]
    return may


def test_the_gate_of_the_page(shop: Shop) -> None:
    """There or not, used up or not, and nothing for whom nothing was granted."""
    may = gate()
    calls = shop.feature("calls", m.MeteredFeatureType(metric_id=shop.metric("calls")))
    sso = shop.feature("sso")
    plan = shop.plan(
        entitlements=[
            m.EntitlementSpecRequest(
                feature_id=sso.id, value=m.BooleanEntitlementValue(enabled=True)
            ),
            m.EntitlementSpecRequest(
                feature_id=calls.id, value=m.MeteredEntitlementValue(limit=Decimal(2))
            ),
        ]
    )
    customer = shop.sdk.customers.create(name="Globex", currency="EUR", alias="globex")
    codes = ("sso", "calls", "other")

    before = [may(shop.sdk, "globex", code) for code in codes]
    shop.sdk.subscriptions.create(
        activation_condition="ON_START",
        customer_id_or_alias=customer.id,
        plan_id=plan.id,
        start_date=date(2026, 3, 10),
    )
    bought = [may(shop.sdk, customer.id, code) for code in codes]
    shop.sdk.events.ingest(
        events=[
            m.Event(event_id=f"e{n}", code="calls", customer_id=customer.id) for n in (1, 2)
        ]
    )

    assert before == [False, False, False]
    assert bought == [True, True, False]
    assert [may(shop.sdk, "globex", code) for code in codes] == [True, False, False]
