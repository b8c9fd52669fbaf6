"""What payment providers told us by themselves: kept once, and looked into."""

from dataclasses import dataclass
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.domain.provider_event import (
    IntentMoved,
    MethodMoved,
    MoneyMovedBack,
    News,
    NothingNew,
    ProviderEvent,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEvent:
    """An event as it was kept: which connection told it, and what it is about."""

    connection_id: UUID
    kind: str
    news: News
    is_looked_into: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    about: str
    name: str | None = None


_STORED: Codec[_Stored] = Codec(_Stored)


async def keep(
    tx: Tx, tenant_id: UUID, event_id: UUID, connection_id: UUID, event: ProviderEvent
) -> bool:
    """Keep an event; False where it was kept before."""
    done = await tx.execute(
        """
        insert into provider_events (tenant_id, id, connection_id, event_id, kind, news,
            looked_into_at)
        values ($1, $2, $3, $4, $5, $6, case when $7 then now() end)
        on conflict (tenant_id, connection_id, event_id) do nothing
        """,
        tenant_id,
        event_id,
        connection_id,
        event.id,
        event.kind,
        _STORED.dump(_dumped(event.news)),
        isinstance(event.news, NothingNew),
    )
    return bool(done == "INSERT 0 1")


async def load(tx: Tx, tenant_id: UUID, event_id: UUID) -> KeptEvent | None:
    """An event that was kept."""
    row = await tx.fetchrow(
        """
        select connection_id, kind, news, looked_into_at is not null as is_looked_into
        from provider_events where tenant_id = $1 and id = $2
        """,
        tenant_id,
        event_id,
    )
    if row is None:
        return None
    return KeptEvent(
        connection_id=row["connection_id"],
        kind=row["kind"],
        news=_loaded(_STORED.load(row["news"])),
        is_looked_into=row["is_looked_into"],
    )


async def done(tx: Tx, tenant_id: UUID, event_id: UUID) -> None:
    """What it is about was looked into."""
    await tx.execute(
        """
        update provider_events set looked_into_at = now()
        where tenant_id = $1 and id = $2 and looked_into_at is null
        """,
        tenant_id,
        event_id,
    )


async def forget_old(tx: Tx, limit: int) -> int:
    """Delete events of every tenant that came 30 days ago and were looked into.

    Providers repeat an event for days, not for weeks.
    """
    done = await tx.execute(
        """
        delete from provider_events e using (
            select tenant_id, id from provider_events
            where received_at < now() - interval '30 days' and looked_into_at is not null
            order by received_at limit $1 for update skip locked) old
        where e.tenant_id = old.tenant_id and e.id = old.id
        """,
        limit,
    )
    return int(done.removeprefix("DELETE "))


def _dumped(news: News) -> _Stored:
    match news:
        case IntentMoved(reference=reference):
            return _Stored(about="INTENT", name=reference)
        case MoneyMovedBack(reference=reference):
            return _Stored(about="MONEY_BACK", name=reference)
        case MethodMoved(token=token):
            return _Stored(about="METHOD", name=token)
        case NothingNew():
            return _Stored(about="NOTHING")


def _loaded(stored: _Stored) -> News:
    match stored:
        case _Stored(about="INTENT", name=str(reference)):
            return IntentMoved(reference)
        case _Stored(about="MONEY_BACK", name=str(reference)):
            return MoneyMovedBack(reference)
        case _Stored(about="METHOD", name=str(token)):
            return MethodMoved(token)
        case _:
            return NothingNew()
