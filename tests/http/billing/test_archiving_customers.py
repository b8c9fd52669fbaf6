"""Customers are replaced, archived and brought back, through the official client."""

from datetime import date

import httpx
import pytest
from meteroid import AsyncMeteroid
from meteroid import models as m
from meteroid.errors import BadRequestError, ConflictError, NotFoundError

from tallystick.domain.ids import Prefix, decode, encode
from tallystick.domain.session import SessionState
from tallystick.services.archive_customer import archive_customer
from tallystick.services.confirm_result import Completed, Ended
from tallystick.services.edit_customer import CustomerChange, edit_customer
from tests.soundness import assert_sound
from tests.subscribing import Merchant
from tests.trials import ENDS, in_trial, stands
from tests.world import World

TODAY = date(2026, 3, 10)
PARIS = m.Address(line1="1 rue de Rivoli", city="Paris", zip_code="75001", country="FR")


@pytest.fixture
def merchant(world: World) -> Merchant:
    """A merchant whose day is March 10."""
    return Merchant(world=world)


async def listed(sdk: AsyncMeteroid, **asked: object) -> list[str]:
    """The names in a list of customers."""
    return [one.name async for one in sdk.customers.list(**asked)]  # type: ignore[arg-type]


async def test_a_customer_is_archived_and_brought_back(
    sdk: AsyncMeteroid, api: httpx.AsyncClient
) -> None:
    """It is listed apart, its alias is free meanwhile, and twice is the same as once."""
    made = await sdk.customers.create(currency="EUR", name="Old", alias="globex")
    for _ in range(2):
        await sdk.customers.archive(made.id)

    assert await listed(sdk) == []
    assert await listed(sdk, archived=True) == ["Old"]
    with pytest.raises(NotFoundError):
        await sdk.customers.retrieve("globex")
    kept = (await api.get(f"/api/v1/customers/{made.id}")).json()
    assert (kept["alias"], kept["archived_at"]) == ("globex", "2026-03-10T12:00:00.000Z")

    new = await sdk.customers.create(currency="EUR", name="New", alias="globex")
    with pytest.raises(ConflictError, match="globex"):
        await sdk.customers.unarchive(made.id)
    await sdk.customers.unarchive("globex")
    assert await listed(sdk) == ["New"]
    await sdk.customers.archive("globex")
    await sdk.customers.unarchive(made.id)
    assert await listed(sdk) == ["Old"]
    assert (await sdk.customers.retrieve("globex")).id == made.id
    await sdk.customers.archive(made.id)
    # An alias of archived ones means the one archived last.
    await sdk.customers.unarchive("globex")
    assert await listed(sdk, archived=True) in (["New"], ["Old"])
    with pytest.raises(NotFoundError):
        await sdk.customers.archive("nobody")
    with pytest.raises(NotFoundError):
        await sdk.customers.unarchive("nobody")
    assert new.id != made.id


async def test_a_customer_with_a_subscription_is_not_archived(
    sdk: AsyncMeteroid, merchant: Merchant
) -> None:
    """Not before its subscription has ended; then nothing new is sold to it."""
    world = merchant.world
    customer, plan = await world.customer(), await world.plan()
    made = await merchant.subscribe(customer, plan, TODAY)
    name = encode(Prefix.CUSTOMER, customer)
    live = encode(Prefix.SUBSCRIPTION, made.subscription.id)
    with pytest.raises(ConflictError, match=live):
        await sdk.customers.archive(name)
    await sdk.subscriptions.cancel(live, effective_date=TODAY)

    await sdk.customers.archive(name)

    with pytest.raises(BadRequestError, match="customer_id: this customer is archived"):
        await sdk.checkout_sessions.create(
            customer_id=name, plan_version_id=encode(Prefix.PLAN_VERSION, plan.version_id)
        )
    await merchant.is_sound()


async def test_a_trial_that_waits_for_its_payment_is_ended_first(
    sdk: AsyncMeteroid, merchant: Merchant
) -> None:
    """Its charge was declined and is tried again: that would begin it for an archived one."""
    world = merchant.world
    customer, _ = await in_trial(world, "4000000000000341")
    await merchant.travel(ENDS)
    trial = await stands(world)
    assert trial["status"] == "TRIAL_EXPIRED"
    name = encode(Prefix.CUSTOMER, customer)
    waiting = encode(Prefix.SUBSCRIPTION, trial["id"])
    with pytest.raises(ConflictError, match=waiting):
        await sdk.customers.archive(name)
    await sdk.subscriptions.cancel(waiting, effective_date=ENDS.date())

    await sdk.customers.archive(name)

    good = (await world.card()).token
    await world.execute("update payment_methods set token = $1", good)
    await merchant.travel(date(2026, 4, 28))
    assert await world.charges() == []
    assert (await stands(world))["status"] == "CANCELLED"
    await merchant.is_sound()


async def test_open_checkouts_end_with_the_customer(
    sdk: AsyncMeteroid, merchant: Merchant
) -> None:
    """A link is cancelled, and its buyer is told so; nothing is charged."""
    world = merchant.world
    customer = await world.customer()
    session = await world.session(customer, await world.plan())
    other = await world.customer("Other")
    late = await world.session(other, await world.plan(name="Late"))
    shown = await world.shown(session)
    await sdk.customers.archive(encode(Prefix.CUSTOMER, customer))

    found = await sdk.checkout_sessions.retrieve(encode(Prefix.CHECKOUT_SESSION, session))
    assert found.session.status == "CANCELLED"
    assert await world.confirm(session, shown=shown) == Ended(SessionState.CANCELLED)
    # A session that was written at the same moment is cancelled when it is to be paid.
    await world.execute("update customers set archived_at = now() where id = $1", other)
    assert await world.confirm(late, shown=shown) == Ended(SessionState.CANCELLED)
    assert await world.charges() == []
    rows = await world.fetch(
        "select object_id from events where type = 'checkout_session.cancelled'"
    )
    assert {row["object_id"] for row in rows} == {session, late}
    await assert_sound(world)


