"""The twin's account for a process of its own, which dies: hands that reach over a pipe.

The twin lives in the process of the tests. What a story does at it past the product (it writes
a script, answers a challenge, lets debits be decided, reads the news) is done by these hands;
the product itself asks the twin over HTTP, from whatever process it is in.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Protocol
from uuid import UUID

from tests.stripe import methods
from tests.stripe import twin as at
from tests.stripe.account import Account
from tests.stripe.refusals import Json
from tests.stripe.script import Script, Step

CUSTOMER = "tallystick_customer"
"""Whose it is, in the metadata of customers and intents."""


class Hands(Protocol):
    """What can be done at an account from wherever a story is told."""

    def script(self, operation: str, how: Step) -> None:
        """What becomes of the next call of one kind."""
        ...

    def forget(self) -> None:
        """Nothing is written any more."""
        ...

    def answer(self, reference: str, *, approve: bool) -> None:
        """The buyer answers a challenge."""
        ...

    def decide(self, reference: str) -> None:
        """A debit on its way is decided."""
        ...

    def make_method(self, form: Json) -> str:
        """The id of a method, made of what is typed into Stripe's fields."""
        ...

    def events_about(self, customers: Sequence[UUID], since: int) -> list[Json]:
        """What happened to these customers, oldest first, after so many events of all."""
        ...


class OwnHands:
    """At an account of this process."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def script(self, operation: str, how: Step) -> None:
        """What becomes of the next call of one kind."""
        self._account.script(operation, how)

    def forget(self) -> None:
        """Nothing is written any more."""
        self._account.steps = Script()

    def answer(self, reference: str, *, approve: bool) -> None:
        """On the bank's own page."""
        (at.approve if approve else at.refuse)(self._account, reference)

    def decide(self, reference: str) -> None:
        """As if the days were over."""
        payments = self._account.objects["payment_intent"]
        if payments.get(reference, {}).get("status") == "processing":
            at.settle(self._account, reference)

    def make_method(self, form: Json) -> str:
        """As Stripe's script makes it."""
        with self._account.lock:
            return str(methods.create(self._account, form, "")["id"])

    def events_about(self, customers: Sequence[UUID], since: int) -> list[Json]:
        """What happened to these customers, oldest first, after so many events of all."""
        payments = self._account.objects["payment_intent"]

        def is_about(event: Json) -> bool:
            about = event["data"]["object"]
            intent = payments.get(about.get("payment_intent") or "", about)
            return whose(intent) in customers

        return [event for event in self._account.events[since:] if is_about(event)]


@dataclass(frozen=True, slots=True)
class DistantHands:
    """The same over a pipe, in another process."""

    pipe: "Connection[object, object]"

    def _ask(self, what: str, *args: object, **named: object) -> object:
        self.pipe.send((what, args, named))
        return self.pipe.recv()

    def script(self, operation: str, how: Step) -> None:
        """What becomes of the next call of one kind."""
        self._ask("script", operation, how)

    def forget(self) -> None:
        """Nothing is written any more."""
        self._ask("forget")

    def answer(self, reference: str, *, approve: bool) -> None:
        """On the bank's own page."""
        self._ask("answer", reference, approve=approve)

    def decide(self, reference: str) -> None:
        """As if the days were over."""
        self._ask("decide", reference)

    def make_method(self, form: Json) -> str:
        """As Stripe's script makes it."""
        return str(self._ask("make_method", form))

    def events_about(self, customers: Sequence[UUID], since: int) -> list[Json]:
        """What happened to these customers, oldest first, after so many events of all."""
        told = self._ask("events_about", list(customers), since)
        assert isinstance(told, list), "events come as a list"
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Lent:
    """What the other process is given: where the twin is, the account's keys, and hands."""

    api_base: str
    script_url: str
    secret_key: str
    publishable_key: str
    name: str
    connection_id: UUID
    told: int
    hands: DistantHands


@contextmanager
def lending(account: Account) -> Iterator[DistantHands]:
    """Do at an account what another process asks for, until the block ends."""
    here, there = Pipe()
    hands = OwnHands(account)

    def serve() -> None:
        while True:
            try:
                what, args, named = here.recv()
            except (EOFError, OSError):
                return
            here.send(getattr(hands, what)(*args, **named))

    serving = threading.Thread(target=serve, daemon=True)
    serving.start()
    try:
        yield DistantHands(there)
    finally:
        there.close()
        serving.join(timeout=10)
        here.close()
        # Whoever was killed has not taken back what it wrote.
        hands.forget()


def whose(one: Json) -> UUID | None:
    """The customer that an object at Stripe belongs to."""
    told = (one.get("metadata") or {}).get(CUSTOMER)
    return UUID(told) if told else None
