"""Signatures by Standard Webhooks, which the reference's SDK verifies."""

from collections.abc import Sequence
from datetime import datetime

from standardwebhooks import Webhook


def signed_headers(
    message_id: str, body: bytes, secrets: Sequence[bytes], now: datetime
) -> list[tuple[str, str]]:
    """The three headers of a message.

    Args:
        message_id: The event's id: the same each time that it is sent.
        body: What is sent, byte by byte.
        secrets: Each of them signs, so that a receiver may know any one of them.
        now: Real time; receivers refuse what is more than some minutes old.
    """
    signatures = (Webhook(one).sign(message_id, now, body.decode()) for one in secrets)
    return [
        ("webhook-id", message_id),
        ("webhook-timestamp", str(int(now.timestamp()))),
        ("webhook-signature", " ".join(signatures)),
    ]