async def test_a_customer_that_is_paying_is_not_archived(
    sdk: AsyncMeteroid, world: World
) -> None:
    """While its payment has no answer, it is asked to be repeated."""
    customer = await world.customer()
    session = await world.session(customer, await world.plan())
    lost = await world.card("4000000000009987")
    await world.confirm(session, method=lost)

    with pytest.raises(ConflictError, match="is paying at a checkout") as refused:
        await sdk.customers.archive(encode(Prefix.CUSTOMER, customer))

    assert refused.value.headers["retry-after"] == "15"
    await assert_sound(world, at_rest=False)


async def test_debts_outlive_an_archived_customer(
    sdk: AsyncMeteroid, merchant: Merchant
) -> None:
    """What it owes stays due and can be paid; its record can still be corrected."""
    world = merchant.world
    customer = await world.customer()
    made = await merchant.subscribe(
        customer, await world.plan(), TODAY, charge_automatically=False
    )
    await sdk.subscriptions.cancel(
        encode(Prefix.SUBSCRIPTION, made.subscription.id), effective_date=TODAY
    )
    async with world.app.transaction() as tx:
        ctx = world.ctx.within(tx)
        await archive_customer(ctx, customer)
        await edit_customer(
            ctx, customer, CustomerChange(apply=lambda one: one, properties=None)
        )
    (invoice,) = [one async for one in sdk.invoices.list()]
    assert (invoice.status, invoice.amount_due > 0) == ("FINALIZED", True)
    name = encode(Prefix.CUSTOMER, customer)
    assert (await sdk.customers.update(name, phone="1")).phone == "1"
    await merchant.is_sound()


async def test_a_customer_is_said_anew(sdk: AsyncMeteroid) -> None:
    """What a replacement leaves out is back at its default."""
    made = await sdk.customers.create(
        currency="EUR",
        name="Globex SA",
        alias="anew",
        billing_address=PARIS,
        billing_email="ap@globex.example",
        buyer_reference="L-1",
        custom_taxes=[m.CustomTaxRate(name="VAT", rate="0.20", tax_code="S")],
        exemption_reason="Article 262 ter",
        invoicing_emails=["a@globex.example"],
        is_tax_exempt=True,
        legal_number="552 100 554",
        phone="+33 1",
        preferred_locales=["fr"],
        shipping_address=m.ShippingAddress(same_as_billing=True),
        vat_number="FR40303265045",
    )

    after = await sdk.customers.replace(
        "anew",
        currency="USD",
        custom_taxes=[],
        invoicing_emails=["b@globex.example"],
        invoicing_entity_id=made.invoicing_entity_id,
        name="Globex Inc",
    )

    assert after == await sdk.customers.retrieve(made.id)
    assert (after.id, after.name, after.currency) == (made.id, "Globex Inc", "USD")
    assert (after.alias, after.billing_address, after.billing_email) == (None, None, None)
    assert (after.buyer_reference, after.legal_number, after.phone) == (None, None, None)
    assert (after.custom_taxes, after.preferred_locales) == ([], [])
    assert (after.shipping_address, after.vat_number) == (None, None)
    assert after.invoicing_emails == ["b@globex.example"]


async def test_a_person_said_anew_keeps_its_name(
    sdk: AsyncMeteroid, api: httpx.AsyncClient
) -> None:
    """Type and name that are left out stay; null takes them away, which a person cannot do."""
    made = await sdk.customers.create(
        currency="EUR",
        customer_type="INDIVIDUAL",
        first_name="Ada",
        last_name="Lovelace",
        billing_address=m.Address(country="GB"),
    )
    needed = {
        "currency": "EUR",
        "custom_taxes": [],
        "invoicing_emails": [],
        "invoicing_entity_id": made.invoicing_entity_id,
        "billing_address": {"country": "GB"},
    }
    path = f"/api/v1/customers/{made.id}"

    kept = (await api.put(path, json=needed)).json()
    named = (await api.put(path, json=needed | {"last_name": "King"})).json()
    refused = await api.put(path, json=needed | {"first_name": None, "custom_taxes": None})

    assert (kept["name"], kept["customer_type"]) == ("Ada Lovelace", "INDIVIDUAL")
    assert (named["name"], named["first_name"]) == ("Ada King", "Ada")
    assert {one["field"] for one in refused.json()["errors"]} == {"first_name", "custom_taxes"}
    missing = await api.put(path, json={})
    assert {one["field"] for one in missing.json()["errors"]} == {
        "currency",
        "custom_taxes",
        "invoicing_emails",
        "invoicing_entity_id",
    }
    elsewhere = needed | {"invoicing_entity_id": "ive_1"}
    assert (await api.put(path, json=elsewhere)).status_code == 404
    assert (await api.get(path)).json() == named


async def test_buying_and_archiving_at_once_ends_either_way(world: World) -> None:
    """A purchase that came first stops the archiving; its subscription is found."""
    customer = await world.customer()
    session = await world.session(customer, await world.plan())
    assert await world.confirm(session) == Completed()

    async with world.app.transaction() as tx:
        with pytest.raises(Exception, match="has a live subscription"):
            await archive_customer(world.ctx.within(tx), customer)

    assert decode(Prefix.CUSTOMER, encode(Prefix.CUSTOMER, customer)) == customer
    await assert_sound(world)
