"""What the buyer types on the page: kept on the session, never on the customer before the
sale.
"""

from dataclasses import dataclass, replace
from uuid import UUID

from tallystick.db import checkout_sessions, coupons
from tallystick.db.engine import Tx
from tallystick.domain.buyer import BuyerDetails
from tallystick.domain.countries import COUNTRIES
from tallystick.domain.coupons import CouponRefusal, CouponTerms, refusal
from tallystick.domain.errors import Fault, NotFound
from tallystick.domain.session import Session, SessionState
from tallystick.services import vat_numbers
from tallystick.services.context import Context
from tallystick.services.quoting import load_parties, quoted
from tallystick.services.todays_quote import todays_quote

_FIELD_LENGTH_MAX = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """The session with what was typed, and what is wrong with it."""

    session: Session
    faults: tuple[Fault, ...]


async def edit_checkout(
    ctx: Context, session_id: UUID, buyer: BuyerDetails, code: str | None
) -> tuple[Fault, ...]:
    """Keep what the buyer typed and return what is wrong with it, field by field.

    An empty code removes the one typed before. What is wrong is not kept: a code that cannot be
    redeemed leaves the one before in force, a refused address prices nothing.
    Nothing is changed on a session that has ended or is being paid.

    Raises:
        NotFound: there is no such session.
    """
    async with ctx.app.transaction() as tx:
        record = await checkout_sessions.lock(tx, ctx.tenant.id, session_id)
        if record is None:
            raise NotFound("There is no such checkout")
        session = record.session
        if session.status(ctx.now) is not SessionState.CREATED:
            return ()
        typed = await keep_typed(ctx, tx, session, buyer, code)
        parties = await load_parties(ctx, tx, typed.session)
        priced = await todays_quote(ctx, tx, typed.session, parties)
        if priced is not None:
            await checkout_sessions.keep_quoted(tx, ctx.tenant.id, session_id, quoted(priced))
    return typed.faults


async def keep_typed(
    ctx: Context, tx: Tx, session: Session, buyer: BuyerDetails, code: str | None
) -> Typed:
    """The same within a transaction that has locked the session."""
    faults = _buyer_faults(buyer)
    kept = _without(buyer, faults)
    coupon: CouponTerms | None = None
    if code:
        coupon, reason = await _coupon(ctx, tx, session, code.strip())
        if reason is not None:
            faults.append(Fault("code", reason.value.lower(), "cannot be redeemed"))
            coupon = session.page_coupon
    await checkout_sessions.keep_typed(tx, ctx.tenant.id, session.id, kept, coupon, ctx.now)
    return Typed(session=replace(session, buyer=kept, page_coupon=coupon), faults=tuple(faults))


def _without(buyer: BuyerDetails, faults: list[Fault]) -> BuyerDetails:
    """What was typed, less what is wrong with it: no price is shown for a refused address.

    An invalid VAT number stays, to be mended; it counts for nothing until it is valid.
    """
    wrong = {fault.field for fault in faults} - {"vat_number"}
    wrong |= {fault.field for fault in faults if fault.code == "too_long"}
    address = replace(
        buyer.address,
        **{
            name: None
            for name in ("line1", "line2", "city", "state", "zip_code", "country")
            if name in wrong
        },
    )
    return BuyerDetails(
        name="" if "name" in wrong else buyer.name,
        email=None if "email" in wrong else buyer.email,
        vat_number=None if "vat_number" in wrong else buyer.vat_number,
        address=address,
    )


async def _coupon(
    ctx: Context, tx: Tx, session: Session, code: str
) -> tuple[CouponTerms | None, CouponRefusal | None]:
    """The coupon of a code, frozen now; or why it cannot be redeemed."""
    if session.changing is not None:
        # Coupons come with a subscription, not with a change of it.
        return None, CouponRefusal.WRONG_PLAN
    if session.page_coupon is not None and session.page_coupon.code == code:
        return session.page_coupon, None
    found = await coupons.load_by_code(tx, ctx.tenant.id, code, customer_id=session.customer_id)
    if found is None:
        return None, CouponRefusal.UNKNOWN
    terms, state = found
    reason = refusal(
        terms,
        state,
        plan_id=session.plan_id,
        currency=session.offer.currency,
        now=ctx.now,
    )
    return (terms, None) if reason is None else (None, reason)


def _buyer_faults(buyer: BuyerDetails) -> list[Fault]:
    faults: list[Fault] = []
    if not buyer.name.strip():
        faults.append(Fault("name", "required", "say who is billed"))
    if buyer.email is not None and not _is_email(buyer.email):
        faults.append(Fault("email", "invalid", "must be an e-mail address"))
    country = buyer.address.country
    if country is not None and country not in COUNTRIES:
        faults.append(Fault("country", "unknown", "must be a country code of ISO 3166-1"))
    faults.extend(vat_numbers.faults(buyer.vat_number, country))
    texts = {
        "name": buyer.name,
        "email": buyer.email,
        "line1": buyer.address.line1,
        "line2": buyer.address.line2,
        "city": buyer.address.city,
        "state": buyer.address.state,
        "zip_code": buyer.address.zip_code,
        "vat_number": buyer.vat_number,
    }
    faults.extend(
        Fault(field, "too_long", f"must have at most {_FIELD_LENGTH_MAX} characters")
        for field, text in texts.items()
        if text is not None and len(text) > _FIELD_LENGTH_MAX
    )
    return faults


def _is_email(text: str) -> bool:
    """One @ with something on both sides and a dot in the domain; the mail itself proves
    more.
    """
    name, _, domain = text.strip().rpartition("@")
    inner = "." in domain.strip(".") and not domain.startswith(".") and " " not in text
    return bool(name) and "@" not in name and inner
