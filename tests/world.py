"""A small shop to test in: a tenant, its catalog and customers, and the buyer's side of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from tallystick.db import prices, tenants
from tallystick.db.codec import Codec
from tallystick.db.engine import Database
from tallystick.domain.buyer import Address, BuyerDetails
from tallystick.domain.checkout_request import CheckoutRequest
from tallystick.domain.coupons import Discount
from tallystick.domain.offer_request import OfferRequest
from tallystick.domain.payment import Method, MethodKind
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import FeeStructure, Price, Pricing, RateFee, RatePricing
from tallystick.providers.sandbox import Sandbox
from tallystick.services.confirm_checkout import confirm_checkout
from tallystick.services.confirm_result import ConfirmResult, Consent
from tallystick.services.context import App, Context, Tenant
from tallystick.services.create_checkout_session import create_checkout_session
from tallystick.services.ids import new_id
from tallystick.services.ports import PaymentProvider
from tallystick.services.show_checkout import show_checkout

FEE: Codec[FeeStructure] = Codec(FeeStructure)
FEE_OF_49 = ("Fee", RateFee(), [(Cadence.MONTHLY, RatePricing(rate=Decimal("49.00")))])
DISCOUNT: Codec[Discount] = Codec(Discount)
ADDRESS: Codec[Address] = Codec(Address)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
VISA = "4242424242424242"
PUBLIC_URL = "http://127.0.0.1:8484"
GLOBEX = BuyerDetails(name="Globex", email="ap@globex.example", address=Address(country="FR"))


@dataclass(frozen=True, kw_only=True)
class SoldPlan:
    """A published plan: its ids, and its components by name."""

    id: UUID
    version_id: UUID
    components: Mapping[str, UUID]
    products: Mapping[str, UUID]


@dataclass(kw_only=True)
class World:
    """A tenant with its shop. `ctx.now` is the tenant's business time."""

    app: App
    ctx: Context
    sandbox: Sandbox
    database: Database
    entity_id: UUID
    family_id: UUID
    made: dict[str, UUID] = field(default_factory=dict)

    @property
    def tenant_id(self) -> UUID:
        """The tenant."""
        return self.ctx.tenant.id

    def at(self, now: datetime) -> "World":
        """The same shop at another time."""
        return replace(self, ctx=replace(self.ctx, now=now))

    async def fetch(self, query: str, *args: object) -> list[dict[str, Any]]:
        """Rows, as dictionaries; jsonb columns stay text."""
        async with self.database.connection() as tx:
            return [dict(row) for row in await tx.fetch(query, *args)]

    async def one(self, query: str, *args: object) -> dict[str, Any]:
        """The only row."""
        rows = await self.fetch(query, *args)
        assert len(rows) == 1, f"{len(rows)} rows for {query}"
        return rows[0]

    async def execute(self, query: str, *args: object) -> None:
        """Change something behind the product's back."""
        async with self.database.connection() as tx:
            await tx.execute(query, *args)

    async def customer(self, name: str = "Globex", **columns: object) -> UUID:
        """A customer; columns by name, `billing_address` as an `Address`."""
        customer_id = new_id()
        address = columns.pop("billing_address", Address(country="FR"))
        values = {
            "tenant_id": self.tenant_id,
            "id": customer_id,
            "invoicing_entity_id": self.entity_id,
            "name": name,
            "currency": "EUR",
            "billing_email": "ap@globex.example",
            "billing_address": ADDRESS.dump(address) if isinstance(address, Address) else None,
            "created_at": NOON,
            "updated_at": NOON,
            **columns,
        }
        await self._insert("customers", values)
        return customer_id

    async def balance(self, customer_id: UUID, amount: int, currency: str = "EUR") -> None:
        """Credit on the customer's balance."""
        key = {"tenant_id": self.tenant_id, "customer_id": customer_id, "currency": currency}
        await self._insert("customer_balances", {**key, "balance": amount})
        entry = {"id": new_id(), "amount": amount, "balance_after": amount, "created_at": NOON}
        await self._insert("balance_entries", {**key, **entry, "reason": "MANUAL"})

    async def product(self, name: str, fee: FeeStructure) -> UUID:
        """A product of the catalog."""
        product_id = new_id()
        await self._insert(
            "products",
            {
                "tenant_id": self.tenant_id,
                "id": product_id,
                "product_family_id": self.family_id,
                "name": name,
                "fee_type": fee.type.value,
                "fee_structure": FEE.dump(fee),
                "created_at": NOON,
            },
        )
        return product_id

    async def price(
        self,
        product_id: UUID,
        pricing: Pricing,
        cadence: Cadence = Cadence.MONTHLY,
        currency: str = "EUR",
    ) -> UUID:
        """A price of a product."""
        price = Price(
            id=new_id(),
            product_id=product_id,
            cadence=cadence,
            currency=currency,
            pricing=pricing,
        )
        async with self.database.transaction() as tx:
            await prices.insert_many(tx, self.tenant_id, [price], NOON)
        return price.id

    async def plan(
        self,
        *components: tuple[str, FeeStructure, Sequence[tuple[Cadence, Pricing]]],
        name: str = "Pro",
        currency: str = "EUR",
        is_free: bool = False,
        products: Mapping[str, UUID] | None = None,
        **version: object,
    ) -> SoldPlan:
        """A published plan, EUR 49 a month or `is_free`; `version` sets its columns."""
        plan_id, version_id = new_id(), new_id()
        parts = components if is_free or components else (FEE_OF_49,)
        await self._insert(
            "plans",
            {
                "tenant_id": self.tenant_id,
                "id": plan_id,
                "product_family_id": self.family_id,
                "name": name,
                "plan_type": "STANDARD",
                "status": "ACTIVE",
                "created_at": NOON,
            },
        )
        await self._insert(
            "plan_versions",
            {
                "tenant_id": self.tenant_id,
                "id": version_id,
                "plan_id": plan_id,
                "version": 1,
                "currency": currency,
                "created_at": NOON,
                **version,
            },
        )
        ids: dict[str, UUID] = {}
        sold: dict[str, UUID] = {}
        for position, (label, fee, choices) in enumerate(parts):
            sold[label] = (products or {}).get(label) or await self.product(label, fee)
            ids[label] = await self._component(version_id, position, label, sold[label])
            for order, (cadence, pricing) in enumerate(choices):
                await self._insert(
                    "plan_component_prices",
                    {
                        "tenant_id": self.tenant_id,
                        "component_id": ids[label],
                        "price_id": await self.price(sold[label], pricing, cadence, currency),
                        "position": order,
                    },
                )
        await self.execute(
            "update plan_versions set published_at = $3 where tenant_id = $1 and id = $2",
            self.tenant_id,
            version_id,
            NOON,
        )
        return SoldPlan(id=plan_id, version_id=version_id, components=ids, products=sold)

    async def _component(
        self, version_id: UUID, position: int, name: str, product_id: UUID
    ) -> UUID:
        component_id = new_id()
        await self._insert(
            "plan_components",
            {
                "tenant_id": self.tenant_id,
                "id": component_id,
                "plan_version_id": version_id,
                "product_id": product_id,
                "name": name,
                "position": position,
            },
        )
        return component_id

    async def coupon(self, code: str, discount: Discount, **columns: object) -> UUID:
        """A coupon, reusable unless said otherwise."""
        coupon_id = new_id()
        await self._insert(
            "coupons",
            {
                "tenant_id": self.tenant_id,
                "id": coupon_id,
                "code": code,
                "discount": DISCOUNT.dump(discount),
                "reusable": True,
                "created_at": NOON,
                **columns,
            },
        )
        return coupon_id

    async def session(self, customer_id: UUID, plan: SoldPlan, **fields: Any) -> UUID:  # noqa: ANN401
        """A checkout session; `fields` are of `OfferRequest` and `CheckoutRequest`."""
        outer = {
            name: fields.pop(name)
            for name in ("expires_in_hours", "metadata", "success_url", "cancel_url")
            if name in fields
        }
        request = CheckoutRequest(
            customer=str(customer_id),
            customer_id=customer_id,
            plan_version_id=plan.version_id,
            offer=OfferRequest(**fields),
            echo="{}",
            **outer,
        )
        made = await create_checkout_session(
            self.ctx, request, None, lambda created: str(created.record.session.id)
        )
        return UUID(made)

    async def shown(self, session_id: UUID) -> str:
        """The canonical form of the quote that the page shows now."""
        view = await show_checkout(self.ctx, session_id, paid_with=None)
        assert view.quote is not None, f"the session has ended: {view.status}"
        return view.quote.canonical

    async def card(self, number: str = VISA) -> Method:
        """A card, typed on the page."""
        fields = {"card_number": number, "card_expiry": "12/40", "card_cvc": "123"}
        return await self.provider.collect(self.tenant_id, new_id(), MethodKind.CARD, fields)

    async def debit(self, iban: str = "DE89370400440532013000") -> Method:
        """A bank account, typed on the page."""
        fields = {"iban": iban, "account_holder": "Dana Globex"}
        return await self.provider.collect(
            self.tenant_id, new_id(), MethodKind.DIRECT_DEBIT, fields
        )

    @property
    def provider(self) -> PaymentProvider:
        """The tenant's payment provider."""
        found = self.app.provider_of(self.ctx.tenant, self.entity_id)
        assert found is not None, "test tenants have the sandbox"
        return found

    async def confirm(
        self,
        session_id: UUID,
        *,
        method: Method | None = None,
        shown: str | None = None,
        code: str | None = None,
        buyer: BuyerDetails | None = None,
        chooses: bool = True,
        agrees: bool = True,
    ) -> ConfirmResult:
        """Press the button: with a good card, today's quote, and the consent that it needs."""
        consent = Consent(text_version="1", language="en", text="...", given_at=self.ctx.now)
        return await confirm_checkout(
            self.ctx,
            session_id,
            shown=await self.shown(session_id) if shown is None else shown,
            buyer=buyer or GLOBEX,
            code=code,
            method=(method or await self.card()) if chooses else None,
            consent=consent if agrees else None,
            return_url=f"{PUBLIC_URL}/checkout/return",
        )

    async def charges(self) -> list[int]:
        """Every amount that the bank has taken, oldest first."""
        moved = await self.sandbox.movements(self.tenant_id)
        return [one.amount for one in moved if one.kind == "CHARGE"]

    async def _insert(self, table: str, values: Mapping[str, object]) -> None:
        columns = ", ".join(values)
        marks = ", ".join(f"${position}" for position in range(1, len(values) + 1))
        await self.execute(
            f"insert into {table} ({columns}) values ({marks})", *values.values()
        )


