"""What a buyer may type, and what the sandbox charges at least."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tallystick.domain.payment import (
    MethodKind,
    MethodRefused,
)
from tallystick.providers.sandbox_calls import BankMisused
from tallystick.providers.sandbox_numbers import ACCOUNTS, CARDS
from tallystick.services.ids import new_id
from tests.providers.contract import Case, an_order
from tests.providers.sandbox_bank import SandboxBank, card, debit

ROOT = Path(__file__).parents[2]


async def _faults(
    bank: SandboxBank, kind: MethodKind, fields: Mapping[str, str]
) -> set[tuple[str, str]]:
    with pytest.raises(MethodRefused) as refusal:
        await bank.sandbox.collect(new_id(), new_id(), kind, fields)
    return {(fault.field, fault.code) for fault in refusal.value.faults}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"card_number": " "}, "required"),
        ({"card_number": "4242 4242 4242 4241"}, "invalid_number"),
        ({"card_number": "4242"}, "invalid_number"),
        ({"card_number": "card"}, "invalid_number"),
        ({"card_number": "\u0664" * 16}, "invalid_number"),
        ({"card_number": "4111 1111 1111 1111"}, "not_a_test_number"),
        ({"card_expiry": ""}, "required"),
        ({"card_expiry": "13/30"}, "invalid_expiry"),
        ({"card_expiry": "2030-01"}, "invalid_expiry"),
        ({"card_expiry": "12/1999"}, "invalid_expiry"),
        ({"card_expiry": "01/20"}, "expired"),
        ({"card_expiry": "12 / 2020"}, "expired"),
        ({"card_cvc": ""}, "required"),
        ({"card_cvc": "12"}, "invalid_cvc"),
        ({"card_cvc": "1234"}, "invalid_cvc"),
        ({"card_cvc": "12a"}, "invalid_cvc"),
    ],
)
async def test_a_wrong_card_field_is_named(
    bank: SandboxBank, changed: dict[str, str], code: str
) -> None:
    """The one field at fault is named, with a code that a page can translate."""
    fields = {**card("4242424242424242"), **changed}

    assert await _faults(bank, MethodKind.CARD, fields) == {(next(iter(changed)), code)}


@pytest.mark.parametrize(
    ("iban", "code"),
    [
        ("", "required"),
        ("DE89370400440532013001", "invalid_iban"),
        ("DE8937", "invalid_iban"),
        ("not an iban at all", "invalid_iban"),
        ("GB82 WEST 1234 5698 7654 32", "not_a_test_iban"),
    ],
)
async def test_a_wrong_iban_is_named(bank: SandboxBank, iban: str, code: str) -> None:
    """A typing error is told apart from an account that is not the sandbox's."""
    assert await _faults(bank, MethodKind.DIRECT_DEBIT, debit(iban)) == {("iban", code)}


async def test_every_fault_is_named_at_once(bank: SandboxBank) -> None:
    """An empty form has a fault for each of its fields."""
    assert await _faults(bank, MethodKind.CARD, {}) == {
        ("card_number", "required"),
        ("card_expiry", "required"),
        ("card_cvc", "required"),
    }


async def test_a_refused_number_says_where_to_find_others_and_is_not_repeated(
    bank: SandboxBank,
) -> None:
    """A real number typed by mistake appears in no message."""
    with pytest.raises(MethodRefused) as refusal:
        await bank.sandbox.collect(
            new_id(), new_id(), MethodKind.CARD, card("4111111111111111")
        )

    assert "docs/sandbox.md" in str(refusal.value)
    assert "4111" not in str(refusal.value)


async def test_numbers_may_be_typed_in_groups(bank: SandboxBank) -> None:
    """Spaces and dashes in a number, and small letters in an IBAN, are the buyer's own."""
    typed = {**card("4242 4242-4242\u00a04242"), "card_expiry": "3/34", "card_name": "J. Roe"}
    by_card = await bank.sandbox.collect(new_id(), new_id(), MethodKind.CARD, typed)
    by_debit = await bank.sandbox.collect(
        new_id(), new_id(), MethodKind.DIRECT_DEBIT, debit("de89 3704 0044 0532 0130 00")
    )

    assert (by_card.card_brand, by_card.card_last4) == ("visa", "4242")
    assert by_card.card_expiry == "03/2034"
    assert by_debit.account_hint == "3000"


async def test_a_card_is_good_to_the_end_of_its_month(bank: SandboxBank) -> None:
    """The month that real time is in is not in the past; the one before is."""
    async with bank.db.connection() as connection:
        now = await connection.fetchval("select now()")
    this_month = {**card("4242424242424242"), "card_expiry": f"{now.month:02}/{now.year}"}
    year, month = (now.year, now.month - 1) if now.month > 1 else (now.year - 1, 12)
    last_month = {**card("4242424242424242"), "card_expiry": f"{month:02}/{year}"}

    collected = await bank.sandbox.collect(new_id(), new_id(), MethodKind.CARD, this_month)
    assert collected.card_expiry == this_month["card_expiry"]
    assert await _faults(bank, MethodKind.CARD, last_month) == {("card_expiry", "expired")}


@pytest.mark.parametrize(
    ("currency", "least"), [("EUR", 50), ("USD", 50), ("JPY", 50), ("KWD", 500)]
)
async def test_the_least_that_can_be_charged(
    bank: SandboxBank, currency: str, least: int
) -> None:
    """EUR 0.50, JPY 50 and KWD 0.500 can be charged; one minor unit less cannot."""
    assert bank.sandbox.chargeable(least, currency)
    assert not bank.sandbox.chargeable(least - 1, currency)

    order = replace(await an_order(bank, Case.GOOD_CARD), amount=least - 1, currency=currency)
    with pytest.raises(BankMisused):
        await bank.sandbox.open(order)


def test_every_number_is_published() -> None:
    """The documentation lists each number that the sandbox accepts."""
    page = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8").replace(" ", "")

    assert [number for number in (*CARDS, *ACCOUNTS) if f"|{number}|" not in page] == []
