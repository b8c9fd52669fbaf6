"""`tallystick doctor`: silent about what is sound, and clear about what is not."""

import json

import pytest
from typer.testing import CliRunner

from tallystick.cli import app
from tallystick.db.engine import Database, connect
from tests.database import in_own_loop
from tests.world import open_world


def fill(dsn: str, *statements: str) -> None:
    """Open a shop, and change it behind the product's back."""

    async def do() -> None:
        database = await Database.open(dsn)
        await open_world(database)
        for statement in statements:
            await database.pool.execute(statement)
        await database.close()

    in_own_loop(do())


@pytest.fixture
def doctor(database_dsn: str, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """A terminal that looks at a database of its own."""
    monkeypatch.setenv("DATABASE_URL", database_dsn)
    return CliRunner()


def test_it_is_silent_about_a_sound_database(doctor: CliRunner, database_dsn: str) -> None:
    """Nothing on standard output, one line that says so, exit code 0."""
    fill(database_dsn)

    said = doctor.invoke(app, ["doctor"])

    assert said.exit_code == 0
    assert said.stdout == ""
    assert "everything holds" in said.stderr
    assert "1 tenants" in said.stderr


def test_it_names_what_is_broken(doctor: CliRunner, database_dsn: str) -> None:
    """The rule, the tenant and what was found, and exit code 1."""
    fill(
        database_dsn,
        "insert into event_counters select id, 7 from tenants",
        "alter table invoices disable trigger invoice_is_kept",
    )

    said = doctor.invoke(app, ["doctor", "--json"])

    assert said.exit_code == 1
    found = {breach["rule"]: breach for breach in json.loads(said.stdout)["breaches"]}
    assert set(found) == {"event-sequence", "schema-guards"}
    assert found["event-sequence"]["tenant"].startswith("ten_")
    assert found["event-sequence"]["about"] == "0 numbers from 0 to 0, the counter says 7"
    shown = doctor.invoke(app, ["doctor"])
    assert shown.exit_code == 1
    assert "invoice_is_kept" in shown.stdout
    assert "2 breaches" in shown.stderr


def test_it_asks_for_a_current_schema(doctor: CliRunner, database_dsn: str) -> None:
    """A database of another version is not examined; the way out is said."""

    async def forget() -> None:
        connection = await connect(database_dsn)
        await connection.execute("update alembic_version set version_num = '0001'")
        await connection.close()

    in_own_loop(forget())

    said = doctor.invoke(app, ["doctor"])

    assert said.exit_code == 1
    assert "tallystick db migrate" in " ".join(said.stderr.split())
