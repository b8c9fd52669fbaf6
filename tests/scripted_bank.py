"""A bank between us and the sandbox that does with each call what a test has written for it.

    bank = ScriptedBank(world.sandbox)
    bank.script("confirm", lost)                 # the money is taken, the answer does not come
    bank.script("cancel", silent, says(Unknown()))
    world = with_bank(world, bank)

Calls without a script, or beyond its end, do what `otherwise` says: they go through.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import cast
from uuid import UUID

from tallystick.domain.orphan import Holding, TakenPage
from tallystick.domain.payment import (
    CancelOutcome,
    Declined,
    Method,
    MethodKind,
    Outcome,
    PaymentOrder,
    RefundOutcome,
    RefundStanding,
    Standing,
)
from tallystick.domain.payment_panel import PaymentPanel
from tallystick.domain.provider_event import ProviderEvent
from tallystick.domain.reversal import ReportedReversal
from tallystick.services.ports import PaymentProvider
from tests.world import World

Ask = Callable[[], Awaitable[object]]
Step = Callable[[Ask], Awaitable[object]]


class NetworkDown(Exception):
    """No answer came."""


async def through(ask: Ask) -> object:
    """The call arrives, and so does its answer."""
    return await ask()


async def silent(_: Ask) -> object:
    """The call never arrives."""
    raise NetworkDown


async def lost(ask: Ask) -> object:
    """The call arrives and its answer is lost."""
    await ask()
    raise NetworkDown


async def hanging(_: Ask) -> object:
    """The call never arrives, and nobody says so."""
    return await asyncio.Event().wait()


def says(answer: object) -> Step:
    """Answer without asking the bank."""

    async def step(_: Ask) -> object:
        return answer

    return step


def after(happens: Callable[[], Awaitable[object]]) -> Step:
    """Something happens between the bank's answer and its arrival here."""

    async def step(ask: Ask) -> object:
        answer = await ask()
        await happens()
        return answer

    return step


def before(happens: Callable[[], Awaitable[object]]) -> Step:
    """Something happens before the call arrives at the bank."""

    async def step(ask: Ask) -> object:
        await happens()
        return await ask()

    return step


class Delayed:
    """Calls that time out here and arrive at the bank later, when the test delivers them."""

    def __init__(self) -> None:
        self._waiting: list[Ask] = []

    async def __call__(self, ask: Ask) -> object:
        """Keep the call on its way, and give up waiting for it."""
        self._waiting.append(ask)
        raise NetworkDown

    async def deliver(self) -> list[object]:
        """Let every call arrive; what the bank answers, or how it refuses, reaches nobody."""
        waiting, self._waiting = self._waiting, []
        return await asyncio.gather(*(ask() for ask in waiting), return_exceptions=True)


