"""One page of a list, and how many there are in all.

First the rows of the page are found, by an index in the order of the list, then only these are
read.

A list is put together from constants of its own module; values travel as parameters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Generic, TypeVar
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx

T = TypeVar("T")

NEAR = 1000
"""A page after so many rows is found from the end of its list, if that is nearer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Which part of a list is wanted, and in which order.

    `order` is a column of the list's own allow-list.
    """

    limit: int
    offset: int
    order: str
    descending: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """A part of a list; `total` counts the whole of it, also past its end."""

    items: tuple[T, ...]
    total: int


@dataclass(slots=True)
class Matching:
    """The conditions of a list: always its tenant ($1), and what else the caller gave."""

    tenant_id: UUID
    alias: str
    conditions: list[str] = field(init=False)
    values: list[object] = field(init=False)

    def __post_init__(self) -> None:
        """Begin with the tenant."""
        self.conditions = [f"{self.alias}.tenant_id = $1"]
        self.values = [self.tenant_id]

    def only(self, condition: str, value: object | None) -> None:
        """Demand `condition`, in which ``{}`` stands for the value; None demands nothing."""
        if value is not None:
            self.values.append(value)
            self.conditions.append(f"({condition.format(f'${len(self.values)}')})")

    def always(self, condition: str) -> None:
        """Demand a condition without a value."""
        self.conditions.append(f"({condition})")

    @property
    def sql(self) -> str:
        """The text of the where clause."""
        return " and ".join(self.conditions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """A statement that tells how long a list is without counting it, and its values."""

    sql: str
    values: Sequence[object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """The rows of a page, found by the list's order alone.

    Attributes:
        total: How many rows the list has.
        rows: A statement that yields the rows of the page, their `id` and what they are
            `sorted` by; None where the page has none.
        order: The order clause that puts these rows, `listed`, into the order of the list.
        values: What the statement is given.
    """

    total: int
    rows: str | None
    order: str
    values: Sequence[object]


async def pick(
    tx: Tx,
    *,
    tables: str,
    matching: Matching,
    order: str,
    window: Window,
    length: Length | None = None,
) -> Picked:
    """Find the rows of a page. One in the second half of a long list is found from its end.

    Args:
        tx: Where.
        tables: The from clause, with what the conditions and the order name.
        matching: The where clause and its values.
        order: The expression to order by; ties go by id.
        window: Which part.
        length: How the total is known, where it need not be counted.
    """
    if length is None:
        counting = f"select count(*) from {tables} where {matching.sql}"
        length = Length(sql=counting, values=matching.values)
    total: int = await tx.fetchval(length.sql, *length.values)
    rows = min(window.limit, total - window.offset)
    descending, skipped = window.descending, window.offset
    after = total - window.offset - rows
    if window.offset > NEAR and after < window.offset:
        descending, skipped = not descending, after
    reading, listed = (("desc" if way else "asc") for way in (descending, window.descending))
    place = len(matching.values)
    return Picked(
        total=total,
        rows=None
        if rows <= 0
        else f"""
            select {matching.alias}.id, {order} as sorted from {tables}
            where {matching.sql} order by {order} {reading}, {matching.alias}.id {reading}
            limit ${place + 1} offset ${place + 2}
        """,
        order=f"listed.sorted {listed}, listed.id {listed}",
        values=(*matching.values, rows, skipped),
    )


async def fetch_page(
    tx: Tx,
    codec: Codec[tuple[T, ...]],
    *,
    item: str,
    tables: str,
    matching: Matching,
    orders: Mapping[str, str],
    window: Window,
    joins: Mapping[str, str] = MappingProxyType({}),
    length: Length | None = None,
    picked: Picked | None = None,
) -> Page[T]:
    """The window's part of a list, decoded, with the list's total.

    Args:
        tx: Where.
        codec: Decodes a JSON array of items.
        item: The expression that yields one item as JSON.
        tables: The from clause.
        matching: The where clause and its values.
        orders: The expression behind each column that may be ordered by; ties go by id.
        window: Which part.
        joins: By alias, tables of which each row has exactly one; to find the rows of the page
            only those are looked at that the conditions or the order name.
        length: How the total is known, where it need not be counted.
        picked: The rows of the page, where its list finds them by itself; its first value is
            the tenant.
    """
    if picked is None:
        order = orders[window.order]
        named = f"{matching.sql} {order}"
        needed = [join for alias, join in joins.items() if f"{alias}." in named]
        picked = await pick(
            tx,
            tables=" ".join([tables, *needed]),
            matching=matching,
            order=order,
            window=window,
            length=length,
        )
    if picked.rows is None:
        return Page(items=(), total=picked.total)
    text = await tx.fetchval(
        f"""
        with picked as materialized ({picked.rows})
        select coalesce(json_agg(listed.item order by {picked.order}),
                        '[]')
        from (select {item} as item, picked.sorted, picked.id
              from {" ".join([tables, *joins.values()])}
              join picked on picked.id = {matching.alias}.id
              where {matching.alias}.tenant_id = $1) listed
        """,
        *picked.values,
    )
    return Page(items=codec.load(text), total=picked.total)
