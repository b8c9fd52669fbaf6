"""The mandate that a debit needs: its wording, and whom it names."""

from tallystick.http.pages.teller import Teller
from tallystick.services.checkout_view import SellerCard

CONSENT_VERSION = "2026-11.5"
"""Version of the consent and mandate texts; raised whenever their wording changes."""


def mandate_text(
    seller: SellerCard, agent: str | None, say: Teller, *, announces: bool = True
) -> str:
    """The SEPA direct debit mandate, naming the creditor, and who debits for it, if anybody.

    `announces` says that the page beside it names what will be debited, and when.
    """
    text = (
        say.words("mandate.text", creditor=seller.legal_name)
        if agent is None
        else say.words("mandate.text_agent", creditor=seller.legal_name, agent=agent)
    )
    return f"{text} {say.words('mandate.notice')}" if announces else text


def mandate_rows(
    seller: SellerCard, reference: str | None, say: Teller
) -> tuple[tuple[str, str], ...]:
    """Who debits, and under which reference; None where it is allotted later."""
    rows = [(say.words("mandate.creditor"), seller.legal_name)]
    if seller.creditor_identifier:
        rows.append((say.words("mandate.identifier"), seller.creditor_identifier))
    number = reference or say.words("mandate.reference_later")
    return (*rows, (say.words("mandate.reference"), number))
