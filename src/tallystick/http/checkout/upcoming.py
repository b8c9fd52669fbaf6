"""What happens when: today, at each later charge, and at the end."""

from dataclasses import dataclass
from datetime import date, timedelta

from tallystick.domain.offer import Offer
from tallystick.domain.quote import Quote
from tallystick.domain.upcoming import Upcoming, UpcomingReason
from tallystick.http.pages.teller import Teller


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A point on the page's time line; `amount` is None where no money moves."""

    when: str
    text: str
    amount: str | None
    is_today: bool = False


def steps(quote: Quote, offer: Offer, say: Teller) -> tuple[Step, ...]:
    """Today, the next charge, every one that differs after it, the ends of trial and all."""
    dates = quote.dates
    later: list[tuple[date, str, str | None]] = [
        (
            one.due,
            _later(one, position, offer, say),
            upcoming_amount(one, quote.currency, say),
        )
        for position, one in enumerate(quote.upcoming)
    ]
    if dates.coming_trial_end is not None and not dates.trial_is_free:
        later.append((dates.coming_trial_end, say.words("step.paid_trial_ends"), None))
    if dates.end is not None:
        later.append((dates.end - timedelta(days=1), say.words("step.ends"), None))
    later.sort(key=lambda step: step[0])
    return (
        _today(quote, offer, say),
        *(
            Step(when=say.formats.day(day), text=text, amount=amount)
            for day, text, amount in later
        ),
    )


def upcoming_amount(one: Upcoming, currency: str, say: Teller) -> str:
    """A later charge's amount, with a word for the usage that comes on top of it.

    Where usage is all there can be, no amount is named.
    """
    if is_usage_only(one):
        return say.words("step.usage_only")
    money = say.formats.money(one.total, currency)
    return say.words("step.with_usage", amount=money) if one.has_usage else money


def is_usage_only(one: Upcoming) -> bool:
    """Whether nothing but metered usage falls due."""
    return one.total == 0 and one.has_usage


def renewal_note(quote: Quote, offer: Offer, say: Teller) -> str | None:
    """How long it goes on, every month until cancelled, and what it costs at least.

    None where it ends or never renews, and no minimum is promised.
    """
    every = say.words.of(quote.cadence)
    notes = []
    if quote.dates.end is None and offer.recurring:
        notes.append(say.words("step.renews", every=every))
    if offer.minimum is not None:
        covered = [item for item in offer.recurring if offer.minimum.covers(item.product_id)]
        amount = say.formats.price(offer.minimum.amount, quote.currency)
        all_of_it = offer.minimum.product_ids is None
        names = ", ".join(item.name for item in covered)
        notes.append(
            say.words("step.minimum", amount=amount, every=every)
            if all_of_it
            else say.words("step.minimum_of", names=names, amount=amount, every=every)
        )
    return " ".join(notes) or None


def _today(quote: Quote, offer: Offer, say: Teller) -> Step:
    if quote.dates.in_free_trial:
        key = "step.trial_starts"
    elif quote.dates.starts_later:
        key = "step.nothing_yet"
    elif quote.adjusts:
        key = "step.changed" if quote.amount_due == 0 else "step.change_payment"
        if quote.amount_due and offer.payment.type != "online":
            key = "step.invoice_issued"
    elif quote.amount_due == 0:
        key = "step.starts"
    elif offer.payment.type == "online":
        key = "step.first_payment"
    else:
        key = "step.invoice_issued"
    due = quote.dates.today + timedelta(days=offer.net_terms)
    return Step(
        when=say.words("step.today"),
        text=say.words(key, due=say.formats.day(due)),
        amount=say.formats.money(quote.amount_due, quote.currency),
        is_today=True,
    )


def _later(one: Upcoming, position: int, offer: Offer, say: Teller) -> str:
    how = "charge" if offer.charge_automatically else "invoice"
    if one.reason is UpcomingReason.END:
        return say.words("step.last_usage" if is_usage_only(one) else f"step.last_{how}")
    if position > 0:
        return say.words("step.changes")
    match one.reason:
        case UpcomingReason.TRIAL_END:
            return say.words(f"step.trial_ends_{how}")
        case UpcomingReason.START:
            return say.words(f"step.begins_{how}")
        case UpcomingReason.RENEWAL:
            return say.words(f"step.next_{how}")
