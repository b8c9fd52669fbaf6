"""The mandate of a direct debit: whom the payer authorises, in the words of its scheme.

The wording is kept with the attempt, so it is made here, in one place, for the page and for
what is kept. Each scheme has its own: a SEPA mandate, a Direct Debit Instruction with the
Direct Debit Guarantee (Bacs), a Direct Debit Request with its service agreement (BECS).
"""

from dataclasses import dataclass

from tallystick.domain.debit_scheme import DebitAgent, DebitScheme, scheme_for
from tallystick.domain.payment_panel import MountedPanel, PaymentPanel
from tallystick.http.pages.teller import Teller
from tallystick.services.checkout_view import SellerCard

CONSENT_VERSION = "2026-11.6"
"""Version of the consent and mandate texts; raised whenever their wording changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Debit:
    """A debit that can be signed: its scheme, and who collects for the creditor, if anybody."""

    scheme: DebitScheme
    agent: DebitAgent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """A mandate as it is shown. `text` is what is agreed to: paragraphs, parted by empty lines.

    `terms` are the name and the address of what is agreed to besides.
    """

    title: str
    text: str
    rows: tuple[tuple[str, str], ...]
    terms: tuple[str, str] | None

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The text, paragraph by paragraph."""
        return tuple(self.text.split("\n\n"))


def debit_of(panel: PaymentPanel, seller: SellerCard, currency: str) -> Debit | None:
    """The debit of a currency that this panel can ask for; None where there is none."""
    scheme = scheme_for(currency, seller.creditor_identifier, panel.debits)
    if scheme is None:
        return None
    agents = panel.debit_agents if isinstance(panel, MountedPanel) else {}
    return Debit(scheme=scheme, agent=agents.get(scheme))


def mandate_text(
    debit: Debit, seller: SellerCard, say: Teller, *, announces: bool = True
) -> str:
    """The mandate, naming the creditor, and who debits for it, if anybody.

    `announces` says that the page beside it names what will be debited, and when. Debits
    through Bacs are announced by the agent alone, as their guarantee promises.
    """
    scheme, agent = debit.scheme.lower(), debit.agent
    if agent is None:
        text = say.words(f"mandate.{scheme}_text", creditor=seller.legal_name)
    else:
        text = say.words(
            f"mandate.{scheme}_text_agent",
            creditor=seller.legal_name,
            agent=agent.name,
            legal_agent=agent.legal_name,
            terms=agent.terms_url or "",
        )
    if announces and debit.scheme is not DebitScheme.BACS:
        return f"{text} {say.words('mandate.notice')}"
    return text


def make_mandate(
    debit: Debit,
    seller: SellerCard,
    reference: str | None,
    say: Teller,
    *,
    announces: bool = True,
) -> Mandate:
    """The mandate as a page shows it; `reference` is None where it is allotted later."""
    scheme, agent = debit.scheme.lower(), debit.agent
    terms = None
    if agent is not None and agent.terms_url is not None:
        terms = say.words(f"mandate.{scheme}_terms"), agent.terms_url
    return Mandate(
        title=say.words(f"mandate.{scheme}_title"),
        text=mandate_text(debit, seller, say, announces=announces),
        rows=_rows(debit, seller, reference, say),
        terms=terms,
    )


def _rows(
    debit: Debit, seller: SellerCard, reference: str | None, say: Teller
) -> tuple[tuple[str, str], ...]:
    """Who debits, and under which reference."""
    rows = [(say.words("mandate.creditor"), seller.legal_name)]
    if debit.scheme is DebitScheme.SEPA and seller.creditor_identifier:
        rows.append((say.words("mandate.identifier"), seller.creditor_identifier))
    elif debit.agent is not None:
        rows.append((say.words("mandate.collector"), debit.agent.name))
    if debit.scheme is not DebitScheme.BECS:
        number = reference or say.words("mandate.reference_later")
        rows.append((say.words("mandate.reference"), number))
    return tuple(rows)
