"""How far what an account took has been compared with the books, and what is compared next.

It goes on from where it stands, piece by piece and page by page, so that neither a long history
nor a crash makes it begin anew. All instants are real time.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

PIECE = timedelta(days=7)
"""So much of an account's time is listed at once, page by page."""
GRACE = timedelta(minutes=15)
"""Younger money is not looked at: it may just be being recorded."""
AFTER_CLOSING = timedelta(days=60)
"""A closed connection is looked at for so long: what it began has come, or failed, by then."""
TOLD_FOR = timedelta(days=29)
"""Providers tell for a month when a payment settled; later it is found by when it was made."""
DEBITS_TAKE = timedelta(days=30)
"""Longer than a debit takes to be decided."""
RESUMES_FOR = timedelta(days=1)
"""A place in a list is good for so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where an account stands.

    Everything that came before `until` was compared. A piece that is under way ends at
    `piece_until`, and `after` is the provider's mark of the last page that was compared of it,
    None at its beginning. `compared_at` is when a page was last compared.
    """

    until: datetime
    piece_until: datetime | None = None
    after: str | None = None
    compared_at: datetime | None = None


def latest(now: datetime, closed_at: datetime | None) -> datetime:
    """Up to when an account is compared at `now`; `closed_at` where it is connected no more."""
    young = now - GRACE
    return young if closed_at is None else min(young, closed_at + AFTER_CLOSING)


def is_over(until: datetime, closed_at: datetime | None) -> bool:
    """Whether nothing that comes later than `until` is compared any more."""
    return closed_at is not None and until >= closed_at + AFTER_CLOSING


def next_piece(stands: Progress, until: datetime, now: datetime) -> Progress | None:
    """The piece to go on with, None where everything up to `until` was compared.

    After so long a pause that the provider does not tell any more what settled meanwhile, it
    goes back by as long as a debit takes. A mark that is too old is not gone on from.
    """
    paused = stands.compared_at is not None and now - stands.compared_at > RESUMES_FOR
    if paused and now - stands.until > TOLD_FOR:
        stands = replace(stands, until=stands.until - DEBITS_TAKE, piece_until=None)
    if paused or stands.piece_until is None:
        stands = replace(stands, after=None)
    if stands.piece_until is not None:
        return stands
    if stands.until >= until:
        return None
    return replace(stands, piece_until=min(until, stands.until + PIECE))


def compared(stands: Progress, mark: str | None, now: datetime) -> Progress:
    """A page of the piece was compared; without the mark of another one the piece is done."""
    assert stands.piece_until is not None, "a piece is under way"
    if mark is not None:
        return replace(stands, after=mark, compared_at=now)
    return Progress(until=stands.piece_until, compared_at=now)
