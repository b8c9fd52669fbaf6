"""A saved payment method in words."""

from tallystick.domain.payment import Method, MethodKind
from tallystick.http.pages.teller import Teller


def method_words(method: Method, say: Teller) -> str:
    """A saved method as it may be shown: brand and last digits."""
    match method.kind:
        case MethodKind.CARD:
            brand = (method.card_brand or "").replace("_", " ").title()
            return say.words("method.card_ending", brand=brand, last4=method.card_last4 or "")
        case MethodKind.DIRECT_DEBIT:
            return say.words("method.debit_ending", hint=method.account_hint or "")
