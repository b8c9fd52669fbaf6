"""Metering: what customers used, aggregated from their events, exactly.

Events are found by customer, code and time in the index of one partition, so that an answer
costs what its own events cost, however many others there are. Many questions about one metric
are one statement.
"""

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from fractions import Fraction
from uuid import UUID

from tallystick.db.engine import Row, Tx
from tallystick.domain.metering import Metering, day_begins
from tallystick.domain.metrics import Aggregation, FilterOperator, Metric, converted
from tallystick.domain.periods import Period
from tallystick.domain.pricing import MatrixDimension
from tallystick.domain.usage_events import NUMBER_PATTERN
from tallystick.domain.usage_pricing import Measured
from tallystick.domain.usage_window import Window

BATCH = 2000
"""Questions in one statement: enough to make its round trip nothing, and no long statement."""

# What was no number when it came, under an older definition of the metric, is none now either.
_NUMBER = f"""
    case when event.properties ->> $3::text ~ '{NUMBER_PATTERN}'
         then (event.properties ->> $3::text)::numeric end
"""

_VALUES = {
    Aggregation.COUNT: "count(*)",
    Aggregation.COUNT_DISTINCT: "count(distinct event.properties ->> $3::text)",
    Aggregation.SUM: f"sum({_NUMBER})",
    Aggregation.MEAN: f"sum({_NUMBER})",
    Aggregation.MIN: f"min({_NUMBER})",
    Aggregation.MAX: f"max({_NUMBER})",
    # Of events of one moment, the one that came last; of those, one and always the same.
    Aggregation.LATEST: f"""
        (array_agg({_NUMBER} order by event.happened_at desc, event.received_at desc,
            event.event_id desc) filter (where ({_NUMBER}) is not null))[1]
    """,
}
"""The value of each aggregation; $3 is the metric's aggregation key."""

_PARTS = {Aggregation.MEAN: f"count({_NUMBER})"}
"""What the value is to be divided by, outside the database, where a third can be said."""


async def usage_of(
    tx: Tx, tenant_id: UUID, zone: tzinfo, wanted: Metering
) -> tuple[Measured, ...]:
    """What a customer used of a metric in a window, in converted units.

    Args:
        tx: Where.
        tenant_id: Whose customer.
        zone: The tenant's, in which the window's days begin.
        wanted: The question.

    Returns:
        One entry for each group and combination of dimensions that occurs, ordered by them,
        those without a value last. Where nothing is told apart, always exactly one.
    """
    (found,) = await usage_of_many(tx, tenant_id, zone, [wanted])
    return found


async def usage_of_many(
    tx: Tx, tenant_id: UUID, zone: tzinfo, wanted: Sequence[Metering]
) -> list[tuple[Measured, ...]]:
    """The same for many questions, in their order: one statement for each metric, not each
    question.
    """
    alike: dict[tuple[UUID, bool, tuple[str, ...]], list[int]] = {}
    for index, one in enumerate(wanted):
        alike.setdefault((one.metric.id, one.by_group, one.dimensions), []).append(index)
    answers: list[tuple[Measured, ...]] = [()] * len(wanted)
    for indices in alike.values():
        for start in range(0, len(indices), BATCH):
            asked = indices[start : start + BATCH]
            found = await _ask(tx, tenant_id, zone, [wanted[index] for index in asked])
            for index, measured in zip(asked, found, strict=True):
                answers[index] = measured
    return answers


async def usage_of_everyone(
    tx: Tx,
    tenant_id: UUID,
    zone: tzinfo,
    metric: Metric,
    window: Period,
    *,
    keys: Sequence[str] = (),
    limit: int | None = None,
    customer_id: UUID | None = None,
) -> list[tuple[dict[str, str], Fraction]]:
    """What all customers used of a metric together, or what one did, by values of `keys`.

    Args:
        tx: Where.
        tenant_id: Whose customers.
        zone: The tenant's, in which the window's days begin.
        metric: Of what.
        window: When.
        keys: The properties to tell apart.
        limit: How many combinations of values at most, in their order.
        customer_id: The only customer, or None for all of them together.

    Returns:
        The values that occur, a property that events lack left out, and their converted units.
    """
    parameters = _Parameters(tenant_id, metric)
    owner = "" if customer_id is None else f"event.customer_id = {parameters(customer_id)}"
    when = [
        f"event.happened_at {sign} {parameters(day_begins(day, zone))}"
        for sign, day in ((">=", window.start), ("<", window.end))
    ]
    query = _aggregate(parameters, keys, [owner, *when])
    if limit is not None:
        query = f"{query} order by keys limit {parameters(limit)}"
    return [
        (
            {k: v for k, v in zip(keys, row["keys"], strict=True) if v is not None},
            _units(row, metric),
        )
        for row in await tx.fetch(query, *parameters.values)
    ]


