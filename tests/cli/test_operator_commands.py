"""What an operator does at the command line: tenants, entities, keys, the API's document."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tallystick.cli import app

Tallystick = Callable[..., Result]


@pytest.fixture
def tallystick(database_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Tallystick:
    """Runs a command against a database of this test."""
    monkeypatch.setenv("DATABASE_URL", database_dsn)
    # Messages are wrapped to the width of the terminal.
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *words: CliRunner().invoke(app, list(words))


def told(result: Result) -> Any:  # noqa: ANN401 - as JSON has it
    """The JSON object that a command printed, which must be all of its output."""
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture
def acme(tallystick: Tallystick) -> dict[str, str]:
    """A first tenant."""
    made: dict[str, str] = told(
        tallystick("tenant", "create", "Acme Cloud", "--currency", "EUR", "--json")
    )
    return made


def test_a_tenant(acme: dict[str, str], tallystick: Tallystick) -> None:
    """A tenant comes with an entity and a key, and is listed."""
    assert acme.keys() == {"tenant_id", "api_key", "invoicing_entity_id"}
    assert acme["tenant_id"].startswith("ten_")
    assert acme["api_key"].startswith("tsk_test_")
    assert acme["invoicing_entity_id"].startswith("ive_")

    [listed] = told(tallystick("tenant", "list", "--json"))["data"]
    assert (listed["tenant_id"], listed["name"]) == (acme["tenant_id"], "Acme Cloud")
    assert (listed["is_test"], listed["clock"]) == (True, None)
    assert acme["tenant_id"] in tallystick("tenant", "list").stdout


def test_a_frozen_clock(tallystick: Tallystick) -> None:
    """A test tenant's clock may begin anywhere."""
    tallystick(
        *("tenant", "create", "Acme", "--currency", "EUR"),
        *("--clock", "2024-02-29T12:00:00+01:00"),
    )
    [listed] = told(tallystick("tenant", "list", "--json"))["data"]

    assert listed["clock"] == "2024-02-29T11:00:00.000Z"


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("Acme", "--currency", "EURO"), 2, "ISO 4217"),
        (("Acme", "--currency", "EUR", "--clock", "tomorrow"), 2, "must be an instant"),
        ((" ", "--currency", "EUR"), 2, "must not be empty"),
        (("Acme",), 2, "--currency"),
        (
            ("Acme", "--currency", "EUR", "--live", "--clock", "2024-01-01T00:00:00Z"),
            1,
            "runs on real time",
        ),
    ],
)
def test_tenants_that_cannot_be(
    tallystick: Tallystick, words: tuple[str, ...], code: int, sentence: str
) -> None:
    """What is wrong is told with what to do, and nothing is made."""
    refused = tallystick("tenant", "create", *words)

    assert (refused.exit_code, refused.stdout) == (code, "")
    assert sentence in refused.stderr
    assert told(tallystick("tenant", "list", "--json")) == {"data": []}


def test_changing_a_tenant(acme: dict[str, str], tallystick: Tallystick) -> None:
    """Time zone, places and dunning can be set; what is not named stays."""
    changed = told(
        tallystick(
            *("tenant", "set", "--time-zone", "Europe/Paris", "--places-per-plan", "3"),
            *("--dunning-days", "1,2,3", "--json"),
        )
    )
    assert changed["tenant_id"] == acme["tenant_id"]
    assert (changed["time_zone"], changed["places_per_plan"]) == ("Europe/Paris", 3)
    assert changed["dunning_days"] == [1, 2, 3]

    reminded = told(
        tallystick(
            *("tenant", "set", "--reminder-days-before", "0", "--reminder-days-after", "2,9"),
            *("--card-notice-days", "14", "--orphan-policy", "REPORT", "--json"),
        )
    )
    assert (reminded["reminder_days_before"], reminded["reminder_days_after"]) == (0, [2, 9])
    assert (reminded["card_notice_days"], reminded["orphan_policy"]) == (14, "REPORT")
    assert reminded["dunning_days"] == [1, 2, 3]

    emptied = told(tallystick("tenant", "set", "--dunning-days", "", "--json"))
    assert (emptied["dunning_days"], emptied["time_zone"]) == ([], "Europe/Paris")


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(
    ("words", "code", "sentences"),
    [
        ((), 2, ["Nothing to change"]),
        (("--dunning-days", "often"), 2, ["is not a list of days"]),
        (("--tenant", "acme", "--name", "A"), 2, ["starts with ten_"]),
        (
            ("--time-zone", "Mars", "--places-per-plan", "0"),
            2,
            ["Europe/Paris", "places_per_plan: must be 1 to 1000"],
        ),
        (("--dunning-days", "0"), 2, ["dunning_days"]),
        (
            ("--reminder-days-after", "7,1", "--card-notice-days", "91"),
            2,
            ["each larger than the one before", "card_notice_days: must be 0 to 90"],
        ),
        (("--orphan-policy", "KEEP"), 2, ["must be ATTACH_OR_REFUND or REPORT"]),
    ],
)
def test_changes_that_cannot_be(
    tallystick: Tallystick, words: tuple[str, ...], code: int, sentences: list[str]
) -> None:
    """All that is wrong with a change is told."""
    refused = tallystick("tenant", "set", *words)

    assert refused.exit_code == code
    said = " ".join(refused.stderr.split())
    assert [sentence for sentence in sentences if sentence not in said] == []


