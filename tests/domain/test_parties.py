"""Seller and customer, as far as tax depends on them."""

from decimal import Decimal

from tallystick.domain.buyer import Address, BuyerDetails
from tallystick.domain.offer import OnlinePayment
from tallystick.domain.parties import Customer, InvoicingEntity
from tallystick.domain.tax import Buyer, Seller, TaxEngine, TaxRate
from tests.domain.purchases import CUSTOMER, TYPED
from tests.domain.samples import named


def test_the_seller_is_taxed_at_its_address() -> None:
    """Country, region, engine and threshold."""
    entity = InvoicingEntity(
        id=named("entity"),
        legal_name="Seller",
        address=Address(country="ES", state="CN"),
        tax_engine=TaxEngine.EU_VAT,
        below_vat_threshold=True,
    )
    assert entity.tax_seller == Seller(
        engine=TaxEngine.EU_VAT, country="ES", region="CN", below_threshold=True
    )


def test_an_entity_begins_without_an_engine_of_its_own() -> None:
    """Manual rates, any online method, paid at once, nowhere in particular."""
    entity = InvoicingEntity(id=named("entity"), legal_name="Seller")
    assert entity.tax_seller == Seller(engine=TaxEngine.MANUAL, country=None)
    assert (entity.default_payment, entity.net_terms) == (OnlinePayment(), 0)
    assert entity.address == Address()


def test_the_buyer_is_taxed_where_it_says_on_the_page() -> None:
    """The typed address and number; exemption and own rates from the file."""
    own = (TaxRate(name="VAT", rate=Decimal("0.07"), code="R"),)
    customer = Customer(
        id=named("customer"),
        name="Buyer",
        address=Address(country="US"),
        is_tax_exempt=True,
        exemption_reason="Embassy",
        custom_taxes=own,
    )
    typed = BuyerDetails(name="Buyer", address=Address(country="ES", state="CN"))
    assert customer.tax_buyer(typed, vat_number_valid=True) == Buyer(
        country="ES",
        region="CN",
        vat_number_valid=True,
        exempt=True,
        exemption_reason="Embassy",
        custom_rates=own,
    )


def test_details_on_file() -> None:
    """What stands in the form before anybody types."""
    assert CUSTOMER.details == BuyerDetails(
        name="On file", email="file@buyer.example", address=Address(country="DE")
    )
    assert CUSTOMER.tax_buyer(TYPED, vat_number_valid=False) == Buyer(
        country="DE", postal_code="10115"
    )


def test_the_details_on_file() -> None:
    """Name, email, address and VAT number, as an invoice shows them."""
    address = Address(city="Paris", country="FR")
    known = Customer(
        id=named("customer"),
        name="Globex",
        email="globex@buyer.example",
        address=address,
        vat_number="FR40303265045",
    )
    assert known.details == BuyerDetails(
        name="Globex",
        email="globex@buyer.example",
        address=address,
        vat_number="FR40303265045",
    )
