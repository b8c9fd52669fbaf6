"""Whatever stands for Stripe in a browser's tests: how one pays there, and what it has taken.

The twin draws its fields in a frame, month and year in one; localstripe draws them in the page.
"""

from dataclasses import dataclass
from typing import Protocol

from playwright.sync_api import FrameLocator, Locator, Page
from typing_extensions import override

from tests.browser.shop import Shop
from tests.stripe.account import Account
from tests.stripe.proxy import Proxy

GOOD = "4242424242424242"
CHALLENGED = "4000002500003155"
ALWAYS_CHALLENGED = "4000002760003184"
IBAN = "DE89370400440532013000"


class Counter(Protocol):
    """A shop that is connected to Stripe, as its buyers and its merchant see Stripe."""

    shop: Shop
    declined: str
    """A card that is good, and declined when it is charged."""

    def type_card(self, page: Page, number: str = GOOD) -> None:
        """Type a card into Stripe's fields."""
        ...

    def type_iban(self, page: Page, iban: str = IBAN) -> None:
        """Type an account into Stripe's fields."""
        ...

    @property
    def moved(self) -> list[int]:
        """What Stripe has taken and given back, in minor units."""
        ...


@dataclass(frozen=True, kw_only=True)
class AtTwin(Counter):
    """An account of its own at the twin."""

    shop: Shop
    merchant: Account
    declined: str = "4000000000009995"

    @override
    def type_card(self, page: Page, number: str = GOOD) -> None:
        type_card(page, number)

    @override
    def type_iban(self, page: Page, iban: str = IBAN) -> None:
        frame_of(page, "DIRECT_DEBIT").get_by_label("IBAN").fill(iban)

    @property
    @override
    def moved(self) -> list[int]:
        return self.merchant.moved()


@dataclass(frozen=True, kw_only=True)
class AtLocalstripe(Counter):
    """The one account of localstripe."""

    shop: Shop
    local: Proxy
    declined: str = "4000000000000341"

    @override
    def type_card(self, page: Page, number: str = GOOD) -> None:
        place = _place(page, "CARD")
        place.get_by_label("Card number").fill(number)
        place.get_by_label("Expiration month").fill("12")
        place.get_by_label("Expiration year").fill("40")
        place.get_by_label("Security code").fill("123")

    @override
    def type_iban(self, page: Page, iban: str = IBAN) -> None:
        _place(page, "DIRECT_DEBIT").get_by_label("IBAN").fill(iban)

    @property
    @override
    def moved(self) -> list[int]:
        moved = self.local.wires.run(self.local.moved())
        assert {currency for _, currency in moved} <= {"eur"}
        return [amount for amount, _ in moved]


def type_card(page: Page, number: str = GOOD) -> None:
    """Type a card into the twin's frame."""
    frame = frame_of(page)
    frame.get_by_label("Card number").fill(number)
    frame.get_by_label("Expiration date").fill("12 / 40")
    frame.get_by_label("Security code").fill("123")


def frame_of(page: Page, kind: str = "CARD") -> FrameLocator:
    """The twin's frame for a kind of method."""
    return _place(page, kind).frame_locator("iframe")


def _place(page: Page, kind: str) -> Locator:
    return page.locator(f"#payment_token [data-kind={kind}]")