async def usage_between(
    tx: Tx, tenant_id: UUID, customer_id: UUID, metric: Metric, windows: Sequence[Window]
) -> list[Fraction]:
    """What a customer used of a metric in each of some windows, in converted units.

    Whatever the metric tells apart is taken together.
    """
    parameters = _Parameters(tenant_id, metric)
    begins = parameters([one.begins for one in windows])
    ends = parameters([one.ends for one in windows])
    aggregate = _aggregate(
        parameters,
        (),
        [
            f"event.customer_id = {parameters(customer_id)}",
            "event.happened_at >= asked.begins",
            "event.happened_at < coalesce(asked.ends, 'infinity')",
        ],
    )
    rows = await tx.fetch(
        f"""
        select found.* from
            unnest({begins}::timestamptz[], {ends}::timestamptz[])
                with ordinality as asked (begins, ends, n)
            cross join lateral ({aggregate}) found
        order by asked.n
        """,
        *parameters.values,
    )
    return [_units(row, metric) for row in rows]


async def codes_used(
    tx: Tx,
    tenant_id: UUID,
    zone: tzinfo,
    window: Period,
    codes: Iterable[str],
    customer_id: UUID | None = None,
) -> frozenset[str]:
    """Those of `codes` of which a customer, or any customer, has events in a window."""
    rows = await tx.fetch(
        f"""
        select asked.code from unnest($2::text[]) as asked (code)
        where exists (
            select from usage_events event
            where event.tenant_id = $1 and event.code = asked.code
                and event.happened_at >= $3 and event.happened_at < $4
                {"" if customer_id is None else "and event.customer_id = $5"})
        """,
        tenant_id,
        list(codes),
        day_begins(window.start, zone),
        day_begins(window.end, zone),
        *(() if customer_id is None else (customer_id,)),
    )
    return frozenset(row["code"] for row in rows)


class _Parameters:
    """The values of a statement about a metric; $1 to $3 are its tenant, code and key."""

    def __init__(self, tenant_id: UUID, metric: Metric) -> None:
        self.values: list[object] = [tenant_id, metric.code]
        self.metric = metric
        self.metric_key = metric.aggregation_key
        if metric.aggregation is not Aggregation.COUNT:
            self.values.append(metric.aggregation_key)

    def __call__(self, value: object) -> str:
        """Add a value, and return the name that stands for it in the statement."""
        self.values.append(value)
        return f"${len(self.values)}"


async def _ask(
    tx: Tx, tenant_id: UUID, zone: tzinfo, wanted: Sequence[Metering]
) -> list[tuple[Measured, ...]]:
    """Ask questions that differ in customer and window only."""
    metric, group_key = wanted[0].metric, wanted[0].group_key
    keys = [*([] if group_key is None else [group_key]), *wanted[0].dimensions]
    parameters = _Parameters(tenant_id, metric)
    customers = parameters([one.customer_id for one in wanted])
    begins = parameters([day_begins(one.window.start, zone) for one in wanted])
    ends = parameters([day_begins(one.window.end, zone) for one in wanted])
    aggregate = _aggregate(
        parameters,
        keys,
        [
            "event.customer_id = asked.customer_id",
            "event.happened_at >= asked.begins",
            "event.happened_at < asked.ends",
        ],
    )
    rows = await tx.fetch(
        f"""
        select asked.n, found.* from
            unnest({customers}::uuid[], {begins}::timestamptz[], {ends}::timestamptz[])
                with ordinality as asked (customer_id, begins, ends, n)
            cross join lateral ({aggregate}) found
        order by asked.n, found.keys
        """,
        *parameters.values,
    )
    answers: list[list[Measured]] = [[] for _ in wanted]
    for row in rows:
        answers[row["n"] - 1].append(_measured(row, wanted[0], keys))
    return [tuple(answer) for answer in answers]


def _aggregate(parameters: _Parameters, keys: Sequence[str], conditions: list[str]) -> str:
    """The statement: the value of the metric, and what to divide it by, for each combination
    of the keys' values that occurs; exactly one row where there are no keys.
    """
    metric = parameters.metric
    values = ", ".join(f"event.properties ->> {parameters(key)}::text" for key in keys)
    all_conditions = [
        "event.tenant_id = $1",
        "event.code = $2",
        *filter(None, conditions),
        *_filters(parameters),
    ]
    return f"""
        select array[{values}]::text[] as keys, {_VALUES[metric.aggregation]} as value,
            {_PARTS.get(metric.aggregation, "1")} as parts
        from usage_events event where {" and ".join(all_conditions)}
        {"group by 1" if keys else ""}
    """


def _filters(parameters: _Parameters) -> list[str]:
    """The metric's filters: a property that is not there fits none of them."""
    conditions = []
    for one in parameters.metric.definition.filters:
        wanted = one.op in (FilterOperator.EQUAL, FilterOperator.IN)
        conditions.append(
            f"event.properties ->> {parameters(one.property)}::text"
            f" {'= any' if wanted else '<> all'}({parameters(list(one.values))}::text[])"
        )
    return conditions


def _measured(row: Row, wanted: Metering, keys: Sequence[str]) -> Measured:
    values = list(row["keys"])
    group = values.pop(0) if wanted.group_key is not None else None
    named = zip(keys[len(keys) - len(values) :], values, strict=True)
    return Measured(
        quantity=_units(row, wanted.metric),
        group=group,
        dimensions=tuple(
            MatrixDimension(key=key, value=value) for key, value in named if value is not None
        ),
    )


def _units(row: Row, metric: Metric) -> Fraction:
    """A row's value, exact; nothing to aggregate is nothing used."""
    value, parts = row["value"], row["parts"]
    raw = Fraction(value) / parts if value is not None and parts else Fraction(0)
    return converted(raw, metric.definition.unit_conversion)
