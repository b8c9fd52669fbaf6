"""What a customer does in the portal: the merchant's own verbs, on what is hers."""

from dataclasses import dataclass, replace
from uuid import UUID

from tallystick.db.engine import Tx, retrying
from tallystick.domain.buyer import Address
from tallystick.domain.countries import COUNTRIES
from tallystick.domain.custom_properties import is_email
from tallystick.domain.customer_record import CustomerRecord
from tallystick.domain.errors import Fault, Forbidden, InvalidInput
from tallystick.services.cancel_subscription import (
    cancel_subscription,
    reactivate_subscription,
)
from tallystick.services.edit_customer import CustomerChange, edit_customer
from tallystick.services.pay_invoice import pay_invoice
from tallystick.services.portal_token import OpenedPortal
from tallystick.services.show_portal import own_invoice, own_subscription

EMAILS_MAX = 20

_TEXT_CHARS_MAX = 255
_EMAIL_CHARS_MAX = 254
_REASON = "Cancelled by the customer in the portal."


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingDetails:
    """What a customer says of how it is billed."""

    address: Address
    vat_number: str | None
    invoicing_emails: tuple[str, ...]


async def cancel_own(portal: OpenedPortal, subscription_id: UUID) -> None:
    """Cancel a subscription at the end of its period; nothing is given back.

    Raises:
        Forbidden: The token may only look.
        NotFound: It is none of hers.
        Conflict: It has ended.
        Busy: It is being paid for.
    """
    _manages(portal)
    ctx = portal.context

    async def cancel(tx: Tx) -> None:
        entry = await own_subscription(portal, tx, subscription_id)
        if entry.cancelled_on is None:
            await cancel_subscription(ctx.within(tx), subscription_id, None, _REASON)

    await retrying(ctx.app.database, cancel)


async def keep_own(portal: OpenedPortal, subscription_id: UUID) -> None:
    """Take a scheduled cancellation back.

    Raises:
        Forbidden: The token may only look.
        NotFound: It is none of hers.
        Conflict: Its day has come.
    """
    _manages(portal)
    ctx = portal.context

    async def keep(tx: Tx) -> None:
        entry = await own_subscription(portal, tx, subscription_id)
        if entry.cancelled_on is not None:
            await reactivate_subscription(ctx.within(tx), subscription_id)

    await retrying(ctx.app.database, keep)


async def pay_own(
    portal: OpenedPortal, invoice_id: UUID, try_id: UUID, payer: bytes | None = None
) -> None:
    """Charge what an invoice owes to the saved method.

    A long verb. `try_id` is the same however often one form is sent; for `payer` see
    `try_limits`.

    Raises:
        Forbidden: The token may only look.
        NotFound: It is none of hers.
        Conflict: Nothing is to be paid, no method can be charged, it was declined, or too many
            tries have failed.
        Busy: A payment for it is under way.
    """
    _manages(portal)
    ctx = portal.context
    async with ctx.app.database.connection() as tx:
        await own_invoice(portal, tx, invoice_id)
    await pay_invoice(ctx, invoice_id, try_id, by_customer=True, payer=payer)


async def edit_own_details(portal: OpenedPortal, details: BillingDetails) -> tuple[Fault, ...]:
    """Change how a customer is billed, and return what is wrong, field by field.

    Where something is, nothing is changed.

    Raises:
        Forbidden: The token may only look.
    """
    _manages(portal)
    faults = _faults(details)
    if faults:
        return tuple(faults)
    ctx = portal.context

    def said(customer: CustomerRecord) -> CustomerRecord:
        return replace(
            customer,
            billing_address=details.address,
            vat_number=details.vat_number,
            invoicing_emails=details.invoicing_emails,
        )

    try:
        await retrying(
            ctx.app.database,
            lambda tx: edit_customer(
                ctx.within(tx), portal.customer.id, CustomerChange(apply=said)
            ),
        )
    except InvalidInput as refused:
        return tuple(
            replace(one, field=one.field.removeprefix("billing_address."))
            for one in refused.faults
        )
    return ()


def _manages(portal: OpenedPortal) -> None:
    if not portal.may_manage:
        raise Forbidden("This portal token may look, and change nothing.")


def _faults(details: BillingDetails) -> list[Fault]:
    address = details.address
    faults = []
    if address.country is None:
        faults.append(Fault("country", "required", "is required"))
    elif address.country not in COUNTRIES:
        faults.append(Fault("country", "unknown", "must be a country code of ISO 3166-1"))
    texts = {
        "line1": address.line1,
        "line2": address.line2,
        "zip_code": address.zip_code,
        "city": address.city,
        "state": address.state,
        "vat_number": details.vat_number,
    }
    faults += [
        Fault(field, "too_long", f"must have at most {_TEXT_CHARS_MAX} characters")
        for field, text in texts.items()
        if text is not None and len(text) > _TEXT_CHARS_MAX
    ]
    emails = details.invoicing_emails
    if len(emails) > EMAILS_MAX:
        faults.append(Fault("invoicing_emails", "too_many", f"at most {EMAILS_MAX}"))
    elif any(len(one) > _EMAIL_CHARS_MAX or not is_email(one) for one in emails):
        faults.append(Fault("invoicing_emails", "invalid", "must be email addresses"))
    return faults
