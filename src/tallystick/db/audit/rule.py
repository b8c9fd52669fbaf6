"""What a rule is, and how one is looked at."""

from dataclasses import dataclass
from uuid import UUID

from tallystick.db.engine import Tx
from tallystick.domain.ids import Prefix

LOOK_SECONDS_MAX = 600.0
"""A rule reads whole tables, and may take its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Something that must hold of the data.

    Attributes:
        name: Stable and short, for machines.
        holds: What must hold, as a sentence without its full stop.
        kind: What the ids of a breach are ids of; None where nothing outside names it.
        query: Finds the breaches, of all tenants: `tenant_id`, `id` and `about`, which says in
            words what was found. Any of them may be null.
    """

    name: str
    holds: str
    kind: Prefix | None
    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One row that breaks a rule."""

    tenant_id: UUID | None
    id: UUID | None
    about: str


async def findings(tx: Tx, rule: Rule, limit: int) -> list[Finding]:
    """What breaks a rule, at most `limit` rows of it, in the order of their ids."""
    rows = await tx.fetch(
        f"select tenant_id, id, about from ({rule.query}) as breach "
        "order by tenant_id, id limit $1",
        limit,
        timeout=LOOK_SECONDS_MAX,
    )
    return [
        Finding(tenant_id=row["tenant_id"], id=row["id"], about=row["about"] or "")
        for row in rows
    ]


async def take_time(tx: Tx) -> None:
    """Let the statements of this transaction run for as long as a look may take."""
    await tx.execute(f"set local statement_timeout = '{LOOK_SECONDS_MAX:.0f}s'")
