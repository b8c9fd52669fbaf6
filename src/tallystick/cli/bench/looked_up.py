"""What is asked of long lists: every order and filter, pages near and far, single things."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from urllib.parse import urlencode

from tallystick.cli.bench.stage import Stage
from tallystick.db import customers, invoices, subscriptions
from tallystick.domain.ids import Prefix, encode

NEAR_PAGES = 40
SHARE_FIRST = 0.7
SHARE_NEAR = 0.95
"""So many requests are for the first page, and, with those, for one of the first forty; the
others are for a page anywhere in the list."""

_SAMPLE = """
    select c.id as customer, c.name, c.alias, c.billing_email, s.id as subscription, s.plan_id,
           i.id as invoice, k.id as session
    from customers c
    join subscriptions s on s.tenant_id = $1 and s.customer_id = c.id
    join invoices i on i.tenant_id = $1 and i.subscription_id = s.id
    join checkout_sessions k on k.tenant_id = $1 and k.customer_id = c.id
    where c.tenant_id = $1 and c.archived_at is null
    order by hashtext(c.id::text) limit 400
"""


@dataclass(frozen=True, slots=True)
class Lookup:
    """A kind of request: its name, and the path of one of its kind."""

    name: str
    path: Callable[[Random], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Someone:
    """A customer, with what they bought, as the API names it."""

    customer: str
    name: str
    alias: str
    email: str
    subscription: str
    plan: str
    invoice: str
    session: str


async def sample(stage: Stage) -> Sequence[Someone]:
    """Some customers from all over the list."""
    async with stage.app.database.own_connection() as tx:
        await tx.execute("set statement_timeout = 0")
        rows = await tx.fetch(_SAMPLE, stage.tenant_id, timeout=600)
    return [
        Someone(
            customer=encode(Prefix.CUSTOMER, row["customer"]),
            name=row["name"],
            alias=row["alias"],
            email=row["billing_email"],
            subscription=encode(Prefix.SUBSCRIPTION, row["subscription"]),
            plan=encode(Prefix.PLAN, row["plan_id"]),
            invoice=encode(Prefix.INVOICE, row["invoice"]),
            session=encode(Prefix.CHECKOUT_SESSION, row["session"]),
        )
        for row in rows
    ]


def lookups(people: Sequence[Someone], entries: int) -> list[Lookup]:
    """Every kind of request.

    Args:
        people: Who is asked about.
        entries: How many entries each long list has.
    """

    def any_page(random: Random) -> Mapping[str, object]:
        per_page = random.choice((25, 25, 100))
        share = random.random()
        last = 0 if share < SHARE_FIRST else NEAR_PAGES
        if share > SHARE_NEAR:
            last = entries // per_page
        return {"page": random.randint(0, min(last, entries // per_page)), "per_page": per_page}

    def listed(name: str, resource: str, **query: object) -> Lookup:
        return Lookup(name, lambda random: _path(resource, {**any_page(random), **query}))

    def about(name: str, told: Callable[[Someone], str]) -> Lookup:
        return Lookup(name, lambda random: told(random.choice(people)))

    found = [
        listed(f"{resource} by {order}.{way}", resource, order_by=f"{order}.{way}")
        for resource, orders in (
            ("customers", customers.ORDERS),
            ("subscriptions", subscriptions.ORDERS),
            ("invoices", invoices.ORDERS),
        )
        for order in orders
        for way in ("asc", "desc")
    ]
    found += [
        listed("sessions", "checkout-sessions"),
        listed("archived customers", "customers", archived="true"),
        *(
            listed(f"sessions that are {one}", "checkout-sessions", status=one)
            for one in ("CREATED", "AWAITING_PAYMENT", "COMPLETED", "EXPIRED", "CANCELLED")
        ),
        *(
            listed(f"subscriptions that are {one}", "subscriptions", statuses=one)
            for one in ("ACTIVE", "SUSPENDED", "TRIAL_EXPIRED")
        ),
        *(
            listed(f"invoices that are {one}", "invoices", statuses=one)
            for one in ("DRAFT", "FINALIZED", "VOID")
        ),
    ]
    return found + _searches(about) + _single(about)


def _searches(about: Callable[[str, Callable[[Someone], str]], Lookup]) -> list[Lookup]:
    def customer(search: str) -> str:
        return _path("customers", {"search": search})

    return [
        about("search: a whole name", lambda one: customer(one.name)),
        about("search: the end of a name", lambda one: customer(one.name[-6:])),
        about("search: an email", lambda one: customer(one.email)),
        about("search: a part of an alias", lambda one: customer(one.alias[4:])),
        about("search: two letters", lambda one: customer(one.alias[:2].upper() + "!")),
        about("search: nothing like it", lambda one: customer(one.alias[::-1])),
    ]


def _single(about: Callable[[str, Callable[[Someone], str]], Lookup]) -> list[Lookup]:
    return [
        about("a customer", lambda one: _path(f"customers/{one.customer}")),
        about("a customer by alias", lambda one: _path(f"customers/{one.alias}")),
        about("a subscription", lambda one: _path(f"subscriptions/{one.subscription}")),
        about("an invoice", lambda one: _path(f"invoices/{one.invoice}")),
        about("its explanation", lambda one: _path(f"invoices/{one.invoice}/explain")),
        about("a session", lambda one: _path(f"checkout-sessions/{one.session}")),
        about(
            "subscriptions of a customer",
            lambda one: _path("subscriptions", {"customer_id": one.customer}),
        ),
        about(
            "subscriptions of an alias",
            lambda one: _path("subscriptions", {"customer_id": one.alias}),
        ),
        about(
            "subscriptions of a plan", lambda one: _path("subscriptions", {"plan_id": one.plan})
        ),
        about(
            "invoices of a customer",
            lambda one: _path("invoices", {"customer_id": one.customer}),
        ),
        about(
            "invoices of a subscription",
            lambda one: _path("invoices", {"subscription_id": one.subscription}),
        ),
        about(
            "sessions of a customer",
            lambda one: _path("checkout-sessions", {"customer_id": one.customer}),
        ),
        about(
            "movements of a subscription",
            lambda one: _path(f"subscriptions/{one.subscription}/mrr-movements"),
        ),
        about("credit notes", lambda _: _path("credit-notes")),
        about("plans", lambda _: _path("plans")),
        about("coupons", lambda _: _path("coupons")),
        about("products", lambda _: _path("products")),
        about("metrics", lambda _: _path("metrics")),
        about("add-ons", lambda _: _path("addons")),
    ]


def _path(resource: str, query: Mapping[str, object] | None = None) -> str:
    return f"/api/v1/{resource}" + (f"?{urlencode(query)}" if query else "")
