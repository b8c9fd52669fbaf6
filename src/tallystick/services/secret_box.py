"""Secrets of others, sealed: the database holds them, and nobody who has only the database.

AES-256 in GCM with a random nonce for each seal. What is sealed is bound to its place (tenant,
row, column): copied elsewhere, it cannot be opened. The keys are settings; the first one seals,
and each of them opens, so that they can be replaced one by one.
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12

_MARK = "sealed"
_NAME_CHARS = 8


class CannotOpen(Exception):
    """No key of the settings opens it, or it was sealed for another place."""


class SecretBox:
    """Seals and opens with the installation's keys, 32 bytes each, the current one first."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        assert keys, "nothing can be sealed without a key"
        assert all(len(key) == KEY_BYTES for key in keys), "keys have 32 bytes"
        self._ciphers = {_name_of(key): AESGCM(key) for key in keys}
        self._current = _name_of(keys[0])

    def seal(self, secret: str, place: str) -> str:
        """What may be stored: it opens at that place only."""
        nonce = os.urandom(NONCE_BYTES)
        closed = self._ciphers[self._current].encrypt(nonce, secret.encode(), place.encode())
        text = base64.urlsafe_b64encode(nonce + closed).decode()
        return f"{_MARK}.{self._current}.{text}"

    def open(self, sealed: str, place: str) -> str:
        """The secret behind what was sealed for the place.

        Raises:
            CannotOpen: Its key is no setting any more, or it was changed or moved.
        """
        mark, _, rest = sealed.partition(".")
        name, _, text = rest.partition(".")
        cipher = self._ciphers.get(name)
        if mark != _MARK or cipher is None:
            raise CannotOpen("TALLYSTICK_ENCRYPTION_KEYS lacks the key that sealed it")
        try:
            closed = base64.urlsafe_b64decode(text)
            return cipher.decrypt(
                closed[:NONCE_BYTES], closed[NONCE_BYTES:], place.encode()
            ).decode()
        except (InvalidTag, ValueError, binascii.Error):
            raise CannotOpen("it was changed, or sealed for another place") from None

    def is_current(self, sealed: str) -> bool:
        """Whether the current key has sealed it."""
        return sealed.startswith(f"{_MARK}.{self._current}.")


def _name_of(key: bytes) -> str:
    """By which a key is known, without telling it."""
    return hashlib.sha256(b"tallystick:" + key).hexdigest()[:_NAME_CHARS]
