"""Files of customers: every field of the request, each row by the request's own rules."""

from typing import Any

from meteroid import models as m

from tallystick.domain.ids import Prefix, decode, encode
from tallystick.http.v1.customer_schemas import CustomerCreateRequest
from tallystick.http.v1.import_columns import columns_of
from tallystick.services.ids import id_of_row
from tests.http.importing.importer import Importer

PLAIN = "name,currency,alias\nGlobex,EUR,globex\nInitech,USD,initech\n"

EVERY = {
    "currency": "EUR",
    "alias": "dana",
    "customer_type": "INDIVIDUAL",
    "first_name": "Dana",
    "last_name": "Globex",
    "billing_email": "dana@globex.example",
    "invoicing_emails": "ap@globex.example | cfo@globex.example",
    "billing_address.line1": '"1, Main Street"',
    "billing_address.line2": "Room 2",
    "billing_address.city": "Lyon",
    "billing_address.state": "Rhone",
    "billing_address.zip_code": "69001",
    "billing_address.country": "FR",
    "shipping_address.same_as_billing": "FALSE",
    "shipping_address.address.city": "Paris",
    "shipping_address.address.country": "FR",
    "phone": "+33 1 23",
    "vat_number": "FR40303265045",
    "legal_number": "303 265 045",
    "buyer_reference": "PO-7",
    "is_tax_exempt": "true",
    "exemption_reason": '"said ""so"""',
    "custom_taxes": '"[{""name"":""Eco"",""rate"":""0.02"",""tax_code"":""E""}]"',
    "preferred_locales": "fr|de-AT",
}


def test_each_row_becomes_a_customer(importer: Importer) -> None:
    """Two rows, two customers, in the order of the file, and nothing failed."""
    job = importer.imported(PLAIN, file_name="customers.csv")

    assert (job.status, job.total_items, job.processed_items, job.failed_items) == (
        "COMPLETED",
        2,
        2,
        0,
    )
    assert [(c["name"], c["currency"], c["alias"]) for c in importer.customers()] == [
        ("Globex", "EUR", "globex"),
        ("Initech", "USD", "initech"),
    ]


def test_every_field_of_a_customer(importer: Importer) -> None:
    """A file says everything that the request says, and the customer has it."""
    importer.imported(f"{','.join(EVERY)}\n{','.join(EVERY.values())}\n")

    (made,) = importer.customers()
    assert made["name"] == "Dana Globex"
    assert made["invoicing_emails"] == ["ap@globex.example", "cfo@globex.example"]
    assert made["billing_address"] == {
        "line1": "1, Main Street",
        "line2": "Room 2",
        "city": "Lyon",
        "state": "Rhone",
        "zip_code": "69001",
        "country": "FR",
    }
    assert made["shipping_address"]["same_as_billing"] is False
    assert made["shipping_address"]["address"]["city"] == "Paris"
    assert (made["is_tax_exempt"], made["exemption_reason"]) == (True, 'said "so"')
    assert made["custom_taxes"] == [{"name": "Eco", "rate": "0.02", "tax_code": "E"}]
    assert made["preferred_locales"] == ["fr", "de-AT"]
    for name in ("alias", "phone", "vat_number", "legal_number", "buyer_reference"):
        assert made[name] == EVERY[name]


def test_files_and_requests_know_the_same_fields() -> None:
    """Every field of the request is a column, by itself or field by field."""
    columns = columns_of(CustomerCreateRequest)
    fields = {name.split(".")[0] for name in columns}

    assert fields == set(CustomerCreateRequest.model_fields)
    assert set(EVERY) < set(columns)


def test_the_same_rules_as_over_rest(importer: Importer) -> None:
    """What a request is refused for, a row fails for, in the same words, by its columns."""
    wrong: dict[str, Any] = {
        "name": "Wrong",
        "currency": "EURO",
        "billing_email": "nowhere",
        "billing_address": {"country": "France"},
        "vat_number": "FR1",
    }
    over_rest = importer.shop.raw.post("/customers", json=wrong).json()["errors"]

    job = importer.imported(
        "name,currency,billing_email,billing_address.country,vat_number\n"
        "Wrong,EURO,nowhere,France,FR1\n"
    )
    failures = importer.shop.raw.get(f"/batch-jobs/{job.id}/failures").json()["data"]

    assert (job.status, importer.customers()) == ("COMPLETED_WITH_ERRORS", [])
    in_order = ["currency", "billing_email", "billing_address.country"]
    told = {one["field"]: one for one in over_rest}
    assert failures[0]["errors"] == [told[field] for field in in_order]
    assert told.keys() == set(in_order)


def test_good_rows_land_beside_bad_ones(importer: Importer) -> None:
    """A row that fails undoes nothing of the others; the report names row, name and column."""
    job = importer.imported(
        "name;currency;alias;is_tax_exempt\n"
        "Globex;EUR;globex;yes\n"
        ";;;\n"
        "Initech;EUR;initech;\n"
        "Twice;EUR;initech;\n"
        ";EUR;nameless;\n"
    )

    assert (job.status, job.total_items, job.processed_items, job.failed_items) == (
        "COMPLETED_WITH_ERRORS",
        4,
        4,
        3,
    )
    assert [c["alias"] for c in importer.customers()] == ["initech"]
    assert importer.failures(job.id) == [
        (2, "globex", "is_tax_exempt: must be true or false"),
        (5, "initech", "alias: is another customer's alias"),
        (6, "nameless", "name: is required for a company"),
    ]


