"""What differs between the quote that was shown and today's, figure by figure."""

import json
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from tallystick.domain.offer import Offer
from tallystick.domain.quote import Quote
from tallystick.http.pages.alerts import Change
from tallystick.http.pages.teller import Teller

NOTHING = "\N{EN DASH}"


def changes(shown: str, quote: Quote, offer: Offer, say: Teller) -> tuple[Change, ...]:
    """The figures that differ; empty where nothing is known of what was shown.

    `shown` is a canonical form that carried our signature, or empty.
    """
    if not shown:
        return ()
    before = _figures(json.loads(shown), offer, say)
    now = _figures(json.loads(quote.canonical), offer, say)
    return tuple(
        Change(label=label, before=before.get(label, NOTHING), now=now.get(label, NOTHING))
        for label in {**before, **now}
        if before.get(label) != now.get(label)
    )


def _figures(canonical: Mapping[str, Any], offer: Offer, say: Teller) -> dict[str, str]:
    """The figures of a canonical form by their labels, in the order of the page."""

    def money(amount: int) -> str:
        return say.formats.money(amount, canonical["currency"])

    def day(iso: str) -> str:
        return say.formats.day(date.fromisoformat(iso))

    figures = {
        say.words("row.subtotal"): money(canonical["subtotal"]),
        say.words("row.discount"): money(sum(canonical["discounts"])),
        say.words("tax.tax"): money(sum(tax for _, _, tax in canonical["tax"])),
        say.words("row.balance"): money(canonical["balance"]),
        say.words("row.written_off"): money(canonical["written_off"]),
        say.words("row.due"): money(canonical["due"]),
        **_invoice_days(canonical, offer, say),
        say.words("changed.start"): day(canonical["start"]),
    }
    if canonical["end"]:
        figures[say.words("changed.end")] = day(canonical["end"])
    for position, (when, amount) in enumerate(canonical["upcoming"]):
        label = say.formats.short_day(date.fromisoformat(when))
        if position == 0:
            figures[say.words("changed.next")] = f"{money(amount)}, {label}"
        else:
            figures[label] = money(amount)
    return figures


def _invoice_days(canonical: Mapping[str, Any], offer: Offer, say: Teller) -> dict[str, str]:
    """The day of today's invoice, or today where there is none, and when it is to be paid."""
    issued = date.fromisoformat(canonical["invoice_date"])
    if not canonical["lines"]:
        return {say.words("step.today"): say.formats.day(issued)}
    days = {say.words("receipt.date"): say.formats.day(issued)}
    if offer.payment.type != "online":
        due = issued + timedelta(days=offer.net_terms)
        days[say.words("changed.due_date")] = say.formats.day(due)
    return days
