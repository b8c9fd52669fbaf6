"""Keys of Stripe for the command line: from the environment or a prompt, never an argument.

What stands on a command line is seen by whoever lists processes, and kept by the shell.
"""

import asyncio
import os
import sys

import typer

from tallystick.cli.terminal import FAILED, MISUSED, err, fail
from tallystick.providers.stripe import StripeKeys
from tallystick.providers.stripe_account import (
    AccountFacts,
    AccountRefused,
    MadeWebhook,
    add_webhook,
    examine,
)
from tallystick.providers.stripe_client import API_BASE
from tallystick.settings import Settings

SECRET_KEY = "STRIPE_SECRET_KEY"  # noqa: S105 - where it is looked for
PUBLISHABLE_KEY = "STRIPE_PUBLISHABLE_KEY"
WEBHOOK_SECRET = "STRIPE_WEBHOOK_SECRET"  # noqa: S105 - where it is looked for


def asked_for_keys() -> StripeKeys:
    """The keys of an account; ends the command where they are none."""
    secret = _told(SECRET_KEY, "Secret key (sk_... or rk_...)")
    publishable = _told(PUBLISHABLE_KEY, "Publishable key (pk_...)")
    webhook = os.environ.get(WEBHOOK_SECRET, "").strip()
    try:
        return StripeKeys(
            secret_key=secret,
            publishable_key=publishable,
            webhook_secrets=(webhook,) if webhook else (),
        )
    except ValueError as wrong:
        fail(f"These are no keys of Stripe: {wrong}.", MISUSED)


def asked_for_webhook_secret() -> str:
    """The signing secret of a webhook; ends the command where it is none."""
    secret = _told(WEBHOOK_SECRET, "Signing secret of the webhook (whsec_...)")
    if not secret.startswith("whsec_"):
        fail("The signing secret of a webhook starts with whsec_.", MISUSED)
    return secret


def examined(keys: StripeKeys, settings: Settings) -> AccountFacts:
    """What Stripe says of the account; ends the command where it does not let us ask."""
    try:
        with err.status("Asking Stripe..."):
            return asyncio.run(examine(keys, settings.stripe_api_base or API_BASE))
    except (AccountRefused, ValueError) as refused:
        fail(f"Stripe says: {refused}", FAILED)


def registered(keys: StripeKeys, url: str, settings: Settings) -> MadeWebhook:
    """A webhook that Stripe sends to; ends the command where it cannot."""
    try:
        with err.status("Asking Stripe to send events..."):
            return asyncio.run(add_webhook(keys, url, settings.stripe_api_base or API_BASE))
    except (AccountRefused, ValueError) as refused:
        fail(f"Stripe cannot send events to {url}: {refused}", FAILED)


def _told(variable: str, prompt: str) -> str:
    told = os.environ.get(variable, "").strip()
    if told:
        return told
    if not sys.stdin.isatty():
        fail(f"Set {variable}, or run this in a terminal, which is asked for it.", MISUSED)
    answer: str = typer.prompt(prompt, hide_input=True)
    return answer.strip()
