"""Secrets of webhooks as they are shown: `whsec_` and base64, as Standard Webhooks has it."""

import base64
import hashlib
import hmac
import os

from tallystick.services.context import Tenant

SECRET_BYTES = 32
_PREFIX = "whsec_"


def new_secret() -> bytes:
    """A secret that nobody can guess."""
    return os.urandom(SECRET_BYTES)


def shown(secret: bytes) -> str:
    """A secret as its owner gets it, and hands it to whatever verifies."""
    return _PREFIX + base64.b64encode(secret).decode()


def listening_secret(tenant: Tenant) -> bytes:
    """The secret under which `tallystick listen` forwards: the same each time it is started."""
    return hmac.new(tenant.link_secret, b"listen", hashlib.sha256).digest()
