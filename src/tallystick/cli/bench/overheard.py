"""The very statements of one creation: sent through the product, and overheard on their way.

They are not written down here. Requests are sent through the product in this process, and what
arrives at the database is taken: text and parameters. So the two never drift apart.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, TypeAlias
from uuid import UUID

import httpx
from typing_extensions import override

from tallystick.cli.bench.measured import BenchFailed
from tallystick.db.engine import Database, Tx
from tallystick.http.app import create_app
from tallystick.services.context import App

PATH = "/api/v1/checkout-sessions"
RUNS_MAX = 20
CACHE_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same in every creation, as text that PostgreSQL reads."""

    text: str


@dataclass(frozen=True, slots=True)
class Fresh:
    """An id that no two creations may share."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """An id that says for whom the session is."""

    ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Null:
    """Nothing, of a type."""

    type: str


Parameter: TypeAlias = Fixed | Fresh | OneOf | Null


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement as the driver was given it, and what stands in each of its places."""

    text: str
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True, slots=True)
class _Sent:
    text: str
    values: tuple[object, ...]


class Overheard(Database):
    """A database that notes every statement sent to it."""

    heard: list[_Sent]

    @classmethod
    def of(cls, database: Database) -> "Overheard":
        """Listen in on an open database."""
        made = cls(database.dsn, database.pool)
        made.heard = []
        return made

    @override
    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Tx]:
        async with super().connection() as connection:
            with connection.query_logger(self._note):
                yield connection

    def _note(self, query: Any) -> None:  # noqa: ANN401 - the driver's own record
        self.heard.append(_Sent(query.query, tuple(query.args)))


async def statements_of_creation(
    app: App, key: str, bodies: Sequence[bytes]
) -> tuple[Statement, ...]:
    """The statements that creating a session sends.

    Args:
        app: The product.
        key: An API key.
        bodies: The same request for several customers.

    Raises:
        BenchFailed: A request was refused, or each one sends other statements.
    """
    overheard = Overheard.of(app.database)
    web = create_app(replace(app, database=overheard))
    async with (
        web.router.lifespan_context(web),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=web),
            base_url="http://bench",
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        ) as client,
    ):
        pairs = [await _settled(client, overheard, body) for body in bodies]
    runs = [run for pair in pairs for run in pair]
    if any(_texts(run) != _texts(runs[0]) for run in runs):
        raise BenchFailed("Creations of one request for two customers send other statements.")
    statements = []
    async with app.database.connection() as connection:
        for place, sent in enumerate(runs[0]):
            prepared = await connection.prepare(sent.text)
            types = [one.name for one in prepared.get_parameters()]
            statements.append(_statement([run[place] for run in runs], types))
    return tuple(statements)


async def _settled(
    client: httpx.AsyncClient, overheard: Overheard, body: bytes
) -> tuple[list[_Sent], list[_Sent]]:
    """What two creations sent, once the caches of key and plan version are filled."""
    runs: list[list[_Sent]] = []
    while len(runs) < 2 or _texts(runs[-1]) != _texts(runs[-2]):  # noqa: PLR2004 - a pair
        overheard.heard.clear()
        answer = await client.post(PATH, content=body)
        if not answer.is_success:
            raise BenchFailed(f"The request was refused: {answer.text}")
        runs.append(list(overheard.heard))
        if len(runs) > RUNS_MAX:
            raise BenchFailed("Each creation of one request sends other statements.")
        await asyncio.sleep(CACHE_PAUSE_SECONDS)
    return runs[-2], runs[-1]


def _texts(run: Sequence[_Sent]) -> list[str]:
    return [sent.text for sent in run]


def _statement(runs: Sequence[_Sent], types: Sequence[str]) -> Statement:
    """One statement, from what was sent in pairs of two for each customer."""
    return Statement(
        text=runs[0].text,
        parameters=tuple(
            _parameter([run.values[place] for run in runs], kind)
            for place, kind in enumerate(types)
        ),
    )


def _parameter(values: Sequence[object], kind: str) -> Parameter:
    first, second = values[0], values[1]
    if first is None:
        return Null(kind)
    if isinstance(first, UUID):
        if first != second:
            return Fresh()
        ids = tuple(dict.fromkeys(one for one in values if isinstance(one, UUID)))
        if len(ids) > 1:
            return OneOf(ids)
    return Fixed(_text(first))


def _text(value: object) -> str:
    match value:
        case bytes():
            return f"\\x{value.hex()}"
        case list() | tuple() | frozenset():
            return "{" + ",".join(_text(one) for one in value) + "}"
        case datetime() | date():
            return value.isoformat()
        case _:
            return str(value)
