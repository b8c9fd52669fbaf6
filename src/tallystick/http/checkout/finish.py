"""The end of the form: the one button, what pressing it agrees to, and why it may be closed.

The wording of the consent is kept with the attempt, so it is made here, in one place, from the
same quote that the page shows.
"""

from dataclasses import dataclass
from datetime import timedelta

from tallystick.domain.offer import Offer
from tallystick.domain.payment import MethodKind
from tallystick.domain.quote import AttemptKind, Quote
from tallystick.domain.upcoming import Upcoming, UpcomingReason
from tallystick.domain.vat_rates import member_state
from tallystick.http.checkout.upcoming import is_usage_only, upcoming_amount
from tallystick.http.pages.mandate import Debit, mandate_text
from tallystick.http.pages.teller import Teller
from tallystick.services.checkout_view import SellerCard


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """The button's words, the amount beside it, the consent. `closed`: why it is shut."""

    button: str
    amount: str | None
    amount_label: str
    consent: str | None
    closed: str | None


def finish(
    quote: Quote, offer: Offer, seller: SellerCard, country: str | None, say: Teller
) -> Finish:
    """The end of the form for this quote."""
    button, beside = _button(quote, offer, country, say)
    return Finish(
        button=button,
        amount=say.formats.money(quote.amount_due, quote.currency) if beside else None,
        amount_label=say.words(
            "row.due" if offer.payment.type == "online" else "row.invoice_due"
        ),
        consent=consent_text(quote, offer, seller, say),
        closed=say.words("finish.needs_country") if quote.needs_country else None,
    )


def _button(quote: Quote, offer: Offer, country: str | None, say: Teller) -> tuple[str, bool]:
    """The button's words, and whether the amount must stand beside because they do not name it.

    German law wants the words "zahlungspflichtig bestellen" on it, and the law of every member
    state wants an order that obliges to pay to say so, which "Pay EUR 54.12" does by itself.
    """
    if quote.kind is AttemptKind.PAYMENT:
        amount = say.formats.money(quote.amount_due, quote.currency)
        text = say.words("finish.pay", amount=amount)
        return text, amount not in text
    if quote.dates.in_free_trial and offer.can_owe:
        return say.words("finish.trial"), False
    obliges = quote.amount_due > 0 or any(
        one.total > 0 or one.has_usage for one in quote.upcoming
    )
    in_union = country is not None and member_state(country) is not None
    if obliges and (in_union or say.words.language == "de"):
        return say.words("finish.order_obliging"), quote.amount_due > 0
    return say.words("finish.order"), quote.amount_due > 0


def consent_text(quote: Quote, offer: Offer, seller: SellerCard, say: Teller) -> str | None:
    """What the buyer agrees to besides today's payment: every amount that is to come with its
    day, the rhythm, and the way out. Where none is to come, that the method is kept for what
    may. None where no method is kept.
    """
    if not quote.saves_method:
        return None
    sentences = [_authorisation(quote, offer, seller, say)]
    if offer.recurring and quote.upcoming:
        sentences.append(_rhythm(quote, say))
    if seller.email:
        sentences.append(
            say.words("consent.cancel_by", seller=seller.legal_name, email=seller.email)
        )
    else:
        sentences.append(say.words("consent.cancel", seller=seller.legal_name))
    return " ".join(sentences)


def agreed_text(
    quote: Quote,
    offer: Offer,
    seller: SellerCard,
    kind: MethodKind | None,
    debit: Debit | None,
    say: Teller,
) -> str | None:
    """The whole wording agreed to with a method of this kind: mandate and consent as shown.

    `debit` is the one that the page offers, if it offers any.
    """
    consent = consent_text(quote, offer, seller, say)
    parts = [consent] if consent else []
    if kind is MethodKind.DIRECT_DEBIT and debit is not None:
        parts.insert(0, mandate_text(debit, seller, say))
    return "\n\n".join(parts) or None


def _authorisation(quote: Quote, offer: Offer, seller: SellerCard, say: Teller) -> str:
    if not quote.upcoming:
        return say.words("consent.later", seller=seller.legal_name)
    has_one_rhythm = len({item.cadence for item in offer.recurring}) == 1
    change = "consent.charge_from" if has_one_rhythm else "consent.charge_first"
    charges = [
        _charge("consent.charge_next" if position == 0 else change, one, quote, say)
        for position, one in enumerate(quote.upcoming)
    ]
    return say.words("consent.next", seller=seller.legal_name, charges="; ".join(charges))


def _charge(key: str, one: Upcoming, quote: Quote, say: Teller) -> str:
    if one.reason is UpcomingReason.END:
        key = "consent.charge_last"
    amount = (
        say.words("consent.usage_only")
        if is_usage_only(one)
        else upcoming_amount(one, quote.currency, say)
    )
    return say.words(key, amount=amount, day=say.formats.day(one.due))


def _rhythm(quote: Quote, say: Teller) -> str:
    every = say.words.of(quote.cadence)
    if quote.dates.end is None:
        return say.words("consent.until_cancelled", every=every)
    last = say.formats.day(quote.dates.end - timedelta(days=1))
    if all(one.reason is UpcomingReason.END for one in quote.upcoming):
        return say.words("consent.ends", day=last)
    return say.words("consent.until_end", every=every, day=last)