class ScriptedBank:
    """The sandbox behind a script; implements the port of the payment providers."""

    def __init__(self, bank: PaymentProvider) -> None:
        self.bank = bank
        self.name: str = bank.name
        self.opened: set[str] = set()
        """The references of what was opened here, whoever heard of them."""
        self.steps: dict[str, deque[Step]] = defaultdict(deque)
        self.calls: list[str] = []
        self.otherwise: Step = through

    def script(self, call: str, *steps: Step) -> None:
        """What becomes of the next calls of one kind, in their order."""
        self.steps[call].extend(steps)

    def panel(self) -> PaymentPanel:
        """As the sandbox does."""
        return self.bank.panel()

    def mandate_reference(self, session_id: UUID) -> str | None:
        """As the sandbox does."""
        return self.bank.mandate_reference(session_id)

    async def collect(
        self, tenant_id: UUID, session_id: UUID, kind: MethodKind, fields: Mapping[str, str]
    ) -> Method:
        """As scripted, and otherwise as the sandbox does."""

        async def ask() -> Method:
            return await self.bank.collect(tenant_id, session_id, kind, fields)

        steps = self.steps["collect"]
        step = steps.popleft() if steps else through
        return cast("Method", await step(ask))

    async def keep_customer(
        self, tenant_id: UUID, customer_id: UUID, *, name: str, email: str | None
    ) -> str | None:
        """As scripted."""
        told = await self._do(
            "keep_customer",
            lambda: self.bank.keep_customer(tenant_id, customer_id, name=name, email=email),
        )
        return cast("str | None", told)

    async def update_customer(
        self, tenant_id: UUID, reference: str, *, name: str, email: str | None, key: str
    ) -> None:
        """As scripted."""
        await self._do(
            "update_customer",
            lambda: self.bank.update_customer(
                tenant_id, reference, name=name, email=email, key=key
            ),
        )

    async def open(self, order: PaymentOrder) -> str | Declined:
        """As scripted."""
        told = await self._do("open", lambda: self._noted(self.bank.open(order)))
        return cast("str | Declined", told)

    async def save_method(self, order: PaymentOrder) -> str | Declined:
        """As scripted."""
        told = await self._do("save_method", lambda: self._noted(self.bank.save_method(order)))
        return cast("str | Declined", told)

    async def confirm(self, order: PaymentOrder, reference: str) -> Outcome:
        """As scripted."""
        told = await self._do("confirm", lambda: self.bank.confirm(order, reference))
        return cast("Outcome", told)

    async def cancel(self, order: PaymentOrder, reference: str) -> CancelOutcome:
        """As scripted."""
        told = await self._do("cancel", lambda: self.bank.cancel(order, reference))
        return cast("CancelOutcome", told)

    async def look(self, tenant_id: UUID, reference: str) -> Standing:
        """As scripted."""
        told = await self._do("look", lambda: self.bank.look(tenant_id, reference))
        return cast("Standing", told)

    def chargeable(self, amount: int, currency: str) -> bool:
        """As the sandbox does."""
        return self.bank.chargeable(amount, currency)

    async def refund(
        self, tenant_id: UUID, reference: str, amount: int, key: str
    ) -> RefundOutcome:
        """As scripted."""
        told = await self._do(
            "refund", lambda: self.bank.refund(tenant_id, reference, amount, key)
        )
        return cast("RefundOutcome", told)

    async def look_at_refund(self, tenant_id: UUID, reference: str, key: str) -> RefundStanding:
        """As scripted."""
        told = await self._do(
            "look_at_refund", lambda: self.bank.look_at_refund(tenant_id, reference, key)
        )
        return cast("RefundStanding", told)

    async def failed_refunds(self) -> list[tuple[UUID | None, str]]:
        """As the bank does."""
        return await self.bank.failed_refunds()

    async def payments_between(
        self, tenant_id: UUID, since: datetime, until: datetime, after: str | None
    ) -> TakenPage:
        """As scripted."""
        told = await self._do(
            "payments_between",
            lambda: self.bank.payments_between(tenant_id, since, until, after),
        )
        return cast("TakenPage", told)

    async def payment_held(self, tenant_id: UUID, reference: str) -> Holding:
        """As scripted."""
        told = await self._do(
            "payment_held", lambda: self.bank.payment_held(tenant_id, reference)
        )
        return cast("Holding", told)

    async def debits_to_settle(self) -> list[tuple[UUID, str]]:
        """As the sandbox does."""
        return await self.bank.debits_to_settle()

    async def acknowledge_debit(self, tenant_id: UUID, reference: str) -> None:
        """As the sandbox does."""
        await self.bank.acknowledge_debit(tenant_id, reference)

    async def reversals_to_record(self) -> list[tuple[UUID, ReportedReversal]]:
        """As the sandbox does."""
        return await self.bank.reversals_to_record()

    async def reversals_of(self, tenant_id: UUID, reference: str) -> list[ReportedReversal]:
        """As scripted."""
        told = await self._do(
            "reversals_of", lambda: self.bank.reversals_of(tenant_id, reference)
        )
        return cast("list[ReportedReversal]", told)

    async def look_at_method(self, tenant_id: UUID, token: str) -> Method | None:
        """As the sandbox does."""
        return await self.bank.look_at_method(tenant_id, token)

    async def forget_method(self, tenant_id: UUID, token: str, *, key: str) -> None:
        """As scripted."""
        await self._do(
            "forget_method", lambda: self.bank.forget_method(tenant_id, token, key=key)
        )

    def parse_event(self, headers: Mapping[str, str], body: bytes, /) -> ProviderEvent:
        """As the sandbox does."""
        return self.bank.parse_event(headers, body)

    async def acknowledge_reversal(self, tenant_id: UUID, reported: ReportedReversal) -> None:
        """As the sandbox does."""
        await self.bank.acknowledge_reversal(tenant_id, reported)

    async def _noted(self, call: Awaitable[str | Declined]) -> str | Declined:
        told = await call
        if isinstance(told, str):
            self.opened.add(told)
        return told

    async def _do(self, call: str, ask: Ask) -> object:
        self.calls.append(call)
        steps = self.steps[call]
        step = steps.popleft() if steps else self.otherwise
        return await step(ask)


def with_bank(world: World, bank: ScriptedBank, call_limit_seconds: float = 20) -> World:
    """The same shop, which pays through this bank."""
    app = replace(
        world.app,
        providers={bank.name: bank},
        connect=lambda _: bank,
        call_limit_seconds=call_limit_seconds,
    )
    return replace(world, app=app, ctx=replace(world.ctx, app=app))
