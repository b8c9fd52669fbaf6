"""The published test numbers, and how the test bank reads what a buyer typed.

Only these numbers are accepted, so that nobody's real card or account can end up in a test
bank. A number is looked at here and forgotten: what leaves this module is the brand, the last
four digits and the behaviour. `docs/sandbox.md` holds the same table for people.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tallystick.db.sandbox_bank import Behaviour
from tallystick.domain.errors import Fault
from tallystick.domain.payment import MethodRefused

CARDS: Mapping[str, tuple[str, Behaviour]] = MappingProxyType(
    {
        "4242424242424242": ("visa", Behaviour.SUCCEEDS),
        "5555555555554444": ("mastercard", Behaviour.SUCCEEDS),
        "4000000000000002": ("visa", Behaviour.DECLINES),
        "4000000000009995": ("visa", Behaviour.LACKS_FUNDS),
        "4000000000000069": ("visa", Behaviour.EXPIRED),
        "4000002500003155": ("visa", Behaviour.ASKS),
        "4000000000000341": ("visa", Behaviour.FAILS_WHEN_CHARGED),
        "4000000000009987": ("visa", Behaviour.LOSES_QUESTION),
        "4000000000009979": ("visa", Behaviour.LOSES_ANSWER),
    }
)
"""Card number -> brand and behaviour."""

ACCOUNTS: Mapping[str, Behaviour] = MappingProxyType(
    {
        "DE89370400440532013000": Behaviour.SETTLES_LATER,
        "DE62370400440532013001": Behaviour.FAILS_LATER,
    }
)
"""IBAN -> behaviour."""

_CARD_NUMBER = re.compile(r"[0-9]{12,19}")
_EXPIRY = re.compile(r"(0?[1-9]|1[0-2]) ?/ ?(?:20)?([0-9]{2})")
_CVC = re.compile(r"[0-9]{3}")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_SEPARATORS = str.maketrans("", "", " -\u00a0")

_TYPED_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedCard:
    """What remains of a typed card; `expiry` is written 12/2034."""

    brand: str
    last4: str
    expiry: str
    behaviour: Behaviour


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedAccount:
    """What remains of a typed account: the last four digits of its IBAN."""

    hint: str
    behaviour: Behaviour


def read_card(fields: Mapping[str, str], month_now: tuple[int, int]) -> TypedCard:
    """Read `card_number`, `card_expiry` (MM/YY or MM / YYYY) and `card_cvc`.

    `card_name` may be typed and is not looked at. `month_now` is the year and month of real
    time: a card is good until the end of the month it names. Raises `MethodRefused` with a
    fault for each field at fault.
    """
    faults: list[Fault] = []
    number = _typed(fields, "card_number").translate(_SEPARATORS)
    found = _known_card(number, faults)
    expiry = _expiry(_typed(fields, "card_expiry"), month_now, faults)
    cvc = _typed(fields, "card_cvc")
    if not cvc:
        faults.append(Fault("card_cvc", "required", "type the card's security code"))
    elif not _CVC.fullmatch(cvc):
        faults.append(Fault("card_cvc", "invalid_cvc", "the security code has three digits"))
    if faults or found is None or expiry is None:
        raise MethodRefused(tuple(faults))
    brand, behaviour = found
    return TypedCard(brand=brand, last4=number[-4:], expiry=expiry, behaviour=behaviour)


def read_account(fields: Mapping[str, str]) -> TypedAccount:
    """Read `account_holder` and `iban`; raises `MethodRefused` with a fault for each field."""
    faults: list[Fault] = []
    if not _typed(fields, "account_holder"):
        faults.append(
            Fault("account_holder", "required", "type the name of the account's holder")
        )
    iban = _typed(fields, "iban").translate(_SEPARATORS).upper()
    behaviour = ACCOUNTS.get(iban)
    if not iban:
        faults.append(Fault("iban", "required", "type the account's IBAN"))
    elif not _IBAN.fullmatch(iban) or not _has_iban_check_digits(iban):
        faults.append(Fault("iban", "invalid_iban", "this is not a valid IBAN"))
    elif behaviour is None:
        faults.append(
            Fault(
                "iban",
                "not_a_test_iban",
                "no real account is accepted here; use a published test IBAN, such as "
                "DE89 3704 0044 0532 0130 00 (all of them are listed in docs/sandbox.md)",
            )
        )
    if faults or behaviour is None:
        raise MethodRefused(tuple(faults))
    return TypedAccount(hint=iban[-4:], behaviour=behaviour)


def _typed(fields: Mapping[str, str], name: str) -> str:
    return fields.get(name, "")[:_TYPED_LENGTH_MAX].strip()


def _known_card(number: str, faults: list[Fault]) -> tuple[str, Behaviour] | None:
    found = CARDS.get(number)
    if not number:
        faults.append(Fault("card_number", "required", "type the card's number"))
    elif not _CARD_NUMBER.fullmatch(number) or not _has_luhn_digit(number):
        faults.append(Fault("card_number", "invalid_number", "this is not a card number"))
    elif found is None:
        faults.append(
            Fault(
                "card_number",
                "not_a_test_number",
                "no real card is accepted here; use a published test number, such as "
                "4242 4242 4242 4242 (all of them are listed in docs/sandbox.md)",
            )
        )
    return found


def _expiry(typed: str, month_now: tuple[int, int], faults: list[Fault]) -> str | None:
    if not typed:
        faults.append(Fault("card_expiry", "required", "type the card's expiry date"))
        return None
    match = _EXPIRY.fullmatch(typed)
    if match is None:
        faults.append(Fault("card_expiry", "invalid_expiry", "write the date as MM/YY"))
        return None
    month, year = int(match[1]), 2000 + int(match[2])
    if (year, month) < month_now:
        faults.append(Fault("card_expiry", "expired", "this card has expired"))
        return None
    return f"{month:02}/{year}"


def _has_luhn_digit(number: str) -> bool:
    """Whether the last digit is the Luhn check digit of the others (ISO/IEC 7812-1)."""
    digits = [int(digit) for digit in reversed(number)]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _has_iban_check_digits(iban: str) -> bool:
    """Whether the IBAN, its first four characters moved to the end, is 1 modulo 97."""
    moved = iban[4:] + iban[:4]
    return int("".join(str(int(character, 36)) for character in moved)) % 97 == 1
