"""Files as people send them: encodings, separators, quotes, line ends, and what is no file."""

import csv
import io
import re
from pathlib import Path

from tallystick.http.v1.import_rows import LAYOUTS
from tests.http.importing.importer import CUSTOMERS, EVENTS, SUBSCRIPTIONS, Importer

GOOD = "name,currency\nGlobex,EUR\n"


SENT = (
    "name,currency\nGlobex SÀRL,EUR\n",
    "\ufeffname,currency\r\nGlobex SÀRL,EUR\r\n",
    '\ufeff"name";"currency"\r\n"Globex SÀRL";"EUR"\r\n',
    "name\tcurrency\rGlobex SÀRL\tEUR\r",
    "sep=;\nname;currency\nGlobex SÀRL;EUR",
    "\n\nname , currency,,\n Globex SÀRL ,EUR,,\n,,,\n\n",
    'currency,name\nEUR,"Globex SÀRL"',
)


def test_what_people_send(importer: Importer) -> None:
    """Byte order marks, separators, quotes, line ends, spaces and empty lines are no matter."""
    jobs = [importer.imported(content) for content in SENT]

    assert [(job.status, job.total_items) for job in jobs] == [("COMPLETED", 1)] * len(SENT)
    assert [(c["name"], c["currency"]) for c in importer.customers()] == [
        ("Globex SÀRL", "EUR")
    ] * len(SENT)


def test_fields_in_quotes(importer: Importer) -> None:
    """A field in quotes may hold separators, quotes and line ends; rows are still counted."""
    job = importer.imported('name,currency\n"Glo""bex,\r\nInc",EUR\nBad,EURO\n')

    assert importer.customers()[0]["name"] == 'Glo"bex,\r\nInc'
    assert [row for row, _, _ in importer.failures(job.id)] == [3]


def test_the_file_is_kept_as_it_was_sent(importer: Importer) -> None:
    """Byte by byte, whatever its line ends and its blank rows are."""
    content = '\ufeffname;currency\r\n;\r\nGlobex;EUR\n"a\nb";EUR\r\n\r\n'.encode()
    job = importer.imported(content, file_name="März.csv")
    answer = importer.shop.raw.get(f"/batch-jobs/{job.id}/input")

    assert (answer.content, job.input_file_name) == (content, "März.csv")
    assert answer.headers["content-disposition"] == (
        "attachment; filename*=UTF-8''M%C3%A4rz.csv"
    )
    assert job.input_file_url == f"http://127.0.0.1:8484/api/v1/batch-jobs/{job.id}/input"


NO_FILES = (
    (b"", "is empty"),
    (b"\n\r\n", "is empty"),
    (b"name,currency\n", "has no rows below its line of names"),
    (b"name,currency\n,\n\n", "has no rows below its line of names"),
    ("name,currency\nGlobex,EUR\n".encode("utf-16"), "is UTF-16: save it as UTF-8"),
    (
        b"name,currency\nGlobex,EUR\nM\xfcller,EUR\n",
        "is not valid UTF-8 near row 3: save it as UTF-8",
    ),
    (b"name,currency\nGlo\0bex,EUR\n", "holds the character NUL near row 2"),
    (
        b'name,currency\nGlobex,EUR\n"Initech,EUR\n',
        "opens a quote in row 3 that is never closed",
    ),
)


def test_what_is_no_file(importer: Importer) -> None:
    """It is refused at once, and leaves nothing."""
    for content, message in NO_FILES:
        assert importer.refused(content) == [("file", message)]


def test_a_row_without_end(importer: Importer) -> None:
    """A quote that is not closed does not swallow the whole file."""
    ((field, message),) = importer.refused('name,currency\n"Globex,EUR\n' + "x\n" * 150_000)

    assert field == "file"
    assert message == "has a row (2) of more than 262144 characters: is a quote not closed?"


def test_a_line_without_end(importer: Importer) -> None:
    """A file that is one long line is refused as fast as it is sent."""
    ((field, message),) = importer.refused(b"x" * 5_000_000)

    assert (field, message[:11]) == ("file", "has a row (")


def test_columns_at_fault_are_told_at_once(importer: Importer) -> None:
    """Unknown columns with the nearest name, columns twice, and those that are missing."""
    faults = importer.refused("nmae,alias,alias,,billing_adress.city\nGlobex,a,a,,b\n")

    assert faults == [
        ("nmae", "is not a known column; did you mean `name`?"),
        ("column 4", "has no name"),
        (
            "billing_adress.city",
            "is not a known column; did you mean `billing_address.city`?",
        ),
        ("alias", "is there 2 times: `alias`, `alias`"),
        ("currency", "is a column that must be there"),
    ]


