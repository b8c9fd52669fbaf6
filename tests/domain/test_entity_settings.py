"""What an invoicing entity cannot be set to, field by field; and IBANs that cannot be real."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from tallystick.domain.bank_account_numbers import compact, is_iban
from tallystick.domain.buyer import Address
from tallystick.domain.entity_settings import EntityAccount, EntitySettings, entity_faults
from tallystick.domain.offer import (
    BankTransfer,
    ExternalPayment,
    OnlinePayment,
    PaymentConfig,
)
from tallystick.domain.parties import BankAccount, InvoicingEntity
from tallystick.domain.tax import TaxEngine
from tests.domain.samples import named

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
IBAN = "DE89370400440532013000"
ACCOUNT = EntityAccount(id=named("account"), holder="Seller", iban=IBAN, bic="COBADEFFXXX")


def entity(**changes: object) -> EntitySettings:
    """An entity without a fault."""
    plain = EntitySettings(
        id=named("entity"),
        is_default=True,
        registration=None,
        legal_name="Seller SARL",
        address=Address(country="FR"),
        vat_number=None,
        creditor_identifier="DE98ZZZ09999999999",
        logo_url=None,
        brand_color=None,
        email=None,
        default_payment_config=OnlinePayment(),
        tax_engine=TaxEngine.MANUAL,
        below_vat_threshold=False,
        number_pattern="INV-{YYYY}-{number}",
        grace_period_hours=1,
        net_terms=30,
        consolidate_recurring_invoices=False,
        bank_accounts=(ACCOUNT,),
        created_at=NOON,
        updated_at=NOON,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def found(**changes: object) -> list[tuple[str, str]]:
    """The faults of an entity: fields and codes."""
    return [(one.field, one.code) for one in entity_faults(entity(**changes))]


@pytest.mark.parametrize(
    ("pattern", "is_fine"),
    [
        ("{number}", True),
        ("{YYYY}{MM}{DD}/{number}", True),
        ("INV", False),
        ("{number}-{number}", False),
        ("{YYYY}", False),
        ("{number}{YY}", False),
        ("{number}{", False),
        ("}{number}", False),
        ("{number}{}", False),
    ],
)
def test_the_pattern_of_numbers(pattern: str, is_fine: bool) -> None:
    """The number once, parts of the date, and no other braces."""
    fault = [] if is_fine else [("number_pattern", "malformed")]
    assert found(number_pattern=pattern) == fault


@pytest.mark.parametrize(
    ("config", "fault"),
    [
        (OnlinePayment(), None),
        (OnlinePayment(card=False), None),
        (OnlinePayment(direct_debit=False), None),
        (OnlinePayment(card=False, direct_debit=False), ("", "impossible")),
        (BankTransfer(), None),
        (BankTransfer(account_id=ACCOUNT.id), None),
        (BankTransfer(account_id=named("gone")), (".account_id", "unknown")),
        (ExternalPayment(), None),
    ],
)
def test_how_a_checkout_is_paid(config: PaymentConfig, fault: tuple[str, str] | None) -> None:
    """Some way must be left, and an account must be one of its own."""
    field = "default_payment_methods_config"
    expected = [] if fault is None else [(field + fault[0], fault[1])]
    assert found(default_payment_config=config) == expected


@pytest.mark.parametrize(
    ("identifier", "is_fine"),
    [
        (None, True),
        ("DE98ZZZ09999999999", True),
        ("FR72ZZZ123456", True),
        ("DE98ZZZ", False),
        ("de98ZZZ09999999999", False),
        ("DE98 ZZZ09999999999", False),
        ("", False),
    ],
)
def test_a_creditor_has_an_identifier(identifier: str | None, is_fine: bool) -> None:
    """Of the form that SEPA gives it."""
    fault = [] if is_fine else [("creditor_identifier", "malformed")]
    assert found(creditor_identifier=identifier) == fault


@pytest.mark.parametrize(
    ("account", "faults"),
    [
        ({"iban": None, "account_number": "12345"}, []),
        ({"account_number": "12345"}, []),
        ({"iban": None}, [("", "required")]),
        ({"iban": "DE89370400440532013001"}, [(".iban", "malformed")]),
        ({"bic": None}, []),
        ({"bic": "COBADEFF"}, []),
        ({"bic": "COBADEFFX"}, [(".bic", "malformed")]),
        ({"iban": None, "bic": "x"}, [("", "required"), (".bic", "malformed")]),
    ],
)
def test_an_account_can_be_paid_to(
    account: dict[str, str | None], faults: list[tuple[str, str]]
) -> None:
    """By an IBAN that can be real or by a number; each fault has the account's place."""
    wrong = replace(ACCOUNT, **account)  # type: ignore[arg-type]
    expected = [(f"bank_accounts[1]{field}", code) for field, code in faults]
    assert found(bank_accounts=(ACCOUNT, wrong)) == expected


def test_all_faults_at_once() -> None:
    """Of every part of it, in their order."""
    assert found(
        number_pattern="",
        default_payment_config=OnlinePayment(card=False, direct_debit=False),
        creditor_identifier="x",
        bank_accounts=(replace(ACCOUNT, iban=None),),
    ) == [
        ("number_pattern", "malformed"),
        ("default_payment_methods_config", "impossible"),
        ("creditor_identifier", "malformed"),
        ("bank_accounts[0]", "required"),
    ]


def test_an_iban_is_kept_without_blanks_in_capitals() -> None:
    """As it is printed, and as it is typed."""
    assert compact(" de89 3704\t0044 0532 0130 00 ") == IBAN


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (IBAN, True),
        ("GB82WEST12345698765432", True),
        ("FR1420041010050500013M02606", True),
        ("NO9386011117947", True),
        ("MT84MALT011000012345MTLCAST001S", True),
        ("DE88370400440532013000", False),
        ("DE89370400440532013009", False),
        ("DE8937040044053201300 ", False),
        ("de89370400440532013000", False),
        ("NO93860111179", False),
        ("", False),
    ],
)
def test_an_iban_has_its_form_and_its_check_digits(text: str, is_one: bool) -> None:
    """The examples of its registry; one digit else is another number."""
    assert is_iban(text) is is_one


def test_the_account_of_a_transfer() -> None:
    """The one that is named, the first where none is, none where it is gone."""
    first, second = (BankAccount(id=UUID(int=number), holder="Seller") for number in (1, 2))
    seller = InvoicingEntity(
        id=named("entity"), legal_name="Seller", bank_accounts=(first, second)
    )
    assert seller.account(second.id) is second
    assert seller.account(None) is first
    assert seller.account(named("gone")) is None
