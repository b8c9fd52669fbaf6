"""When periodic work is due next. All of it is real time, the database's.

One row per kind of work, for the whole installation: of any number of workers exactly one
moves `due_at` on, and that one does the work this time. Nothing is held while it does, so a
worker that dies or hangs costs one turn at most.
"""

from collections.abc import Mapping, Sequence

from tallystick.db.engine import Tx

_ADD = """
    insert into periodic_work (name) select unnest($1::text[]) order by 1
    on conflict do nothing
"""

# A due time further away than one interval comes from a setting that was changed since.
_TAKE = """
    with due as (
        select p.name, w.seconds
        from periodic_work p
        join unnest($1::text[], $2::float8[]) as w (name, seconds) on w.name = p.name
        where p.due_at <= now() or p.due_at > now() + make_interval(secs => w.seconds)
        for update of p skip locked)
    update periodic_work p set due_at = now() + make_interval(secs => due.seconds)
    from due where p.name = due.name
    returning p.name
"""


async def add(tx: Tx, names: Sequence[str]) -> None:
    """Make these kinds of work known; new ones are due at once."""
    await tx.execute(_ADD, names)


async def take_due(tx: Tx, seconds: Mapping[str, float]) -> list[str]:
    """Take every turn that is due, and say when the next ones are.

    Args:
        tx: A connection of its own transaction: the turns are taken when it is committed.
        seconds: Kinds of work that the caller can do now, with the seconds between two turns.
    """
    rows = await tx.fetch(_TAKE, list(seconds), list(seconds.values()))
    return [row["name"] for row in rows]
