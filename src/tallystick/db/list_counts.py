"""How long the long lists are, without counting them: the sum of what changed.

Triggers of the tables write the differences, one row each, so that no transaction waits for
another; `compact` sums up what has gathered.
"""

from collections.abc import Sequence
from uuid import UUID

from tallystick.db.engine import Tx
from tallystick.db.paging import Length

ROWS_MAX = 100
"""More differences of one list of one tenant are summed up."""

_LENGTH = """
    select coalesce(sum(difference), 0)::bigint from list_counts
    where tenant_id = $1 and list = $2 and ($3::text[] is null or facet = any($3))
      and ($4::uuid is null or plan_id = $4)
"""

_COMPACT = """
    with long as (
        select tenant_id, list from list_counts group by tenant_id, list having count(*) > $1),
    gone as (
        delete from list_counts c using long
        where c.tenant_id = long.tenant_id and c.list = long.list returning c.*)
    insert into list_counts (tenant_id, list, facet, plan_id, difference)
    select tenant_id, list, facet, plan_id, sum(difference) from gone
    group by tenant_id, list, facet, plan_id having sum(difference) <> 0
"""


def length_of(
    tenant_id: UUID,
    name: str,
    facets: Sequence[str] | None = None,
    plan_id: UUID | None = None,
) -> Length:
    """How many rows a list of a tenant has.

    Args:
        tenant_id: Whose list.
        name: The list: the name of its table.
        facets: The states that are counted; None for all.
        plan_id: Only those of a plan; None for all.
    """
    return Length(
        sql=_LENGTH,
        values=(tenant_id, name, None if facets is None else list(facets), plan_id),
    )


async def compact(tx: Tx) -> int:
    """Sum up the differences of every list that has many, and return how many rows are left.

    What is written meanwhile is not seen and stays; of two that compact at once the second
    finds the rows of the first gone.
    """
    tag: str = await tx.execute(_COMPACT, ROWS_MAX)
    return int(tag.rpartition(" ")[2])
