"""Invoices as a purchase made them, through the SDK."""

from datetime import date
from decimal import Decimal

import httpx
import pytest
from meteroid import AsyncMeteroid
from meteroid import models as m
from meteroid.errors import NotFoundError

from tallystick.domain.buyer import BuyerDetails
from tallystick.domain.coupons import Percentage
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.offer import BankTransfer, ExternalPayment
from tallystick.services.confirm_result import Completed
from tallystick.services.ids import new_id
from tests.shops import selling_under_eu_rules
from tests.world import NOON, World


@pytest.fixture
async def invoice(sdk: AsyncMeteroid, world: World) -> m.Invoice:
    """EUR 49 less 10 % plus 20 % VAT, paid from EUR 10 of balance and a card."""
    await selling_under_eu_rules(world)
    coupon = await world.coupon("TEN", Percentage(percentage=Decimal(10)))
    customer = await world.customer(alias="globex")
    await world.balance(customer, 1000)
    session = await world.session(
        customer,
        await world.plan(),
        coupon_ids=(coupon,),
        invoice_memo="Thank you.",
        purchase_order="PO-1",
    )
    assert await world.confirm(session) == Completed()
    (listed,) = [one async for one in sdk.invoices.list()]
    assert await sdk.invoices.retrieve(listed.id) == listed
    return listed


async def test_the_sums_of_a_paid_invoice_are_shown(
    invoice: m.Invoice, api: httpx.AsyncClient
) -> None:
    """EUR 49.00 - 4.90 + 8.82 = 52.92, of which the balance met 10.00 and the card the rest."""
    assert (invoice.invoice_number, invoice.invoice_type) == ("INV-1", "RECURRING")
    assert (invoice.status, invoice.payment_status) == ("FINALIZED", "PAID")
    assert (invoice.subtotal, invoice.tax_amount, invoice.total) == (4900, 882, 5292)
    assert (invoice.subtotal_recurring, invoice.applied_credits) == (4900, 1000)
    assert (invoice.amount_due, invoice.currency) == (0, "EUR")
    (coupon,) = invoice.coupons
    assert (coupon.name, coupon.total) == ("TEN", 490)
    assert coupon.coupon_id.startswith("cou_")
    (tax,) = invoice.tax_breakdown
    assert (tax.name, tax.tax_rate, tax.taxable_amount, tax.tax_amount) == (
        "VAT",
        Decimal("0.2"),
        4410,
        882,
    )
    raw = (await api.get(f"/api/v1/invoices/{invoice.id}")).json()
    assert (raw["discount"], raw["written_off"]) == (490, 0)
    assert raw["subtotal"] - raw["discount"] + raw["tax_amount"] == raw["total"]


async def test_the_line_of_a_paid_invoice_is_shown(
    invoice: m.Invoice, api: httpx.AsyncClient
) -> None:
    """Its total is after discount and tax; its price is net; it covers a month."""
    (line,) = invoice.line_items
    assert (line.name, line.amount_total, line.tax_rate) == ("Fee", 5292, Decimal("0.2"))
    assert (line.quantity, line.unit_price) == (Decimal(1), Decimal("49.00"))
    assert (line.start_date, line.end_date) == (date(2026, 3, 10), date(2026, 4, 10))
    assert (line.quoted_unit_price, line.sub_line_items) == (None, [])
    (sent,) = (await api.get(f"/api/v1/invoices/{invoice.id}")).json()["line_items"]
    assert (sent["amount"], sent["discount"], sent["tax"]) == (4900, 490, 882)


async def test_the_payment_of_an_invoice_is_shown(invoice: m.Invoice) -> None:
    """One settled payment by card, of what the balance left."""
    (payment,) = invoice.transactions
    assert (payment.amount, payment.status, payment.payment_type) == (
        4292,
        "SETTLED",
        "PAYMENT",
    )
    assert (payment.amount_refunded, payment.amount_reversed, payment.error) == (0, 0, None)
    assert payment.payment_method_info == m.PaymentMethodInfo(
        payment_method_type=m.PaymentMethodTypeEnum.CARD,
        card_brand="visa",
        card_last4="4242",
        account_number_hint=None,
    )


