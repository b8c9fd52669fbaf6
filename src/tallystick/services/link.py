"""Signatures under a tenant's secret: checkout links, shown quotes, forms and cookies.

A signature is the first 128 bits of an HMAC-SHA256 over its purpose and the text, in URL-safe
base64. The secret is kept in the database, so that every process sharing it agrees.
"""

import base64
import hashlib
import hmac
from enum import StrEnum
from uuid import UUID

from tallystick.domain.ids import Prefix, encode

_BYTES = 16


class Purpose(StrEnum):
    """What a signature is for; one made for another purpose does not verify."""

    LINK = "link"
    QUOTE = "quote"
    CONSENT = "consent"
    FORM = "form"
    PAID = "paid"
    PORTAL_FORM = "portal-form"
    PORTAL_TRY = "portal-try"
    INVOICE = "invoice"


def sign(secret: bytes, purpose: Purpose, text: str) -> str:
    """The signature of `text` for `purpose`: 22 URL-safe characters."""
    digest = hmac.new(secret, f"{purpose.value}\n{text}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:_BYTES]).rstrip(b"=").decode()


def verify(secret: bytes, purpose: Purpose, text: str, signature: str) -> bool:
    """Whether `signature` was made by `sign` for the same purpose and text; constant time."""
    return hmac.compare_digest(
        sign(secret, purpose, text).encode(), signature.encode(errors="replace")
    )


def checkout_url(public_url: str, secret: bytes, session_id: UUID) -> str:
    """The link a buyer opens; the same for the session's life."""
    name = encode(Prefix.CHECKOUT_SESSION, session_id)
    return f"{public_url}/checkout/{name}/{sign(secret, Purpose.LINK, name)}"


def payment_url(public_url: str, secret: bytes, tenant_id: UUID, invoice_id: UUID) -> str:
    """The link to an invoice's own page; the same for the invoice's life.

    It names the tenant, so that the invoice is found without searching those of all.
    """
    name = encode(Prefix.INVOICE, invoice_id)
    tenant = encode(Prefix.TENANT, tenant_id)
    return f"{public_url}/pay/{tenant}/{name}/{sign(secret, Purpose.INVOICE, name)}"
