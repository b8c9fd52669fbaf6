"""What the last period leaves to be billed, as the page and the consent tell it."""

from dataclasses import replace
from datetime import date

import pytest
from babel import Locale

from tallystick.domain.offer import Offer
from tallystick.http.checkout.finish import agreed_text
from tallystick.http.checkout.summary import summarize
from tallystick.http.checkout.words import teller_for
from tests.http.checkout.stories import ACME, PLATFORM, SIMPLE, STORAGE, priced

ENGLISH = teller_for(Locale.parse("en_GB"))
METERED = replace(SIMPLE, items=(PLATFORM, STORAGE))


def steps(offer: Offer) -> list[tuple[str, str, str | None]]:
    """The time line."""
    found = summarize(priced(offer), offer, ENGLISH)
    return [(step.when, step.text, step.amount) for step in found.steps]


def consent(offer: Offer, language: str = "en_GB") -> str:
    """What is agreed to."""
    say = teller_for(Locale.parse(language))
    return agreed_text(priced(offer), offer, ACME, None, None, say) or ""


def test_usage_after_the_end_is_no_renewal() -> None:
    """After the last day the usage of the last period is billed; no amount is made up."""
    offer = replace(METERED, end_date=date(2027, 1, 23))

    assert steps(offer) == [
        ("Today", "First payment", "€153.51"),
        ("23 December 2026", "Next payment", "€153.51 plus usage"),
        ("22 January 2027", "Last day of your subscription", None),
        ("23 January 2027", "Usage of the last period", "by usage"),
    ]
    assert (
        "the next time €153.51 plus usage on 23 December 2026; the last time what was used on "
        "23 January 2027. It is charged every month and its last day is 22 January 2027."
    ) in consent(offer)


def test_what_ends_with_its_first_period_is_not_charged_every_month() -> None:
    """Where nothing but the last period's usage follows, no rhythm is agreed to."""
    offer = replace(METERED, end_date=date(2026, 12, 23))

    assert steps(offer)[-1] == ("23 December 2026", "Usage of the last period", "by usage")
    assert (
        "subscription: the last time what was used on 23 December 2026. Its last day is "
        "22 December 2026. You can cancel"
    ) in consent(offer)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("fr", "usage le 23 décembre 2026. Son dernier jour est le 22 décembre 2026."),
        (
            "de",
            "ein letztes Mal mit dem Betrag nach Verbrauch am 23. Dezember 2026. Sein letzter",
        ),
        ("es", "por última vez el importe del uso el 23 de diciembre de 2026. Su último día"),
    ],
)
def test_every_language_tells_the_last_usage(language: str, sentence: str) -> None:
    """The last usage is agreed to in whole sentences in every language."""
    assert sentence in consent(replace(METERED, end_date=date(2026, 12, 23)), language)


def test_usage_alone_names_no_amount() -> None:
    """Where usage is all there is, no amount of zero stands beside it."""
    offer = replace(SIMPLE, items=(STORAGE,))
    found = summarize(priced(offer), offer, ENGLISH)

    assert found.headline.after == "then by usage on 23 December 2026"
    assert steps(offer)[-1] == ("23 December 2026", "Next payment", "by usage")
