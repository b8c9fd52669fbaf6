"""Usage events as they are reported, and which of them are taken.

An event names its customer and the code of a metric. What could never be counted is refused
when it comes, event by event: money that is lost in silence is lost.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from tallystick.domain.errors import Fault
from tallystick.domain.metrics import Aggregation, FilterOperator, Metric, MetricFilter

EVENTS_MAX = 1000
"""Events in one call: they fit into a body of a megabyte and are written in milliseconds."""
LATE_MAX = timedelta(hours=24)
"""How old an event may be. Renewals wait for late usage for hours, not for days, so an older
one would probably miss its invoice; whoever means it says so (`allow_backfilling`).
"""
FUTURE_MAX = timedelta(hours=1)
"""How far ahead an event may lie: clocks differ by minutes, more is a wrong zone or unit."""

_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,12})?")
NUMBER_PATTERN = f"^{_NUMBER.pattern}$"
"""What counts as a number in a property, as a regular expression: the decimals of the API."""

_NUMERIC = frozenset(
    {
        Aggregation.SUM,
        Aggregation.MEAN,
        Aggregation.MIN,
        Aggregation.MAX,
        Aggregation.LATEST,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingEvent:
    """An event as it was sent: `customer` is an id or an alias.

    `timestamp` None means the moment of ingestion. `faults` are what was wrong with its form;
    with any, nothing else in it is looked at.
    """

    event_id: str
    code: str = ""
    customer: UUID | str = ""
    timestamp: datetime | None = None
    properties: Mapping[str, str]
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageEvent:
    """An event that is taken; it is kept once for each customer and `event_id`."""

    customer_id: UUID
    event_id: str
    code: str
    happened_at: datetime
    properties: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedEvent:
    """An event that is not taken: its place in the call, and why."""

    index: int
    event_id: str
    faults: tuple[Fault, ...]

    @property
    def reason(self) -> str:
        """The faults as one sentence, each after the name of its field."""
        return "; ".join(f"{fault.field}: {fault.message}" for fault in self.faults)

    def in_call(self) -> list[Fault]:
        """The faults with their paths as they stand in the whole call."""
        return [
            Fault(f"events[{self.index}].{one.field}", one.code, one.message)
            for one in self.faults
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Which events of a call are taken, and which are not."""

    taken: tuple[UsageEvent, ...]
    refused: tuple[RefusedEvent, ...]


def judge(
    events: Sequence[IncomingEvent],
    *,
    customers: Mapping[UUID | str, UUID],
    metrics: Mapping[str, Sequence[Metric]],
    now: datetime,
    allow_backfilling: bool,
) -> Judged:
    """Decide which events are taken.

    Args:
        events: As they were sent.
        customers: The customers that they name, by id and by alias, as far as they exist.
        metrics: The metrics that they name, by code, archived ones included: a subscription
            may go on counting with one.
        now: The moment of ingestion, in business time.
        allow_backfilling: Whether an event may be of any age.
    """
    earliest = None if allow_backfilling else now - LATE_MAX
    latest = now + FUTURE_MAX
    taken, refused = [], []
    for index, event in enumerate(events):
        faults = list(event.faults)
        if not faults:
            happened_at = event.timestamp or now
            customer_id = customers.get(event.customer)
            if customer_id is None:
                faults.append(_UNKNOWN_CUSTOMER)
            faults += _faults_of_time(happened_at, earliest, latest)
            faults += _faults_of_use(event, metrics.get(event.code, ()))
            if not faults:
                assert customer_id is not None, "an unknown one is a fault"
                taken.append(
                    UsageEvent(
                        customer_id=customer_id,
                        event_id=event.event_id,
                        code=event.code,
                        happened_at=happened_at,
                        properties=event.properties,
                    )
                )
                continue
        refused.append(RefusedEvent(index=index, event_id=event.event_id, faults=tuple(faults)))
    return Judged(taken=tuple(taken), refused=tuple(refused))


_UNKNOWN_CUSTOMER = Fault("customer_id", "unknown", "must be a customer's id or alias")
_UNKNOWN_CODE = Fault("code", "unknown", "must be the code of a metric")
_TOO_LATE = Fault(
    "timestamp",
    "too_late",
    "must not lie more than 24 hours back, unless `allow_backfilling` is true",
)
_TOO_EARLY = Fault("timestamp", "in_future", "must not lie more than 1 hour ahead")


def _faults_of_time(
    happened_at: datetime, earliest: datetime | None, latest: datetime
) -> list[Fault]:
    if earliest is not None and happened_at < earliest:
        return [_TOO_LATE]
    return [_TOO_EARLY] if happened_at > latest else []


def _faults_of_use(event: IncomingEvent, metrics: Sequence[Metric]) -> list[Fault]:
    """Why no metric could count the event: it fits at least one, or passes its filters by."""
    if not metrics:
        return [_UNKNOWN_CODE]
    faults = []
    for metric in metrics:
        fault = _fault_of_value(event, metric)
        if fault is None:
            return []
        faults.append(fault)
    return faults[:1]


def _fault_of_value(event: IncomingEvent, metric: Metric) -> Fault | None:
    key = metric.aggregation_key
    if metric.aggregation is Aggregation.COUNT or key is None:
        return None
    value = event.properties.get(key)
    numeric = metric.aggregation in _NUMERIC
    if value is not None and not (numeric and not _NUMBER.fullmatch(value)):
        return None
    if not passes(metric.definition.filters, event.properties):
        return None
    what = "a decimal number without exponent" if numeric else "there"
    code = "required" if value is None else "malformed"
    message = f"must be {what}: {metric.aggregation.value} aggregates it"
    return Fault(f"properties.{key}", code, message)


def passes(filters: Sequence[MetricFilter], properties: Mapping[str, str]) -> bool:
    """Whether a metric counts an event of these properties: all filters hold."""
    return all(_holds(one, properties.get(one.property)) for one in filters)


def _holds(one: MetricFilter, value: str | None) -> bool:
    if value is None:
        return False
    wanted = one.op in (FilterOperator.EQUAL, FilterOperator.IN)
    return (value in one.values) is wanted
