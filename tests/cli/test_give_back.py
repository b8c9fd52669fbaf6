"""`tallystick give-back`, and what the doctor says of money that came back, or is lost."""

import json
from datetime import timedelta
from uuid import UUID

import pytest
from typer.testing import CliRunner

from tallystick.cli import app
from tallystick.db.engine import Database
from tallystick.services import reconcile
from tallystick.services.look_into_money import record_failed_refunds
from tests.crediting import bought
from tests.database import in_own_loop
from tests.reversing import reversible
from tests.services.test_reconcile import states, taken
from tests.world import NOON, World, open_world


@pytest.fixture
def terminal(database_dsn: str, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """A terminal at a shop of that database."""
    monkeypatch.setenv("DATABASE_URL", database_dsn)
    monkeypatch.setattr(reconcile, "GRACE", timedelta(0))
    return CliRunner()


async def opened(database_dsn: str) -> World:
    """A shop in the database."""
    return await open_world(await Database.open(database_dsn))


async def refunds_fail(world: World) -> None:
    """Whatever the bank gave back and has not failed yet comes back to it, and is heard of."""
    for row in await world.fetch(
        "select reference, key from sandbox.refunds where failure is null"
    ):
        await world.sandbox.send_refund_back(
            world.tenant_id, row["reference"], row["key"], "account closed"
        )
    await record_failed_refunds(world.app, NOON)


def test_it_is_named_given_back_and_named_again(terminal: CliRunner, database_dsn: str) -> None:
    """EUR 49 come back: the doctor names them, the operator gives them back; and once more."""

    async def come_back() -> None:
        world = await opened(database_dsn)
        await taken(world)
        await states(world)
        await refunds_fail(world)
        await world.database.close()

    in_own_loop(come_back())
    doctor = terminal.invoke(app, ["doctor", "--json"])
    (breach,) = [
        one for one in json.loads(doctor.stdout)["breaches"] if one["rule"] == "orphan-payment"
    ]
    assert "4900 EUR taken by sandbox" in breach["about"]
    assert "did not reach its account: account closed" in breach["about"]

    done = terminal.invoke(app, ["give-back", breach["object"], "--json"])
    assert json.loads(done.stdout) == {"id": breach["object"], "state": "REFUNDED"}
    assert terminal.invoke(app, ["doctor"]).exit_code == 0

    again = terminal.invoke(app, ["give-back", breach["object"]])
    assert (again.exit_code, "this payment is REFUNDED" in again.stderr) == (1, True)
    unknown = terminal.invoke(app, ["give-back", "trx_0000000000000000000001"])
    assert unknown.exit_code != 0


def test_a_loss_is_a_notice(terminal: CliRunner, database_dsn: str) -> None:
    """EUR 53.10 of 49 are disputed: everything holds, and 4.10 are told."""

    async def dispute() -> UUID:
        world = await opened(database_dsn)
        bank = await reversible(await bought(world))
        await bank.disputed(5310)
        await world.database.close()
        return bank.payment

    in_own_loop(dispute())

    doctor = terminal.invoke(app, ["doctor", "--json"])
    told = json.loads(doctor.stdout)
    assert (doctor.exit_code, told["breaches"]) == (0, [])
    ((rule, about),) = [(one["rule"], one["about"]) for one in told["notices"]]
    assert rule == "payment-lost"
    assert about == "410 EUR of invoice INV-1: 5310 taken back of a payment of 4900"
    shown = terminal.invoke(app, ["doctor"])
    assert (shown.exit_code, "payment-lost" in shown.stdout) == (0, True)
    assert "everything holds" in shown.stderr
