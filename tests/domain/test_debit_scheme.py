"""Which scheme debits a currency, and when none does."""

import pytest

from tallystick.domain.debit_scheme import DebitScheme, scheme_for
from tallystick.domain.method_setup import kinds_to_add
from tallystick.domain.offer import OnlinePayment
from tallystick.domain.payment import MethodKind

EVERY = frozenset(DebitScheme)
CREDITOR = "DE98ZZZ09999999999"


@pytest.mark.parametrize(
    ("currency", "creditor", "scheme"),
    [
        ("EUR", CREDITOR, DebitScheme.SEPA),
        ("EUR", None, None),
        ("GBP", None, DebitScheme.BACS),
        ("GBP", CREDITOR, DebitScheme.BACS),
        ("AUD", None, DebitScheme.BECS),
        ("USD", CREDITOR, None),
        ("CAD", CREDITOR, None),
    ],
)
def test_a_currency_has_one_scheme_or_none(
    currency: str, creditor: str | None, scheme: DebitScheme | None
) -> None:
    """Only a SEPA mandate needs the creditor's number; dollars of America are not debited."""
    assert scheme_for(currency, creditor, EVERY) is scheme
    if scheme is not None:
        assert scheme_for(currency, creditor, EVERY - {scheme}) is None


@pytest.mark.parametrize(
    ("currency", "kinds"),
    [
        ("EUR", (MethodKind.CARD,)),
        ("GBP", (MethodKind.CARD, MethodKind.DIRECT_DEBIT)),
        ("AUD", (MethodKind.CARD,)),
    ],
)
def test_a_customer_adds_what_the_provider_collects(
    currency: str, kinds: tuple[MethodKind, ...]
) -> None:
    """An account at Bacs where the provider takes Bacs alone."""
    debits = frozenset({DebitScheme.BACS})
    assert kinds_to_add(OnlinePayment(), CREDITOR, currency, debits) == kinds
