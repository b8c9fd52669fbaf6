"""The form of billing details: what stands in it, and what was typed."""

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from tallystick.domain.buyer import Address
from tallystick.domain.customer_record import CustomerRecord
from tallystick.domain.errors import Fault
from tallystick.http.pages.countries import country_options
from tallystick.http.pages.fields import Field
from tallystick.http.pages.form_faults import FormFault
from tallystick.http.pages.submitted import Submitted
from tallystick.http.pages.teller import Teller
from tallystick.services.manage_portal import BillingDetails

_TEXT_FIELDS = (
    # name, autocomplete, width, whether it may stay empty
    ("line1", "address-line1", "full"),
    ("line2", "address-line2", "full"),
    ("zip_code", "postal-code", "third"),
    ("city", "address-level2", "rest"),
    ("state", "address-level1", "full"),
)
_EMAILS_CHARS = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailsForm:
    """The fields, and what is wrong with them."""

    address: tuple[Field, ...]
    country: Field
    countries: Markup
    vat_number: Field
    emails: Field
    faults: tuple[FormFault, ...]


def details_of(customer: CustomerRecord) -> BillingDetails:
    """How a customer is billed now."""
    return BillingDetails(
        address=customer.billing_address or Address(),
        vat_number=customer.vat_number,
        invoicing_emails=customer.invoicing_emails,
    )


def details_typed(submitted: Submitted) -> BillingDetails:
    """How a customer wants to be billed."""
    typed = submitted.buyer
    emails = submitted.get("invoicing_emails")[:_EMAILS_CHARS]
    # Lines part addresses, too, and no control character belongs into one.
    listed = "".join(one if one.isprintable() and one != ";" else "," for one in emails)
    parts = (one.strip() for one in listed.split(","))
    return BillingDetails(
        address=typed.address,
        vat_number=typed.vat_number,
        invoicing_emails=tuple(dict.fromkeys(one for one in parts if one)),
    )


def make_details_form(
    details: BillingDetails, faults: tuple[Fault, ...], say: Teller
) -> DetailsForm:
    """The form with what stands in it, and what is wrong with that."""
    errors: Mapping[str, str] = {one.field: say.words.fault(one) for one in reversed(faults)}
    address = details.address

    def text(name: str, value: str | None, **more: object) -> Field:
        label = _label(name, say)
        given: dict[str, object] = {"optional": True, **more}
        return Field(
            name=name,
            label=label,
            value=value or "",
            error=errors.get(name),
            **given,  # type: ignore[arg-type]
        )

    return DetailsForm(
        address=tuple(
            text(
                name,
                getattr(address, name),
                autocomplete=autocomplete,
                width=width,
                optional=name in {"line2", "state"},
            )
            for name, autocomplete, width in _TEXT_FIELDS
        ),
        country=text("country", address.country, autocomplete="country", required=True),
        countries=country_options(say.words.locale, address.country),
        vat_number=text("vat_number", details.vat_number, hint=say.words("hint.vat_number")),
        emails=text(
            "invoicing_emails",
            "\n".join(details.invoicing_emails),
            length=_EMAILS_CHARS,
            hint=say.words("details.emails_hint"),
        ),
        faults=tuple(
            FormFault(field=name, label=_label(name, say), sentence=text)
            for name, text in errors.items()
        ),
    )


def _label(name: str, say: Teller) -> str:
    return say.words.field(name) or say.words(f"details.{name}")
