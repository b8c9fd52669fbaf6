"""Seller and customer, as far as pricing, taxing and invoicing depend on them."""

from dataclasses import dataclass
from uuid import UUID

from tallystick.domain.buyer import NO_ADDRESS, Address, BuyerDetails
from tallystick.domain.offer import OnlinePayment, PaymentConfig
from tallystick.domain.tax import Buyer, Seller, TaxEngine, TaxRate

_ANY_ONLINE = OnlinePayment()


@dataclass(frozen=True, slots=True, kw_only=True)
class BankAccount:
    """Where a bank transfer goes."""

    id: UUID
    holder: str
    iban: str | None = None
    bic: str | None = None
    bank_name: str | None = None
    account_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicingEntity:
    """The legal entity that sells, with what it decides where plan and request are silent."""

    id: UUID
    legal_name: str
    address: Address = NO_ADDRESS
    vat_number: str | None = None
    creditor_identifier: str | None = None
    logo_url: str | None = None
    brand_color: str | None = None
    email: str | None = None
    registration: str | None = None
    tax_engine: TaxEngine = TaxEngine.MANUAL
    below_vat_threshold: bool = False
    net_terms: int = 0
    number_pattern: str = "INV-{number}"
    default_payment: PaymentConfig = _ANY_ONLINE
    bank_accounts: tuple[BankAccount, ...] = ()

    def account(self, account_id: UUID | None) -> BankAccount | None:
        """The bank account of an id, the first one where none is named; None if it is gone."""
        for account in self.bank_accounts:
            if account_id in {None, account.id}:
                return account
        return None

    @property
    def tax_seller(self) -> Seller:
        """What tax depends on of the seller."""
        return Seller(
            engine=self.tax_engine,
            country=self.address.country,
            region=self.address.state,
            below_threshold=self.below_vat_threshold,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Who buys; `locales` are preferred languages, best first."""

    id: UUID
    name: str
    alias: str | None = None
    email: str | None = None
    address: Address = NO_ADDRESS
    vat_number: str | None = None
    is_tax_exempt: bool = False
    exemption_reason: str | None = None
    custom_taxes: tuple[TaxRate, ...] = ()
    locales: tuple[str, ...] = ()
    is_archived: bool = False

    @property
    def details(self) -> BuyerDetails:
        """The billing details on file."""
        return BuyerDetails(
            name=self.name,
            email=self.email,
            address=self.address,
            vat_number=self.vat_number,
        )

    def tax_buyer(self, details: BuyerDetails, *, vat_number_valid: bool) -> Buyer:
        """What tax depends on of the buyer, with the billing details as typed."""
        return Buyer(
            country=details.address.country,
            region=details.address.state,
            postal_code=details.address.zip_code,
            vat_number_valid=vat_number_valid,
            exempt=self.is_tax_exempt,
            exemption_reason=self.exemption_reason,
            custom_rates=self.custom_taxes,
        )