def test_what_failed_can_be_mended_and_sent_again(importer: Importer) -> None:
    """The file of errors has the rows as they were, each after its number and its reason."""
    job = importer.imported('name;currency\nGlobex;EUR\n"Ini;tech";EURO\n')
    header, row = importer.shop.raw.get(f"/batch-jobs/{job.id}/errors.csv").text.splitlines()
    mended = f"{header}\n{row.replace('EURO', 'USD')}\n"

    again = importer.imported(mended)

    assert header == "import_row;import_error;name;currency"
    assert row.startswith("3;currency: must be a currency code of ISO 4217")
    assert (again.status, again.failed_items) == ("COMPLETED", 0)
    assert [c["name"] for c in importer.customers()] == ["Globex", "Ini;tech"]


def test_what_fails_again_is_reported_once(importer: Importer) -> None:
    """Of a report that is sent as it is, the next report has the newest reasons alone."""
    first = importer.imported('name,currency\nGlobex,EURO\n"Ini"tech,EUR\n')
    told = importer.shop.raw.get(f"/batch-jobs/{first.id}/errors.csv").text
    again = importer.imported(told)

    header, globex, initech = importer.read(again.id, "errors.csv")
    assert header == ["import_row", "import_error", "name", "currency"]
    assert (globex[0], globex[2:]) == ("2", ["Globex", "EURO"])
    assert initech[2:] == ['"Ini"tech,EUR']


def test_the_output_names_what_was_made(importer: Importer) -> None:
    """The result has the id of each customer, which is always that of its job and row."""
    job = importer.imported("name,currency\nGlobex,EUR\nBad,EURO\nInitech,EUR\n")
    made = importer.customers()

    assert importer.read(job.id, "output") == [
        ["row", "identifier", "id"],
        ["2", "Globex", made[0]["id"]],
        ["4", "Initech", made[1]["id"]],
    ]
    for index, one in ((0, made[0]), (2, made[1])):
        named = id_of_row(decode(Prefix.BATCH_JOB, job.id), index)
        assert one["id"] == encode(Prefix.CUSTOMER, named)


def test_events_are_told(importer: Importer) -> None:
    """Each customer of a file is told of as one that was created by a request."""
    importer.imported(PLAIN)

    told = importer.shop.events("customer.created")
    assert [one["name"] for one in told] == ["Globex", "Initech"]


def test_flags(importer: Importer) -> None:
    """Spreadsheets write flags in capitals; an empty cell is left out."""
    cells = {"true": True, "TRUE": True, "False": False, "": False}
    importer.imported(
        "name,currency,is_tax_exempt\n" + "".join(f"C,EUR,{cell}\n" for cell in cells)
    )

    assert [one["is_tax_exempt"] for one in importer.customers()] == list(cells.values())


def test_a_long_file(importer: Importer) -> None:
    """A thousand rows in five chunks; each failure is in the chunk of its row."""
    rows = [f"Customer {n},{'EUR' if n % 100 else 'EURO'}" for n in range(1000)]
    job = importer.imported("\n".join(["name,currency", *rows]))
    failures = importer.shop.sdk.batch_jobs.list_failures(job.id, limit=3)
    found: list[m.BatchJobItemFailureResponse] = list(failures)

    assert (job.processed_items, job.failed_items, job.failure_count) == (1000, 10, 10)
    assert len(importer.customers()) == 990
    assert [one.item_index for one in found] == list(range(0, 1000, 100))
    assert len({one.chunk_id for one in found}) == 5
    of_first = importer.shop.sdk.batch_jobs.list_failures(job.id, chunk_id=found[0].chunk_id)
    assert [one.item_index for one in of_first] == [0, 100]


def test_names_that_cannot_be_kept(importer: Importer) -> None:
    """A name inside of JSON that no database takes fails its row, and no other."""
    names = ["\\u0000", "\\ud800", "a\\u0000.b[0]"]
    rows = [f'Globex,EUR,"[{{""{name}"":1}}]"' for name in names]
    job = importer.imported("\n".join(["name,currency,custom_taxes", *rows, "Initech,EUR,"]))

    assert (job.status, job.failed_items) == ("COMPLETED_WITH_ERRORS", 3)
    assert [c["name"] for c in importer.customers()] == ["Initech"]
    for _, _, reason in importer.failures(job.id):
        assert reason.startswith("custom_taxes[0]")


def test_custom_properties(importer: Importer) -> None:
    """What a row says of them is kept and held to its definitions, as over REST."""
    importer.shop.raw.post(
        "/custom-property-definitions",
        json={"entity_type": "CUSTOMER", "key": "tier", "name": "T", "property_type": "TEXT"},
    )
    rows = ['Globex,EUR,"{""tier"":""gold""}"', 'Bad,EUR,"{""tear"":1}"']
    job = importer.imported("\n".join(["name,currency,custom_properties", *rows]))

    assert [(one["name"], one["custom_properties"]) for one in importer.customers()] == [
        ("Globex", {"tier": "gold"})
    ]
    assert [why for _, _, why in importer.failures(job.id)] == [
        "custom_properties.tear: is not a defined property; did you mean `tier`?"
    ]
