"""What can be called: method and path, the parameters it takes, and who does it."""

import re
from dataclasses import dataclass

from stripe import params as sdk

from tests.stripe import intents, methods, money, news, setups
from tests.stripe.account import Account
from tests.stripe.reading import Run, listed, one, searched
from tests.stripe.refusals import Json, Refused


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, named as the SDK names it; `{id}` in its path is the object."""

    name: str
    method: str
    path: str
    params: type
    run: Run
    public: bool = False
    """Whether a publishable key may call it."""
    by_secret: bool = False
    """Whether it may with the object's client secret."""

    def matches(self, method: str, path: str) -> str | None:
        """The object's id, empty where there is none; None when this is another operation."""
        pattern = self.path.replace("{id}", r"(?P<id>[^/]+)")
        found = re.fullmatch(pattern, path) if method == self.method else None
        return None if found is None else found.groupdict().get("id", "")


def _customer(account: Account, params: Json, _: str) -> Json:
    fields = (
        "address",
        "description",
        "email",
        "name",
        "phone",
        "preferred_locales",
        "shipping",
    )
    made = account.add(
        "customer",
        {
            "balance": 0,
            "default_source": None,
            "delinquent": False,
            "invoice_settings": params.get("invoice_settings") or {},
            "metadata": params.get("metadata") or {},
            **{name: params.get(name) for name in fields},
        },
    )
    if "payment_method" in params:
        methods.attach(account, {"customer": made["id"]}, params["payment_method"])
    account.tell("customer.created", made)
    return made


def _changed(kind: str) -> Run:
    def run(account: Account, params: Json, object_id: str) -> Json:
        found = account.get(kind, object_id)
        metadata = {**found["metadata"], **(params.get("metadata") or {})}
        # An empty text takes away what was there.
        found |= {name: value or None for name, value in params.items() if name in found}
        found["metadata"] = {name: value for name, value in metadata.items() if value}
        return found

    return run


def _forgotten(account: Account, _: Json, object_id: str) -> Json:
    account.get("customer", object_id)
    del account.objects["customer"][object_id]
    for method in account.objects["payment_method"].values():
        if method["customer"] == object_id:
            methods.detach(account, {}, method["id"])
    return {"id": object_id, "object": "customer", "deleted": True}


def _merchant(account: Account, _: Json, __: str) -> Json:
    able = _capabilities(account)
    return {
        "id": account.id,
        "object": "account",
        "business_profile": {"name": "Acme Cloud SAS", "url": "https://acme.example.com"},
        "capabilities": able,
        "charges_enabled": able["card_payments"] == "active",
        "country": account.country,
        "default_currency": account.default_currency,
        "details_submitted": True,
        "email": "billing@acme.example.com",
        "metadata": {},
        "payouts_enabled": True,
        "settings": {"dashboard": {"display_name": "Acme Cloud", "timezone": "Europe/Paris"}},
        "type": "standard",
    }


def _capabilities(account: Account) -> dict[str, str]:
    debits = {
        f"{kind}_payments": "active" for kind in account.types if kind in methods.ACCOUNTS
    }
    return {"card_payments": "active", **debits, **account.capabilities}


def _configured(account: Account, _: Json, __: str) -> Json:
    """What the dashboard's page of payment methods says: one configuration, the default one."""
    able = _capabilities(account)
    on = {"overridable": None, "preference": "on", "value": "on"}
    shown = {
        kind: {
            "available": able.get(CAPABILITY_OF.get(kind, f"{kind}_payments")) == "active",
            "display_preference": on,
        }
        for kind in account.types
    }
    found = {"id": "pmc_1", "object": "payment_method_configuration", "name": "Default"}
    told = {**found, "active": True, "is_default": True, "application": None, "parent": None}
    url = "/v1/payment_method_configurations"
    return {"object": "list", "url": url, "has_more": False, "data": [{**told, **shown}]}


