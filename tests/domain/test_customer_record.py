"""What cannot be about a customer, field by field, and what it is called."""

from decimal import Decimal

import pytest

from tallystick.domain.buyer import Address
from tallystick.domain.customer_record import (
    CustomerFields,
    CustomerType,
    CustomTax,
    customer_faults,
    full_name,
)
from tallystick.domain.ids import Prefix, encode
from tests.domain.samples import named

FRANCE = Address(country="FR")


def company(**changes: object) -> CustomerFields:
    """A company."""
    return CustomerFields(currency="EUR", **{"name": "Globex", **changes})  # type: ignore[arg-type]


def person(**changes: object) -> CustomerFields:
    """A person in France."""
    plain = {
        "customer_type": CustomerType.INDIVIDUAL,
        "first_name": "Ada",
        "last_name": "Byron",
        "billing_address": FRANCE,
    }
    return CustomerFields(currency="EUR", **{**plain, **changes})  # type: ignore[arg-type]


def found(customer: CustomerFields) -> list[tuple[str, str]]:
    """Its faults: fields and codes."""
    return [(one.field, one.code) for one in customer_faults(customer)]


def test_a_company_has_a_name_and_a_person_two() -> None:
    """A person also has a country, for its tax; neither needs what the other one has."""
    assert found(company()) == found(person()) == []
    assert found(company(name="")) == [("name", "required")]
    assert found(person(name="", first_name=None)) == [("first_name", "required")]
    assert found(person(last_name="")) == [("last_name", "required")]
    country = [("billing_address.country", "required")]
    assert found(person(billing_address=None)) == country
    assert found(person(billing_address=Address(city="Paris"))) == country
    assert found(person(first_name="", last_name=None, billing_address=None)) == [
        ("first_name", "required"),
        ("last_name", "required"),
        *country,
    ]


def test_what_a_customer_is_called() -> None:
    """A company by its name, a person by what it has of two."""
    assert full_name(company(first_name="Ada")) == "Globex"
    assert full_name(person(name="Globex")) == "Ada Byron"
    assert full_name(person(last_name=None)) == "Ada"
    assert full_name(person(first_name="")) == "Byron"


def test_an_alias_is_no_id() -> None:
    """Of a customer; whatever else it looks like."""
    assert found(company(alias="globex")) == []
    alias = encode(Prefix.CUSTOMER, named("customer"))
    assert found(company(alias=alias)) == [("alias", "malformed")]


@pytest.mark.parametrize(
    ("locales", "is_fine"),
    [
        ((), True),
        (("fr",), True),
        (("de-AT",), True),
        (("ES_mx",), True),
        (("nl", "en"), True),
        (("nl",), False),
        (("nl-en", "it_fr"), False),
    ],
)
def test_one_language_is_spoken(locales: tuple[str, ...], is_fine: bool) -> None:
    """Whatever its region, however it is written."""
    fault = [] if is_fine else [("preferred_locales", "unsupported")]
    assert found(company(preferred_locales=locales)) == fault


@pytest.mark.parametrize(
    ("rates", "is_fine"),
    [((), True), (("0.5", "0.499"), True), (("0.5", "0.5"), False), (("1.5",), False)],
)
def test_taxes_are_less_than_all(rates: tuple[str, ...], is_fine: bool) -> None:
    """Together below 1: prices that include them have to leave something."""
    taxes = tuple(CustomTax(name="Tax", rate=Decimal(rate), tax_code="T") for rate in rates)
    fault = [] if is_fine else [("custom_taxes", "out_of_range")]
    assert found(company(custom_taxes=taxes)) == fault


def test_all_faults_at_once() -> None:
    """Of every part of it."""
    alias = encode(Prefix.CUSTOMER, named("customer"))
    taxes = (CustomTax(name="Tax", rate=Decimal(1), tax_code="T"),)
    wrong = company(name="", alias=alias, preferred_locales=("nl",), custom_taxes=taxes)
    assert [field for field, _ in found(wrong)] == [
        "name",
        "alias",
        "preferred_locales",
        "custom_taxes",
    ]
