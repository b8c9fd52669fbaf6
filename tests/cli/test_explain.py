"""`tallystick explain`: an invoice told at the command line."""

import json
from collections.abc import Callable
from decimal import Decimal

import pytest
from typer.testing import CliRunner, Result

from tallystick.cli import app
from tallystick.db.engine import Database
from tallystick.domain.coupons import Percentage
from tallystick.domain.ids import Prefix, encode
from tallystick.services.confirm_result import Completed
from tests.database import in_own_loop
from tests.shops import selling_under_eu_rules
from tests.world import World, open_world

NBSP = "\N{NO-BREAK SPACE}"
Tallystick = Callable[..., Result]


@pytest.fixture
def tallystick(database_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Tallystick:
    """Runs a command against a database of this test, at eighty columns."""
    monkeypatch.setenv("DATABASE_URL", database_dsn)
    monkeypatch.setenv("COLUMNS", "80")
    return lambda *words: CliRunner().invoke(app, list(words))


@pytest.fixture
def bought(database_dsn: str) -> str:
    """EUR 49 less 10 % plus 20 % VAT, paid by card."""

    async def buy() -> str:
        database = await Database.open(database_dsn)
        world: World = await open_world(database)
        await selling_under_eu_rules(world)
        coupon = await world.coupon("TEN", Percentage(percentage=Decimal(10)))
        customer = await world.customer()
        session = await world.session(customer, await world.plan(), coupon_ids=(coupon,))
        assert await world.confirm(session) == Completed()
        invoice = await world.one("select id from invoices")
        await database.close()
        return encode(Prefix.INVOICE, invoice["id"])

    return in_own_loop(buy())


def test_an_invoice_is_told(bought: str, tallystick: Tallystick) -> None:
    """Line by line, then the invoice; no line of it is wider than the terminal."""
    told = tallystick("explain", bought)

    assert told.exit_code == 0, told.stderr
    lines = told.stdout.splitlines()
    assert lines[0] == "Invoice INV-1 of 2026-03-10 for Globex, FINALIZED"
    assert lines[1] == bought
    told_steps = [line.rstrip().replace(NBSP, " ") for line in lines]
    assert "  VAT 20% on EUR 44.10 = EUR 8.82" in told_steps
    assert told_steps[-1] == "  To be paid: EUR 0.00"
    assert max(len(line) for line in lines) <= 80


def test_an_invoice_as_json(bought: str, tallystick: Tallystick) -> None:
    """One JSON object, the same as over the API."""
    told = json.loads(tallystick("explain", bought, "--json").stdout)

    assert told["invoice_id"] == bought
    assert told["steps"][-1] == {"type": "DUE", "amount": 0}
    assert len(told["steps"]) == len(told["sentences"])


@pytest.mark.usefixtures("bought")
def test_what_cannot_be_explained(tallystick: Tallystick) -> None:
    """An invoice that is not there, and what is no invoice's id."""
    missing = tallystick("explain", "inv_1")
    other = tallystick("explain", "sub_1")

    assert (missing.exit_code, missing.stdout) == (1, "")
    assert "There is no invoice inv_1." in missing.stderr
    assert other.exit_code == 2
    assert "starts with inv_" in other.stderr
