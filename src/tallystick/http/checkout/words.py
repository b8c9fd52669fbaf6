"""The words of the checkout: its own catalogue beside the one that pages share."""

from babel import Locale

from tallystick.http.pages import teller
from tallystick.http.pages.teller import Teller


def teller_for(locale: Locale) -> Teller:
    """The teller for a locale whose language the pages speak."""
    return teller.teller_for(locale, __package__)
