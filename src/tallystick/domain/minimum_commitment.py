"""A minimum commitment: what the service of each period costs at least."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from tallystick.domain.errors import Fault
from tallystick.domain.money import AMOUNT_MAX, minor

MINOR_MAX = AMOUNT_MAX // 4 // 24
"""The largest minimum in minor units: two years of months stay an amount, with tax."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MinimumCommitment:
    """At least `amount`, in major units, for each period of the subscription.

    `product_ids` are the products whose fees and usage count towards it, None where everything
    that is billed again and again does.
    """

    amount: Decimal
    product_ids: tuple[UUID, ...] | None = None

    def covers(self, product_id: UUID) -> bool:
        """Whether what a product costs counts towards it."""
        return self.product_ids is None or product_id in self.product_ids


def faults_of(
    wanted: MinimumCommitment,
    currency: str,
    *,
    known: Collection[UUID],
    recurring: Collection[UUID],
) -> Iterator[Fault]:
    """Everything wrong with a plan version's minimum.

    `known` are those of its products that exist, `recurring` those that the version bills
    again and again.
    """
    yield from amount_faults(wanted.amount, currency)
    if wanted.product_ids is None:
        if not recurring:
            yield Fault("scope", "nothing_covered", "this version bills nothing in periods")
        return
    for index, product_id in enumerate(wanted.product_ids):
        path = f"scope.product_ids[{index}]"
        if product_id not in known:
            yield Fault(path, "unknown", "must be a product")
        elif product_id in wanted.product_ids[:index]:
            yield Fault(path, "duplicate", "is listed already")
    if set(known).issuperset(wanted.product_ids) and not set(recurring).intersection(
        wanted.product_ids
    ):
        message = "must name a product that this version bills in periods"
        yield Fault("scope.product_ids", "nothing_covered", message)


def amount_faults(amount: Decimal, currency: str) -> Iterator[Fault]:
    """What is wrong with a minimum of so much, in major units of a currency."""
    exact = minor(amount, currency)
    if exact.denominator != 1:
        yield Fault("amount", "too_precise", f"has more decimals than {currency} knows")
    elif exact > MINOR_MAX:
        yield Fault("amount", "too_large", "is too large")
