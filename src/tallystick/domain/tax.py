"""Tax: which rates a line bears and why, and what they come to.

One line is decided by the first rule that has something to say: no tax engine; customer exempt,
or reverse charge; the product's own rates; the customer's own rates; the engine for the
European Union's VAT; nothing. Whether a VAT number is valid is a fact handed in.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import assert_never

from tallystick.domain.countries import COUNTRIES
from tallystick.domain.money import rounded_ratio
from tallystick.domain.vat_rates import VatRates, member_state, rates_on
from tallystick.domain.vat_territories import territory_of

REVERSE_CHARGE_NOTE = (
    "Reverse charge: VAT is to be accounted for by the recipient"
    " (Article 196 of Directive 2006/112/EC)"
)
EXPORT_NOTE = "Not subject to EU VAT: the customer is outside the European Union"
NOT_REGISTERED_NOTE = "No VAT charged: the seller is not established in the European Union"
EXEMPT_NOTE = "The customer is exempt from tax"
TERRITORY_NOTE = (
    "Not subject to EU VAT: outside the Union's VAT area"
    " ({territory}; Article 6 of Directive 2006/112/EC)"
)


class TaxFault(ValueError):
    """A tax rate that cannot be: `field` is the path below the rate, with a sentence."""

    def __init__(self, field: str, message: str) -> None:
        """Keep the path below the rate object and what would be accepted."""
        super().__init__(message)
        self.field = field
        self.message = message


class TaxEngine(StrEnum):
    """How an invoicing entity taxes: not at all, by its own rates, or also by EU VAT."""

    NONE = "NONE"
    MANUAL = "MANUAL"
    EU_VAT = "EU_VAT"


class VatClass(StrEnum):
    """Which of a country's VAT rates a product falls under."""

    STANDARD = "STANDARD"
    REDUCED = "REDUCED"
    REDUCED_ALT = "REDUCED_ALT"
    ZERO = "ZERO"


class ExemptionType(StrEnum):
    """Why a line that could bear tax bears none."""

    REVERSE_CHARGE = "REVERSE_CHARGE"
    TAX_EXEMPT = "TAX_EXEMPT"
    NOT_REGISTERED = "NOT_REGISTERED"
    EXPORT = "EXPORT"
    NO_VAT_TERRITORY = "NO_VAT_TERRITORY"


