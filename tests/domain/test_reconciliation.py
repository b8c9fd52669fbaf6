"""How far an account is compared: piece by piece, page by page, and nothing is passed over."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tallystick.domain.reconciliation import (
    Progress,
    compared,
    is_over,
    latest,
    next_piece,
)

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def test_a_year_is_taken_in_weeks() -> None:
    """Each piece begins where the last one ended; the last ends a quarter of an hour ago."""
    stands, pieces = Progress(until=MARCH), []
    until = latest(NOW, None)
    while (piece := next_piece(stands, until, NOW)) is not None:
        assert piece.piece_until is not None
        pieces.append((piece.until, piece.piece_until))
        stands = compared(piece, None, NOW)

    assert until == datetime(2026, 11, 29, 11, 45, tzinfo=UTC)
    assert pieces[0] == (MARCH, datetime(2026, 3, 8, tzinfo=UTC))
    assert [one[0] for one in pieces[1:]] == [one[1] for one in pieces[:-1]]
    assert (len(pieces), stands.until) == (40, until)


def test_a_piece_ends_with_its_last_page() -> None:
    """While there are more it goes on behind the mark, and its beginning stays."""
    stands = Progress(until=NOW - DAY)
    piece = next_piece(stands, NOW, NOW)
    assert piece == Progress(until=NOW - DAY, piece_until=NOW)
    first = compared(piece, "page 1", NOW)
    assert first == Progress(until=NOW - DAY, piece_until=NOW, after="page 1", compared_at=NOW)
    assert next_piece(first, NOW + DAY, NOW) == first
    assert compared(first, None, NOW) == Progress(until=NOW, compared_at=NOW)


def test_a_mark_is_good_for_a_day() -> None:
    """Who comes back later reads the piece from its beginning."""
    left = Progress(until=NOW - 2 * DAY, piece_until=NOW - DAY, after="page 7", compared_at=NOW)
    assert next_piece(left, NOW, NOW + DAY) == left
    later = next_piece(left, NOW, NOW + DAY + timedelta(seconds=1))
    assert later == replace(left, after=None)


def test_a_month_without_a_worker() -> None:
    """What settled meanwhile is not told any more: it goes back by as long as a debit takes,
    once. A history that is read for the first time does not go back.
    """
    left = Progress(until=NOW - 40 * DAY, compared_at=NOW - 40 * DAY)
    piece = next_piece(left, NOW, NOW)
    assert piece is not None
    assert (piece.until, piece.piece_until) == (NOW - 70 * DAY, NOW - 63 * DAY)
    on = next_piece(compared(piece, None, NOW), NOW, NOW)
    assert on is not None
    assert on.until == NOW - 63 * DAY

    short = next_piece(replace(left, until=NOW - 28 * DAY), NOW, NOW)
    assert short is not None
    assert short.until == NOW - 28 * DAY
    new = next_piece(Progress(until=NOW - 400 * DAY), NOW, NOW)
    assert new is not None
    assert new.until == NOW - 400 * DAY


def test_a_closed_connection_is_looked_at_for_sixty_days() -> None:
    """Up to then, and nothing later."""
    closed = NOW - 60 * DAY
    assert latest(NOW, closed) == NOW - timedelta(minutes=15)
    assert latest(NOW + DAY, closed) == NOW
    assert not is_over(NOW - timedelta(minutes=15), closed)
    assert is_over(NOW, closed)
    assert not is_over(NOW, None)
    assert next_piece(Progress(until=NOW), latest(NOW + DAY, closed), NOW + DAY) is None
