"""The payment panel: what is asked for a method, drawn by the page or by the provider's script.

A panel that is mounted reads attributes and hears events, and knows nothing else of the page:
`static/panel.js` is the page's side of it, a module of the provider the other.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from tallystick.domain.buyer import Address
from tallystick.domain.errors import Fault
from tallystick.domain.offer import (
    BankTransfer,
    ExternalPayment,
    OnlinePayment,
    PaymentConfig,
)
from tallystick.domain.parties import BankAccount
from tallystick.domain.payment import MethodKind
from tallystick.domain.payment_panel import MountedPanel, PaymentPanel, TypedPanel
from tallystick.http.pages.assets import Assets
from tallystick.http.pages.fields import Field, Labels
from tallystick.http.pages.mandate import Debit, debit_of
from tallystick.http.pages.submitted import Submitted
from tallystick.http.pages.teller import Teller
from tallystick.locales.formats import grouped
from tallystick.services.checkout_view import SellerCard

PAYMENT_FIELDS: Mapping[MethodKind, tuple[str, ...]] = {
    MethodKind.CARD: ("card_number", "card_expiry", "card_cvc", "card_name"),
    MethodKind.DIRECT_DEBIT: ("account_holder", "iban"),
}
"""The fields of the payment panel that each kind of method reads, where the page draws them."""

MOUNTED_FIELD = "payment_token"
"""The one field of a mounted panel: what the provider's script made of the method."""

_TOKEN_CHARS = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of the radio buttons."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """Where the provider's script draws, and what it is told.

    `amount` is what is due today in minor units, 0 where a method is only saved; `saves` says
    that it is kept for later charges. `error` is what was wrong with the last token.
    """

    script_url: str
    settings: str
    amount: int
    currency: str
    saves: bool
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """The payment panel. `shape` names what it asks for: while it stays, so does what is typed.

    `kind` is one of `online`, `none`, `bank_transfer`, `external`, and `unavailable` where the
    one debit that was agreed on cannot be collected any more; an online one has either fields
    or a `mount`.
    """

    shape: str
    kind: str
    methods: tuple[Choice, ...] = ()
    card: tuple[Field, ...] = ()
    debit: tuple[Field, ...] = ()
    mount: Mount | None = None
    account: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    """What a panel asks a method for: `amount` in minor units, 0 where it is only saved.

    `asks` is False where no method is needed; `saves` says that it is kept for later charges.
    """

    asks: bool
    amount: int
    currency: str
    saves: bool


def buyer_details(
    name: str, email: str | None, place: Address | None
) -> tuple[tuple[str, str | None], ...]:
    """What a provider's panel need not ask again, by the names of its fields."""
    place = place or Address()
    return (
        ("name", name),
        ("email", email),
        ("line1", place.line1),
        ("line2", place.line2),
        ("zip_code", place.zip_code),
        ("city", place.city),
        ("state", place.state),
        ("country", place.country),
    )


def mounted(payment: PaymentConfig, panel: PaymentPanel) -> MountedPanel | None:
    """The provider's panel where it can ever be shown: its page must let it in."""
    is_mounted = isinstance(payment, OnlinePayment) and isinstance(panel, MountedPanel)
    return panel if is_mounted and isinstance(panel, MountedPanel) else None


def panel_scripts(panel: MountedPanel, assets: Assets) -> list[str]:
    """Our scripts of a mounted panel: the page's side, and the provider's module."""
    return [assets.url("panel.js"), assets.module_url(panel.module)]


def payment_fields(
    submitted: Submitted, kind: MethodKind, panel: PaymentPanel
) -> dict[str, str]:
    """The fields of the panel that belong to a kind of method, as they were sent."""
    match panel:
        case TypedPanel():
            return {name: submitted.get(name) for name in PAYMENT_FIELDS[kind]}
        case MountedPanel():
            return {MOUNTED_FIELD: submitted.get(MOUNTED_FIELD)[:_TOKEN_CHARS].strip()}
    assert_never(panel)


def missing_token(fields: Mapping[str, str]) -> tuple[Fault, ...]:
    """What is wrong where the provider's script made no token: mostly that it cannot run."""
    if fields.get(MOUNTED_FIELD) == "":
        return (Fault(MOUNTED_FIELD, "required", "fill in the fields of the panel"),)
    return ()


def make_panel(
    charged: Charged,
    payment: PaymentConfig,
    seller: SellerCard,
    provided: PaymentPanel,
    method: MethodKind | None,
    label: Labels,
) -> Panel:
    """The panel for what is charged; `method` is the kind that the buyer has chosen."""
    match payment:
        case BankTransfer():
            account = account_rows(seller.bank_account, label.say)
            return Panel(shape="bank_transfer", kind="bank_transfer", account=account)
        case ExternalPayment():
            return Panel(shape="external", kind="external")
        case OnlinePayment(card=card, direct_debit=direct_debit):
            if not charged.asks:
                return Panel(shape="none", kind="none")
            debit = debit_of(provided, seller, charged.currency) if direct_debit else None
            kinds = [MethodKind.CARD] if card else []
            if debit is not None:
                kinds.append(MethodKind.DIRECT_DEBIT)
            if not kinds:
                return Panel(shape="unavailable", kind="unavailable")
            choices = choices_of(kinds, method, label.say, debit)
            if isinstance(provided, MountedPanel):
                mount = make_mount(
                    provided,
                    charged.amount,
                    charged.currency,
                    saves=charged.saves,
                    error=label.errors.get(MOUNTED_FIELD),
                )
                return Panel(shape="mounted", kind="online", methods=choices, mount=mount)
            return Panel(
                shape="online",
                kind="online",
                methods=choices,
                card=card_fields(label) if card else (),
                debit=debit_fields(label, is_test=seller.is_test) if debit else (),
            )


def choices_of(
    kinds: list[MethodKind], method: MethodKind | None, say: Teller, debit: Debit | None
) -> tuple[Choice, ...]:
    """The kinds of methods to choose from; the first is, unless another one was.

    A debit is called by its scheme, which is `debit`'s.
    """
    chosen = method if method in kinds else kinds[0]
    names = {
        kind: debit.scheme.value
        if kind is MethodKind.DIRECT_DEBIT and debit is not None
        else kind.value
        for kind in kinds
    }
    return tuple(
        Choice(value=kind.value, label=say.words(f"method.{name}"), chosen=kind is chosen)
        for kind, name in names.items()
    )


def make_mount(
    panel: MountedPanel, amount: int, currency: str, *, saves: bool, error: str | None = None
) -> Mount:
    """The place of a provider's panel, with what it is told."""
    return Mount(
        script_url=panel.script_url,
        settings=json.dumps(dict(panel.settings), sort_keys=True),
        amount=amount,
        currency=currency,
        saves=saves,
        error=error,
    )


def card_fields(label: Labels) -> tuple[Field, ...]:
    """The fields of a card, where the page draws them."""
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


def debit_fields(label: Labels, *, is_test: bool) -> tuple[Field, ...]:
    """The fields of a bank account, where the page draws them."""
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
