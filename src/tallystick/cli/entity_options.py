"""The options of `tallystick entity set`: one for each thing that can be set."""

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

import typer

from tallystick.domain.errors import Fault

ADDRESS = ("line1", "line2", "city", "state", "zip_code", "country")
PAYMENT = "default_payment_methods_config"
ACCOUNTS = "bank_accounts"


@dataclass(frozen=True, slots=True)
class Setting:
    """An option: the field of the API that it sets, its kind, and what it is about."""

    field: str
    about: str
    kind: Any = str
    option: str = ""

    @property
    def name(self) -> str:
        """The option as it is written first."""
        option = self.option or f"--{self.field.replace('_', '-')}"
        return option.partition("/")[0]

    @property
    def parameter(self) -> inspect.Parameter:
        """The option as a parameter of a command."""
        return inspect.Parameter(
            self.field,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[
                self.kind | None,
                typer.Option(self.option or self.name, help=self.about, show_default=False),
            ],
        )


SETTINGS = (
    Setting("legal_name", "The name on pages and invoices."),
    Setting("line1", "Its address: street and number."),
    Setting("line2", "More of the address."),
    Setting("city", "The city."),
    Setting("state", "The state or region."),
    Setting("zip_code", "The postal code."),
    Setting("country", "The country, which taxes depend on: a code such as DE."),
    Setting("vat_number", "Its VAT number."),
    Setting("creditor_identifier", "For SEPA debits: DE98ZZZ09999999999."),
    Setting("logo_url", "Its logo: an absolute URL."),
    Setting("brand_color", "Its colour: #3366ff."),
    Setting("email", "Where buyers reach it."),
    Setting("registration", "Where it is registered, and as what, for its documents."),
    Setting(
        PAYMENT,
        "How checkouts are paid that do not say: online, bank_transfer, external, or the JSON "
        'of the API: {"type": "online", "config": {"card": {"enabled": false}}}.',
        option="--default-payment",
    ),
    Setting(
        ACCOUNTS,
        'A bank account as JSON: {"holder": "Acme", "iban": "DE..."}, with its "id" when it '
        "is there already. Repeat it for each; those left out are removed.",
        list[str],
        option="--bank-account",
    ),
    Setting("tax_engine", "NONE, MANUAL (own rates) or EU_VAT."),
    Setting(
        "below_vat_threshold",
        "Whether sales to consumers in other EU states stay below the yearly threshold.",
        bool,
        option="--below-vat-threshold/--above-vat-threshold",
    ),
    Setting("number_pattern", "How invoice numbers look: INV-{YYYY}-{number}."),
    Setting("grace_period_hours", "How long a renewal waits for late usage.", int),
    Setting("net_terms", "Days from an invoice's date to its due date.", int),
    Setting(
        "consolidate_recurring_invoices",
        "Whether renewals of one customer and day share an invoice.",
        bool,
        option="--consolidate-recurring-invoices/--separate-recurring-invoices",
    ),
    Setting(
        "dunning_policy",
        "What follows when the last try to collect an invoice has failed: LEAVE, SUSPEND or "
        "CANCEL its subscription.",
    ),
    Setting(
        "dunning_marks_uncollectible",
        "Whether that invoice is marked uncollectible then.",
        bool,
        option="--dunning-marks-uncollectible/--dunning-keeps-invoices-open",
    ),
)


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command, in place of its `**settings`, an option for each setting."""
    own = inspect.signature(command)
    parameters = [
        parameter
        for parameter in own.parameters.values()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    parameters[-1:-1] = [setting.parameter for setting in SETTINGS]
    signature = own.replace(
        parameters=[
            parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters
        ]
    )
    command.__signature__ = signature  # type: ignore[attr-defined]
    return command


def body_of(given: Mapping[str, object], cleared: list[str]) -> dict[str, object]:
    """The body of the API's PATCH that the options say; of the address only what they name.

    Raises:
        ValueError: An option that takes JSON holds none.
    """
    body: dict[str, object] = {
        name: value for name, value in given.items() if name not in ADDRESS
    }
    address = {name: given[name] for name in ADDRESS if name in given}
    if address:
        body["address"] = address
    payment = body.get(PAYMENT)
    if isinstance(payment, str):
        is_json = payment.lstrip().startswith("{")
        body[PAYMENT] = json.loads(payment) if is_json else {"type": payment}
    accounts = body.get(ACCOUNTS)
    if isinstance(accounts, list):
        body[ACCOUNTS] = [json.loads(account) for account in accounts]
    return dict.fromkeys(cleared) | body


def by_option(fault: Fault) -> Fault:
    """The fault of a field, named by the option that sets the field."""
    path = fault.field.removeprefix("address.")
    name = path.partition(".")[0].partition("[")[0]
    option = next((one.name for one in SETTINGS if one.field == name), name)
    return replace(fault, field=f"{option}{path[len(name) :]}")
