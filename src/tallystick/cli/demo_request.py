"""The request of the demo: every field of `POST /checkout-sessions` at work."""

import json
import shlex
from datetime import date, timedelta
from typing import Any

from tallystick.cli.demo_catalog import Catalog

PLAN = "Scale"
LEAP_DAY = (2, 29)


def full_request(catalog: Catalog, customer: str, today: date, shop_url: str) -> dict[str, Any]:
    """The offer that Acme Cloud makes to a customer.

    Args:
        catalog: What is for sale.
        customer: Its id or alias.
        today: The tenant's day, on which the subscription begins.
        shop_url: The merchant's own site, where the buyer comes back to.
    """
    return {
        "customer_id": customer,
        "plan_version_id": catalog.plans[PLAN]["version_id"],
        "add_ons": [
            {
                "add_on_id": catalog.add_ons["Priority support"]["id"],
                "quantity": 2,
                "customization": {
                    "type": "PRICE_OVERRIDE",
                    "name": "Priority support (launch price)",
                    "price_entry": _monthly({"type": "RATE", "rate": "45.00"}),
                },
            },
            {
                "add_on_id": catalog.add_ons["Extra environments"]["id"],
                "quantity": 1,
                "customization": {
                    "type": "PARAMETERIZATION",
                    "initial_slot_count": 5,
                    "billing_period": "MONTHLY",
                },
            },
        ],
        "auto_advance_invoices": True,
        "billing_day_anchor": 15,
        "billing_start_date": today.isoformat(),
        "charge_automatically": True,
        "components": _components(catalog),
        "coupon_code": "LAUNCH20",
        "coupon_ids": [catalog.coupons["WELCOME25"]["id"]],
        "end_date": in_a_year(today).isoformat(),
        "expires_in_hours": 24,
        "invoice_memo": "Thank you for choosing Acme Cloud.",
        "invoice_threshold": "1000.00",
        "metadata": {"sales_rep": "dana", "crm": {"deal": 4711}},
        "net_terms": 14,
        "payment_methods_config": {
            "type": "online",
            "config": {"card": {"enabled": True}, "direct_debit": {"enabled": True}},
        },
        "purchase_order": f"PO-{today.year}-118",
        "success_url": f"{shop_url}/welcome",
        "cancel_url": shop_url,
        "trial_duration_days": 0,
    }


def plain_request(catalog: Catalog, plan: str, customer: str, shop_url: str) -> dict[str, Any]:
    """An offer without anything special: a plan as it is listed."""
    return {
        "customer_id": customer,
        "plan_version_id": catalog.plans[plan]["version_id"],
        "success_url": f"{shop_url}/welcome",
        "cancel_url": shop_url,
    }


def _components(catalog: Catalog) -> dict[str, Any]:
    def component(name: str) -> str:
        return catalog.component(PLAN, name)

    return {
        "parameterized_components": [
            {
                "component_id": component("Seats"),
                "parameters": {"billing_period": "MONTHLY", "initial_slot_count": 12},
            },
            {
                "component_id": component("API calls"),
                "parameters": {"committed_capacity": 100_000},
            },
        ],
        "overridden_components": [
            {
                "component_id": component("Platform fee"),
                "name": "Platform fee (negotiated)",
                "price_entry": _monthly({"type": "RATE", "rate": "129.00"}),
            }
        ],
        "extra_components": [
            {
                "name": "Onboarding",
                "product_ref": {
                    "type": "NEW",
                    "name": "Onboarding",
                    "fee_type": "ONE_TIME",
                    "fee_structure": {"type": "ONE_TIME"},
                },
                "price_entry": _monthly(
                    {"type": "ONE_TIME", "unit_price": "500.00", "quantity": 1}
                ),
            }
        ],
        "remove_components": [component("Managed backups")],
    }


def in_a_year(day: date) -> date:
    """The same day of the next year; after a leap day the first of March."""
    if (day.month, day.day) == LEAP_DAY:
        return day + timedelta(days=366)
    return day.replace(year=day.year + 1)


def as_curl(url: str, key: str, body: dict[str, Any]) -> str:
    """A request as a command that can be copied into a shell."""
    text = json.dumps(body, indent=2, ensure_ascii=False)
    return (
        f"curl --request POST {shlex.quote(url)} \\\n"
        f"  --header 'Authorization: Bearer {key}' \\\n"
        f"  --header 'Content-Type: application/json' \\\n"
        f"  --data {shlex.quote(text)}"
    )


def _monthly(pricing: dict[str, Any]) -> dict[str, Any]:
    return {"type": "NEW", "cadence": "MONTHLY", "currency": "EUR", "pricing": pricing}
