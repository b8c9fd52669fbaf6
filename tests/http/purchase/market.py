"""A merchant's whole shop, set up over the wire, and customers who buy from it.

Everything is made through the official client, or through our own doors where it has none, and
read back the same way. Only what no door offers yet (archiving, the passing of time) is done
behind the product's back.
"""

from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar
from uuid import UUID

import httpx
from meteroid import Meteroid
from meteroid import models as m

from tallystick.bootstrap import wired
from tallystick.db import sandbox_ledger, tenants
from tallystick.db.engine import Tx, connect
from tallystick.domain.ids import Prefix, decode, encode
from tallystick.services.create_tenant import NewTenant
from tallystick.settings import Settings
from tests.database import in_own_loop
from tests.http.checkout.buyer import CARD, Seen
from tests.http.conftest import TRUSTED, Served, new_tenant
from tests.http.purchase.terms import rate

Result = TypeVar("Result")
Json = dict[str, Any]

_numbers = count(1)


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """What a completed checkout left, as the client decodes it; `wire` is the subscription."""

    session: m.CheckoutSession
    subscription: m.SubscriptionDetails
    invoices: list[m.Invoice]
    wire: Json

    @property
    def invoice(self) -> m.Invoice:
        """The only invoice."""
        assert len(self.invoices) == 1, f"{len(self.invoices)} invoices"
        return self.invoices[0]

    @property
    def lines(self) -> list[tuple[str, int]]:
        """Name and amount of each line of the only invoice."""
        return [(line.name, line.amount_total) for line in self.invoice.line_items]