async def test_parties_and_dates_of_an_invoice_are_shown(
    invoice: m.Invoice, api: httpx.AsyncClient
) -> None:
    """Buyer, seller, memo, purchase order and days are those of the purchase."""
    assert (invoice.memo, invoice.purchase_order) == ("Thank you.", "PO-1")
    assert (invoice.invoice_date, invoice.due_date) == (date(2026, 3, 10),) * 2
    assert invoice.billing_period_start == date(2026, 3, 10)
    assert (invoice.finalized_at, invoice.paid_at) == (NOON, NOON)
    buyer = invoice.customer_details
    assert (buyer.name, buyer.alias, buyer.email) == ("Globex", "globex", "ap@globex.example")
    assert buyer.billing_address is not None
    assert buyer.billing_address.country == "FR"
    raw = (await api.get(f"/api/v1/invoices/{invoice.id}")).json()
    assert raw["seller_details"]["legal_name"] == "Acme Cloud SAS"


async def test_a_draft_has_no_number_yet(sdk: AsyncMeteroid, world: World) -> None:
    """Unpaid and not advanced automatically: the invoice reads `draft`."""
    await world.execute(
        "insert into bank_accounts (tenant_id, id, invoicing_entity_id, holder, iban)"
        " values ($1, $2, $3, 'Acme', 'FR7630006000011234567890189')",
        world.tenant_id,
        new_id(),
        world.entity_id,
    )
    session = await world.session(
        await world.customer(),
        await world.plan(),
        payment=BankTransfer(),
        auto_advance_invoices=False,
        charge_automatically=False,
        net_terms=30,
    )
    assert await world.confirm(session) == Completed()

    (invoice,) = [one async for one in sdk.invoices.list(statuses=[m.InvoiceStatus.DRAFT])]
    assert (invoice.invoice_number, invoice.status) == ("draft", "DRAFT")
    assert (invoice.payment_status, invoice.amount_due) == ("UNPAID", 4900)
    assert (invoice.due_date, invoice.transactions) == (date(2026, 4, 9), [])
    assert invoice.finalized_at is None


async def test_the_event_of_a_draft_names_no_number(sdk: AsyncMeteroid, world: World) -> None:
    """The client's event has a number from finalization on; the invoice itself says `draft`."""
    session = await world.session(
        await world.customer(),
        await world.plan(),
        payment=ExternalPayment(),
        auto_advance_invoices=False,
        charge_automatically=False,
    )
    assert await world.confirm(session, chooses=False, agrees=False) == Completed()
    assert (
        await world.confirm(await world.session(await world.customer(), await world.plan()))
        == Completed()
    )

    rows = await world.fetch(
        "select data from events where type = 'invoice.created' order by position"
    )
    told = [m.InvoiceEventData.from_json(row["data"]) for row in rows]
    assert [(one.status, one.invoice_number) for one in told] == [
        ("DRAFT", None),
        ("FINALIZED", "INV-1"),
    ]
    (draft,) = [one async for one in sdk.invoices.list(statuses=[m.InvoiceStatus.DRAFT])]
    assert (draft.id, draft.invoice_number) == (told[0].invoice_id, "draft")


async def test_a_debit_under_way_is_a_bank_transfer(sdk: AsyncMeteroid, world: World) -> None:
    """The invoice is PROCESSING and due until the debit settles; the account is hinted at."""
    session = await world.session(await world.customer(), await world.plan())
    assert await world.confirm(session, method=await world.debit()) == Completed()

    (invoice,) = [one async for one in sdk.invoices.list()]
    (payment,) = invoice.transactions
    assert (invoice.payment_status, invoice.amount_due) == ("PROCESSING", 4900)
    assert (payment.status, payment.processed_at) == ("PENDING", None)
    info = payment.payment_method_info
    assert info is not None
    assert info.payment_method_type == "BANK_TRANSFER"
    assert (info.account_number_hint or "").endswith("3000")


