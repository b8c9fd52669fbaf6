"""Subscriptions in the order of their plans' names: a page is found plan by plan.

How many subscriptions each plan has is known without counting, so the plans that a page is in
are known, too, and an index holds the subscriptions of each.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from tallystick.db.engine import Tx
from tallystick.db.paging import NEAR, Picked, Window

# Plans of one name are one slice: their subscriptions are in one order, by id.
_SLICES = """
    select array_agg(counted.plan_id) as plans, sum(counted.rows)::bigint as rows
    from (select plan_id, sum(difference) as rows from list_counts
          where tenant_id = $1 and list = 'subscriptions'
            and ($2::text[] is null or facet = any($2)) and ($3::uuid is null or plan_id = $3)
          group by plan_id having sum(difference) > 0) counted
    join plans plan on plan.tenant_id = $1 and plan.id = counted.plan_id
    group by lower(plan.name) order by lower(plan.name)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a page shows of the plans of one name: `rows`, after as many as are `skipped`.

    `place` tells the names apart, and is greater for a later name. Whether it is read
    `descending` depends on which end is nearer.
    """

    place: int
    plans: Sequence[UUID]
    rows: int
    skipped: int
    descending: bool


def parts(slices: Sequence[tuple[Sequence[UUID], int]], window: Window) -> Iterator[Part]:
    """Which rows of which plans a page has.

    Args:
        slices: In the order of their names, the plans of each with the number of their
            subscriptions.
        window: The page.
    """
    way = reversed if window.descending else iter
    begin, end = window.offset, window.offset + window.limit
    before = 0
    for place, (plans, length) in way(list(enumerate(slices))):
        skipped = max(begin - before, 0)
        rows = min(length, end - before) - skipped
        if rows > 0:
            after = length - skipped - rows
            turned = skipped > NEAR and after < skipped
            yield Part(
                place=place,
                plans=plans,
                rows=rows,
                skipped=after if turned else skipped,
                descending=window.descending != turned,
            )
        before += length


async def pick_by_plan(
    tx: Tx,
    tenant_id: UUID,
    window: Window,
    *,
    plan_id: UUID | None,
    statuses: Sequence[str] | None,
) -> Picked:
    """Find the rows of a page of subscriptions, ordered by plan name.

    Args:
        tx: Where.
        tenant_id: Whose subscriptions.
        window: Which part.
        plan_id: Only those of a plan; None for all.
        statuses: Only those in these states; None for all.
    """
    found = await tx.fetch(_SLICES, tenant_id, statuses, plan_id)
    slices = [(row["plans"], row["rows"]) for row in found]
    values: list[object] = [tenant_id]
    of_status = ""
    if statuses is not None:
        values.append(statuses)
        of_status = "and status = any($2)"
    texts = [_text(part, of_status, values) for part in parts(slices, window)]
    way = "desc" if window.descending else "asc"
    return Picked(
        total=sum(length for _, length in slices),
        rows=" union all ".join(texts) or None,
        order=f"listed.sorted {way}, listed.id {way}",
        values=values,
    )


def _text(part: Part, of_status: str, values: list[object]) -> str:
    """The statement that yields a part; what it is given is added to `values`."""

    def given(value: object) -> str:
        values.append(value)
        return f"${len(values)}"

    way = "desc" if part.descending else "asc"
    # Each in the order of the whole: plans of one name are merged then, and nothing is sorted.
    of_plans = " union all ".join(
        f"""
        (select id from subscriptions
         where tenant_id = $1 and plan_id = {given(one)} {of_status} order by id {way})
        """
        for one in part.plans
    )
    return f"""
        (select tied.id, {given(part.place)}::integer as sorted from ({of_plans}) tied
         order by tied.id {way} limit {given(part.rows)} offset {given(part.skipped)})
    """
