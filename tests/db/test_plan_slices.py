"""Which rows of which plans a page has, when subscriptions are ordered by plan name."""

from itertools import product
from uuid import UUID

import pytest

from tallystick.db import plan_slices
from tallystick.db.paging import Window
from tallystick.db.plan_slices import Part, parts

A, B, C, D = (UUID(int=n) for n in range(1, 5))
SLICES = [([A], 3), ([B, C], 5), ([D], 2)]
"""Three of the first plan, five of two plans of one name, two of the last."""


def window(offset: int, limit: int, *, descending: bool = False) -> Window:
    """A part of the list."""
    return Window(limit=limit, offset=offset, order="plan_name", descending=descending)


def test_a_page_ends_in_one_plan_and_begins_in_another() -> None:
    """Rows 2 to 5 are the last of the first plan, and three of the next ones."""
    assert list(parts(SLICES, window(2, 4))) == [
        Part(place=0, plans=[A], rows=1, skipped=2, descending=False),
        Part(place=1, plans=[B, C], rows=3, skipped=0, descending=False),
    ]
    assert list(parts(SLICES, window(1, 2, descending=True))) == [
        Part(place=2, plans=[D], rows=1, skipped=1, descending=True),
        Part(place=1, plans=[B, C], rows=1, skipped=0, descending=True),
    ]


def test_past_the_end_there_is_nothing() -> None:
    """Ten rows have no eleventh; no rows have no first."""
    assert list(parts(SLICES, window(10, 5))) == []
    assert list(parts([], window(0, 5))) == []


def test_far_down_in_a_plan_its_end_is_nearer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last but one of five is found from their end, and both ways name the same rows."""
    monkeypatch.setattr(plan_slices, "NEAR", 1)
    assert list(parts(SLICES, window(6, 1))) == [
        Part(place=1, plans=[B, C], rows=1, skipped=1, descending=True)
    ]
    ids = [(place, n) for place, (_, length) in enumerate(SLICES) for n in range(length)]
    for descending, offset, limit in product((False, True), range(11), range(1, 11)):
        found = []
        for part in parts(SLICES, window(offset, limit, descending=descending)):
            rows = [row for row in ids if row[0] == part.place]
            rows = rows[::-1] if part.descending else rows
            found += rows[part.skipped : part.skipped + part.rows]
        wanted = ids[::-1] if descending else ids
        assert sorted(found) == sorted(wanted[offset : offset + limit])
