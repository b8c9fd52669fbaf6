"""Things that exist, for the examples of the document: what `{sub:globex}` stands for.

Everything is made when an example first names it, so that each example finds it untouched.
"""

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from meteroid import models as m

from tallystick.http import examples
from tests.http.purchase.market import Json, Market, Purchase
from tests.http.purchase.stock import stock

_numbers = count(1)


def define(market: Market, entity: str, key: str) -> str:
    """Define a property of the merchant's own, a text; its id."""
    body = {"entity_type": entity, "key": key, "name": key, "property_type": "TEXT"}
    answer = market.raw.post("/custom-property-definitions", json=body)
    assert answer.is_success, answer.text
    return str(answer.json()["id"])


def stock_for_examples(market: Market) -> None:
    """Sell what the examples name, to a customer `globex` among others."""
    stock(market)
    market.customer(alias="globex")
    for entity in ("INVOICE", "CREDIT_NOTE"):
        define(market, entity, "ticket")


@dataclass
class Standing:
    """What the examples of one request name; see `stock_for_examples`."""

    market: Market
    _made: dict[str, str] = field(default_factory=dict)

    def id(self, name: str) -> str:
        """The id of a thing that exists, by the name that files of examples give it."""
        if name not in self._made:
            self._make(name)
        return self._made[name]

    def make_all(self) -> None:
        """Make everything that any example names, before somebody archives what it needs."""
        for name in dict.fromkeys(examples.names_in(dict(examples.of_operations()))):
            self.id(name)

    def put_in(self, value: Any) -> Any:  # noqa: ANN401 - any JSON
        """A value of a file of examples, with the ids of things that exist."""
        return examples.with_ids(value, self.id)

    def _make(self, name: str) -> None:
        kind, _, which = name.partition(":")
        match kind:
            case "feat" | "ent":
                self._grant(name, which)
            case "whe":
                url = f"https://hooks.example/{next(_numbers)}"
                hook = self.market.sdk.webhook_endpoints.endpoints.create(url=url)
                self._made[name] = hook.webhook_endpoint.id
            case "cpd":
                key = f"{which}_{next(_numbers)}"
                self._made[name] = define(self.market, "CUSTOMER", key)
            case "sub" | "sub_price" | "inv" | "pay" | "line" | "crn":
                self._buy(which)
            case _:
                self._made[name] = self._sold(kind, which)

    def _sold(self, kind: str, which: str) -> str:
        """The id of what the market sells from the beginning."""
        market = self.market
        match kind:
            case "pf":
                return market.family
            case "bm":
                return market.metric
            case "ive":
                return market.entity_path.rpartition("/")[2]
            case "plan":
                return market.plans[which].id
            case "plv":
                return market.plans[which].version_id
            case "price":
                return market.component("Business", which)
            case "prd":
                return market.products[which]
            case "pri":
                return market.add_ons[which].price_id
            case "add":
                return market.add_ons[which].id
            case "cou":
                return market.coupons[which].id
            case _:
                raise AssertionError(f"nothing is known of {kind}:{which}")

    def _grant(self, name: str, which: str) -> None:
        metered = {"type": "METERED", "metric_id": self.market.metric}
        made = self._post(
            "/features",
            {
                "code": f"{which.lower()}_{next(_numbers)}",
                "name": which,
                "feature_type": metered if which == "quota" else {"type": "BOOLEAN"},
                "product_id": self.id("prd:Priority support") if which == "support" else None,
                "entitlement": {"type": "BOOLEAN", "enabled": True}
                if which == "default"
                else None,
            },
        )
        if name == f"ent:{which}":
            self._made[name] = made["entitlement"]["id"]
        else:
            self._made[name] = made["id"]

    def _buy(self, which: str) -> None:
        match which:
            case "globex" | "paid" | "Fee" | "balance":
                self._bought("globex", self.market.bought())
                self._made["crn:balance"] = self._credited()
            case "seats" | "Seats":
                self._bought("seats", self._with_seats())
            case "leaving":
                bought = self.market.bought()
                self._made["sub:leaving"] = bought.subscription.id
                self._post(f"/subscriptions/{bought.subscription.id}/cancel", {})
            case "pending":
                self._made["sub:pending"] = self._subscribed("MANUAL")["id"]
            case "open":
                made = self._subscribed("ON_START", charge_automatically=False)
                (invoice,) = self.market.sdk.invoices.list(subscription_id=made["id"])
                self._made["inv:open"] = invoice.id
            case _:
                raise AssertionError(f"nobody has bought {which}")

    def _bought(self, who: str, bought: Purchase) -> None:
        self._made[f"sub:{who}"] = bought.subscription.id
        for component in bought.wire["components"]:
            self._made[f"sub_price:{component['name']}"] = component["id"]
        self._made["inv:paid"] = bought.invoice.id
        self._made["pay:paid"] = bought.invoice.transactions[0].id
        answer = self.market.raw.get(f"/invoices/{bought.invoice.id}")
        for line in answer.json()["line_items"]:
            self._made[f"line:{line['name']}"] = line["id"]

    def _with_seats(self) -> Purchase:
        parameters = m.ComponentParameters(
            initial_slot_count=5, billing_period=m.BillingPeriodEnum.MONTHLY
        )
        capacity = m.ComponentParameters(committed_capacity=10_000)
        chosen = [
            m.ComponentParameterization(component_id=self.id(f"price:{name}"), parameters=given)
            for name, given in (("Seats", parameters), ("API calls", capacity))
        ]
        return self.market.bought(
            "Business",
            components=m.CreateSubscriptionComponents(parameterized_components=chosen),
        )

    def _credited(self) -> str:
        body = {"invoice_id": self._made["inv:paid"], "credit_type": "CREDIT_TO_BALANCE"}
        return str(self._post("/credit-notes", {**body, "amount": 100})["id"])

    def _subscribed(self, condition: str, **fields: object) -> Json:
        body = {
            "customer_id_or_alias": self.market.customer().id,
            "plan_id": self.market.plans["Starter"].id,
            "start_date": "2026-03-10",
            "activation_condition": condition,
        }
        return self._post("/subscriptions", {**body, **fields})

    def _post(self, path: str, body: Json) -> Json:
        answer = self.market.raw.post(path, json=body)
        assert answer.is_success, answer.text
        found: Json = answer.json()
        return found
