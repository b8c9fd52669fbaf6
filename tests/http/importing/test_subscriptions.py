"""Files of subscriptions: every field of the request, plans by name, slots by component."""

from datetime import date
from typing import Any

import pytest
from meteroid import models as m

from tallystick.http.v1.import_rows import LAYOUTS
from tallystick.http.v1.subscription_requests import SubscriptionCreateRequest
from tests.http.catalog.shop import term
from tests.http.importing.importer import SUBSCRIPTIONS, Importer
from tests.http.purchase.terms import percent

SEATS = m.SlotPlanFee(
    rates=[term("MONTHLY", "10.00")], slot_unit_name="seat", minimum_count=2, quota=50
)


@pytest.fixture
def selling(importer: Importer) -> Importer:
    """A tenant with the customer `globex`, and "Pro" at EUR 49 a month, "Team" at 10 a seat."""
    shop = importer.shop
    shop.sdk.customers.create(name="Globex", currency="EUR", alias="globex")
    shop.plan("Pro")
    shop.plan("Team", components=[m.PriceComponentInput(name="Seats", fee=SEATS)])
    return importer


def made(selling: Importer) -> list[m.SubscriptionDetails]:
    """Every subscription in full, oldest first."""
    sdk = selling.shop.sdk
    return [sdk.subscriptions.retrieve(one.id) for one in sdk.subscriptions.list()][::-1]


def invoiced(selling: Importer) -> list[tuple[str | None, date, int]]:
    """Every invoice by its number, with its date and total."""
    found = selling.shop.sdk.invoices.list()
    return sorted((one.invoice_number, one.invoice_date, one.total) for one in found)


def test_each_row_becomes_a_subscription(selling: Importer) -> None:
    """A start today is billed at once, as over REST; the result names the subscription."""
    job = selling.imported("customer,plan,start_date\nglobex,Pro,2026-03-10\n", SUBSCRIPTIONS)

    (one,) = made(selling)
    assert (job.status, job.failed_items) == ("COMPLETED", 0)
    assert (one.status, one.plan_name, one.mrr_cents) == ("ACTIVE", "Pro", 4900)
    assert invoiced(selling) == [("INV-1", date(2026, 3, 10), 4900)]
    assert selling.read(job.id, "output")[1:] == [["2", "globex", one.id]]


def test_every_field_of_a_subscription(selling: Importer) -> None:
    """Terms, dates, texts, coupons, payment and components are what the file says."""
    shop = selling.shop
    shop.sdk.coupons.create(
        code="SAVE",
        discount=percent("50"),
        description="half",
        reusable=True,
    )
    plan = shop.sdk.plans.list(search="Pro").data[0]
    row = {
        "customer_id": "globex",
        "plan_id": plan.id,
        "version": "1",
        "start_date": "2026-03-10",
        "end_date": "2027-03-10",
        "activation_condition": "ON_START",
        "auto_advance_invoices": "false",
        "backdate_invoices": "false",
        "billing_day_anchor": "10",
        "charge_automatically": "false",
        "coupon_codes": "SAVE",
        "invoice_memo": '"Thank you, Globex"',
        "net_terms": "14",
        "payment_methods_config": '"{""type"":""external""}"',
        "price_components.extra_components": '"[{""name"":""Setup"",""product_ref"":{""type"":'
        '""NEW"",""name"":""Setup"",""fee_type"":""RATE"",""fee_structure"":{""type"":""RATE""'
        '}},""price_entry"":{""type"":""NEW"",""cadence"":""MONTHLY"",""currency"":""EUR"",'
        '""pricing"":{""type"":""RATE"",""rate"":""1.00""}}}]"',
        "purchase_order": "PO-7",
        "skip_past_invoices": "false",
        "trial_days": "0",
    }
    job = selling.imported(f"{','.join(row)}\n{','.join(row.values())}\n", SUBSCRIPTIONS)

    assert selling.failures(job.id) == []
    (one,) = made(selling)
    assert (one.net_terms, one.purchase_order, one.invoice_memo) == (
        14,
        "PO-7",
        "Thank you, Globex",
    )
    assert (one.end_date, one.billing_day_anchor, one.auto_advance_invoices) == (
        date(2027, 3, 10),
        10,
        False,
    )
    assert one.mrr_cents == 5000
    (invoice,) = shop.sdk.invoices.list()
    assert (invoice.status, invoice.total) == ("DRAFT", 2500)


def test_files_and_requests_know_the_same_fields() -> None:
    """Every field of the request is a column, and a file may name a plan in other ways."""
    columns = LAYOUTS[next(kind for kind in LAYOUTS if kind == SUBSCRIPTIONS)].columns
    fields = {name.split(".")[0] for name in columns}

    own = {"plan", "plan_version_id", "slots"}
    assert fields == set(SubscriptionCreateRequest.model_fields) | own


