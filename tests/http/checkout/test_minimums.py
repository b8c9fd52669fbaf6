"""What the page says of a minimum commitment, in every language."""

from dataclasses import replace
from decimal import Decimal

import pytest
from babel import Locale

from tallystick.domain.minimum_commitment import MinimumCommitment
from tallystick.domain.offer import Offer
from tallystick.http.checkout.summary import summarize
from tallystick.http.checkout.words import teller_for
from tests.http.checkout.stories import PLATFORM, SIMPLE, STORAGE, priced

LEAST = MinimumCommitment(amount=Decimal("200.00"))
OF_STORAGE = replace(LEAST, product_ids=(STORAGE.product_id,))


def note(offer: Offer, language: str = "en_GB") -> str | None:
    """The sentence below the time line."""
    return summarize(priced(offer), offer, teller_for(Locale.parse(language))).renewal


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en_GB", "Fees and usage together cost at least €200.00 every month."),
        ("de_DE", "kosten zusammen mindestens 200,00\N{NO-BREAK SPACE}€ jeden Monat."),
        ("fr_FR", "coûtent ensemble au moins 200,00\N{NO-BREAK SPACE}€ chaque mois."),
        ("es_ES", "cuestan juntos al menos 200,00\N{NO-BREAK SPACE}€ cada mes."),
    ],
)
def test_the_page_names_the_minimum(language: str, sentence: str) -> None:
    """Beside how often it renews."""
    told = note(replace(SIMPLE, minimum=LEAST), language)

    assert told is not None
    assert told.endswith(sentence)


def test_the_page_names_what_the_minimum_is_for() -> None:
    """By the names of what is sold, where only some of it counts."""
    offer = replace(SIMPLE, items=(PLATFORM, STORAGE), minimum=OF_STORAGE)

    told = note(offer)

    assert told is not None
    assert told.endswith(f"{STORAGE.name} cost at least €200.00 every month, usage included.")


def test_the_next_amount_holds_what_is_missing() -> None:
    """EUR 118.80 and 19 % tax are 141.37 today; the next charge is EUR 200 and its tax."""
    plain, promised = priced(SIMPLE), priced(replace(SIMPLE, minimum=LEAST))

    assert plain.amount_due == promised.amount_due == plain.upcoming[0].total == 14137
    assert promised.upcoming[0].total == 23800
    assert promised.id != plain.id
    assert note(SIMPLE) == "Renews every month until you cancel."