def test_which_tenant(acme: dict[str, str], tallystick: Tallystick) -> None:
    """Who has several tenants must say which, and is told which there are."""
    other = told(tallystick("tenant", "create", "Initech", "--currency", "USD", "--json"))
    refused = tallystick("key", "list")
    named = told(tallystick("key", "list", "--tenant", other["tenant_id"], "--json"))

    assert refused.exit_code == 1
    assert acme["tenant_id"] in refused.stderr
    assert "Initech" in refused.stderr
    assert len(named["data"]) == 1


def test_before_the_first_tenant(tallystick: Tallystick) -> None:
    """Who has no tenant yet is told how to make one."""
    refused = tallystick("entity", "show")

    assert refused.exit_code == 1
    assert "tallystick tenant create" in refused.stderr


def test_an_entity(acme: dict[str, str], tallystick: Tallystick) -> None:
    """Every option of `entity set` is kept and shown; what is not named stays."""
    account = json.dumps({"holder": "Acme", "iban": "DE89 3704 0044 0532 0130 00"})
    words = (
        *("--legal-name", "Acme Cloud GmbH", "--line1", "Allee 1", "--line2", "2. OG"),
        *("--city", "Berlin", "--state", "BE", "--zip-code", "10115", "--country", "DE"),
        *("--vat-number", "DE136695976", "--creditor-identifier", "DE98ZZZ09999999999"),
        *("--logo-url", "https://acme.example/l.svg", "--brand-color", "#3366ff"),
        *("--email", "billing@acme.example", "--default-payment", "external"),
        *("--bank-account", account, "--tax-engine", "EU_VAT", "--below-vat-threshold"),
        *("--number-pattern", "A-{number}", "--grace-period-hours", "24"),
        *("--net-terms", "30", "--consolidate-recurring-invoices", "--json"),
    )
    changed = told(tallystick("entity", "set", acme["invoicing_entity_id"], *words))

    shown = told(tallystick("entity", "show", acme["invoicing_entity_id"], "--json"))
    assert shown == changed
    assert shown["id"] == acme["invoicing_entity_id"]
    assert set(shown["address"].values()) == {"Allee 1", "2. OG", "Berlin", "BE", "10115", "DE"}
    assert shown["bank_accounts"][0]["iban"] == "DE89370400440532013000"
    assert shown["default_payment_methods_config"] == {"type": "external"}
    assert None not in (shown[name] for name in ("vat_number", "logo_url", "email"))
    assert (shown["tax_engine"], shown["net_terms"]) == ("EU_VAT", 30)

    moved = told(
        tallystick(
            *("entity", "set", "--city", "Hamburg", "--clear", "vat_number"),
            *("--separate-recurring-invoices", "--json"),
        )
    )
    assert moved["address"] == shown["address"] | {"city": "Hamburg"}
    assert (moved["vat_number"], moved["email"]) == (None, "billing@acme.example")
    assert moved["consolidate_recurring_invoices"] is False
    assert "Hamburg" in tallystick("entity", "show").stdout


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ((), 2, "Nothing to change"),
        (("--country", "UK"), 2, "--country: must be a country code"),
        (("--tax-engine", "US"), 2, "--tax-engine: must be"),
        (("--bank-account", "{x"), 2, "not JSON"),
        (("--vat-number", "DE136695977"), 2, "--vat-number: must be a VAT number"),
        (("--clear", "vat"), 2, "did you mean `vat_number`?"),
        (("--default-payment", "cash"), 2, "`bank_transfer`"),
        (("--number-pattern", "INV"), 2, "--number-pattern: must hold {number}"),
        (("ive_1", "--city", "x"), 1, "no invoicing entity ive_1"),
        (("cus_1", "--city", "x"), 2, "starts with ive_"),
    ],
)
def test_entities_that_cannot_be(
    tallystick: Tallystick, words: tuple[str, ...], code: int, sentence: str
) -> None:
    """What is wrong is told with its field."""
    refused = tallystick("entity", "set", *words)

    assert refused.exit_code == code
    assert sentence in " ".join(refused.stderr.replace("│", "").split())


