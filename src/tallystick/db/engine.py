"""The connection to PostgreSQL, and the only commit in the program.

`Database.transaction` begins, commits and rolls back; nothing else does (`tests/test_tidy.py`).
Statements that stand alone take `Database.connection`, where each is its own transaction and
costs one round trip.

Values of type `json` and `jsonb` travel as text: the driver takes a `str` that is already JSON
and gives a `str` back. No codec of ours is in between, because decoding belongs to the one who
knows the type (`db/codec.py`) and a codec in Python would cost a call per value.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Literal, Self, TypeAlias, TypedDict, TypeVar

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from tallystick.db.refusals import Contention, NoRoom

if TYPE_CHECKING:
    Tx: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
else:
    # The driver's classes are generic for the type checker alone.
    Tx = asyncpg.Connection | PoolConnectionProxy
    Pool = asyncpg.Pool
Row: TypeAlias = asyncpg.Record
Isolation: TypeAlias = Literal["repeatable_read", "serializable"]

Result = TypeVar("Result")

STATEMENT_SECONDS_MAX = 30
"""No request asks more of one statement; bulk work goes in batches."""
LOCK_SECONDS_MAX = 10
"""Waiting longer than this for a row means that something hangs: say so, do not queue up."""
IDLE_SECONDS_MAX = 30
"""A transaction left open and idle holds its locks; the server ends it."""
ACQUIRE_SECONDS_MAX = 5.0
"""How long a caller waits for a free connection before it hears that there is none."""
CONNECT_SECONDS_MAX = 5.0
ANSWER_SECONDS_MAX = STATEMENT_SECONDS_MAX + 5.0
"""Past this the server is not slow but gone; only a lost network comes so far."""
STATEMENTS_KEPT = 500
"""Prepared statements kept by each connection; the program has fewer distinct ones."""

ARRAYS = ("boolean", "integer", "bigint", "uuid", "date", "timestamptz", "jsonb")
"""The types of which statements take or give arrays, but for text, which the driver knows."""

CONTENTION_PAUSE_SECONDS = 0.01

SESSION = {
    "application_name": "tallystick",
    "timezone": "UTC",
    "jit": "off",
    "statement_timeout": f"{STATEMENT_SECONDS_MAX}s",
    "lock_timeout": f"{LOCK_SECONDS_MAX}s",
    "idle_in_transaction_session_timeout": f"{IDLE_SECONDS_MAX}s",
}


class _ConnectOptions(TypedDict):
    timeout: float
    command_timeout: float
    statement_cache_size: int
    max_cached_statement_lifetime: int
    server_settings: dict[str, str]


CONNECT_OPTIONS = _ConnectOptions(
    timeout=CONNECT_SECONDS_MAX,
    command_timeout=ANSWER_SECONDS_MAX,
    statement_cache_size=STATEMENTS_KEPT,
    # Kept for as long as the connection lives: preparing again costs more than keeping.
    max_cached_statement_lifetime=0,
    # Sent with the greeting, so they cost no round trip.
    server_settings=SESSION,
)

LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)
CANNOT_CONNECT = (
    *LOST,
    *NoRoom,
    asyncpg.TooManyConnectionsError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InterfaceError,
    # The driver's answer when the server ends a session that is just being opened.
    asyncpg.InternalClientError,
    # Refused, no such socket, no such host, no free connection in time: all are OSErrors.
    OSError,
)


class DatabaseUnavailable(Exception):
    """The database cannot be reached, or cannot write, now; the same may work in a moment.

    Whether a transaction that was lost on the way had been committed is not known.
    """


class Database:
    """A pool of connections to one database.

    It needs no care when PostgreSQL goes away and comes back: calls raise
    `DatabaseUnavailable` in the meantime, and work again afterwards.
    """

    def __init__(self, dsn: str, pool: Pool) -> None:
        self.dsn = dsn
        self._pool = pool

    @classmethod
    async def open(cls, dsn: str, *, min_size: int = 1, max_size: int = 10) -> Self:
        """Connect to a database.

        Args:
            dsn: A `postgresql://` URL.
            min_size: Connections kept open.
            max_size: Connections at most; who needs one more waits up to five seconds.

        Raises:
            DatabaseUnavailable: It cannot be reached.
        """
        try:
            pool = await asyncpg.create_pool(
                dsn,
                min_size=min_size,
                max_size=max_size,
                init=_learn_arrays,
                # Spares one round trip at each release. Safe, because the driver itself rolls
                # back a transaction left open, and nothing here changes the session: settings
                # are made with `set local`, locks are transactional, and listeners live on
                # connections of their own.
                reset=_leave_as_it_is,
                max_inactive_connection_lifetime=300,
                max_queries=1_000_000,
                **CONNECT_OPTIONS,
            )
        except CANNOT_CONNECT as reason:
            raise DatabaseUnavailable(f"No database answers: {reason}") from reason
        return cls(dsn, pool)

    async def close(self) -> None:
        """Close every connection, after the work in progress; at most ten seconds of it."""
        try:
            async with asyncio.timeout(10):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    @property
    def pool(self) -> Pool:
        """Return the driver's pool, for the job queue, which speaks to the driver itself."""
        return self._pool

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Tx]:
        """Lend a connection on which each statement is a transaction of its own.

        Raises:
            DatabaseUnavailable: None is free in time, it was lost, or the server has no room.
        """
        try:
            connection = await self._pool.acquire(timeout=ACQUIRE_SECONDS_MAX)
        except CANNOT_CONNECT as reason:
            raise DatabaseUnavailable(f"No connection: {reason!r}") from reason
        try:
            with _losses_told(connection):
                yield connection
        finally:
            await self._pool.release(connection, timeout=ACQUIRE_SECONDS_MAX)

    @asynccontextmanager
    async def transaction(
        self, *, isolation: Isolation | None = None, readonly: bool = False
    ) -> AsyncIterator[Tx]:
        """Open a transaction: committed when the block ends, rolled back when it raises.

        Args:
            isolation: Stricter than PostgreSQL's default, read committed.
            readonly: Whether PostgreSQL shall refuse writes.

        Raises:
            DatabaseUnavailable: None is free in time, or it was lost.
        """
        async with (
            self.connection() as connection,
            connection.transaction(isolation=isolation, readonly=readonly),
        ):
            yield connection

    @asynccontextmanager
    async def own_connection(self) -> AsyncIterator[Tx]:
        """Open a connection outside the pool, for what lasts: listening, a session lock.

        Raises:
            DatabaseUnavailable: It cannot be opened, or it was lost.
        """
        connection = await connect(self.dsn)
        try:
            with _losses_told(connection):
                yield connection
        finally:
            try:
                await connection.close(timeout=ACQUIRE_SECONDS_MAX)
            except CANNOT_CONNECT:
                # It was lost, and what it held with it.
                connection.terminate()


