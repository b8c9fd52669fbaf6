"""How and when money moves: terms, drafts, charging, and the three configurations."""

from datetime import date

import pytest
from meteroid import models as m

from tallystick.domain.ids import Prefix
from tests.http.purchase.market import Json, Market, id_of

IBAN = "DE89370400440532013000"
ONLINE: Json = {"type": "online"}
TRANSFER: Json = {"type": "bank_transfer"}
EXTERNAL: Json = {"type": "external"}


@pytest.fixture(scope="module")
def account(market: Market) -> str:
    """The id of a bank account of the tenant's entity."""
    body = {"bank_accounts": [{"holder": "Acme", "iban": IBAN, "currency": "EUR"}]}
    answer = market.raw.patch(market.entity_path, json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["bank_accounts"][0]["id"])


def test_net_terms(market: Market) -> None:
    """The invoice is due so many days after its date."""
    session = market.offer(net_terms=14)
    bought = market.buy(session)

    assert session.net_terms == bought.subscription.net_terms == 14
    assert bought.invoice.net_terms == 14
    assert (bought.invoice.invoice_date, bought.invoice.due_date) == (
        date(2026, 3, 10),
        date(2026, 3, 24),
    )


@pytest.mark.parametrize(
    ("plan", "sent", "days"), [("Terms", None, 30), ("Terms", 0, 0), ("Starter", None, 0)]
)
def test_net_terms_left_out(market: Market, plan: str, sent: int | None, days: int) -> None:
    """Left out or null, they are the plan's, else the entity's; zero is zero."""
    session = market.offer(plan, net_terms=sent)

    assert session.net_terms == days


def test_online(market: Market) -> None:
    """Online: card and debit are offered, the card is charged, saved, and charged later too."""
    session = market.offer(payment_methods_config=m.OnlinePaymentMethodConfig())
    bought = market.buy(session)

    assert market.session(session.id)["payment_methods_config"] == {
        "type": "online",
        "config": {"card": {"enabled": True}, "direct_debit": {"enabled": True}},
    }
    assert isinstance(bought.subscription.payment_methods_config, m.OnlinePaymentMethodConfig)
    assert bought.subscription.charge_automatically
    assert bought.wire["payment_method_id"] is not None
    (payment,) = bought.invoice.transactions
    assert (payment.amount, payment.status) == (4900, "SETTLED")
    assert payment.payment_method_info is not None
    assert payment.payment_method_info.card_last4 == "4242"


def test_online_without_cards(market: Market) -> None:
    """A way to pay that is switched off is not offered; the debit settles later."""
    config = m.OnlinePaymentMethodConfig(
        config=m.OnlineMethodsConfig(card=m.OnlineMethodConfig(enabled=False))
    )
    session = market.offer(payment_methods_config=config)
    with market.page(session) as browser:
        shown = browser.open()
    bought = market.buy(session, method="DIRECT_DEBIT", iban=IBAN, account_holder="Dana Globex")

    assert "card_number" not in shown.read.ids
    assert "iban" in shown.read.ids
    assert bought.subscription.status == "ACTIVE"
    assert (bought.invoice.status, bought.invoice.payment_status) == (
        "FINALIZED",
        "PROCESSING",
    )
    (payment,) = bought.invoice.transactions
    assert payment.status == "PENDING"
    assert payment.payment_method_info is not None
    assert payment.payment_method_info.payment_method_type == "BANK_TRANSFER"
    assert payment.payment_method_info.account_number_hint == "3000"


def test_bank_transfer(market: Market, account: str) -> None:
    """Bank transfer: the named account is shown, the invoice is open, nothing is charged."""
    before = market.charges()
    session = market.offer(
        payment_methods_config=m.BankTransferPaymentMethodConfig(account_id=account),
        net_terms=14,
    )
    with market.page(session) as browser:
        shown = browser.open()
    bought = market.buy(session)

    assert "DE89 3704 0044 0532 0130 00" in shown.text
    assert market.session(session.id)["payment_methods_config"] == {
        "type": "bank_transfer",
        "account_id": account,
    }
    assert (bought.invoice.status, bought.invoice.payment_status) == ("FINALIZED", "UNPAID")
    assert (bought.invoice.amount_due, bought.invoice.transactions) == (4900, [])
    assert bought.invoice.due_date == date(2026, 3, 24)
    assert bought.subscription.status == "ACTIVE"
    assert not bought.subscription.charge_automatically
    assert bought.wire["payment_method_id"] is None
    assert market.charges() == before


def test_external(market: Market) -> None:
    """External: the order is confirmed, the invoice is open, nothing is asked."""
    session = market.offer(payment_methods_config=m.ExternalPaymentMethodConfig())
    with market.page(session) as browser:
        shown = browser.open()
    bought = market.buy(session)

    assert "card_number" not in shown.read.ids
    assert (bought.invoice.amount_due, bought.invoice.payment_status) == (4900, "UNPAID")
    assert isinstance(bought.subscription.payment_methods_config, m.ExternalPaymentMethodConfig)


