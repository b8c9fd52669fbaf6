"""`tallystick listen`: what happens is shown, signed and forwarded."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator

import pytest
from meteroid.webhooks import Webhook
from typer.testing import CliRunner, Result

from tallystick.cli import app
from tallystick.db import events
from tallystick.db.engine import Database
from tallystick.services.ids import new_id
from tallystick.services.sequence_events import sequence_events
from tests.database import in_own_loop
from tests.webhooks.receiver import Receiver, answering, receiving
from tests.world import NOON, open_world

Tallystick = Callable[..., Result]


@pytest.fixture
def tallystick(database_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Tallystick:
    """Runs a command against a shop in which three things happened."""

    async def fill() -> None:
        database = await Database.open(database_dsn)
        world = await open_world(database)
        for name in ("customer.created", "invoice.paid", "invoice.voided"):
            noun = name.partition(".")[0]
            async with database.transaction() as tx:
                await events.append(
                    tx, world.tenant_id, new_id(), name, new_id(), {f"{noun}_id": "x_1"}, NOON
                )
        await sequence_events(world.app)
        await database.close()

    in_own_loop(fill())
    monkeypatch.setenv("DATABASE_URL", database_dsn)
    return lambda *words: CliRunner().invoke(app, ["listen", *words])


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A program of the developer's own, which does not like what was voided."""
    ready, done = threading.Event(), threading.Event()
    found: list[Receiver] = []

    async def answer() -> None:
        async with receiving() as receiver:

            async def judge(received: object) -> bytes:
                told = receiver.got[-1].event["type"]
                assert received is receiver.got[-1]
                return answering(500 if told == "invoice.voided" else 200)

            receiver.answer = judge
            found.append(receiver)
            ready.set()
            while not done.is_set():
                await asyncio.sleep(0.01)

    thread = threading.Thread(target=lambda: asyncio.run(answer()), daemon=True)
    thread.start()
    assert ready.wait(10)
    yield found[0]
    done.set()
    thread.join(10)


def test_it_shows_what_happens(tallystick: Tallystick) -> None:
    """Time, number, type and what it is about; only the types that were asked for."""
    told = tallystick("--after", "0", "--count", "2", "--events", "invoice.voided,invoice.paid")

    assert told.exit_code == 0, told.stderr
    lines = [line.split() for line in told.stdout.splitlines()]
    assert lines == [
        ["2026-03-10T12:00:00.000Z", "2", "invoice.paid", "x_1"],
        ["2026-03-10T12:00:00.000Z", "3", "invoice.voided", "x_1"],
    ]
    assert "Listening to Acme Cloud" in told.stderr


def test_it_forwards(tallystick: Tallystick, receiver: Receiver) -> None:
    """Each event, signed with the secret that is printed, which is the same next time."""
    words = ("--after", "0", "--forward-to", receiver.url, "--count")
    told, again = tallystick(*words, "3"), tallystick(*words, "1")

    assert told.exit_code == 0, told.stderr
    first, *lines = told.stdout.splitlines()
    secret = first.removeprefix("Secret: ")
    assert [line.split()[4:] for line in lines] == [["200"], ["200"], ["answered", "500"]]
    assert [json.loads(one.body)["sequence"] for one in receiver.got] == [1, 2, 3, 1]
    for one in receiver.got:
        Webhook(secret).verify(one.body, one.headers)
    assert again.stdout.splitlines()[0] == first


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--events", "invoice.payed"), "did you mean `invoice.paid`?"),
        (("--forward-to", "localhost:3000"), "must be an absolute address"),
        (("--after", str(10**20)), "Invalid value for '--after'"),
    ],
)
def test_refused(tallystick: Tallystick, words: tuple[str, ...], said: str) -> None:
    """What cannot be is said before anything is opened."""
    told = tallystick(*words)

    assert told.exit_code == 2
    assert said in " ".join(told.stderr.replace("\u2502", " ").split())