@asynccontextmanager
async def savepoint(tx: Tx) -> AsyncIterator[None]:
    """Undo what the block did when it raises, and keep the transaction usable."""
    async with tx.transaction():
        yield


@asynccontextmanager
async def undone(tx: Tx) -> AsyncIterator[None]:
    """Undo what the block did, however it ends, and keep the transaction usable."""
    inner = tx.transaction()
    await inner.start()
    try:
        yield
    finally:
        await inner.rollback()


async def retrying(
    db: Database, verb: Callable[[Tx], Awaitable[Result]], *, attempts: int = 3
) -> Result:
    """Run a plain verb in a transaction, again from its start when it met another one.

    Args:
        db: Where.
        verb: What; it must not have effects outside the transaction.
        attempts: How often at most.

    Raises:
        DatabaseUnavailable: None is free in time, or it was lost.
        asyncpg.SerializationError: The last attempt met another one, too.
        asyncpg.DeadlockDetectedError: The same.
    """
    for attempt in range(1, attempts):
        try:
            async with db.transaction() as tx:
                return await verb(tx)
        except Contention:
            await asyncio.sleep(CONTENTION_PAUSE_SECONDS * attempt)
    async with db.transaction() as tx:
        return await verb(tx)


async def connect(dsn: str) -> "asyncpg.Connection[asyncpg.Record]":
    """Open one connection with the settings of this program; the caller closes it.

    Raises:
        DatabaseUnavailable: It cannot be opened.
    """
    try:
        return await asyncpg.connect(dsn, **CONNECT_OPTIONS)
    except CANNOT_CONNECT as reason:
        raise DatabaseUnavailable(f"No database answers: {reason}") from reason


@contextmanager
def _losses_told(connection: Tx) -> Iterator[None]:
    """Tell the loss of a lent connection, or a server without room, apart from all else."""
    try:
        yield
    except LOST as reason:
        raise DatabaseUnavailable(f"The connection was lost: {reason}") from reason
    except NoRoom as reason:
        raise DatabaseUnavailable(f"The server has no room left: {reason}") from reason
    except asyncpg.InternalClientError as reason:
        # The driver's answer when the server ended the session just before a statement. It
        # then takes the connection for a live one that is busy, so it must not go back.
        if not _has_ended(connection):
            connection.terminate()
        raise DatabaseUnavailable(f"The connection was lost: {reason}") from reason
    except (asyncpg.InterfaceError, OSError) as reason:
        # The driver's word for "closed" is its word for misuse, too, and a body may have
        # a network error of its own.
        if _has_ended(connection):
            raise DatabaseUnavailable(f"The connection was lost: {reason}") from reason
        raise


def _has_ended(connection: Tx) -> bool:
    """Whether a lent connection is no more; the pool may have taken it back by itself."""
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True


async def _learn_arrays(connection: Tx) -> None:
    """Let the driver look up every array that statements take, at once.

    It would otherwise ask about each when a statement first names it: several slow queries
    during the first requests of each connection.
    """
    arrays = ", ".join(f"${n}::{name}[]" for n, name in enumerate(ARRAYS, 1))
    await connection.prepare(f"select {arrays}")


async def _leave_as_it_is(_: Tx) -> None:
    """Do nothing between two uses of a connection."""
