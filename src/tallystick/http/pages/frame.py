"""What surrounds every page: the merchant, its colour, the languages, the way back."""

from dataclasses import dataclass, replace
from typing import Final, Self

from tallystick.http.pages import brand
from tallystick.http.pages.assets import Assets
from tallystick.http.pages.teller import Teller
from tallystick.locales.addresses import address_lines
from tallystick.locales.choice import LANGUAGES
from tallystick.services.checkout_view import SellerCard

LANGUAGE_NAMES: Final = {
    "en": "English",
    "fr": "Fran\N{LATIN SMALL LETTER C WITH CEDILLA}ais",
    "de": "Deutsch",
    "es": "Espa\N{LATIN SMALL LETTER N WITH TILDE}ol",
}
"""Each language by its own name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageLink:
    """A language of the page and where to get it."""

    code: str
    name: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """The addresses of a page that takes a payment, and of its forms."""

    page: str
    quote: str
    confirm: str
    back_from_bank: str
    bank: str
    another_method: str
    status: str
    invoice: str

    @classmethod
    def below(cls, page: str, *, quote: str) -> Self:
        """Those below the page's address; `quote` is where a new total is asked for."""
        return cls(
            page=page,
            quote=quote,
            confirm=f"{page}/confirm",
            back_from_bank=f"{page}/return",
            bank=f"{page}/bank",
            another_method=f"{page}/another-method",
            status=f"{page}/status",
            invoice=f"{page}/invoice.pdf",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The surroundings of a page, in the buyer's language."""

    title: str
    merchant: str | None
    initial: str
    logo: str | None
    is_test: bool
    back: str | None
    imprint: tuple[str, ...]
    languages: tuple[LanguageLink, ...]
    stylesheet: str
    brand_stylesheet: str | None
    htmx: str
    script: str
    icon: str


def bare_frame(title: str, assets: Assets) -> Frame:
    """The surroundings of a page that belongs to no merchant (an unknown link)."""
    return Frame(
        title=title,
        merchant=None,
        initial="",
        logo=None,
        is_test=False,
        back=None,
        imprint=(),
        languages=(),
        stylesheet=assets.url("checkout.css"),
        brand_stylesheet=None,
        htmx=assets.url("htmx.min.js"),
        script=assets.url("checkout.js"),
        icon=assets.url("icon.svg"),
    )


def merchant_frame(
    title: str, seller: SellerCard, back: str | None, assets: Assets, page: str, say: Teller
) -> Frame:
    """The surroundings of a merchant's page; `back` is where its "back" link leads."""
    return replace(
        bare_frame(title, assets),
        title=f"{title} \N{MIDDLE DOT} {seller.legal_name}",
        merchant=seller.legal_name,
        initial=seller.legal_name.strip()[:1].upper(),
        logo=seller.logo_url,
        is_test=seller.is_test,
        back=back,
        imprint=imprint(seller, say),
        languages=tuple(
            LanguageLink(code=code, name=LANGUAGE_NAMES[code], url=f"{page}?lang={code}")
            for code in LANGUAGES
        ),
        brand_stylesheet=assets.brand_url(brand.parse(seller.brand_color)),
    )


def imprint(seller: SellerCard, say: Teller) -> tuple[str, ...]:
    """Who sells, where, and under which VAT number."""
    parts = [seller.legal_name, *address_lines(seller.address, say.words.locale)]
    if seller.vat_number:
        parts.append(say.words("footer.vat_number", number=seller.vat_number))
    if seller.email:
        parts.append(seller.email)
    return tuple(parts)
