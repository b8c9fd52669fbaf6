"""The part of the tour with customers, what they buy, and what they are billed."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from meteroid import models as m

from tests.http.sdk.guide import Guide
from tests.http.sdk.tour_catalog import Catalog

TODAY = date(2026, 3, 10)
CARD = {
    "type": "CARD",
    "card_number": "4242424242424242",
    "card_expiry": "12/99",
    "card_cvc": "123",
}
ADDRESS = m.Address(
    line1="1 rue de la Paix",
    line2="Bat. B",
    city="Paris",
    state="IDF",
    zip_code="75002",
    country=m.CountryCode("FR"),
)


@dataclass(frozen=True, kw_only=True)
class Customers:
    """A business that pays by card, and its definitions of properties."""

    globex: m.Customer


async def meet_customers(guide: Guide) -> Customers:
    """Define properties, and make, change, archive and bring back a customer."""
    sdk = guide.sdk
    for kind in ("CUSTOMER", "SUBSCRIPTION", "INVOICE", "CREDIT_NOTE"):
        made = await sdk.custom_properties.create_custom_property_definition(
            entity_type=kind,
            key="segment",
            name="Segment",
            description="Which of our markets",
            property_type="SINGLE_SELECT",
            config=m.PropertyConfig(
                options=[
                    m.SelectOption(value="smb", label="Small"),
                    m.SelectOption(value="ent", label="Large"),
                ]
            ),
            default_value="smb",
            display_order=1,
            required=False,
        )
        await sdk.custom_properties.update_custom_property_definition(
            made.id, name="Market segment", config=made.config, display_order=2
        )
        found = await sdk.custom_properties.retrieve_custom_property_definition(made.id)
        assert found.name == "Market segment"
    for kind, bounds in (
        ("TEXT", m.PropertyConfig(max_length=9)),
        ("NUMBER", m.PropertyConfig(min=1, max=9)),
    ):
        spare = await sdk.custom_properties.create_custom_property_definition(
            entity_type="CUSTOMER",
            key=f"spare_{kind.lower()}",
            name="Spare",
            property_type=kind,
            config=bounds,
        )
        await sdk.custom_properties.archive_definition(spare.id)
    listed = sdk.custom_properties.list_custom_property_definitions(entity_type="CUSTOMER")
    assert [one.key async for one in listed] == ["segment"]
    return Customers(globex=await _globex(guide))


async def _globex(guide: Guide) -> m.Customer:
    sdk = guide.sdk
    entity = (await guide.get("/invoicing-entities"))["data"][0]
    given = {
        "currency": "EUR",
        "alias": "globex",
        "name": "Globex",
        "billing_address": ADDRESS,
        "billing_email": "ap@globex.example",
        "buyer_reference": "COST-1",
        "custom_properties": {"segment": "ent"},
        "custom_taxes": [m.CustomTaxRate(name="TVA", rate="0.20", tax_code="FR-20")],
        "customer_type": "COMPANY",
        "exemption_reason": None,
        "first_name": "Hank",
        "last_name": "Scorpio",
        "invoicing_emails": ["bills@globex.example"],
        "invoicing_language": "fr-FR",
        "is_tax_exempt": False,
        "legal_number": "303265045",
        "phone": "+33 1 23 45 67 89",
        "preferred_locales": ["fr-FR"],
        "shipping_address": m.ShippingAddress(address=ADDRESS, same_as_billing=False),
        "vat_number": "FR40303265045",
        "invoicing_entity_id": entity["id"],
    }
    made = await sdk.customers.create(**given)
    await sdk.customers.replace(made.id, **{**given, "phone": "+33 1 00 00 00 00"})
    await sdk.customers.update(made.id, exemption_reason="none", phone=given["phone"])
    await sdk.customers.archive(made.id)
    assert (await sdk.customers.retrieve(made.id)).archived_at is not None
    assert [one.id async for one in sdk.customers.list(archived=True)] == [made.id]
    await sdk.customers.unarchive(made.id)
    await guide.post(f"/customers/{made.id}/payment-methods", CARD)
    token = await sdk.customers.create_portal_token("globex", expires_in_seconds=600)
    assert token.token in token.portal_link
    found: m.Customer = await sdk.customers.retrieve("globex")
    return found


async def sell(guide: Guide, catalog: Catalog, customers: Customers) -> m.SubscriptionDetails:
    """Sell by a session and by hand, change terms, and read it all back."""
    sdk = guide.sdk
    session = (
        await sdk.checkout_sessions.create(
            customer_id=customers.globex.id,
            plan_version_id=catalog.simple.version_id,
            add_ons=[m.CreateSubscriptionAddOn(add_on_id=catalog.seats.id, quantity=2)],
            billing_day_anchor=10,
            billing_start_date=TODAY,
            end_date=date(2027, 3, 10),
            coupon_code="TENOFF",
            invoice_memo="Thank you.",
            invoice_threshold=Decimal("500.00"),
            metadata={"deal": 4711},
            net_terms=7,
            purchase_order="PO-1",
            success_url="https://shop.example/thanks",
            cancel_url="https://shop.example/cart",
            trial_duration_days=0,
        )
    ).session
    assert (await sdk.checkout_sessions.retrieve(session.id)).session.status == "CREATED"
    assert (await sdk.checkout_sessions.list(customer_id="globex")).sessions
    await sdk.checkout_sessions.cancel(session.id)
    made = await sdk.subscriptions.create(
        activation_condition="ON_START",
        customer_id_or_alias="globex",
        plan_id=catalog.plan.id,
        start_date=TODAY,
        add_ons=[m.CreateSubscriptionAddOn(add_on_id=catalog.add_on.id)],
        coupon_codes=["LAUNCH20"],
        custom_properties={"segment": "ent"},
        end_date=date(2028, 3, 10),
        invoice_memo="Thank you.",
        purchase_order="PO-2",
        trial_days=0,
        price_components=m.CreateSubscriptionComponents(
            parameterized_components=[
                m.ComponentParameterization(
                    component_id=component_of(catalog.plan, "Platform"),
                    parameters=m.ComponentParameters(
                        billing_period=m.BillingPeriodEnum("MONTHLY")
                    ),
                )
            ]
        ),
    )
    await sdk.subscriptions.update(
        made.id,
        custom_properties={"segment": "smb"},
        invoice_memo="Thank you again.",
        net_terms=30,
    )
    assert (await sdk.subscriptions.retrieve_summary(made.id)).id == made.id
    assert [one.id async for one in sdk.subscriptions.list(customer_id="globex")] == [made.id]
    details: m.SubscriptionDetails = await sdk.subscriptions.retrieve(made.id)
    return details


def component_of(plan: m.Plan, name: str) -> str:
    """The id of a component of a plan."""
    return str(next(one.id for one in plan.price_components if one.name == name))


async def bill(guide: Guide, sold: m.SubscriptionDetails) -> None:
    """Use something, let months pass, refund, credit and read the figures."""
    sdk = guide.sdk
    answer = await sdk.events.ingest(
        events=[
            m.Event(
                code="plain_calls",
                customer_id="globex",
                event_id=f"call-{number}",
                timestamp=datetime(2026, 3, 10, 10 + number, tzinfo=UTC),
                properties={"calls": "70", "region": "eu"},
            )
            for number in range(2)
        ],
        allow_backfilling=True,
    )
    assert not answer.failures
    for read in (
        sdk.usage.retrieve_customer("globex", start_date=TODAY, end_date=date(2026, 4, 10)),
        sdk.usage.retrieve_subscription(sold.id),
        sdk.usage.retrieve_summary(start_date=TODAY, end_date=date(2026, 4, 10)),
    ):
        assert (await read).usage
    entitled = await sdk.subscriptions.list_entitlements(sold.id)
    assert {one.feature.code for one in entitled.data} >= {"sso", "calls", "tier"}
    assert (await sdk.customers.list_entitlements("globex")).data
    await guide.post("/test-clock/advance", {"to": "2026-05-02"})
    invoices = [one async for one in sdk.invoices.list(subscription_id=sold.id)]
    assert len(invoices) == 3
    await _change_invoices(guide, invoices)
    await sdk.subscriptions.cancel(sold.id, reason="Moved on")


async def _change_invoices(guide: Guide, invoices: list[m.Invoice]) -> None:
    sdk = guide.sdk
    paid = next(one for one in invoices if one.payment_status == "PAID")
    await sdk.invoices.update_custom_properties(paid.id, custom_properties={"segment": "ent"})
    assert (await sdk.invoices.retrieve(paid.id)).custom_properties == {"segment": "ent"}
    assert (await sdk.invoices.download(paid.id)).startswith(b"%PDF")
    note = await guide.post(
        "/credit-notes",
        {"invoice_id": paid.id, "credit_type": "REFUND", "amount": 100, "memo": "Sorry."},
    )
    await sdk.credit_notes.update_custom_properties(
        note["id"], custom_properties={"segment": "ent"}
    )
    assert (await sdk.credit_notes.retrieve(note["id"])).id == note["id"]
    listed = [one.id async for one in sdk.credit_notes.list(customer_id="globex")]
    assert listed == [note["id"]]
    wrong = await guide.post(
        "/credit-notes",
        {"invoice_id": paid.id, "credit_type": "CREDIT_TO_BALANCE", "amount": 100},
    )
    await guide.post(f"/credit-notes/{wrong['id']}/void")
    assert (await sdk.credit_notes.retrieve(wrong["id"])).voided_at is not None
    assert (await sdk.credit_notes.download(note["id"])).startswith(b"%PDF")