def _balance(account: Account, _: Json, __: str) -> Json:
    held: dict[str, int] = {}
    for moved in account.ledger:
        held[moved.currency] = held.get(moved.currency, 0) + moved.amount
    amounts = [{"amount": amount, "currency": currency} for currency, amount in held.items()]
    return {"object": "balance", "available": [], "pending": amounts, "livemode": False}


def _drawn(account: Account, _: Json, __: str) -> Json:
    return {"object": "elements_session", "payment_method_types": list(account.types)}


CAPABILITY_OF = {"us_bank_account": "us_bank_account_ach_payments"}
"""The capabilities that are not called as the type is."""

PI, SI, PM = "/v1/payment_intents", "/v1/setup_intents", "/v1/payment_methods"
CU, RE, WE = "/v1/customers", "/v1/refunds", "/v1/webhook_endpoints"

OPERATIONS = (
    Operation("accounts.retrieve_current", "GET", "/v1/account",
              sdk.AccountRetrieveCurrentParams, _merchant),
    Operation("payment_method_configurations.list", "GET", "/v1/payment_method_configurations",
              sdk.PaymentMethodConfigurationListParams, _configured),
    Operation("customers.create", "POST", CU, sdk.CustomerCreateParams, _customer),
    Operation("customers.list", "GET", CU, sdk.CustomerListParams, listed("customer", CU)),
    Operation("customers.search", "GET", f"{CU}/search",
              sdk.CustomerSearchParams, searched("customer", f"{CU}/search")),
    Operation("customers.retrieve", "GET", f"{CU}/{{id}}",
              sdk.CustomerRetrieveParams, one("customer")),
    Operation("customers.update", "POST", f"{CU}/{{id}}",
              sdk.CustomerUpdateParams, _changed("customer")),
    Operation("customers.delete", "DELETE", f"{CU}/{{id}}",
              sdk.CustomerDeleteParams, _forgotten),
    Operation("customers.payment_methods.list", "GET", f"{CU}/{{id}}/payment_methods",
              sdk.CustomerPaymentMethodListParams,
              listed("payment_method", f"{CU}/payment_methods", of="customer")),
    Operation("payment_methods.create", "POST", PM,
              sdk.PaymentMethodCreateParams, methods.create, public=True),
    Operation("payment_methods.list", "GET", PM,
              sdk.PaymentMethodListParams, listed("payment_method", PM)),
    Operation("payment_methods.retrieve", "GET", f"{PM}/{{id}}",
              sdk.PaymentMethodRetrieveParams, methods.retrieve),
    Operation("payment_methods.update", "POST", f"{PM}/{{id}}",
              sdk.PaymentMethodUpdateParams, _changed("payment_method")),
    Operation("payment_methods.attach", "POST", f"{PM}/{{id}}/attach",
              sdk.PaymentMethodAttachParams, methods.attach),
    Operation("payment_methods.detach", "POST", f"{PM}/{{id}}/detach",
              sdk.PaymentMethodDetachParams, methods.detach),
    Operation("setup_intents.create", "POST", SI, sdk.SetupIntentCreateParams, setups.create),
    Operation("setup_intents.list", "GET", SI,
              sdk.SetupIntentListParams, listed("setup_intent", SI)),
    Operation("setup_intents.retrieve", "GET", f"{SI}/{{id}}",
              sdk.SetupIntentRetrieveParams, setups.retrieve, by_secret=True),
    Operation("setup_intents.update", "POST", f"{SI}/{{id}}",
              sdk.SetupIntentUpdateParams, _changed("setup_intent")),
    Operation("setup_intents.confirm", "POST", f"{SI}/{{id}}/confirm",
              sdk.SetupIntentConfirmParams, setups.confirm),
    Operation("setup_intents.cancel", "POST", f"{SI}/{{id}}/cancel",
              sdk.SetupIntentCancelParams, setups.cancel),
    Operation("payment_intents.create", "POST", PI,
              sdk.PaymentIntentCreateParams, intents.create),
    Operation("payment_intents.list", "GET", PI,
              sdk.PaymentIntentListParams, listed("payment_intent", PI)),
    Operation("payment_intents.search", "GET", f"{PI}/search",
              sdk.PaymentIntentSearchParams, searched("payment_intent", f"{PI}/search")),
    Operation("payment_intents.retrieve", "GET", f"{PI}/{{id}}",
              sdk.PaymentIntentRetrieveParams, one("payment_intent")),
    Operation("payment_intents.update", "POST", f"{PI}/{{id}}",
              sdk.PaymentIntentUpdateParams, intents.update),
    Operation("payment_intents.confirm", "POST", f"{PI}/{{id}}/confirm",
              sdk.PaymentIntentConfirmParams, intents.confirm),
    Operation("payment_intents.cancel", "POST", f"{PI}/{{id}}/cancel",
              sdk.PaymentIntentCancelParams, intents.cancel),
    Operation("charges.list", "GET", "/v1/charges",
              sdk.ChargeListParams, listed("charge", "/v1/charges")),
    Operation("charges.search", "GET", "/v1/charges/search",
              sdk.ChargeSearchParams, searched("charge", "/v1/charges/search")),
    Operation("charges.retrieve", "GET", "/v1/charges/{id}",
              sdk.ChargeRetrieveParams, one("charge")),
    Operation("mandates.retrieve", "GET", "/v1/mandates/{id}",
              sdk.MandateRetrieveParams, one("mandate")),
    Operation("refunds.create", "POST", RE, sdk.RefundCreateParams, money.refund),
    Operation("refunds.list", "GET", RE, sdk.RefundListParams, listed("refund", RE)),
    Operation("refunds.retrieve", "GET", f"{RE}/{{id}}",
              sdk.RefundRetrieveParams, one("refund")),
    Operation("disputes.list", "GET", "/v1/disputes",
              sdk.DisputeListParams, listed("dispute", "/v1/disputes")),
    Operation("disputes.retrieve", "GET", "/v1/disputes/{id}",
              sdk.DisputeRetrieveParams, one("dispute")),
    Operation("events.list", "GET", "/v1/events",
              sdk.EventListParams, listed("event", "/v1/events")),
    Operation("events.retrieve", "GET", "/v1/events/{id}",
              sdk.EventRetrieveParams, one("event")),
    Operation("webhook_endpoints.create", "POST", WE,
              sdk.WebhookEndpointCreateParams, news.create_endpoint),
    Operation("webhook_endpoints.list", "GET", WE,
              sdk.WebhookEndpointListParams, listed("webhook_endpoint", WE)),
    Operation("webhook_endpoints.retrieve", "GET", f"{WE}/{{id}}",
              sdk.WebhookEndpointRetrieveParams, one("webhook_endpoint")),
    Operation("webhook_endpoints.update", "POST", f"{WE}/{{id}}",
              sdk.WebhookEndpointUpdateParams, news.update_endpoint),
    Operation("webhook_endpoints.delete", "DELETE", f"{WE}/{{id}}",
              sdk.WebhookEndpointDeleteParams, news.delete_endpoint),
    Operation("balance.retrieve", "GET", "/v1/balance",
              sdk.BalanceRetrieveParams, _balance),
    Operation("elements.sessions", "GET", "/v1/elements/sessions",
              sdk.AccountRetrieveCurrentParams, _drawn, public=True),
)  # fmt: skip


def find(method: str, path: str) -> tuple[Operation, str]:
    """The operation of a request, and the id in its path.

    Raises:
        Refused: There is none.
    """
    for operation in OPERATIONS:
        object_id = operation.matches(method, path)
        if object_id is not None:
            return operation, object_id
    message = f"Unrecognized request URL ({method}: {path})."
    raise Refused(404, "invalid_request_error", message, code="url_invalid", kept=False)
