"""What the test bank's challenge page shows."""

from dataclasses import dataclass

from tallystick.db.sandbox_bank import BankMethod, Intent, IntentState
from tallystick.domain.payment import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What the challenge page shows. `amount` is in minor units, None when a card is saved.

    `answerable` says that the bank still waits for the buyer, `standing` what it came to.
    """

    amount: int | None
    currency: str
    card_brand: str
    card_last4: str
    form_token: str
    return_url: str
    answerable: bool
    standing: Standing


def as_challenge(intent: Intent, method: BankMethod, standing: Standing) -> Challenge:
    """The challenge of an intent that was asked for one."""
    assert intent.form_token is not None, "it was challenged"
    assert method.card_brand is not None, "only cards are challenged"
    assert method.card_last4 is not None, "only cards are challenged"
    return Challenge(
        amount=intent.amount if intent.kind == "PAYMENT" else None,
        currency=intent.currency,
        card_brand=method.card_brand,
        card_last4=method.card_last4,
        form_token=intent.form_token,
        return_url=intent.return_url,
        answerable=intent.state is IntentState.CHALLENGED,
        standing=standing,
    )
