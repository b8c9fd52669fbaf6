"""What an operator does to connect an entity to Stripe, from the command line."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tallystick.cli import app
from tallystick.db.engine import Database
from tests.database import in_own_loop
from tests.stripe.account import Account
from tests.stripe.fixtures import merchant, twin, wires
from tests.stripe.twin import Twin

__all__ = ["merchant", "twin", "wires"]

Tallystick = Callable[..., Result]
KEY = base64.urlsafe_b64encode(bytes(32)).decode()
NEW_KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()


@pytest.fixture
def tallystick(
    database_dsn: str, twin: Twin, merchant: Account, monkeypatch: pytest.MonkeyPatch
) -> Tallystick:
    """Runs a command where the merchant's keys are in the environment."""
    for name, value in {
        "DATABASE_URL": database_dsn,
        "COLUMNS": "300",
        "TALLYSTICK_ENCRYPTION_KEYS": KEY,
        "TALLYSTICK_STRIPE_API_BASE": twin.api_base,
        "TALLYSTICK_PUBLIC_URL": "https://pay.acme.example",
        "STRIPE_SECRET_KEY": merchant.secret_key,
        "STRIPE_PUBLISHABLE_KEY": merchant.publishable_key,
    }.items():
        monkeypatch.setenv(name, value)
    run: Tallystick = lambda *words: CliRunner().invoke(app, list(words))  # noqa: E731
    assert run("tenant", "create", "Acme", "--currency", "EUR").exit_code == 0
    return run


def told(result: Result) -> Any:  # noqa: ANN401 - as JSON has it
    """The JSON object that a command printed."""
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_an_entity_is_connected_and_checked(tallystick: Tallystick, merchant: Account) -> None:
    """Stripe is asked, a webhook is made there, and no key is ever printed."""
    done = tallystick("provider", "connect", "stripe", "--json")
    made = told(done)

    (endpoint,) = merchant.objects["webhook_endpoint"].values()
    assert endpoint["url"] == made["webhook_url"]
    assert made["webhook_url"].startswith("https://pay.acme.example/inbound/stripe/pcon_")
    assert made["account"] == merchant.id
    listed = tallystick("provider", "show", "--json")
    (one,) = told(listed)["data"]
    assert (one["state"], one["is_live"], one["webhook_secrets"]) == ("connected", False, 1)
    checked = tallystick("provider", "check", "--json")
    assert told(checked)["missing"] == []
    for result in (done, listed, checked):
        assert merchant.secret_key not in result.output


def test_connecting_again_replaces_the_keys(tallystick: Tallystick, merchant: Account) -> None:
    """It is the same connection, and Stripe is asked for no second webhook."""
    first = told(tallystick("provider", "connect", "stripe", "--json"))
    again = told(tallystick("provider", "connect", "stripe", "--json"))

    assert again["connection_id"] == first["connection_id"]
    assert len(merchant.objects["webhook_endpoint"]) == 1


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("STRIPE_SECRET_KEY", "sk_test_unknown", "Stripe says"),
        ("STRIPE_SECRET_KEY", "nonsense", "sk_test_"),
        ("STRIPE_PUBLISHABLE_KEY", "pk_live_1", "pk_test_"),
        ("STRIPE_SECRET_KEY", "", "STRIPE_SECRET_KEY"),
        ("TALLYSTICK_ENCRYPTION_KEYS", "", "make-key"),
        ("TALLYSTICK_ENCRYPTION_KEYS", "c2hvcnQ=", "32 bytes"),
    ],
)
def test_what_cannot_be_connected(
    tallystick: Tallystick,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    sentence: str,
) -> None:
    """It says what to do, keeps nothing, and repeats no secret."""
    monkeypatch.setenv(variable, value)
    refused = tallystick("provider", "connect", "stripe", "--json")

    assert refused.exit_code != 0
    assert sentence in refused.stderr
    assert "c2hvcnQ" not in refused.output
    monkeypatch.setenv("TALLYSTICK_ENCRYPTION_KEYS", KEY)
    assert told(tallystick("provider", "show", "--json")) == {"data": []}