@dataclass(kw_only=True)
class Market:
    """One tenant: `sdk` is the official client, `raw` sends whatever is asked."""

    url: str
    dsn: str
    tenant: NewTenant
    sdk: Meteroid
    raw: httpx.Client
    public_url: str
    family: str = ""
    plans: dict[str, m.Plan] = field(default_factory=dict)
    add_ons: dict[str, m.AddOn] = field(default_factory=dict)
    coupons: dict[str, m.Coupon] = field(default_factory=dict)
    products: dict[str, str] = field(default_factory=dict)
    metric: str = ""

    @property
    def entity_path(self) -> str:
        """The address of the tenant's invoicing entity."""
        entity = encode(Prefix.INVOICING_ENTITY, self.tenant.invoicing_entity_id)
        return f"/invoicing-entities/{entity}"

    def plan(self, name: str, *components: m.PriceComponentInput, **fields: object) -> m.Plan:
        """Make a plan, published unless said otherwise; EUR 49 a month without components."""
        given: dict[str, Any] = {
            "components": list(components) or [rate("Fee", "49.00")],
            "currency": "EUR",
            "name": name,
            "plan_type": "STANDARD",
            "product_family_id": self.family,
            "status": "ACTIVE",
            **fields,
        }
        made: m.Plan = self.sdk.plans.create(**given)
        self.plans[name] = made
        return made

    def component(self, plan: str, name: str) -> str:
        """The id of a plan's component."""
        return next(c.id for c in self.plans[plan].price_components if c.name == name)

    def product(self, name: str, fee: m.ProductFeeStructure) -> str:
        """Make a product; its id."""
        made = self.sdk.products.create(
            fee_structure=fee, name=name, product_family_id=self.family
        )
        self.products[name] = made.id
        return made.id

    def price(self, product_id: str, pricing: Json, **fields: str) -> str:
        """Make a monthly price in euro of a product; its id."""
        body = {"cadence": "MONTHLY", "currency": "EUR", "pricing": pricing, **fields}
        answer = self.raw.post(f"/products/{product_id}/prices", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def add_on(
        self,
        name: str,
        fee: m.ProductFeeStructure,
        pricing: Json,
        **fields: Any,  # noqa: ANN401
    ) -> m.AddOn:
        """Make an add-on with its product and its price."""
        currency = fields.pop("currency", "EUR")
        product_id = self.product(name, fee)
        price_id = self.price(product_id, pricing, currency=currency)
        made = self.sdk.add_ons.create(
            name=name, product_id=product_id, price_id=price_id, **fields
        )
        self.add_ons[name] = made
        return made

    def coupon(self, code: str, discount: m.CouponDiscount, **fields: Any) -> m.Coupon:  # noqa: ANN401
        """Make a coupon, reusable unless said otherwise."""
        given = {"reusable": True, **fields}
        made = self.sdk.coupons.create(code=code, discount=discount, **given)
        self.coupons[code] = made
        return made

    def customer(self, name: str = "Globex", **fields: Any) -> m.Customer:  # noqa: ANN401
        """Make a French customer in euro."""
        given: dict[str, Any] = {
            "name": name,
            "currency": "EUR",
            "billing_email": "ap@globex.example",
            "billing_address": m.Address(country="FR"),
            **fields,
        }
        return self.sdk.customers.create(**given)

    def offer(self, plan: str = "Starter", **fields: Any) -> m.CheckoutSession:  # noqa: ANN401
        """Create a session, for a new customer unless one is named."""
        fields.setdefault("plan_version_id", self.plans[plan].version_id)
        if "customer_id" not in fields:
            fields["customer_id"] = self.customer().id
        return self.sdk.checkout_sessions.create(**fields).session

    def body(self, plan: str = "Starter", **fields: object) -> Json:
        """A request as it is sent; `...` as a value leaves the field out."""
        body = {
            "customer_id": fields.pop("customer_id", None) or self.customer().id,
            "plan_version_id": self.plans[plan].version_id,
            **fields,
        }
        return {name: value for name, value in body.items() if value is not ...}

    def create(self, plan: str = "Starter", **fields: object) -> httpx.Response:
        """Send a request of the given fields, whatever they are."""
        return self.raw.post("/checkout-sessions", json=self.body(plan, **fields))

    def preview(self, plan: str = "Starter", **fields: object) -> Json:
        """The quote of a request that is not stored."""
        answer = self.raw.post("/checkout-sessions/preview", json=self.body(plan, **fields))
        assert answer.status_code == 200, answer.text
        quote: Json = answer.json()
        return quote

    @contextmanager
    def page(self, session: m.CheckoutSession) -> Iterator["Browser"]:
        """A browser that has the session's link."""
        assert session.checkout_url is not None, "the session can be completed"
        link = session.checkout_url.removeprefix(self.public_url)
        with httpx.Client(base_url=self.url, verify=TRUSTED) as client:
            yield Browser(client, self.public_url, link)

    def buy(self, session: m.CheckoutSession, **typed: str) -> Purchase:
        """Complete a session through its page's form, with a good card where one is due."""
        with self.page(session) as browser:
            shown = browser.open()
            asked = {name: value for name, value in CARD.items() if name in shown.read.ids}
            answer = browser.send(shown, {**asked, **typed})
        bought = self.found(session.id)
        assert bought.session.status == "COMPLETED", answer.text
        return bought

    def bought(self, plan: str = "Starter", **fields: Any) -> Purchase:  # noqa: ANN401
        """Create a session and complete it."""
        return self.buy(self.offer(plan, **fields))

    def found(self, session_id: str) -> Purchase:
        """Read back what became of a completed session."""
        session = self.sdk.checkout_sessions.retrieve(session_id).session
        assert session.subscription_id is not None, f"the session is {session.status}"
        subscription = self.sdk.subscriptions.retrieve(session.subscription_id)
        invoices = [
            self.sdk.invoices.retrieve(one.id)
            for one in self.sdk.invoices.list(subscription_id=subscription.id)
        ]
        return Purchase(
            session=session,
            subscription=subscription,
            invoices=invoices,
            wire=self.raw.get(f"/subscriptions/{subscription.id}").json(),
        )

    def session(self, session_id: str) -> Json:
        """A session as it stands on the wire."""
        answer = self.raw.get(f"/checkout-sessions/{session_id}")
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()["session"]
        return found

    def behind(self, work: Callable[[Tx], Coroutine[Any, Any, Result]]) -> Result:
        """Do something in the database that no door offers."""

        async def inside() -> Result:
            connection = await connect(self.dsn)
            try:
                return await work(connection)
            finally:
                await connection.close()

        return in_own_loop(inside())

    def execute(self, query: str, *args: object) -> None:
        """Change something behind the product's back."""

        async def change(tx: Tx) -> None:
            await tx.execute(query, *args)

        self.behind(change)

    def value(self, query: str, *args: object) -> Any:  # noqa: ANN401
        """One value from the database."""

        async def read(tx: Tx) -> object:
            found: object = await tx.fetchval(query, *args)
            return found

        return self.behind(read)

    def archive(self, table: str, prefix: Prefix, wire_id: str) -> None:
        """Archive a thing."""
        status = ", status = 'ARCHIVED'" if table == "plans" else ""
        self.execute(
            f"update {table} set archived_at = now(){status} where tenant_id = $1 and id = $2",
            self.tenant.tenant_id,
            decode(prefix, wire_id),
        )

    def expire(self, session_id: str) -> None:
        """Let a session's time run out, without the sweeper noticing."""
        self.execute(
            "update checkout_sessions set expires_at = created_at where id = $1",
            decode(Prefix.CHECKOUT_SESSION, session_id),
        )

    def stored(self) -> dict[str, int]:
        """How many rows of each kind this tenant has, so that nothing can be made unseen."""
        return {
            table: self.value(
                f"select count(*) from {table} where tenant_id = $1", self.tenant.tenant_id
            )
            for table in (
                "checkout_sessions",
                "products",
                "prices",
                "events",
                "subscriptions",
                "coupon_redemptions",
                "plan_places",
                "payment_attempts",
            )
        }

    def charges(self) -> list[int]:
        """What the bank has taken from this tenant's customers, oldest first."""

        async def read(tx: Tx) -> list[int]:
            moved = await sandbox_ledger.movements(tx, self.tenant.tenant_id)
            return [one.amount for one in moved if one.kind == "CHARGE"]

        return self.behind(read)


@dataclass(frozen=True)
class Browser:
    """A browser without JavaScript that has a link."""

    client: httpx.Client
    public_url: str
    link: str

    def open(self) -> Seen:
        """Open the link."""
        return Seen.of(self.client.get(self.link))

    def send(self, seen: Seen, typed: Mapping[str, str] | None = None) -> Seen:
        """Send the page's form and follow where it leads, but not out of the shop."""
        data = {**seen.form.values, **(typed or {})}
        return self.follow(self.client.post(seen.form.action, data=data))

    def pay(self, number: str = CARD["card_number"], **typed: str) -> Seen:
        """Open the page, fill it in and press the button."""
        return self.send(self.open(), {**CARD, "card_number": number, **typed})

    def answer_bank(self, at_bank: Seen, answer: str) -> Seen:
        """Approve or refuse at the bank's page, and come back from it."""
        url = str(at_bank.response.url)
        self.client.post(url, data={**at_bank.form.values, "answer": answer})
        return self.follow(self.client.get(f"{self.link}/return"))

    def follow(self, answer: httpx.Response) -> Seen:
        """Follow where an answer leads, but not out of the shop."""
        while answer.is_redirect:
            location = answer.headers["location"].removeprefix(self.public_url)
            if not location.startswith("/"):
                break
            answer = self.client.get(location)
        return Seen.of(answer)


@contextmanager
def open_market(
    server: Served, dsn: str, name: str = "Acme Cloud", places: int = 1
) -> Iterator[Market]:
    """A new tenant with its clients, and nothing to sell yet but a family.

    `places` says how often a customer may have one plan.
    """
    tenant, public_url = in_own_loop(_found(dsn, name, places))
    headers = {"Authorization": f"Bearer {tenant.api_key}"}
    with (
        httpx.Client(verify=TRUSTED, timeout=60) as http,
        Meteroid(
            api_key=tenant.api_key, base_url=server.url, max_retries=0, http_client=http
        ) as sdk,
        httpx.Client(base_url=f"{server.url}/api/v1", headers=headers, verify=TRUSTED) as raw,
    ):
        market = Market(
            url=server.url, dsn=dsn, tenant=tenant, sdk=sdk, raw=raw, public_url=public_url
        )
        market.family = sdk.product_families.create(name="Cloud").id
        yield market


async def _found(dsn: str, name: str, places: int) -> tuple[NewTenant, str]:
    async with wired(Settings(), dsn) as app:
        tenant = await new_tenant(app, name)
        async with app.transaction() as tx:
            await tenants.update(tx, tenant.tenant_id, {"places_per_plan": places})
        return tenant, app.public_url


def id_of(prefix: Prefix) -> str:
    """A well-formed id of a thing that does not exist."""
    return encode(prefix, UUID(int=next(_numbers)))
