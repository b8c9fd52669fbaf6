"""Things that exist, for the examples of the document: what `{sub:globex}` stands for.

Everything is made when an example first names it, so that each example finds it untouched.
"""

from dataclasses import dataclass, field
from typing import Any

from meteroid import models as m

from tallystick.http import examples
from tests.http.purchase.market import Json, Market, Purchase


@dataclass
class Standing:
    """What the examples of one request name; `market` is stocked, with a customer `globex`."""

    market: Market
    _made: dict[str, str] = field(default_factory=dict)

    def id(self, name: str) -> str:
        """The id of a thing that exists, by the name that files of examples give it."""
        if name not in self._made:
            self._make(name)
        return self._made[name]

    def put_in(self, value: Any) -> Any:  # noqa: ANN401 - any JSON
        """A value of a file of examples, with the ids of things that exist."""
        return examples.with_ids(value, self.id)

    def _make(self, name: str) -> None:
        kind, _, which = name.partition(":")
        market = self.market
        match kind:
            case "pf":
                self._made[name] = market.family
            case "bm":
                self._made[name] = market.metric
            case "ive":
                self._made[name] = market.entity_path.rpartition("/")[2]
            case "plan":
                self._made[name] = market.plans[which].id
            case "plv":
                self._made[name] = market.plans[which].version_id
            case "price":
                self._made[name] = market.component("Business", which)
            case "prd":
                self._made[name] = market.products[which]
            case "pri":
                self._made[name] = market.add_ons[which].price_id
            case "add":
                self._made[name] = market.add_ons[which].id
            case "sub" | "sub_price" | "inv" | "pay" | "line" | "crn":
                self._buy(which)
            case _:
                raise AssertionError(f"nothing is known of {name}")

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
