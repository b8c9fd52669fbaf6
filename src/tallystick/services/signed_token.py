"""JSON Web Tokens of one kind: HS256, made and read by us alone.

One algorithm and one header: what a token says of its own algorithm is compared and never
followed. A token is believed only after its signature, compared in constant time.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping

CHARS_MAX = 2048


def encode(claims: Mapping[str, object], key: bytes) -> str:
    """A token of these claims, signed under a key."""
    body = _part(json.dumps(claims, separators=(",", ":"), sort_keys=True).encode())
    signed = f"{_HEADER}.{body}"
    return f"{signed}.{_part(_signature(signed, key))}"


def unverified(token: str) -> Mapping[str, object] | None:
    """What a token claims, believed by nobody yet: to find the key. None where it is none."""
    header, _, rest = token.partition(".")
    body, _, _ = rest.partition(".")
    if len(token) > CHARS_MAX or not token.isascii() or header != _HEADER:
        return None
    try:
        claims = json.loads(_bytes(body))
    except (ValueError, RecursionError, binascii.Error):
        return None
    return claims if isinstance(claims, dict) else None


def is_signed(token: str, key: bytes) -> bool:
    """Whether a token was made by `encode` under this key."""
    signed, _, signature = token.rpartition(".")
    wanted = _part(_signature(signed, key))
    return hmac.compare_digest(wanted.encode(), signature.encode(errors="replace"))


def _signature(signed: str, key: bytes) -> bytes:
    return hmac.new(key, signed.encode(errors="replace"), hashlib.sha256).digest()


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)


_HEADER = _part(b'{"alg":"HS256","typ":"JWT"}')