def test_a_publishable_key_of_another_account_is_refused(
    tallystick: Tallystick, twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are keys, and of one kind; buyers would fill in fields for somebody else."""
    monkeypatch.setenv("STRIPE_PUBLISHABLE_KEY", twin.merchant().publishable_key)
    refused = tallystick("provider", "connect", "stripe", "--json")

    assert refused.exit_code == 1
    assert "of another account than the secret key" in refused.stderr
    assert told(tallystick("provider", "show", "--json")) == {"data": []}


def test_another_account_is_refused_and_left_alone(
    tallystick: Tallystick, twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The entity stays connected to its own, and the other is told of no webhook."""
    made = told(tallystick("provider", "connect", "stripe", "--no-webhook", "--json"))
    other = twin.merchant()
    monkeypatch.setenv("STRIPE_SECRET_KEY", other.secret_key)
    monkeypatch.setenv("STRIPE_PUBLISHABLE_KEY", other.publishable_key)

    refused = tallystick("provider", "connect", "stripe", "--json")

    assert refused.exit_code == 1
    assert f"connected to the account {made['account']}" in refused.stderr
    assert not other.objects["webhook_endpoint"]


def test_debits_that_are_switched_on_later_are_offered_after_a_check(
    tallystick: Tallystick, merchant: Account
) -> None:
    """Connecting keeps what the account takes, and a check what it takes by then."""
    made = told(tallystick("provider", "connect", "stripe", "--json"))
    assert made["debits"] == ["SEPA"]
    merchant.types = ("card", "bacs_debit", "acss_debit")
    merchant.capabilities["acss_debit_payments"] = "active"

    checked = tallystick("provider", "check", "--json")
    again = tallystick("provider", "check")

    assert told(checked)["debits"] == ["BACS"]
    assert again.exit_code == 0
    assert "Pre-authorised debits (Canadian dollars)" in again.stderr
    (one,) = told(tallystick("provider", "show", "--json"))["data"]
    assert one["debits"] == ["BACS"]


def test_keys_and_secrets_are_rotated(
    tallystick: Tallystick, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new signing secret beside the old one; everything sealed again under a new key."""
    told(tallystick("provider", "connect", "stripe", "--json"))
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_next")
    assert tallystick("provider", "webhook-secret").exit_code == 0
    (one,) = told(tallystick("provider", "show", "--json"))["data"]
    assert one["webhook_secrets"] == 2

    monkeypatch.setenv("TALLYSTICK_ENCRYPTION_KEYS", NEW_KEY)
    lost = tallystick("provider", "rotate-key")
    assert lost.exit_code == 1
    assert "Nothing was changed" in lost.stderr
    monkeypatch.setenv("TALLYSTICK_ENCRYPTION_KEYS", f"{NEW_KEY},{KEY}")
    assert "3 secrets" in tallystick("provider", "rotate-key").stderr
    monkeypatch.setenv("TALLYSTICK_ENCRYPTION_KEYS", NEW_KEY)
    assert told(tallystick("provider", "check", "--json"))["missing"] == []


def test_connecting_again_after_the_sealing_key_was_lost(
    tallystick: Tallystick, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing kept can be opened: it says so, and the same connection gets everything anew."""
    first = told(tallystick("provider", "connect", "stripe", "--json"))
    monkeypatch.setenv("TALLYSTICK_ENCRYPTION_KEYS", NEW_KEY)
    closed = tallystick("provider", "check", "--json")
    assert closed.exit_code == 1
    assert "cannot be opened" in closed.stderr
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_next")
    assert "connect again" in tallystick("provider", "webhook-secret").stderr
    monkeypatch.delenv("STRIPE_WEBHOOK_SECRET")

    again = told(tallystick("provider", "connect", "stripe", "--json"))

    assert again["connection_id"] == first["connection_id"]
    assert again["hears_events"] is True
    assert told(tallystick("provider", "check", "--json"))["missing"] == []
    assert "0 secrets" in tallystick("provider", "rotate-key").stderr


def test_connecting_again_without_events_forgets_what_cannot_be_opened(
    tallystick: Tallystick, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a signing secret that nobody can read would keep the new keys from being used."""
    told(tallystick("provider", "connect", "stripe", "--json"))
    monkeypatch.setenv("TALLYSTICK_ENCRYPTION_KEYS", NEW_KEY)

    again = told(tallystick("provider", "connect", "stripe", "--no-webhook", "--json"))

    assert again["hears_events"] is False
    (one,) = told(tallystick("provider", "show", "--json"))["data"]
    assert one["webhook_secrets"] == 0


def test_disconnecting(tallystick: Tallystick) -> None:
    """It asks first, and the connection stays on the list."""
    told(tallystick("provider", "connect", "stripe", "--json"))

    assert tallystick("provider", "disconnect").exit_code == 1
    assert tallystick("provider", "disconnect", "--yes").exit_code == 0
    (one,) = told(tallystick("provider", "show", "--json"))["data"]
    assert one["state"] == "disconnected"
    assert "not connected" in tallystick("provider", "check").stderr


def test_a_new_key(tallystick: Tallystick) -> None:
    """32 random bytes, another each time."""
    keys = {tallystick("provider", "make-key").stdout.strip() for _ in range(3)}
    assert [len(base64.urlsafe_b64decode(key)) for key in keys] == [32, 32, 32]


def test_test_keys_are_refused_for_real_money(tallystick: Tallystick) -> None:
    """A live tenant says what comes next, and takes live keys only."""
    made = tallystick("tenant", "create", "Real", "--currency", "EUR", "--live", "--json")
    tenant = told(made)["tenant_id"]
    refused = tallystick("provider", "connect", "stripe", "--tenant", tenant)

    assert refused.exit_code == 1
    assert "test keys" in refused.stderr


def test_real_money_is_given_back_by_a_person_first(tallystick: Tallystick) -> None:
    """Of money that nobody knew of a live tenant is told; a test tenant gives it back."""
    policies = {}
    for kind in ((), ("--live",)):
        made = tallystick("tenant", "create", "Acme", "--currency", "EUR", *kind, "--json")
        shown = tallystick(
            *("tenant", "set", "--tenant", told(made)["tenant_id"]),
            *("--card-notice-days", "30", "--json"),
        )
        policies[kind] = told(shown)["orphan_policy"]

    assert policies == {(): "ATTACH_OR_REFUND", ("--live",): "REPORT"}


def test_up_to_when_it_is_reconciled(tallystick: Tallystick, database_dsn: str) -> None:
    """Told with why it goes no further; the doctor says the same once it is a day behind."""
    told(tallystick("provider", "connect", "stripe", "--json"))
    (one,) = told(tallystick("provider", "show", "--json"))["data"]
    assert (one["reconciled_until"], one["not_reconciled_because"]) == (None, None)
    in_own_loop(_stands_still(database_dsn))

    (one,) = told(tallystick("provider", "show", "--json"))["data"]
    assert one["reconciled_until"] == "2026-03-01T00:00:00.000Z"
    assert one["not_reconciled_because"] == "Invalid API Key provided"
    shown = tallystick("provider", "show")
    assert "2026-03-01T00:00:00.000Z" in shown.stdout
    assert "is not compared with the books: Invalid API Key provided" in shown.stderr
    doctor = tallystick("doctor", "--json")
    (breach,) = json.loads(doctor.stdout)["breaches"]
    assert (doctor.exit_code, breach["rule"]) == (1, "provider-reconciled")
    assert "2026-03-01 00:00:00+00: Invalid API Key provided" in breach["about"]


async def _stands_still(dsn: str) -> None:
    database = await Database.open(dsn)
    async with database.transaction() as tx:
        await tx.execute("set local time zone 'UTC'")
        await tx.execute(
            """
            insert into reconciled_accounts (tenant_id, provider, account, is_live,
                reconciled_until, refused_at, refusal)
            select tenant_id, provider, account, is_live, '2026-03-01', now(),
                   'Invalid API Key provided'
            from provider_connections
            """
        )
    await database.close()