class TaxWhy(StrEnum):
    """The rule that decided a line's tax."""

    ENGINE_OFF = "ENGINE_OFF"
    EXEMPT = "EXEMPT"
    REVERSE_CHARGE = "REVERSE_CHARGE"
    PRODUCT = "PRODUCT"
    CUSTOM = "CUSTOM"
    EU_DOMESTIC = "EU_DOMESTIC"
    EU_DESTINATION = "EU_DESTINATION"
    EU_ORIGIN = "EU_ORIGIN"
    EXPORT = "EXPORT"
    NOT_REGISTERED = "NOT_REGISTERED"
    NO_VAT_TERRITORY = "NO_VAT_TERRITORY"
    COUNTRY_UNKNOWN = "COUNTRY_UNKNOWN"
    NONE = "NONE"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRate:
    """One tax on a line: `rate` is a fraction (0.20 is 20 %), `code` is for the bookkeeping."""

    name: str
    rate: Decimal
    code: str

    def __post_init__(self) -> None:
        """A rate is a fraction below one."""
        _fraction(self.rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductTaxRule:
    """A product's rate where the seller is in `country` and, if given, in `region`."""

    country: str
    region: str | None
    rate: Decimal

    def __post_init__(self) -> None:
        """A rate is a fraction below one."""
        _fraction(self.rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seller:
    """The invoicing entity: countries are ISO 3166-1 codes, None where the address lacks one.

    `below_threshold` says that its sales to consumers in other member states stay below the
    yearly threshold, so that it charges its own country's rate to them.
    """

    engine: TaxEngine
    country: str | None
    region: str | None = None
    below_threshold: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """The customer; `vat_number_valid`: a VAT number is present and its check digits hold."""

    country: str | None
    region: str | None = None
    postal_code: str | None = None
    vat_number_valid: bool = False
    exempt: bool = False
    exemption_reason: str | None = None
    custom_rates: tuple[TaxRate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxDecision:
    """The rates that a line bears, or why it bears none, and the rule that said so.

    `reason` is the note that the invoice must carry; it stands beside an exemption only.
    """

    rates: tuple[TaxRate, ...]
    exemption: ExemptionType | None
    reason: str | None
    why: TaxWhy

    def __post_init__(self) -> None:
        """Exempt means without rates."""
        assert self.exemption is None or not self.rates, "an exempt line bears no tax"
        assert self.exemption is not None or self.reason is None, (
            "a reason explains an exemption"
        )

    @property
    def total_rate(self) -> Decimal:
        """The sum of the rates, a fraction."""
        return sum((rate.rate for rate in self.rates), start=Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxAmount:
    """What one rate comes to on one line, in minor units."""

    rate: TaxRate
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LineTax:
    """A line's amount split into net and taxes, in minor units: total = net + tax."""

    net: int
    tax: int
    total: int
    taxes: tuple[TaxAmount, ...]

    def __post_init__(self) -> None:
        """Parts sum to the whole."""
        assert self.net + self.tax == self.total, "net and tax make the total"
        assert sum(part.amount for part in self.taxes) == self.tax, "each tax has its rate"


def needs_country(seller: Seller, buyer: Buyer) -> bool:
    """Whether the page must ask for the buyer's country before it can say what is due."""
    return seller.engine is TaxEngine.EU_VAT and buyer.country is None


def decide(
    seller: Seller,
    buyer: Buyer,
    rules: tuple[ProductTaxRule, ...],
    vat_class: VatClass,
    day: date,
) -> TaxDecision:
    """The tax on a line of a product with these rules and this class, on an invoice of `day`.

    Product rules look at the seller's address. A product's and a customer's own rates apply
    wherever the buyer is.
    """
    if seller.engine is TaxEngine.NONE:
        return _taxed(TaxWhy.ENGINE_OFF)
    if buyer.exempt:
        reason = buyer.exemption_reason or EXEMPT_NOTE
        return _untaxed(TaxWhy.EXEMPT, ExemptionType.TAX_EXEMPT, reason)
    if seller.engine is TaxEngine.EU_VAT and _is_reverse_charge(seller, buyer, day):
        return _untaxed(
            TaxWhy.REVERSE_CHARGE, ExemptionType.REVERSE_CHARGE, REVERSE_CHARGE_NOTE
        )
    rule = _most_specific(seller, rules)
    if rule is not None:
        return _taxed(TaxWhy.PRODUCT, _product_rate(rule))
    if buyer.custom_rates:
        return _taxed(TaxWhy.CUSTOM, *buyer.custom_rates)
    if seller.engine is TaxEngine.EU_VAT:
        return _eu_vat(seller, buyer, vat_class, day)
    return _taxed(TaxWhy.NONE)


def compute(amount: int, decision: TaxDecision, *, inclusive: bool) -> LineTax:
    """The tax on `amount` minor units, rounded per rate.

    Exclusive: the amount is net and each tax is rounded(net x rate). Inclusive: the amount is
    what is paid, each tax is rounded(amount x rate / (1 + sum of rates)), and net is what is
    left. With no rates both leave the amount as it is.
    """
    if not decision.rates:
        return LineTax(net=amount, tax=0, total=amount, taxes=())
    # amount / (whole / parts), with whole = parts where the tax comes on top
    whole, parts = (1 + decision.total_rate).as_integer_ratio() if inclusive else (1, 1)
    taxes = []
    for rate in decision.rates:
        share, of = rate.rate.as_integer_ratio()
        taxes.append(
            TaxAmount(rate=rate, amount=rounded_ratio(amount * parts * share, whole * of))
        )
    tax = sum(part.amount for part in taxes)
    net = amount - tax if inclusive else amount
    return LineTax(net=net, tax=tax, total=net + tax, taxes=tuple(taxes))


def _fraction(rate: Decimal) -> None:
    if not (rate.is_finite() and 0 <= rate < 1):
        raise TaxFault("rate", "must be a fraction from 0 to below 1 (0.20 is 20 %)")


def _taxed(why: TaxWhy, *rates: TaxRate) -> TaxDecision:
    return TaxDecision(rates=rates, exemption=None, reason=None, why=why)


def _untaxed(why: TaxWhy, exemption: ExemptionType, reason: str) -> TaxDecision:
    return TaxDecision(rates=(), exemption=exemption, reason=reason, why=why)


def _is_reverse_charge(seller: Seller, buyer: Buyer, day: date) -> bool:
    """Whether both are in the Union, in different states, and the buyer is a business."""
    if territory_of(buyer.country, buyer.postal_code, day) is not None:
        return False
    if not buyer.vat_number_valid or seller.country is None or buyer.country is None:
        return False
    home, away = member_state(seller.country), member_state(buyer.country)
    return home is not None and away is not None and home != away


def _most_specific(seller: Seller, rules: tuple[ProductTaxRule, ...]) -> ProductTaxRule | None:
    """The seller's region's rule, else its country's; the earlier of two that say the same."""
    here = [rule for rule in rules if rule.country == seller.country]
    regional = [
        rule
        for rule in here
        if rule.region is not None
        and seller.region is not None
        and rule.region.casefold() == seller.region.casefold()
    ]
    national = [rule for rule in here if rule.region is None]
    return next(iter((*regional, *national)), None)


def _product_rate(rule: ProductTaxRule) -> TaxRate:
    place = rule.country if rule.region is None else f"{rule.country}-{rule.region}"
    return TaxRate(name="Tax", rate=rule.rate, code=place)


def _eu_vat(seller: Seller, buyer: Buyer, vat_class: VatClass, day: date) -> TaxDecision:
    if seller.country not in COUNTRIES or buyer.country not in COUNTRIES:
        # A text that names no country is no address abroad.
        return _taxed(TaxWhy.COUNTRY_UNKNOWN)
    home, away = member_state(seller.country), member_state(buyer.country)
    if home is None:
        return _untaxed(
            TaxWhy.NOT_REGISTERED, ExemptionType.NOT_REGISTERED, NOT_REGISTERED_NOTE
        )
    if away is None:
        return _untaxed(TaxWhy.EXPORT, ExemptionType.EXPORT, EXPORT_NOTE)
    territory = territory_of(buyer.country, buyer.postal_code, day)
    if territory is not None:
        note = TERRITORY_NOTE.format(territory=territory.name)
        return _untaxed(TaxWhy.NO_VAT_TERRITORY, ExemptionType.NO_VAT_TERRITORY, note)
    if home == away:
        return _taxed(TaxWhy.EU_DOMESTIC, _vat(home, vat_class, day))
    if seller.below_threshold:
        return _taxed(TaxWhy.EU_ORIGIN, _vat(home, vat_class, day))
    return _taxed(TaxWhy.EU_DESTINATION, _vat(away, vat_class, day))


def _vat(state: str, vat_class: VatClass, day: date) -> TaxRate:
    rates = rates_on(state, day)
    assert rates is not None, "every member state has rates"
    return TaxRate(
        name="VAT", rate=_rate_of_class(rates, vat_class), code=f"{state}-{vat_class.value}"
    )


def _rate_of_class(rates: VatRates, vat_class: VatClass) -> Decimal:
    """The class's rate; a class that the state does not have is taxed at the standard rate."""
    match vat_class:
        case VatClass.STANDARD:
            return rates.standard
        case VatClass.REDUCED:
            return rates.standard if rates.reduced is None else rates.reduced
        case VatClass.REDUCED_ALT:
            return rates.standard if rates.reduced_alt is None else rates.reduced_alt
        case VatClass.ZERO:
            return Decimal(0)
    assert_never(vat_class)
