"""The direct debits that can be collected through Stripe: their types, and whom they name.

Offered is what a buyer can sign at the page in one go, and what can be charged later while
nobody is there: SEPA, Bacs, and Australia's BECS. Two that Stripe has are left out on purpose.

**ACH, in US dollars** (`us_bank_account`). An account must be verified first. By small deposits
that takes one or two working days, for which a checkout would have to stay open and the buyer
to come back; no attempt here lives that long, and renewals and refunds would meet a method that
is none yet. At once it goes through Financial Connections, whose bank logins need pages with
another `Cross-Origin-Opener-Policy` than `same-origin` and with a `Referer` (Stripe's page
"Deployment checklist" of Financial Connections): ours have neither, because their links are
secrets.

**Pre-authorised debits, in Canadian dollars** (`acss_debit`). Fields that are drawn before
there is an intent do not take them, the mandate needs a schedule in words of its own, and their
accounts are verified like those of ACH.
"""

from collections.abc import Mapping

import stripe

from tallystick.domain.debit_scheme import SCHEME_OF_CURRENCY, DebitAgent, DebitScheme

TYPE_OF = {
    DebitScheme.SEPA: "sepa_debit",
    DebitScheme.BACS: "bacs_debit",
    DebitScheme.BECS: "au_becs_debit",
}
"""What Stripe calls the methods of a scheme; `stripe_panel.js` has the same by currency."""

DEBIT_OF_CURRENCY = {
    currency: TYPE_OF[scheme] for currency, scheme in SCHEME_OF_CURRENCY.items()
}
"""The type of a debit by the currency that is charged."""

AGENTS: Mapping[DebitScheme, DebitAgent] = {
    DebitScheme.SEPA: DebitAgent(name="Stripe", legal_name="Stripe"),
    DebitScheme.BACS: DebitAgent(
        name="Stripe",
        legal_name="Stripe",
        terms_url="https://stripe.com/legal/bacs-direct-debit-guarantee",
    ),
    DebitScheme.BECS: DebitAgent(
        name="Stripe",
        legal_name="Stripe Payments Australia Pty Ltd ACN 160 180 343 Direct Debit User ID "
        "number 507156 (“Stripe”)",
        terms_url="https://stripe.com/au-becs-dd-service-agreement/legal",
    ),
}
"""Whom a mandate names: Stripe collects under numbers of its own, for the creditor."""

_CAPABILITY_OF = {
    **{kind: f"{kind}_payments" for kind in TYPE_OF.values()},
    "acss_debit": "acss_debit_payments",
    "us_bank_account": "us_bank_account_ach_payments",
}
"""The capability of the account that a type needs."""

_LEFT_OUT = {
    "us_bank_account": "ACH debits (US dollars) are switched on at Stripe and are not offered: "
    "their accounts are verified over days, or in windows that these pages do not let in.",
    "acss_debit": "Pre-authorised debits (Canadian dollars) are switched on at Stripe and are "
    "not offered: their accounts are verified over days.",
}


def taken_by(
    account: stripe.Account, configured: stripe.PaymentMethodConfiguration | None
) -> tuple[DebitScheme, ...]:
    """The schemes whose debits an account takes. For `configured` see `_is_on`."""
    return tuple(
        scheme for scheme, kind in TYPE_OF.items() if _is_on(kind, account, configured)
    )


def left_out_of(
    account: stripe.Account, configured: stripe.PaymentMethodConfiguration | None
) -> tuple[str, ...]:
    """Why debits that an account takes are not offered all the same, in sentences."""
    return tuple(
        sentence for kind, sentence in _LEFT_OUT.items() if _is_on(kind, account, configured)
    )


def _is_on(
    kind: str, account: stripe.Account, configured: stripe.PaymentMethodConfiguration | None
) -> bool:
    """Whether a type is switched on.

    `configured` is what the dashboard's page of payment methods says, which is also what is
    offered to fields and intents; None where the key may not see it. Then the account's
    capability has to do.
    """
    if configured is not None:
        return getattr(getattr(configured, kind, None), "available", False) is True
    capabilities = getattr(account, "capabilities", None)
    return getattr(capabilities, _CAPABILITY_OF[kind], None) == "active"
