"""The right side of the page: the fields, what stands in them, and what is wrong with them."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from babel import Locale
from markupsafe import Markup

from tallystick.domain.buyer import BuyerDetails
from tallystick.domain.countries import COUNTRIES, STATES_NAMED_IN
from tallystick.domain.errors import Fault
from tallystick.domain.offer import (
    BankTransfer,
    ExternalPayment,
    Offer,
    OnlinePayment,
    PaymentConfig,
)
from tallystick.domain.parties import BankAccount
from tallystick.domain.payment import MethodKind
from tallystick.domain.quote import AttemptKind, Quote
from tallystick.http.checkout.teller import Teller
from tallystick.locales.formats import grouped
from tallystick.services.checkout_view import SellerCard

PAYMENT_FIELDS: Mapping[MethodKind, tuple[str, ...]] = {
    MethodKind.CARD: ("card_number", "card_expiry", "card_cvc", "card_name"),
    MethodKind.DIRECT_DEBIT: ("account_holder", "iban"),
}
"""The fields of the payment panel that each kind of method reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One labelled input. `value` is never that of a payment field: those are not shown again.

    `required` is checked by the browser; `needed` by our script, while the field's panel
    is open. `refreshes` says that a change of it changes the total. `only_in` names the
    countries that use the field; it is `hidden` elsewhere while it is empty.
    """

    name: str
    label: str
    value: str = ""
    hint: str | None = None
    error: str | None = None
    autocomplete: str = "off"
    type: str = "text"
    inputmode: str = "text"
    length: int = 200
    required: bool = False
    needed: bool = False
    optional: bool = False
    refreshes: bool = False
    only_in: frozenset[str] = frozenset()
    hidden: bool = False
    placeholder: str = ""
    width: str = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of the radio buttons."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """The payment panel. `shape` names what it asks for: while it stays, so does what is typed.

    `kind` is one of `online`, `none`, `bank_transfer`, `external`.
    """

    shape: str
    kind: str
    methods: tuple[Choice, ...] = ()
    card: tuple[Field, ...] = ()
    debit: tuple[Field, ...] = ()
    account: tuple[tuple[str, str], ...] = ()


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
class FormFault:
    """What is wrong with a field; `label` is None where the fault belongs to none of ours."""

    field: str
    label: str | None
    sentence: str


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
    typed: Typed,
    say: Teller,
) -> Form:
    """The fields filled with what the buyer typed before, each with its error."""
    faults = [replace(fault, field=_name(fault)) for fault in reversed(typed.faults)]
    errors = {fault.field: say.words.fault(fault) for fault in faults}
    label = _Labels(say, errors)
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
        panel=_panel(quote.kind, offer.payment, seller, typed.method, label),
        faults=tuple(
            FormFault(field=name, label=say.words.field(name), sentence=sentence)
            for name, sentence in reversed(errors.items())
        ),
    )


def _name(fault: Fault) -> str:
    """The input of a fault whose path may say where the value is kept (`address.city`)."""
    return fault.field.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class _Labels:
    """Makes a field with its label and its error."""

    say: Teller
    errors: Mapping[str, str]

    def __call__(self, name: str, value: str | None = None) -> Field:
        return Field(
            name=name,
            label=self.say.words(f"field.{name}"),
            value=value or "",
            error=self.errors.get(name),
        )


def country_options(locale: Locale, chosen: str | None) -> Markup:
    """The options of the country list, in the page's language and its order."""
    options = _country_options(locale)
    mark = Markup('value="{}"').format(chosen)
    return options.replace(mark, mark + Markup(" selected"))


@cache
def _country_options(locale: Locale) -> Markup:
    """None of them chosen: 250 lines that are the same for every buyer of a language."""
    option = Markup('<option value="{}">{}</option>')
    return Markup("\n").join(option.format(*entry) for entry in country_names(locale))


@cache
def country_names(locale: Locale) -> tuple[tuple[str, str], ...]:
    """Code and name of each country of ISO 3166-1, accents not counting in the order."""
    names = [(code, name) for code, name in locale.territories.items() if code in COUNTRIES]
    return tuple(sorted(names, key=lambda entry: _folded(entry[1])))