def test_slots(selling: Importer) -> None:
    """A number of slots is of the only component that has some, or of the one that is named."""
    selling.imported(
        "customer,plan,start_date,slots\nglobex,Team,2026-03-10,5\n", SUBSCRIPTIONS
    )
    selling.imported(
        "customer,plan,start_date,slots.Seats\nglobex,Team,2026-03-10,7\n", SUBSCRIPTIONS
    )

    assert [one.mrr_cents for one in made(selling)] == [5000, 7000]


def test_a_version_by_its_id(selling: Importer) -> None:
    """A version's id says plan and version."""
    version = selling.shop.plan("Max").version_id
    job = selling.imported(
        f"customer,plan_version_id,start_date\nglobex,{version},2026-03-10\n", SUBSCRIPTIONS
    )

    assert selling.failures(job.id) == []
    assert [one.plan_name for one in made(selling)] == ["Max"]


@pytest.mark.parametrize(
    ("skips", "invoices"),
    [
        ("", [("INV-1", date(2026, 1, 10), 4900), ("INV-2", date(2026, 2, 10), 4900)]),
        ("true", []),
    ],
)
def test_what_lies_in_the_past(
    selling: Importer, skips: str, invoices: list[tuple[str, date, int]]
) -> None:
    """It is caught up by the worker, or was billed elsewhere where the file says so."""
    job = selling.imported(
        f"customer,plan,start_date,skip_past_invoices\nglobex,Pro,2026-01-10,{skips}\n",
        SUBSCRIPTIONS,
    )

    assert job.failed_items == 0
    assert invoiced(selling) == invoices[:1]
    assert made(selling)[0].status == "ACTIVE"


ROWS: dict[str, tuple[str, str]] = {
    "nobody,Pro,2026-03-10,,": (
        "nobody",
        "customer: must be a customer's id or alias, and `nobody` is neither",
    ),
    "globex,Max,2026-03-10,,": (
        "globex",
        "plan: must be the name of a plan that is not archived",
    ),
    "globex,Pro,10.03.2026,,": ("globex", "start_date: must be a date as YYYY-MM-DD"),
    "globex,Pro,2026-03-10,400,": ("globex", "net_terms: must be 365 or less"),
    "globex,Pro,2026-03-10,x,": ("globex", "net_terms: must be a whole number"),
    "globex,Pro,2026-03-10,,3": (
        "globex",
        "slots: must name a component of the plan: none: it sells no slots",
    ),
    "globex,Team,2026-03-10,,51": ("globex", "slots: must be between 2 and 50"),
    "globex,,2026-03-10,,": ("globex", "plan: is required"),
}


def test_rows_that_are_refused(selling: Importer) -> None:
    """In the words of the request, with the columns of the file; nothing is made of them."""
    lines = ["customer,plan,start_date,net_terms,slots", *ROWS]
    job = selling.imported("\n".join(lines), SUBSCRIPTIONS)

    told = [(name, reason) for _, name, reason in selling.failures(job.id)]
    assert told == list(ROWS.values())
    assert (made(selling), invoiced(selling)) == ([], [])


def test_rows_are_not_in_each_others_way(selling: Importer) -> None:
    """Of three rows the second fails; numbers of invoices have no gap."""
    job = selling.imported(
        "customer,plan,start_date\nglobex,Pro,2026-03-10\nnobody,Pro,2026-03-10\n"
        "globex,Team,2026-03-10\n",
        SUBSCRIPTIONS,
    )

    assert (job.status, job.processed_items, job.failed_items) == (
        "COMPLETED_WITH_ERRORS",
        3,
        1,
    )
    assert [number for number, _, _ in invoiced(selling)] == ["INV-1", "INV-2"]


def test_a_plan_whose_name_is_not_its_own(selling: Importer) -> None:
    """Two plans of one name: the row must name its plan by the id."""
    selling.shop.plan("Pro")
    job = selling.imported("customer,plan,start_date\nglobex,Pro,2026-03-10\n", SUBSCRIPTIONS)

    ((_, _, reason),) = selling.failures(job.id)
    assert reason == "plan: is the name of several plans: use `plan_id`"


def test_a_plan_is_named_once(selling: Importer) -> None:
    """A row that names it in two ways is refused, whether or not they agree."""
    plan: Any = selling.shop.sdk.plans.list(search="Pro").data[0]
    job = selling.imported(
        f"customer,plan,plan_id,start_date\nglobex,Pro,{plan.id},2026-03-10\n", SUBSCRIPTIONS
    )

    ((_, _, reason),) = selling.failures(job.id)
    assert reason == "plan_id: must name the plan once, not by plan_id and plan"