def rate(amount: str) -> RatePricing:
    """A fixed amount per period, in major units."""
    return RatePricing(rate=Decimal(amount))


def day(text: str) -> date:
    """A date from its ISO form."""
    return date.fromisoformat(text)


def sandbox_of(database: Database, *, debit_seconds: float = 5) -> Sandbox:
    """The test bank of every shop in a database."""
    return Sandbox(database, public_url=PUBLIC_URL, debit_seconds=debit_seconds)


async def open_world(database: Database, *, now: datetime = NOON) -> World:
    """Found a tenant "Acme Cloud" selling in euro from France, with a frozen clock."""
    sandbox = sandbox_of(database)
    tenant_id, entity_id, family_id = new_id(), new_id(), new_id()
    async with database.transaction() as tx:
        await tenants.insert(
            tx,
            tenant_id,
            name="Acme Cloud",
            currency="EUR",
            is_test=True,
            clock=now,
            link_secret=bytes(32),
        )
    app = App(
        database=database,
        providers={"sandbox": sandbox},
        public_url=PUBLIC_URL,
        call_limit_seconds=20,
        plan_versions={},
    )
    tenant = Tenant(
        id=tenant_id,
        name="Acme Cloud",
        currency="EUR",
        is_test=True,
        time_zone="UTC",
        places_per_plan=1,
        link_secret=bytes(32),
        clock=now,
    )
    world = World(
        app=app,
        ctx=Context(app=app, tenant=tenant, actor="test", now=now),
        sandbox=sandbox,
        database=database,
        entity_id=entity_id,
        family_id=family_id,
    )
    await world._insert(
        "invoicing_entities",
        {
            "tenant_id": tenant_id,
            "id": entity_id,
            "is_default": True,
            "legal_name": "Acme Cloud SAS",
            "address": json.dumps({"country": "FR"}),
            "creditor_identifier": "FR72ZZZ123456",
        },
    )
    await world._insert(
        "product_families",
        {"tenant_id": tenant_id, "id": family_id, "name": "Cloud", "created_at": now},
    )
    return world
