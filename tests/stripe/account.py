"""One merchant's account at the twin: its objects, its money, its news and its script."""

from __future__ import annotations

import copy
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tallystick.providers.stripe_client import API_VERSION
from tests.stripe.refusals import Json, missing
from tests.stripe.script import Script, Step

if TYPE_CHECKING:
    from tests.stripe.wire import Answer, Request

PREFIXES = {
    "charge": "ch",
    "customer": "cus",
    "dispute": "du",
    "event": "evt",
    "mandate": "mandate",
    "payment_intent": "pi",
    "payment_method": "pm",
    "refund": "re",
    "request": "req",
    "setup_intent": "seti",
    "webhook_endpoint": "we",
}


class Kind(StrEnum):
    """Why money moved."""

    CHARGE = "CHARGE"
    REFUND = "REFUND"
    REFUND_FAILED = "REFUND_FAILED"
    DISPUTE = "DISPUTE"
    REINSTATEMENT = "REINSTATEMENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """Money of the merchant: `amount` as Stripe counts it, above zero when it comes."""

    kind: Kind
    amount: int
    currency: str
    payment_intent: str
    of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that arrived, as it was sent: what it is called, and its parameters, unread."""

    name: str
    path: str
    params: Mapping[str, Any]
    key: str | None
    version: str


@dataclass(slots=True)
class Kept:
    """What is kept under an idempotency key; no answer while the first call is under way."""

    of: tuple[str, str, str]
    answer: Answer | None = None


@dataclass
class Account:
    """What belongs to one secret key. Tests read `ledger`, `calls`, `events`, and write a
    script.
    """

    number: int
    secret_key: str
    publishable_key: str
    country: str
    default_currency: str
    clock: Callable[[], int]
    challenge_origin: str
    lock: threading.RLock = field(default_factory=threading.RLock)
    objects: dict[str, dict[str, Json]] = field(default_factory=lambda: defaultdict(dict))
    hidden: dict[str, Json] = field(default_factory=lambda: defaultdict(dict))
    """What is known of an object and never told."""
    ledger: list[Movement] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    kept: dict[str, Kept] = field(default_factory=dict)
    late: list[Request] = field(default_factory=list)
    steps: Script = field(default_factory=Script)
    key_now: str | None = None
    """The idempotency key of the call that is being executed."""
    request_now: str | None = None
    deaf_search: bool = False
    """Stripe's search hears of an object up to a minute late; while true, of none."""
    types: tuple[str, ...] = ("card", "sepa_debit")
    """The methods that the merchant has switched on."""
    capabilities: dict[str, str] = field(default_factory=dict)
    _made: int = 0

    @property
    def id(self) -> str:
        """`acct_...`."""
        return f"acct_{self.number:016d}"

    @property
    def events(self) -> list[Json]:
        """What happened, oldest first."""
        return list(self.objects["event"].values())

    def script(self, call: str, *steps: Step) -> None:
        """What becomes of the next calls of one kind, such as "payment_intents.confirm"."""
        with self.lock:
            self.steps.write(call, *steps)

    def called(self, name: str) -> list[Call]:
        """The calls of one kind that arrived."""
        return [call for call in self.calls if call.name == name]

    def moved(self, payment_intent: str | None = None) -> list[int]:
        """Every movement of money, or those of one payment, as Stripe counts it."""
        return [
            movement.amount
            for movement in self.ledger
            if payment_intent in {None, movement.payment_intent}
        ]

    def new_id(self, kind: str, prefix: str | None = None) -> str:
        """The id of a new object; no two accounts share one."""
        self._made += 1
        return f"{prefix or PREFIXES[kind]}_{self.number:06d}twin{self._made:010d}"

    def add(self, kind: str, fields: Json, *, prefix: str | None = None) -> Json:
        """Keep a new object."""
        made: Json = {
            "id": self.new_id(kind, prefix),
            "object": kind,
            "created": self.clock(),
            "livemode": False,
            **fields,
        }
        self.objects[kind][made["id"]] = made
        return made

    def get(self, kind: str, object_id: str, *, param: str | None = None) -> Json:
        """One object; 404, or 400 where the parameter `param` names it.

        Raises:
            Refused: There is none.
        """
        found = self.objects[kind].get(object_id)
        if found is None:
            raise missing(
                kind.replace("_", ""),
                object_id,
                param=param or "id",
                status=400 if param else 404,
            )
        return found

    def move(self, kind: Kind, amount: int, charge: Json, of: str) -> None:
        """Write down a movement of a charge's money."""
        movement = Movement(
            kind=kind,
            amount=amount,
            currency=charge["currency"],
            payment_intent=charge["payment_intent"],
            of=of,
        )
        self.ledger.append(movement)

    def tell(self, kind: str, told: Json) -> None:
        """Something happened to an object, which is told as it is now."""
        self.add(
            "event",
            {
                "api_version": API_VERSION,
                "data": {"object": copy.deepcopy(told)},
                "pending_webhooks": len(self.objects["webhook_endpoint"]),
                "request": {"id": self.request_now, "idempotency_key": self.key_now},
                "type": kind,
            },
        )
