"""A price by tiers in one sentence; the tiers themselves are listed where there is room."""

from tallystick.domain.pricing import Tier, Tiered, Volume
from tallystick.http.pages.teller import Teller


def tier_words(model: Tiered | Volume, currency: str, say: Teller) -> str:
    """What usage costs by these tiers: which units are free, and what comes after them."""
    first, rest = model.tiers[0], model.tiers[1:]
    lowest = min((tier.rate for tier in model.tiers if tier.rate > 0), default=None)
    if lowest is None:
        return say.words("usage.steps")
    rate = say.formats.price(lowest, currency)
    if not rest or any(tier.flat_fee or tier.flat_cap for tier in model.tiers):
        return say.words("usage.from", rate=rate)
    if isinstance(model, Tiered):
        return _graduated(first, rest, currency, say)
    if first.rate > 0:
        return say.words("usage.from", rate=rate)
    count = say.formats.number(rest[0].first_unit)
    return say.words("usage.volume_free", count=count, rate=rate)


def _graduated(first: Tier, rest: tuple[Tier, ...], currency: str, say: Teller) -> str:
    count = say.formats.number(rest[0].first_unit)
    if first.rate > 0:
        start = say.words(
            "usage.first", count=count, rate=say.formats.price(first.rate, currency)
        )
    else:
        start = say.words("usage.first_free", count=count)
    key = "usage.then" if len(rest) == 1 else "usage.then_from"
    rate = min(tier.rate for tier in rest)
    return say.words(key, first=start, rate=say.formats.price(rate, currency))