def test_the_entitys_own_configuration(rival: Market) -> None:
    """Left out or null, the configuration is the invoicing entity's."""
    body = {"default_payment_methods_config": EXTERNAL}
    assert rival.raw.patch(rival.entity_path, json=body).status_code == 200
    left_out: list[Json] = [{}, {"payment_methods_config": None}]
    for fields in left_out:
        session = rival.create(**fields).json()["session"]
        assert session["payment_methods_config"] == EXTERNAL
        assert session["charge_automatically"] is False
    online = rival.create(payment_methods_config=ONLINE).json()["session"]
    assert online["charge_automatically"] is True


def test_drafts(market: Market, account: str) -> None:
    """`auto_advance_invoices: false`: an invoice that is not paid here stays a draft."""
    session = market.offer(
        payment_methods_config=m.BankTransferPaymentMethodConfig(account_id=account),
        auto_advance_invoices=False,
    )
    bought = market.buy(session)

    assert market.session(session.id)["auto_advance_invoices"] is False
    assert not bought.subscription.auto_advance_invoices
    assert (bought.invoice.status, bought.invoice.invoice_number) == ("DRAFT", "draft")
    assert (bought.invoice.finalized_at, bought.invoice.total) == (None, 4900)


def test_a_paid_invoice_is_no_draft(market: Market) -> None:
    """The invoice that is paid at the checkout is finalized, whatever the flag says."""
    bought = market.bought(auto_advance_invoices=False)

    assert (bought.invoice.status, bought.invoice.payment_status) == ("FINALIZED", "PAID")
    assert not bought.subscription.auto_advance_invoices


def test_not_charged_automatically(market: Market) -> None:
    """`charge_automatically: false`: this payment is taken, and the method is not kept."""
    session = market.offer(charge_automatically=False)
    bought = market.buy(session)

    assert market.session(session.id)["charge_automatically"] is False
    assert not bought.subscription.charge_automatically
    assert bought.invoice.payment_status == "PAID"
    assert bought.wire["payment_method_id"] is None
    (payment,) = bought.invoice.transactions
    assert payment.payment_method_id is None
    saved = market.value(
        "select count(*) from payment_methods where tenant_id = $1 and customer_id = "
        "(select customer_id from subscriptions where tenant_id = $1 "
        " order by created_at desc, id desc limit 1)",
        market.tenant.tenant_id,
    )
    assert saved == 0


@pytest.mark.parametrize("config", [TRANSFER, EXTERNAL])
def test_only_online_payments_are_charged(market: Market, account: str, config: Json) -> None:
    """An explicit true beside bank transfer or external is a contradiction."""
    del account
    answer = market.create(payment_methods_config=config, charge_automatically=True)

    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [
        ("charge_automatically", "contradiction")
    ]


def test_a_method_that_cannot_work(market: Market, rival: Market, account: str) -> None:
    """A configuration of which nothing can work is refused, with the way out."""
    nothing = {"card": {"enabled": False}, "direct_debit": {"enabled": False}}
    rival_account = rival.raw.patch(
        rival.entity_path,
        json={"bank_accounts": [{"holder": "Rival", "iban": IBAN}]},
    ).json()["bank_accounts"][0]["id"]
    rival.raw.patch(rival.entity_path, json={"bank_accounts": []})

    def refused(shop: Market, config: Json) -> list[tuple[str, str]]:
        answer = shop.create(payment_methods_config=config)
        assert answer.status_code == 400
        return [(e["field"], e["code"]) for e in answer.json()["errors"]]

    assert refused(market, {"type": "online", "config": nothing}) == [
        ("payment_methods_config", "unusable")
    ]
    assert refused(rival, TRANSFER) == [("payment_methods_config", "unusable")]
    for unknown in (rival_account, id_of(Prefix.BANK_ACCOUNT)):
        assert refused(market, {**TRANSFER, "account_id": unknown}) == [
            ("payment_methods_config.account_id", "unknown")
        ]
    assert refused(market, {"type": "cheque"}) == [
        ("payment_methods_config.type", "unknown_value")
    ]
    assert account


def test_a_plan_in_dollars_has_no_debit(market: Market) -> None:
    """SEPA debits are in euro: a plan in dollars is paid by card, or refused without one."""
    market.plan("Dollars", currency="USD")
    session = market.create("Dollars").json()["session"]
    refused = market.create(
        "Dollars",
        payment_methods_config={"type": "online", "config": {"card": {"enabled": False}}},
    )

    assert session["currency"] == "USD"
    assert session["payment_methods_config"]["config"] == {
        "card": {"enabled": True},
        "direct_debit": {"enabled": False},
    }
    assert [e["code"] for e in refused.json()["errors"]] == ["unusable"]
