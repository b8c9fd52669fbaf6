"""Identifiers: UUIDv7 inside, `<prefix>_<base62>` outside.

The wire form is the UUID rotated left by 67 of its 128 bits (so that ids made one after the
other look different), written in base 62 with the digits 0-9A-Za-z and without leading zeros:
at most 22 characters. Decoding is the inverse. The largest UUID is
``7n42DGM5Tflk9n8mt7Fhc7``.
"""

from enum import StrEnum
from uuid import UUID

from tallystick.domain.errors import Fault

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VALUE = {character: value for value, character in enumerate(_ALPHABET)}
_BITS = 128
_ROTATION = 67
_MASK = (1 << _BITS) - 1
_BASE = len(_ALPHABET)
_PAIRS = tuple(high + low for high in _ALPHABET for low in _ALPHABET)
"""Two digits at once: an answer may hold hundreds of ids, and each digit is a long division."""
_LENGTH_MAX = 22


class Prefix(StrEnum):
    """The kinds of object and how their ids begin."""

    TENANT = "ten"
    API_KEY = "tkn"
    INVOICING_ENTITY = "ive"
    PROVIDER_CONNECTION = "pcon"
    BANK_ACCOUNT = "ba"
    CUSTOMER = "cus"
    CUSTOM_PROPERTY = "cpd"
    PRODUCT_FAMILY = "pf"
    PRODUCT = "prd"
    PRICE = "pri"
    COMPONENT = "price"
    PLAN = "plan"
    PLAN_VERSION = "plv"
    ADD_ON = "add"
    COUPON = "cou"
    APPLIED_COUPON = "sub_cou"
    METRIC = "bm"
    FEATURE = "feat"
    ENTITLEMENT = "ent"
    CHECKOUT_SESSION = "che"
    SUBSCRIPTION = "sub"
    SUBSCRIPTION_ADD_ON = "sub_add"
    SUBSCRIPTION_COMPONENT = "sub_price"
    INVOICE = "inv"
    CREDIT_NOTE = "crn"
    TRANSACTION = "pay"
    PAYMENT_METHOD = "pm"
    EVENT = "evt"
    BATCH_JOB = "bjob"
    BATCH_JOB_CHUNK = "bjob_chunk"
    WEBHOOK_ENDPOINT = "whe"
    WEBHOOK_DELIVERY = "whd"


class MalformedId(ValueError):
    """A text that is neither a prefixed id of the wanted kind nor a UUID."""


def encode(prefix: Prefix, value: UUID) -> str:
    """The wire form of `value`."""
    number = value.int
    rotated = ((number << _ROTATION) | (number >> (_BITS - _ROTATION))) & _MASK
    pairs = []
    while rotated:
        rotated, pair = divmod(rotated, len(_PAIRS))
        pairs.append(_PAIRS[pair])
    pairs.reverse()
    return f"{prefix.value}_{''.join(pairs).lstrip('0') or '0'}"


def decode(prefix: Prefix, text: str) -> UUID:
    """The UUID behind a prefixed id, or behind a bare UUID.

    Raises `MalformedId` for anything else, another kind's prefix included.
    """
    body = text.removeprefix(f"{prefix.value}_")
    if body == text:
        return _bare(text)
    if not 1 <= len(body) <= _LENGTH_MAX:
        raise MalformedId(text)
    rotated = 0
    try:
        for character in body:
            rotated = rotated * _BASE + _VALUE[character]
    except KeyError:
        raise MalformedId(text) from None
    if rotated > _MASK:
        raise MalformedId(text)
    return UUID(int=((rotated >> _ROTATION) | (rotated << (_BITS - _ROTATION))) & _MASK)


def is_prefixed(prefix: Prefix, text: str) -> bool:
    """Whether `text` is a well-formed prefixed id of this kind (a bare UUID is not)."""
    if not text.startswith(f"{prefix.value}_"):
        return False
    try:
        decode(prefix, text)
    except MalformedId:
        return False
    return True


def malformed(prefix: Prefix, field: str) -> Fault:
    """The fault for a field that should hold an id of this kind."""
    return Fault(field, "malformed_id", f"must be an id that starts with {prefix.value}_")


def _bare(text: str) -> UUID:
    try:
        value = UUID(text)
    except ValueError:
        raise MalformedId(text) from None
    if str(value) != text.lower():
        raise MalformedId(text)
    return value