async def test_prices_with_tax_show_what_was_quoted(sdk: AsyncMeteroid, world: World) -> None:
    """EUR 49 with 20 % inside: the line is net, the quoted price stands beside it."""
    await selling_under_eu_rules(world)
    plan = await world.plan(tax_inclusive=True)
    await world.confirm(await world.session(await world.customer(), plan))

    (invoice,) = [one async for one in sdk.invoices.list()]
    (line,) = invoice.line_items
    assert (invoice.tax_inclusive, invoice.total) == (True, 4900)
    assert (invoice.subtotal, invoice.tax_amount) == (4083, 817)
    assert (line.unit_price, line.quoted_unit_price) == (Decimal("40.83"), Decimal(49))


async def test_invoices_are_filtered_and_ordered(sdk: AsyncMeteroid, world: World) -> None:
    """By customer (id or alias), subscription and status; numbers order as numbers."""
    plan = await world.plan()
    customers = {
        name: await world.customer(name, alias=name.lower()) for name in ("Bee", "Ant")
    }
    for name, customer in customers.items():
        await world.confirm(await world.session(customer, plan), buyer=BuyerDetails(name=name))
    await world.execute(
        "update invoice_counters set last_number = 9 where tenant_id = $1", world.tenant_id
    )
    cat = await world.customer("Cat", alias="cat")
    await world.confirm(await world.session(cat, plan), buyer=BuyerDetails(name="Cat"))

    async def listed(**query: object) -> list[str]:
        found = sdk.invoices.list(**query)  # type: ignore[arg-type]
        return [one.invoice_number async for one in found]

    assert await listed(order_by="invoice_number.asc") == ["INV-1", "INV-2", "INV-10"]
    assert await listed(order_by="customer_name.asc") == ["INV-2", "INV-1", "INV-10"]
    assert await listed(customer_id="cat") == ["INV-10"]
    assert await listed(customer_id=encode(Prefix.CUSTOMER, customers["Ant"])) == ["INV-2"]
    assert await listed(statuses=["FINALIZED", "CLOSED"], customer_id="bee") == ["INV-1"]
    assert await listed(statuses=["VOID"]) == []
    (subscription,) = [one async for one in sdk.subscriptions.list(customer_id="ant")]
    assert await listed(subscription_id=subscription.id) == ["INV-2"]
    for column in ("amount", "invoice_date", "status", "payment_status"):
        for way in ("asc", "desc"):
            assert len(await listed(order_by=f"{column}.{way}")) == 3


async def test_a_query_that_cannot_be_is_refused(api: httpx.AsyncClient) -> None:
    """Order, filters and what is not supported yet are refused by name."""
    answer = await api.get(
        "/api/v1/invoices?order_by=total.asc&statuses=PAID&einvoicing_status=FAILED&plan=x"
    )

    assert answer.status_code == 400
    assert sorted((one["field"], one["code"]) for one in answer.json()["errors"]) == [
        ("einvoicing_status", "not_supported_yet"),
        ("order_by", "unknown_value"),
        ("plan", "unknown_field"),
        ("statuses[0]", "unknown_value"),
    ]


async def test_what_is_not_there_is_not_found(
    sdk: AsyncMeteroid, api: httpx.AsyncClient
) -> None:
    """An unknown invoice is not found; a page of none is empty."""
    with pytest.raises(NotFoundError):
        await sdk.invoices.retrieve(encode(Prefix.INVOICE, new_id()))

    assert (await api.get("/api/v1/invoices?page=3")).json() == {
        "data": [],
        "pagination_meta": {"page": 3, "per_page": 25, "total_items": 0, "total_pages": 0},
    }
