"""What comes from a merchant or a buyer and ends up in a style sheet, a header or a list."""

import pytest
from babel import Locale

from tallystick.domain.countries import COUNTRIES
from tallystick.http.checkout.success import with_session
from tallystick.http.pages import brand
from tallystick.http.pages.countries import country_names, country_options
from tallystick.locales.choice import LANGUAGES


@pytest.mark.parametrize("color", ["ffffff", "000000", "ffd21f", "777777", "0f6e5c", "ff0000"])
def test_any_brand_colour_is_readable(color: str) -> None:
    """Whatever colour a merchant has, text on it and in it keeps a contrast of 4.5."""
    sheet = brand.stylesheet(color)
    found = dict(
        part.split(":#") for part in sheet.replace("}", ";").split("{")[1].split(";")[:4]
    )
    dark = sheet.rpartition("--accent:#")[2][:6]

    assert brand.contrast(found["--brand"], found["--brand-ink"]) >= 4.5
    assert brand.contrast(found["--accent"], "ffffff") >= 4.5
    assert brand.contrast(dark, "16181d") >= 4.5


def test_a_colour_that_is_none_is_ours() -> None:
    """Only six hex digits are a colour; nothing else reaches a style sheet."""
    assert brand.parse("#0F6E5C") == "0f6e5c"
    assert {brand.parse(text) for text in (None, "", "red", "#fff", "0f6e5c;}")} == {
        brand.DEFAULT
    }


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example", "https://a.example?checkout_session_id=che_1"),
        ("https://a.example/d?b=1&c", "https://a.example/d?b=1&c&checkout_session_id=che_1"),
        ("https://a.example/#/done", "https://a.example/?checkout_session_id=che_1#/done"),
        (
            "https://a.example/?q=%C3%A9+x",
            "https://a.example/?q=%C3%A9+x&checkout_session_id=che_1",
        ),
        (
            "https://münchen.example:81/ü?ß=☃#x",
            "https://xn--mnchen-3ya.example:81/%C3%BC?%C3%9F=%E2%98%83&checkout_session_id=che_1#x",
        ),
        ("https://[::1]/100%", "https://[::1]/100%?checkout_session_id=che_1"),
        ("https://[", None),
        ("https://a.example:99999/", None),
    ],
)
def test_the_success_page_keeps_its_own_parameters(url: str, expected: str | None) -> None:
    """The session's id is added; all else stays as the merchant wrote it, in ASCII."""
    assert with_session(url, "che_1") == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_country_offered_is_accepted(language: str) -> None:
    """The list holds the countries that are known, all of them and no other."""
    assert {code for code, _ in country_names(Locale(language))} == COUNTRIES


def test_countries_are_in_the_readers_order() -> None:
    """All countries by their names in the page's language, accents not counting."""
    names = [name for _, name in country_names(Locale("fr"))]

    assert len(names) == 249
    assert names.index("Égypte") < names.index("France")
    assert names[0] == "Afghanistan"


@pytest.mark.parametrize(
    ("country", "expected"),
    [("DE", '<option value="DE" selected>Germany</option>'), ("ZZ", None), ('"', None)],
)
def test_the_buyers_country_is_chosen(country: str, expected: str | None) -> None:
    """The country typed before is chosen; what is no country chooses none."""
    options = country_options(Locale("en"), country)

    assert options.count(" selected") == (1 if expected else 0)
    assert expected is None or expected in options
