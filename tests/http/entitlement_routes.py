"""The routes of features and entitlements, each with a body that would be good enough."""

from typing import Any

NOTHING: dict[str, Any] = {"entitlements": []}

ENTITLEMENT_ROUTES: dict[str, dict[str, Any] | None] = {
    "POST /api/v1/features": {},
    "GET /api/v1/features": None,
    "GET /api/v1/features/{id_or_code}": None,
    "PATCH /api/v1/features/{id_or_code}": {"name": "Stolen"},
    "POST /api/v1/features/{id_or_code}/archive": None,
    "POST /api/v1/features/{id_or_code}/unarchive": None,
    "GET /api/v1/entitlements/{entitlement_id}": None,
    "PATCH /api/v1/entitlements/{entitlement_id}": {
        "value": {"type": "BOOLEAN", "enabled": False}
    },
    "DELETE /api/v1/entitlements/{entitlement_id}": None,
    "GET /api/v1/plan-versions/{plan_version_id}/entitlements": None,
    "POST /api/v1/plan-versions/{plan_version_id}/entitlements": NOTHING,
    "GET /api/v1/addons/{add_on_id}/entitlements": None,
    "POST /api/v1/addons/{add_on_id}/entitlements": NOTHING,
    "GET /api/v1/products/{product_id}/entitlements": None,
    "POST /api/v1/products/{product_id}/entitlements": NOTHING,
    "GET /api/v1/subscriptions/{subscription_id}/entitlements": None,
    "POST /api/v1/subscriptions/{subscription_id}/entitlements": NOTHING,
    "GET /api/v1/customers/{id_or_alias}/entitlements": None,
}
