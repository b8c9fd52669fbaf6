"""The right side of the page: the fields, what stands in them, and what is wrong with them."""

from dataclasses import dataclass, replace

from markupsafe import Markup

from tallystick.domain.buyer import BuyerDetails
from tallystick.domain.countries import STATES_NAMED_IN
from tallystick.domain.errors import Fault
from tallystick.domain.offer import Offer
from tallystick.domain.payment import MethodKind
from tallystick.domain.payment_panel import PaymentPanel
from tallystick.domain.quote import AttemptKind, Quote
from tallystick.http.pages.countries import country_options
from tallystick.http.pages.fields import Field, Labels
from tallystick.http.pages.form_faults import FormFault, form_faults
from tallystick.http.pages.panel import Charged, Panel, make_panel
from tallystick.http.pages.teller import Teller
from tallystick.services.checkout_view import SellerCard


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What stands in the fields: what the buyer sent last, else what the session keeps.

    `is_kept` tells that it is the latter: its faults are told at the fields, without alarm.
    """

    buyer: BuyerDetails
    code: str | None
    method: MethodKind | None = None
    faults: tuple[Fault, ...] = ()
    is_kept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """All fields of the page, and every fault of what was typed."""

    contact: tuple[Field, ...]
    address: tuple[Field, ...]
    country: Field
    countries: Markup
    vat_number: Field
    code: Field
    panel: Panel
    faults: tuple[FormFault, ...]


def make_form(
    quote: Quote,
    offer: Offer,
    seller: SellerCard,
    provided: PaymentPanel,
    typed: Typed,
    say: Teller,
) -> Form:
    """The fields filled with what the buyer typed before, each with its error."""
    faults = [replace(fault, field=_name(fault)) for fault in reversed(typed.faults)]
    errors = {fault.field: say.words.fault(fault) for fault in faults}
    label = Labels(say, errors)
    return Form(
        contact=_contact(typed.buyer, label),
        address=_address(typed.buyer, label),
        country=replace(
            label("country"), autocomplete="billing country", required=True, refreshes=True
        ),
        countries=country_options(say.words.locale, typed.buyer.address.country),
        vat_number=replace(
            label("vat_number", typed.buyer.vat_number),
            hint=say.words("hint.vat_number"),
            optional=True,
            refreshes=True,
            length=30,
        ),
        code=replace(label("code", typed.code), length=255),
        panel=make_panel(
            _charged_by(quote), offer.payment, seller, provided, typed.method, label
        ),
        faults=form_faults(errors, say),
    )


def _charged_by(quote: Quote) -> Charged:
    """What a quote asks a method for."""
    return Charged(
        asks=quote.kind is not AttemptKind.NONE,
        amount=quote.amount_due if quote.kind is AttemptKind.PAYMENT else 0,
        currency=quote.currency,
        saves=quote.saves_method,
    )


def _name(fault: Fault) -> str:
    """The input of a fault whose path may say where the value is kept (`address.city`)."""
    return fault.field.rpartition(".")[2]


def _contact(buyer: BuyerDetails, label: Labels) -> tuple[Field, ...]:
    return (
        replace(
            label("email", buyer.email),
            type="email",
            inputmode="email",
            autocomplete="email",
            required=True,
        ),
        replace(label("name", buyer.name), autocomplete="billing name", required=True),
    )


def _address(buyer: BuyerDetails, label: Labels) -> tuple[Field, ...]:
    place = buyer.address
    return (
        replace(label("line1", place.line1), autocomplete="billing address-line1"),
        replace(
            label("line2", place.line2), autocomplete="billing address-line2", optional=True
        ),
        replace(
            label("zip_code", place.zip_code),
            autocomplete="billing postal-code",
            refreshes=True,
            length=20,
            width="third",
        ),
        replace(label("city", place.city), autocomplete="billing address-level2", width="rest"),
        replace(
            label("state", place.state),
            autocomplete="billing address-level1",
            optional=True,
            refreshes=True,
            only_in=STATES_NAMED_IN,
            hidden=not place.state and place.country not in STATES_NAMED_IN,
        ),
    )
