"""The page that asks for a payment method: its panel, and what saving it agrees to."""

from dataclasses import dataclass

from tallystick.domain.customer_record import CustomerRecord
from tallystick.domain.errors import Fault
from tallystick.domain.payment import MethodKind
from tallystick.domain.payment_panel import MountedPanel
from tallystick.http.pages.alerts import Alert, faults_alert
from tallystick.http.pages.fields import Labels
from tallystick.http.pages.form_faults import form_faults
from tallystick.http.pages.mandate import Mandate, debit_of, make_mandate
from tallystick.http.pages.panel import (
    MOUNTED_FIELD,
    Panel,
    buyer_details,
    card_fields,
    choices_of,
    debit_fields,
    make_mount,
)
from tallystick.http.pages.teller import Teller
from tallystick.services.add_own_method import Adding


@dataclass(frozen=True, slots=True, kw_only=True)
class AddingForm:
    """The form: `details` are what a provider's panel need not ask again."""

    panel: Panel
    details: tuple[tuple[str, str], ...]
    mandate: Mandate | None
    consent: str
    alerts: tuple[Alert, ...]


def make_adding_form(
    adding: Adding,
    customer: CustomerRecord,
    chosen: MethodKind | None,
    faults: tuple[Fault, ...],
    say: Teller,
) -> AddingForm:
    """The form for what may be added, with what is wrong with what was sent."""
    errors = {one.field: say.words.fault(one) for one in reversed(faults)}
    told = form_faults(errors, say)
    return AddingForm(
        panel=_panel(adding, chosen, Labels(say, errors)),
        details=_details(customer),
        mandate=mandate_of(adding, say),
        consent=consent_of(adding, say),
        alerts=(faults_alert(told, say),) if told else (),
    )


def mandate_of(adding: Adding, say: Teller) -> Mandate | None:
    """The mandate of a debit that is added, if any can be; amounts are announced by the
    invoices.
    """
    debit = debit_of(adding.panel, adding.seller, adding.currency)
    if debit is None:
        return None
    return make_mandate(debit, adding.seller, adding.mandate_reference, say, announces=False)


def consent_of(adding: Adding, say: Teller) -> str:
    """What saving a method agrees to."""
    return say.words("methods.consent", seller=adding.seller.legal_name)


def agreed_to(adding: Adding, kind: MethodKind, say: Teller) -> str:
    """The whole wording agreed to with a method of this kind."""
    parts = [consent_of(adding, say)]
    mandate = mandate_of(adding, say)
    if kind is MethodKind.DIRECT_DEBIT and mandate is not None:
        parts.insert(0, mandate.text)
    return "\n\n".join(parts)


def _panel(adding: Adding, chosen: MethodKind | None, label: Labels) -> Panel:
    debit = debit_of(adding.panel, adding.seller, adding.currency)
    methods = choices_of(list(adding.kinds), chosen, label.say, debit)
    if isinstance(adding.panel, MountedPanel):
        mount = make_mount(
            adding.panel, 0, adding.currency, saves=True, error=label.errors.get(MOUNTED_FIELD)
        )
        return Panel(shape="mounted", kind="online", methods=methods, mount=mount)
    debits = MethodKind.DIRECT_DEBIT in adding.kinds
    return Panel(
        shape="online",
        kind="online",
        methods=methods,
        card=card_fields(label) if MethodKind.CARD in adding.kinds else (),
        debit=debit_fields(label, is_test=adding.seller.is_test) if debits else (),
    )


def _details(customer: CustomerRecord) -> tuple[tuple[str, str], ...]:
    told = buyer_details(customer.name, customer.billing_email, customer.billing_address)
    return tuple((name, value) for name, value in told if value)
