"""What a provider tells us unasked, in our own words.

An event says only what has changed, never what it has become: whoever hears it looks at the
provider. So an event that comes early, late, twice, or not at all changes nothing but the time
at which we know.
"""

from dataclasses import dataclass


class EventRefused(Exception):
    """What came is not from the provider, or not for us: nothing of it is kept."""


@dataclass(frozen=True, slots=True)
class IntentMoved:
    """A payment or a setup stands somewhere else than before; `reference` names it."""

    reference: str


@dataclass(frozen=True, slots=True)
class MoneyMovedBack:
    """A refund or a dispute of the payment under `reference` has begun or changed."""

    reference: str


@dataclass(frozen=True, slots=True)
class MethodMoved:
    """A payment method has changed, or can be charged no more; `token` is its name there."""

    token: str


@dataclass(frozen=True, slots=True)
class NothingNew:
    """Nothing that we keep an account of."""


News = IntentMoved | MoneyMovedBack | MethodMoved | NothingNew


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEvent:
    """One event: the provider's own `id` and `kind` of it, and what it is about."""

    id: str
    kind: str
    news: News
