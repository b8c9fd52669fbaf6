"""Where the money goes that an invoice asks for, and what a change is called on it."""

from dataclasses import replace

import pytest

from tallystick.domain.offer import (
    BankTransfer,
    ExternalPayment,
    OnlinePayment,
    PaymentConfig,
)
from tests.documents.papers import ENTITY, document, monthly
from tests.documents.reading import text_of
from tests.documents.stories import stories


def test_where_to_transfer_to() -> None:
    """Holder, bank, IBAN in groups, BIC, and the number as the reference: while it is owed."""
    text = text_of(stories()["mixed"], "en-GB")
    paid = document([monthly("Pro", "49")], paid=True, payment=BankTransfer())

    for said in (
        "Please transfer the amount due to",
        "Account holder Acme Cloud SAS",
        "IBAN FR76 3000 6000 0112 3456 7890 189",
        "BIC AGRIFRPP",
        "Reference INV-2026-42",
        "Payable by 31 March 2026",
    ):
        assert said in text
    assert "IBAN" not in text_of(paid, "en-GB")
    assert "IBAN" not in text_of(stories()["long"], "en-GB")


def test_an_account_that_is_gone_is_replaced() -> None:
    """Who sold its account has a first one left; who has none names none."""
    unknown = BankTransfer(account_id=ENTITY.id)
    gone = document([monthly("Pro", "49")], payment=unknown)
    bare = document(
        [monthly("Pro", "49")], payment=unknown, entity=replace(ENTITY, bank_accounts=())
    )

    assert "IBAN FR76" in text_of(gone, "en-GB")
    assert "IBAN" not in text_of(bare, "en-GB")


@pytest.mark.parametrize(
    ("payment", "charged", "is_told"),
    [
        (OnlinePayment(), True, False),
        (OnlinePayment(), False, True),
        (ExternalPayment(), False, False),
        (BankTransfer(), False, True),
    ],
)
def test_who_is_told_where_to_transfer_to(
    payment: PaymentConfig, *, charged: bool, is_told: bool
) -> None:
    """Whoever is charged nothing by itself, unless it is settled elsewhere."""
    made = document([monthly("Pro", "49")], payment=payment, charged=charged)

    assert ("IBAN" in text_of(made, "en-GB")) is is_told


@pytest.mark.parametrize(
    ("locale", "name"),
    [
        ("en-GB", "Pro (prorated)"),
        ("fr-FR", "Pro (au prorata)"),
        ("de-DE", "Pro (anteilig)"),
        ("es-ES", "Pro (prorrateado)"),
    ],
)
def test_what_a_line_is_of_a_change(locale: str, name: str) -> None:
    """What a change added to a name is said in the customer's language, too."""
    made = document([monthly("Pro (prorated)", "49"), monthly("Plus (beta)", "9")])

    text = text_of(made, locale)
    assert name in text
    assert "Plus (beta)" in text
