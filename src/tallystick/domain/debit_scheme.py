"""The schemes of direct debit: each is one currency's, with a mandate in words of its own."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class DebitScheme(StrEnum):
    """A scheme of banks for debits: its rules say what a mandate must tell."""

    SEPA = "SEPA"
    BACS = "BACS"
    BECS = "BECS"


SCHEME_OF_CURRENCY = {
    "EUR": DebitScheme.SEPA,
    "GBP": DebitScheme.BACS,
    "AUD": DebitScheme.BECS,
}
"""The scheme whose debits are in a currency: the euro's, the United Kingdom's, Australia's."""

SEPA_ALONE = frozenset({DebitScheme.SEPA})
"""What can be debited where nothing else is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DebitAgent:
    """Who debits for the creditor, as the mandates of a scheme must name it.

    `name` is the short one; `legal_name` is whom the payer authorises, with the numbers that
    the scheme asks for. `terms_url` leads to what the payer agrees to besides (the guarantee of
    the scheme, the agent's service agreement), None where it is all said in the mandate.
    """

    name: str
    legal_name: str
    terms_url: str | None = None


def scheme_for(
    currency: str, creditor_identifier: str | None, taken: Collection[DebitScheme]
) -> DebitScheme | None:
    """The scheme by which a currency is debited; None where nothing can be.

    `taken` are the schemes that the payment provider collects for the creditor. A SEPA mandate
    names the creditor by its identifier; without that number there is nothing to sign.
    """
    scheme = SCHEME_OF_CURRENCY.get(currency)
    if scheme is None or scheme not in taken:
        return None
    if scheme is DebitScheme.SEPA and creditor_identifier is None:
        return None
    return scheme