def test_columns_of_other_files(importer: Importer) -> None:
    """Each kind of file has columns of its own, and names for them that people use."""
    assert importer.refused("customer,plan\na,b\n", SUBSCRIPTIONS) == [
        ("start_date", "is a column that must be there")
    ]
    assert importer.refused("customer,customer_id,start_date\na,b,c\n", SUBSCRIPTIONS) == [
        ("customer", "is there 2 times: `customer`, `customer_id`"),
        ("plan_id", "is a column that must be there; or `plan`, `plan_version_id`"),
    ]
    assert importer.refused("event_id,code,property.\na,b,c\n", EVENTS) == [
        ("property.", "is not a known column; did you mean `property.`?"),
        ("customer_id", "is a column that must be there"),
    ]


def test_too_many_columns(importer: Importer) -> None:
    """A header ends somewhere."""
    ((field, message),) = importer.refused(",".join(f"c{n}" for n in range(501)) + "\n1\n")

    assert (field, message) == ("file", "must have at most 500 columns")


def test_rows_at_fault_in_form(importer: Importer) -> None:
    """A row with more cells than names, and one that is not well-formed, fail by themselves."""
    job = importer.imported('name,currency\nGlobex,EUR,x\n"Ini"tech,EUR\nHooli\nUmbrella,EUR\n')

    assert [c["name"] for c in importer.customers()] == ["Umbrella"]
    assert importer.failures(job.id) == [
        (2, None, "the row has 3 cells, and the header 2 names"),
        (3, None, "the row is not well-formed CSV: ',' expected after '\"'"),
        (4, "Hooli", "currency: is required"),
    ]
    errors = importer.read(job.id, "errors.csv")
    assert errors[2][2:] == ['"Ini"tech,EUR']


def test_what_is_asked_for_with_a_file(importer: Importer) -> None:
    """A kind that can be imported, a file's name, and backfilling for events alone."""
    kinds = ["", "TAX_REPORT_EXPORT", "customers"]
    for kind in kinds:
        answer = importer.post(GOOD, kind)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "type")
    backfilled = importer.post(GOOD, CUSTOMERS, allow_backfilling="true")
    assert backfilled.json()["errors"][0]["field"] == "allow_backfilling"
    unknown = importer.post(GOOD, CUSTOMERS, filename="a.csv")
    assert "did you mean `file_name`?" in unknown.json()["message"]
    assert importer.shop.raw.get("/batch-jobs").json()["data"] == []


def test_a_file_is_declared_as_csv(importer: Importer) -> None:
    """Another type is not read, and the answer says which is."""
    answer = importer.shop.raw.post(
        "/batch-jobs", params={"type": CUSTOMERS}, json={"name": "Globex"}
    )

    assert (answer.status_code, answer.headers["accept"]) == (415, "text/csv")
    assert answer.json()["message"] == (
        "The body must be CSV, with the header `Content-Type: text/csv`."
    )
    assert answer.headers["request-id"]


def test_every_column_is_documented() -> None:
    """The page on importing names every column that a file may have."""
    page = (Path(__file__).parents[3] / "docs" / "import.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_0-9.]+)`", page))

    for layout in LAYOUTS.values():
        chosen = {name for name in layout.columns if name in ("slots", "properties")}
        assert set(layout.columns) - chosen - named == set()
        assert set(layout.other_names) - {"property"} - named == set()
    assert {"property.units", "properties.units", "slots"} <= named


def test_a_report_holds_no_formula(importer: Importer) -> None:
    """What a spreadsheet would carry out is text in both, and is imported as it was sent."""
    sent = (
        "name,currency,alias,phone\n"
        '"=HYPERLINK(""https://evil.example"")",XXX,@SUM(A1),+33 1 23\n'
        "-2+3,EUR,,-12\n"
    )
    job = importer.imported(sent)
    report = importer.shop.raw.get(f"/batch-jobs/{job.id}/errors.csv").text

    head, row = csv.reader(io.StringIO(report))
    assert head == ["import_row", "import_error", "name", "currency", "alias", "phone"]
    assert row[2:] == ['\'=HYPERLINK("https://evil.example")', "XXX", "'@SUM(A1)", "'+33 1 23"]
    assert importer.read(job.id, "output")[1][:2] == ["3", "'-2+3"]
    again = importer.imported(report)
    assert importer.read(again.id, "errors.csv")[1][1:] == row[1:], "marked once"
    mended = importer.imported(report.replace("XXX", "EUR"))
    assert mended.status == "COMPLETED"
    made = {c["name"]: (c["alias"], c["phone"]) for c in importer.customers()}
    assert made == {
        "-2+3": (None, "-12"),
        '=HYPERLINK("https://evil.example")': ("@SUM(A1)", "+33 1 23"),
    }
