"""The routes of customers, and the pages on which they look after themselves."""

from uuid import UUID

from tallystick.domain.ids import Prefix, encode
from tests.http.purchase.market import Json

ENTRY: Json = {"currency": "EUR", "amount": 100}

TEST_CARD = {
    "type": "CARD",
    "card_number": "4242424242424242",
    "card_expiry": "12/99",
    "card_cvc": "123",
}

CUSTOMER_ROUTES: dict[str, Json | None] = {
    "POST /api/v1/customers": {},
    "GET /api/v1/customers": None,
    "GET /api/v1/customers/{id_or_alias}": None,
    "PATCH /api/v1/customers/{id_or_alias}": {"name": "Stolen"},
    "PUT /api/v1/customers/{id_or_alias}": {
        "name": "Stolen",
        "currency": "EUR",
        "custom_taxes": [],
        "invoicing_emails": [],
        "invoicing_entity_id": encode(Prefix.INVOICING_ENTITY, UUID(int=1)),
    },
    "DELETE /api/v1/customers/{id_or_alias}": None,
    "POST /api/v1/customers/{id_or_alias}/unarchive": None,
    "POST /api/v1/customers/{id_or_alias}/portal-token": None,
    "POST /api/v1/customers/{id_or_alias}/portal-token/revoke": None,
    "POST /api/v1/customers/{id_or_alias}/balance-entries": ENTRY,
    "POST /api/v1/customers/{id_or_alias}/payment-methods": TEST_CARD,
    "POST /api/v1/custom-property-definitions": {},
    "GET /api/v1/custom-property-definitions": None,
    "GET /api/v1/custom-property-definitions/{definition_id}": None,
    "PUT /api/v1/custom-property-definitions/{definition_id}": {"name": "Stolen"},
    "DELETE /api/v1/custom-property-definitions/{definition_id}": None,
}
"""Each with a body that would be good enough, if it takes one."""

PORTAL_PAGES = {
    "GET /portal/methods/add",
    "POST /portal/methods/add",
    "GET /portal/methods/{name}/bank",
    "GET /portal/methods/{name}/remove",
    "POST /portal/methods/{name}/remove",
    "GET /portal/methods/{name}/return",
    "GET /portal/methods/{name}/use",
    "POST /portal/methods/{name}/use",
    # A customer's pages open with the token of a link.
    "GET /assets/portal/{name}",
    "GET /pay",
    "GET /pay/{_:path}",
    "GET /pay/{tenant}/{invoice}/{signature}",
    "GET /pay/{tenant}/{invoice}/{signature}/another-method",
    "GET /pay/{tenant}/{invoice}/{signature}/bank",
    "POST /pay/{tenant}/{invoice}/{signature}/another-method",
    "GET /pay/{tenant}/{invoice}/{signature}/confirm",
    "POST /pay/{tenant}/{invoice}/{signature}/confirm",
    "GET /pay/{tenant}/{invoice}/{signature}/invoice.pdf",
    "GET /pay/{tenant}/{invoice}/{signature}/return",
    "GET /pay/{tenant}/{invoice}/{signature}/status",
    "GET /portal",
    "GET /portal/{_:path}",
    "GET /portal/details",
    "POST /portal/details",
    "GET /portal/invoices/{name}",
    "GET /portal/invoices/{name}/invoice.pdf",
    "GET /portal/invoices/{name}/pay",
    "POST /portal/invoices/{name}/pay",
    "GET /portal/subscriptions/{name}/cancel",
    "POST /portal/subscriptions/{name}/cancel",
    "GET /portal/subscriptions/{name}/keep",
    "POST /portal/subscriptions/{name}/keep",
    "POST /portal/leave",
}
"""What opens with the token of a link, and no API key."""
