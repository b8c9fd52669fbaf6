"""`tallystick reconcile` and `doctor --provider`: money that the books do not know."""

import json
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from tallystick.cli import app
from tallystick.db.engine import Database
from tallystick.domain.payment import PaymentOrder, Succeeded
from tallystick.services import reconcile
from tallystick.services.ids import new_id
from tests.database import in_own_loop
from tests.world import open_world


@pytest.fixture
def terminal(database_dsn: str, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """A terminal at a shop whose bank took EUR 49 that nobody knows of, a while ago."""

    async def take() -> None:
        database = await Database.open(database_dsn)
        world = await open_world(database)
        order = PaymentOrder(
            tenant_id=world.tenant_id,
            attempt_id=new_id(),
            customer_id=await world.customer(),
            amount=4900,
            currency="EUR",
            method=await world.card(),
            save=False,
            return_url="https://shop.example",
        )
        reference = await world.sandbox.open(order)
        assert await world.sandbox.confirm(order, reference) == Succeeded()
        await database.close()

    in_own_loop(take())
    monkeypatch.setenv("DATABASE_URL", database_dsn)
    monkeypatch.setattr(reconcile, "GRACE", timedelta(0))
    return CliRunner()


def test_it_is_looked_at_reported_and_given_back(terminal: CliRunner) -> None:
    """Looking does nothing; the doctor names it; then it goes back, and all is well."""
    looked = terminal.invoke(app, ["reconcile", "--look", "--json"])
    (found,) = json.loads(looked.stdout)["data"]
    assert (found["amount"], found["currency"], found["state"]) == (4900, "EUR", "unknown")

    doctor = terminal.invoke(app, ["doctor", "--provider", "--json"])
    rules = {one["rule"]: one["about"] for one in json.loads(doctor.stdout)["breaches"]}
    assert doctor.exit_code == 1
    assert rules["provider-orphan-money"].startswith("4900 EUR taken by sandbox under sbx_pay_")

    done = terminal.invoke(app, ["reconcile"])
    assert (done.exit_code, "REFUNDED" in done.stdout) == (0, True)
    assert "1 payments that the books did not know" in done.stderr
    assert terminal.invoke(app, ["doctor", "--provider"]).exit_code == 0


def test_a_day_that_has_not_come(terminal: CliRunner) -> None:
    """From tomorrow on nothing was taken; what is no day is refused."""
    later = terminal.invoke(app, ["reconcile", "--since", "2099-01-01", "--json"])
    assert json.loads(later.stdout) == {"data": []}
    assert terminal.invoke(app, ["reconcile", "--since", "often"]).exit_code == 2
