"""`tallystick import`: a file, its progress, and a report that says which rows to mend."""

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
    """Runs a command against a database of this test, which has one tenant."""
    monkeypatch.setenv("DATABASE_URL", database_dsn)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: str) -> Result:
        return CliRunner().invoke(app, list(words))

    assert run("tenant", "create", "Acme Cloud", "--currency", "EUR").exit_code == 0
    return run


def file_of(tmp_path: Path, content: str) -> str:
    """A file with this in it."""
    file = tmp_path / "customers.csv"
    file.write_text(content, encoding="utf-8")
    return str(file)


def test_a_file_without_faults(tallystick: Tallystick, tmp_path: Path) -> None:
    """All of it is imported, without any worker; nothing needs to be mended."""
    done = tallystick(
        "import", "customers", file_of(tmp_path, "name,currency\nGlobex,EUR\nInitech,EUR\n")
    )

    assert (done.exit_code, done.stdout) == (0, "")
    assert "Imported 2 of 2 customers as bjob_" in done.stderr


def test_the_report(tallystick: Tallystick, tmp_path: Path) -> None:
    """Row, name, column and sentence of each fault; exit code 1; the rows in a file."""
    content = "name,currency,billing_email\nGlobex,EURO,nowhere\nInitech,EUR,\n"
    errors = tmp_path / "errors.csv"
    done = tallystick(
        "import", "customers", file_of(tmp_path, content), "--errors", str(errors)
    )

    assert done.exit_code == 1
    assert "Imported 1 of 2 customers" in done.stderr
    heads, first, second = done.stdout.splitlines()
    assert heads.split() == ["row", "name", "column", "what", "is", "wrong"]
    assert first.split()[:3] == ["2", "Globex", "currency"]
    assert second.split()[0] == "billing_email"
    assert second.rstrip().endswith("must be an email address")
    lines = errors.read_text().splitlines()
    assert lines[0] == "import_row,import_error,name,currency,billing_email"
    assert lines[1].endswith(",Globex,EURO,nowhere")
    again = tallystick("import", "customers", str(errors), "--json")
    assert told(again, 1)["failed_items"] == 1


def told(result: Result, code: int = 0) -> Any:  # noqa: ANN401 - as JSON has it
    """The JSON object that a command printed, which must be all of its output."""
    assert result.exit_code == code, result.stderr
    return json.loads(result.stdout)


def test_the_report_as_json(tallystick: Tallystick, tmp_path: Path) -> None:
    """One object: the job, and its first failures."""
    content = "name,currency\n" + "Globex,EURO\n" * 30 + "Initech,EUR\n"
    found = told(
        tallystick("import", "customers", file_of(tmp_path, content), "--json"), code=1
    )

    assert (found["status"], found["processed_items"], found["failed_items"]) == (
        "COMPLETED_WITH_ERRORS",
        31,
        30,
    )
    assert found["input_file_name"] == "customers.csv"
    assert (found["failures"]["total_count"], len(found["failures"]["data"])) == (30, 20)
    assert found["failures"]["data"][0]["errors"][0]["field"] == "currency"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "The file is empty."),
        ("nmae,currency\na,EUR\n", "column nmae: is not a known column; did you mean `name`?"),
        ("name\na\n", "column currency: is a column that must be there"),
    ],
)
def test_a_file_that_is_none(
    tallystick: Tallystick, tmp_path: Path, content: str, said: str
) -> None:
    """It is told at once, and nothing is imported."""
    refused = tallystick("import", "customers", file_of(tmp_path, content))

    assert (refused.exit_code, refused.stdout) == (2, "")
    assert said in refused.stderr


def test_a_report_that_cannot_be_written(tallystick: Tallystick, tmp_path: Path) -> None:
    """It is told before anything is imported of which the report would be lost."""
    file = file_of(tmp_path, "name,currency\nGlobex,EURO\n")
    refused = tallystick(
        "import", "customers", file, "--errors", str(tmp_path / "no" / "e.csv")
    )

    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "--errors" in refused.stderr
    assert "Imported" not in refused.stderr


def test_a_job_that_is_left_and_cancelled(tallystick: Tallystick, tmp_path: Path) -> None:
    """It may be left to a worker, and cancelled before one has come."""
    left = told(
        tallystick(
            *("import", "customers", file_of(tmp_path, "name,currency\nGlobex,EUR\n")),
            *("--no-wait", "--json"),
        )
    )
    cancelled = tallystick("import", "cancel", left["id"])
    again = tallystick("import", "cancel", left["id"])

    assert (left["status"], left["processed_items"]) == ("PENDING", 0)
    assert "Cancelled after 0 of 1 rows." in cancelled.stderr
    assert (again.exit_code, "it has ended" in again.stderr) == (1, True)


def test_events_of_last_year(tallystick: Tallystick, tmp_path: Path) -> None:
    """Old events are refused unless they are asked for; a customer must be there."""
    content = "event_id,customer,code,timestamp\ne1,globex,calls,2020-01-01T00:00:00Z\n"
    file = file_of(tmp_path, content)
    refused = told(tallystick("import", "events", file, "--json"), code=1)
    asked = told(tallystick("import", "events", file, "--allow-backfilling", "--json"), code=1)

    def columns(found: Any) -> list[str]:  # noqa: ANN401 - as JSON has it
        return [one["field"] for one in found["failures"]["data"][0]["errors"]]

    assert columns(refused) == ["customer", "code", "timestamp"]
    assert columns(asked) == ["customer", "code"]


def test_subscriptions_from_the_command_line(tallystick: Tallystick, tmp_path: Path) -> None:
    """Files of subscriptions are read as such."""
    content = "customer,plan,start_date\nglobex,Pro,2026-03-10\n"
    found = told(
        tallystick("import", "subscriptions", file_of(tmp_path, content), "--json"), code=1
    )

    assert found["job_type"] == "SUBSCRIPTION_CSV_IMPORT"
    assert found["failures"]["data"][0]["item_identifier"] == "globex"