def _folded(name: str) -> str:
    """The name without accents and case, so that they do not decide about its place."""
    plain = unicodedata.normalize("NFKD", name)
    return "".join(mark for mark in plain if not unicodedata.combining(mark)).casefold()


def _contact(buyer: BuyerDetails, label: _Labels) -> tuple[Field, ...]:
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


def _address(buyer: BuyerDetails, label: _Labels) -> tuple[Field, ...]:
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


def invoice_panel(
    payment: PaymentConfig, seller: SellerCard, typed: Typed, say: Teller
) -> tuple[Panel, tuple[FormFault, ...]]:
    """The payment panel by itself, for the page of an invoice, and what is wrong with it."""
    errors = {_name(one): say.words.fault(one) for one in reversed(typed.faults)}
    label = _Labels(say, errors)
    panel = _panel(AttemptKind.PAYMENT, payment, seller, typed.method, label)
    faults = tuple(
        FormFault(field=name, label=say.words.field(name), sentence=sentence)
        for name, sentence in reversed(errors.items())
    )
    return panel, faults


def _panel(
    attempt: AttemptKind,
    payment: PaymentConfig,
    seller: SellerCard,
    method: MethodKind | None,
    label: _Labels,
) -> Panel:
    match payment:
        case BankTransfer():
            account = account_rows(seller.bank_account, label.say)
            return Panel(shape="bank_transfer", kind="bank_transfer", account=account)
        case ExternalPayment():
            return Panel(shape="external", kind="external")
        case OnlinePayment(card=card, direct_debit=debit):
            if attempt is AttemptKind.NONE:
                return Panel(shape="none", kind="none")
            kinds = [
                kind
                for kind, offered in (
                    (MethodKind.CARD, card),
                    (MethodKind.DIRECT_DEBIT, debit),
                )
                if offered
            ]
            chosen = method if method in kinds else kinds[0]
            return Panel(
                shape="online",
                kind="online",
                methods=tuple(
                    Choice(
                        value=kind.value,
                        label=label.say.words(f"method.{kind.value}"),
                        chosen=kind is chosen,
                    )
                    for kind in kinds
                ),
                card=_card(label) if card else (),
                debit=_debit(label, is_test=seller.is_test) if debit else (),
            )


def _card(label: _Labels) -> tuple[Field, ...]:
    number, expiry, cvc, name = (label(field) for field in PAYMENT_FIELDS[MethodKind.CARD])
    return (
        replace(
            number,
            autocomplete="cc-number",
            inputmode="numeric",
            placeholder="1234 1234 1234 1234",
            needed=True,
            length=30,
        ),
        replace(
            expiry,
            autocomplete="cc-exp",
            inputmode="numeric",
            placeholder=label.say.words("placeholder.expiry"),
            needed=True,
            width="half",
            length=10,
        ),
        replace(
            cvc,
            autocomplete="cc-csc",
            inputmode="numeric",
            placeholder="123",
            needed=True,
            width="half",
            length=4,
        ),
        replace(name, autocomplete="cc-name", optional=True),
    )


def _debit(label: _Labels, *, is_test: bool) -> tuple[Field, ...]:
    holder, iban = (label(field) for field in PAYMENT_FIELDS[MethodKind.DIRECT_DEBIT])
    return (
        replace(
            iban,
            hint=label.say.words("hint.test_iban") if is_test else None,
            placeholder="DE00 0000 0000 0000 0000 00",
            needed=True,
            length=42,
        ),
        replace(holder, autocomplete="name", needed=True),
    )


def account_rows(account: BankAccount | None, say: Teller) -> tuple[tuple[str, str], ...]:
    """The seller's bank details, label by label; those that are missing are left out."""
    if account is None:
        return ()
    details = (
        ("holder", account.holder),
        ("bank_name", account.bank_name),
        ("iban", None if account.iban is None else grouped(account.iban)),
        ("bic", account.bic),
        ("account_number", account.account_number),
    )
    return tuple((say.words(f"account.{name}"), value) for name, value in details if value)
