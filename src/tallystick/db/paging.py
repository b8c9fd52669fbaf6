"""One page of a list, and how many there are in all, in one statement.

A list is put together from constants of its own module; values travel as parameters.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx

T = TypeVar("T")


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


async def fetch_page(
    tx: Tx,
    codec: Codec[tuple[T, ...]],
    *,
    item: str,
    tables: str,
    matching: Matching,
    orders: Mapping[str, str],
    window: Window,
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
    """
    direction = "desc" if window.descending else "asc"
    limit, offset = len(matching.values) + 1, len(matching.values) + 2
    row = await tx.fetchrow(
        f"""
        select
            (select count(*) from {tables} where {matching.sql}) as total,
            (select coalesce(json_agg(listed.item), '[]') from (
                select {item} as item from {tables} where {matching.sql}
                order by {orders[window.order]} {direction}, {matching.alias}.id {direction}
                limit ${limit} offset ${offset}) listed) as items
        """,
        *matching.values,
        window.limit,
        window.offset,
    )
    assert row is not None, "a select without from yields one row"
    return Page(items=codec.load(row["items"]), total=row["total"])
