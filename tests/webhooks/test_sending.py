"""What is sent goes where it was said, within limits, and nowhere else."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from meteroid.webhooks import Webhook
from typing_extensions import override

from tallystick.domain.webhook_delivery import Answered, Unreached
from tallystick.webhooks.connecting import Lookups
from tallystick.webhooks.sender import EXCERPT_CHARS, Sender
from tallystick.webhooks.signing import signed_headers
from tests.webhooks.receiver import OK, Received, answering, receiving

SECONDS = 0.3


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    """A sender that waits for a third of a second."""
    lookups = Lookups()
    sender = Sender(SECONDS, lookups, ssl.create_default_context())
    yield sender
    await sender.close()
    lookups.close()


async def silence(_: Received) -> bytes:
    """Say nothing."""
    await asyncio.sleep(60)
    return OK


async def test_what_arrives(sender: Sender) -> None:
    """The body byte by byte, the headers that were given, and who sends."""
    async with receiving(answering(202, "taken")) as receiver:
        outcome = await sender.post(
            f"{receiver.url}?a=1", [("x-key", "s")], b'{"\xc3\xa9": 1}', allows_private=True
        )

    assert outcome == Answered(status=202, excerpt="taken")
    [received] = receiver.got
    assert (received.path, received.body) == ("/hooks?a=1", b'{"\xc3\xa9": 1}')
    assert received.headers == {
        "host": f"127.0.0.1:{receiver.port}",
        "content-type": "application/json",
        "user-agent": "Tallystick-Webhooks/1",
        "accept-encoding": "identity",
        "content-length": "9",
        "x-key": "s",
    }


async def test_redirects_are_not_followed(sender: Sender) -> None:
    """A redirect is an answer, and where it points to hears nothing."""
    async with receiving() as elsewhere:
        redirect = answering(307, "", f"Location: {elsewhere.url}")
        async with receiving(redirect) as receiver:
            outcome = await sender.post(receiver.url, [], b"{}", allows_private=True)

    assert outcome == Answered(status=307, excerpt="")
    assert (len(receiver.got), elsewhere.connections) == (1, 0)


async def test_a_slow_receiver(sender: Sender) -> None:
    """One that says nothing, and one that never ends, cost the time limit and no more."""

    async def endless(_: Received) -> bytes:
        return b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1"

    for answer in (silence, endless):
        async with receiving(answer) as receiver:
            began = time.monotonic()
            outcome = await sender.post(receiver.url, [], b"{}", allows_private=True)
            assert outcome == Unreached(error="no answer within 0.3 seconds")
            assert time.monotonic() - began < 10 * SECONDS


async def test_a_long_answer(sender: Sender) -> None:
    """Its beginning is kept; what is more than 64 KiB is not even read."""
    more = "\N{LATIN SMALL LETTER E WITH ACUTE}\0" * 1000

    async def half(_: Received) -> bytes:
        return answering(500, more + "x" * 200_000)[:-50_000]

    async with receiving(half) as receiver:
        outcome = await sender.post(receiver.url, [], b"{}", allows_private=True)

    assert isinstance(outcome, Answered)
    assert outcome.status == 500
    assert outcome.excerpt == more.replace("\0", "\N{REPLACEMENT CHARACTER}")[:EXCERPT_CHARS]


async def test_no_receiver(sender: Sender) -> None:
    """A closed port, nonsense for an answer, a broken connection, a host without address."""
    async with receiving() as receiver:
        closed = receiver.url
    outcomes = [await sender.post(closed, [], b"{}", allows_private=True)]
    for answer in (b"SSH-2.0-OpenSSH\r\n\r\n", b""):

        async def wrong(_: Received, answer: bytes = answer) -> bytes:
            if answer:
                return answer
            raise ConnectionError

        async with receiving(wrong) as receiver:
            outcomes.append(await sender.post(receiver.url, [], b"{}", allows_private=True))
    outcomes.append(await sender.post("http://nobody.invalid/", [], b"{}"))

    assert all(isinstance(one, Unreached) for one in outcomes), outcomes
    assert [one.error.split(":")[0] for one in outcomes if isinstance(one, Unreached)] == [
        "no connection",
        "the connection broke",
        "the connection broke",
        "its host has no address",
    ]


async def test_private_addresses() -> None:
    """A name that leads to a private address, among others, is not connected to."""
    asked: list[str] = []

    async def lookup(host: str, _: int) -> list[str]:
        asked.append(host)
        return ["93.184.215.14", "127.0.0.1"] if host == "both.example" else ["10.0.0.8"]

    async with receiving() as receiver:
        sender = Sender(SECONDS, lookup, ssl.create_default_context())
        outcomes = [
            await sender.post(f"http://{host}:{receiver.port}/", [], b"{}")
            for host in ("both.example", "inside.example")
        ]
        await sender.close()

    assert outcomes == [Unreached(error="its address is not public")] * 2
    assert receiver.connections == 0
    assert asked == ["both.example", "inside.example"]


async def test_a_name_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is looked at is what is connected to: a name cannot lead elsewhere meanwhile."""
    answers = [["127.0.0.1"], ["10.255.255.1"]]

    async def lookup(*_: object) -> list[str]:
        return answers.pop(0)

    monkeypatch.setattr("tallystick.webhooks.connecting.is_public", lambda _: True)
    async with receiving() as receiver:
        sender = Sender(SECONDS, lookup, ssl.create_default_context())
        outcome = await sender.post(f"http://rebound.example:{receiver.port}/", [], b"{}")
        await sender.close()

    assert outcome == Answered(status=200, excerpt="ok")
    assert receiver.got[0].headers["host"] == f"rebound.example:{receiver.port}"
    assert answers == [["10.255.255.1"]]


async def test_encryption_is_with_the_name() -> None:
    """The certificate must be the name's, although it is an address that is connected to."""
    names: list[bytes] = []

    class Noting(ssl.SSLContext):
        @override
        def wrap_bio(self, *parts: Any, **more: Any) -> ssl.SSLObject:
            names.append(parts[3])
            return super().wrap_bio(*parts, **more)

    async def lookup(*_: object) -> list[str]:
        return ["127.0.0.1"]

    trusted = Noting(ssl.PROTOCOL_TLS_CLIENT)
    async with receiving() as receiver:
        sender = Sender(SECONDS, lookup, trusted)
        url = f"https://receiver.example:{receiver.port}/"
        outcome = await sender.post(url, [], b"{}", allows_private=True)
        await sender.close()

    assert isinstance(outcome, Unreached)
    assert names == [b"receiver.example"]
    assert trusted.check_hostname
    assert receiver.got == []


def test_signatures() -> None:
    """Each secret signs, so that a receiver that knows any one of them is content."""
    now = datetime.now(UTC)  # noqa: TID251 - the SDK compares with the real time
    secrets = [b"n" * 32, b"o" * 32]
    headers = dict(signed_headers("evt_1", b'{"a": "\xc3\xa9"}', secrets, now))

    for secret in secrets:
        Webhook(secret).verify(b'{"a": "\xc3\xa9"}', headers)
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(b"x" * 32).verify(b'{"a": "\xc3\xa9"}', headers)
    assert headers["webhook-id"] == "evt_1"
    assert headers["webhook-timestamp"] == str(int(now.timestamp()))
