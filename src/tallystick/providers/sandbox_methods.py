"""Methods as the test bank makes them of what a buyer typed."""

import secrets
from collections.abc import Mapping

from tallystick.db.sandbox_bank import BankMethod
from tallystick.domain.payment import Method, MethodKind
from tallystick.providers.sandbox_numbers import read_account, read_card

_RANDOM_BYTES = 24


def typed_method(
    kind: MethodKind, fields: Mapping[str, str], month_now: tuple[int, int], mandate: str
) -> BankMethod:
    """The method that a buyer typed, as the bank keeps it; raises `MethodRefused`."""
    match kind:
        case MethodKind.CARD:
            card = read_card(fields, month_now)
            return BankMethod(
                token=secret("sbx_card"),
                kind=kind,
                behaviour=card.behaviour,
                card_brand=card.brand,
                card_last4=card.last4,
                card_expiry=card.expiry,
            )
        case MethodKind.DIRECT_DEBIT:
            account = read_account(fields)
            return BankMethod(
                token=secret("sbx_debit"),
                kind=kind,
                behaviour=account.behaviour,
                account_hint=account.hint,
                mandate_reference=mandate,
            )


def as_method(provider: str, kept: BankMethod) -> Method:
    """A kept method as the port tells of it."""
    return Method(
        provider=provider,
        token=kept.token,
        kind=MethodKind(kept.kind),
        card_brand=kept.card_brand,
        card_last4=kept.card_last4,
        card_expiry=kept.card_expiry,
        account_hint=kept.account_hint,
        mandate_reference=kept.mandate_reference,
    )


def secret(prefix: str) -> str:
    """A name that nobody can guess: 192 random bits."""
    return f"{prefix}_{secrets.token_urlsafe(_RANDOM_BYTES)}"