@pytest.mark.usefixtures("acme")
def test_all_wrong_options_are_told(tallystick: Tallystick) -> None:
    """Every option that is wrong is named in one go, of whatever kind it is."""
    refused = tallystick(
        *("entity", "set", "--country", "UK", "--tax-engine", "US", "--city", "Berlin"),
        *("--number-pattern", "INV", "--brand-color", "red", "--bank-account", "{}"),
        *("--default-payment", "cash", "--clear", "vat"),
    )

    assert refused.exit_code == 2
    named = [line.split(":")[0] for line in refused.stderr.splitlines() if line[:2] == "  "]
    assert [name.strip() for name in named] == [
        "--country",
        "--brand-color",
        "--default-payment.type",
        "--tax-engine",
        "--bank-account[0].holder",
        "vat",
        "--number-pattern",
    ]


def test_keys(acme: dict[str, str], tallystick: Tallystick) -> None:
    """A key's secret is shown once; a list shows its end; a revoked key stays in the list."""
    made = told(tallystick("key", "create", "--name", "shop", "--json"))
    plain = tallystick("key", "create")
    listed = told(tallystick("key", "list", "--json"))["data"]
    revoked = tallystick("key", "revoke", made["key_id"])
    again = tallystick("key", "revoke", made["key_id"])

    assert plain.stdout.startswith("tsk_test_")
    assert [key["name"] for key in listed] == ["first key", "shop", "key"]
    assert listed[1]["hint"] == made["api_key"][-4:]
    assert made["api_key"] not in json.dumps(listed)
    assert (revoked.exit_code, again.exit_code) == (0, 1)
    kept = told(tallystick("key", "list", "--json"))["data"]
    assert [key["revoked_at"] is None for key in kept] == [True, False, True]
    assert acme["api_key"][-4:] in tallystick("key", "list").stdout


def test_keys_that_are_not_there(tallystick: Tallystick) -> None:
    """A key that is not there cannot be revoked."""
    assert "no API key tkn_1" in tallystick("key", "revoke", "tkn_1").stderr
    assert tallystick("key", "revoke", "shop").exit_code == 2


def test_the_document() -> None:
    """The API's document is printed without a database."""
    printed = CliRunner().invoke(app, ["openapi", "--server-url", "https://pay.example"])
    document = told(printed)

    assert document["openapi"] == "3.1.0"
    assert document["servers"] == [{"url": "https://pay.example"}]
    assert "/api/v1/checkout-sessions" in document["paths"]


@pytest.mark.parametrize("kind", ["a pipe", "a narrow terminal"])
def test_tables_cut_nothing(
    acme: dict[str, str], tallystick: Tallystick, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Ids and addresses are whole: on one line in a pipe, folded where a terminal is narrow."""
    url = "https://acme.example/a/long/path/to/a/logo.svg"
    told(tallystick("entity", "set", "--logo-url", url, "--json"))
    key_id = told(tallystick("key", "list", "--json"))["data"][0]["key_id"]
    monkeypatch.setenv("COLUMNS", "40")
    if kind == "a narrow terminal":
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("TERM", "dumb")
    wanted = [
        (("tenant", "list"), acme["tenant_id"]),
        (("key", "list"), key_id),
        (("entity", "show"), url),
        (("db", "status"), "own (DATABASE_URL)"),
    ]

    for words, text in wanted:
        shown = tallystick(*words).stdout
        assert "\N{HORIZONTAL ELLIPSIS}" not in shown
        whole = any(text in line for line in shown.splitlines())
        assert whole or kind == "a narrow terminal"
        assert set(text) <= set(shown)


@pytest.mark.parametrize(
    "words",
    [("tenant", "list"), ("key", "list"), ("entity", "show"), ("doctor",), ("db", "status")],
    ids=" ".join,
)
def test_who_only_looks_makes_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """A data directory without a database is told of and left as it is."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    tmp_path.chmod(0o755)
    refused = CliRunner().invoke(app, [*words, "--data-dir", str(tmp_path / "none")])

    assert refused.exit_code == 1
    assert "There is no database" in refused.stderr
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("serve",),
        ("openapi",),
        *(("tenant", name) for name in ("create", "list", "set")),
        *(("entity", name) for name in ("show", "set")),
        *(("key", name) for name in ("create", "list", "revoke")),
    ],
)
def test_help_teaches(words: tuple[str, ...]) -> None:
    """Every command explains itself, and each of its options."""
    shown = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "120"})

    assert shown.exit_code == 0
    assert f"Usage: tallystick {' '.join(words)}" in shown.stdout
