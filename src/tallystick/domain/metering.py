"""What is asked of events before usage can be priced: whose, of what, when, told apart how."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from uuid import UUID

from tallystick.domain.metrics import Metric, segmentation_keys
from tallystick.domain.periods import Period
from tallystick.domain.pricing import CapacityPricing, UsagePricing
from tallystick.domain.usage_pricing import dimension_keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Metering:
    """One question: a customer's usage of a metric in a window of whole days.

    `by_group` tells the values of the metric's group key apart, `dimensions` are further
    properties to tell apart.
    """

    customer_id: UUID
    metric: Metric
    window: Period
    by_group: bool = False
    dimensions: tuple[str, ...] = ()

    @property
    def group_key(self) -> str | None:
        """The property whose values are groups, or None where all usage is one."""
        return self.metric.definition.usage_group_key if self.by_group else None


def metering_for(
    pricing: UsagePricing | CapacityPricing, metric: Metric, customer_id: UUID, window: Period
) -> Metering:
    """What a price needs to know.

    Metered usage is priced group by group. The allowance of a capacity was paid for once, so
    it holds for the usage of all groups together.
    """
    return Metering(
        customer_id=customer_id,
        metric=metric,
        window=window,
        by_group=isinstance(pricing, UsagePricing),
        dimensions=dimension_keys(pricing),
    )


def metering_in_detail(metric: Metric, customer_id: UUID, window: Period) -> Metering:
    """Everything by which a metric tells usage apart, whatever it costs."""
    return Metering(
        customer_id=customer_id,
        metric=metric,
        window=window,
        by_group=True,
        dimensions=segmentation_keys(metric.definition),
    )


def day_begins(day: date, zone: tzinfo) -> datetime:
    """The moment at which a day begins in a time zone, in UTC.

    Where midnight is skipped, the day begins with the first moment after the gap; where it
    comes twice, with the first of both.
    """
    return datetime.combine(day, time.min, zone).astimezone(UTC)
