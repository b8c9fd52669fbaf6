"""Stripe as the matrix' bank: its adapter, and the twin of Stripe behind it.

What is lost is lost on the wire, between the adapter and the twin: `silent`, `lost` and what is
delayed befall the HTTP call itself. What Stripe tells by itself comes through the product's own
door, signed, event by event.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from uuid import UUID

import httpx
from typing_extensions import override

from tallystick.domain.payment import Method, PaymentOrder, Succeeded
from tallystick.providers.stripe import Stripe, StripeKeys
from tallystick.services.hear_provider import hear_provider, look_into_event
from tallystick.services.ids import new_id
from tallystick.services.keep_customer import with_customer
from tallystick.services.look_after_connections import look_after_connections
from tallystick.services.look_into_money import NoAnswer
from tallystick.services.ports import PaymentProvider
from tests.connected import WEBHOOK_SECRET, Opener, connect
from tests.faults.bank import Pays
from tests.faults.distant import Hands, Lent, OwnHands, lending, whose
from tests.providers.contract import ACCEPTANCE
from tests.scripted_bank import Ask, Delayed, ScriptedBank, Step, lost, silent
from tests.stripe.account import Account
from tests.stripe.at_hand import AtHand
from tests.stripe.news import signed
from tests.stripe.refusals import Json
from tests.stripe.script import Late, Unanswered, Unheard
from tests.stripe.script import Step as OnWire
from tests.stripe.twin import Twin, real_seconds
from tests.stripe.wire import Wires
from tests.world import NOON, PUBLIC_URL, World

CALLS: Mapping[str, Sequence[str]] = {
    "keep_customer": ("customers.create",),
    "open": ("payment_intents.create",),
    "save_method": ("setup_intents.create",),
    "confirm": ("payment_intents.confirm", "setup_intents.confirm"),
    "cancel": ("payment_intents.cancel", "setup_intents.cancel"),
    "look": ("payment_intents.retrieve", "setup_intents.retrieve"),
    "refund": ("refunds.create",),
}
"""The port's calls, and the operations that each asks for."""

OPEN = {"requires_payment_method", "requires_confirmation", "requires_action"}
"""An intent that can be confirmed yet, by whoever knows it."""

HOUR = 3600.0


@cache
def the_twin() -> Twin:
    """The twin of this process, with a thread of its own until the process ends."""
    wires = Wires()
    wires.__enter__()
    return Twin(wires)


@dataclass(frozen=True, slots=True)
class Befalls:
    """A step of a script: this happens to the HTTP request of the call."""

    how: OnWire

    async def __call__(self, _: Ask) -> object:
        """A bank with a wire takes it apart."""
        raise AssertionError("this bank has no wire")


class LateOnWire(Delayed):
    """Calls that time out here, and arrive at the twin when the test delivers them."""

    def __init__(self, account: Account) -> None:
        super().__init__()
        self._account = account

    @override
    async def deliver(self) -> list[object]:
        """Let every call arrive; the answers reach nobody."""
        return [*await super().deliver(), *the_twin().arrive_late(self._account)]


class ScriptedStripe(ScriptedBank):
    """A script for the adapter, in which losses happen on the wire."""

    def __init__(self, bank: PaymentProvider, hands: Hands) -> None:
        super().__init__(bank)
        self._hands = hands

    @override
    def script(self, call: str, *steps: Step) -> None:
        """What becomes of the next calls of one kind, in their order."""
        super().script(call, *(self._on_wire(call, step) for step in steps))

    def _on_wire(self, call: str, step: Step) -> Step:
        if step is silent:
            return self._befalls(call, Unheard())
        if step is lost:
            return self._befalls(call, Unanswered())
        if isinstance(step, LateOnWire):
            return self._befalls(call, Late())
        if isinstance(step, Befalls):
            return self._befalls(call, step.how)
        return step

    def _befalls(self, call: str, how: OnWire) -> Step:
        async def step(ask: Ask) -> object:
            for operation in CALLS[call]:
                self._hands.script(operation, how)
            try:
                return await ask()
            finally:
                self._hands.forget()

        return step


class StripeBank:
    """One merchant's account at the twin."""

    _cards: Mapping[Pays, str] = {
        Pays.GOOD: "4242424242424242",
        Pays.DECLINED: "4000000000000002",
        Pays.ASKS: "4000002500003155",
    }
    _accounts: Mapping[Pays, str] = {
        Pays.SETTLES: "DE89370400440532013000",
        Pays.BOUNCES: "DE62370400440532013001",
    }
    _declined_when_charged = "4000000000000341"

    def __init__(self, opener: Opener, account: Account, connection_id: UUID) -> None:
        self._opener = opener
        self.account = account
        self.connection_id = connection_id
        self.hands: Hands = OwnHands(account)
        self.told = 0
        (self._stripe,) = opener.made.values()
        self.provider: PaymentProvider = self._stripe

    async def close(self) -> None:
        """Let go of the connections to the twin."""
        await self._opener.close()

    def scripted(self) -> tuple[ScriptedBank, Delayed]:
        """A script for the adapter, and what is on its way."""
        return ScriptedStripe(self.provider, self.hands), LateOnWire(self.account)

    @contextmanager
    def lent(self) -> Iterator[Lent]:
        """The account's keys, and hands at it."""
        twin = self._opener.twin
        with lending(self.account) as hands:
            yield Lent(
                api_base=twin.api_base,
                script_url=twin.script_url,
                secret_key=self.account.secret_key,
                publishable_key=self.account.publishable_key,
                name=self.provider.name,
                connection_id=self.connection_id,
                told=self.told,
                hands=hands,
            )

    async def typed(self, pays: Pays) -> Mapping[str, str]:
        """As Stripe's script makes a method of what is typed into its fields."""
        return self._token(pays, (self._accounts if pays.is_debit else self._cards)[pays])

    async def method(self, world: World, pays: Pays, *, on_file: bool) -> Method:
        """A published test number, as Stripe's script makes a method of it."""
        number = (self._accounts if pays.is_debit else self._cards)[pays]
        if on_file and pays is Pays.DECLINED:
            number = self._declined_when_charged
        fields = self._token(pays, number)
        return await self.provider.collect(world.tenant_id, new_id(), pays.kind, fields)

    def _token(self, pays: Pays, number: str) -> Mapping[str, str]:
        form: Json
        if pays.is_debit:
            holder = {"name": "Dana Globex", "email": "ap@globex.example"}
            iban = {"iban": number}
            form = {"type": "sepa_debit", "sepa_debit": iban, "billing_details": holder}
        else:
            card = {"number": number, "exp_month": "12", "exp_year": "2040", "cvc": "123"}
            form = {"type": "card", "card": card}
        return {"payment_token": self.hands.make_method(form)}

    async def keeps(self, world: World, method: Method, customer_id: UUID) -> None:
        """It is set up for charges with nobody there, its mandate signed."""
        order = PaymentOrder(
            tenant_id=world.tenant_id,
            attempt_id=new_id(),
            customer_id=customer_id,
            amount=0,
            currency="EUR",
            method=method,
            save=True,
            return_url=PUBLIC_URL,
            acceptance=ACCEPTANCE,
        )
        order = await with_customer(world.ctx, self.provider, order)
        reference = await self.provider.save_method(order)
        assert isinstance(reference, str), "it can be set up"
        assert await self.provider.confirm(order, reference) == Succeeded()

    async def turns(self, world: World, customers: Sequence[UUID], pays: Pays) -> None:
        """The number becomes another one."""
        kind = "sepa_debit" if pays.is_debit else "card"
        numbers = self._accounts if pays.is_debit else self._cards
        with self.account.lock:
            theirs = {
                known["id"]
                for known in self.account.objects["customer"].values()
                if whose(known) in customers
            }
            for one in self.account.objects["payment_method"].values():
                if one["type"] == kind and one["customer"] in theirs:
                    self.account.hidden[one["id"]]["number"] = numbers[pays]

    async def answers(self, world: World, reference: str, *, approve: bool) -> None:
        """On the bank's own page."""
        self.hands.answer(reference, approve=approve)

    async def decides(self, world: World, references: Sequence[str]) -> None:
        """As if the days were over."""
        for reference in references:
            self.hands.decide(reference)

    def has_told(self) -> None:
        """The events until now came to the door, and nothing came of them."""
        self.told = len(self.account.objects["event"])

    async def tells(
        self, shop: World, customers: Sequence[UUID], *, again: bool = False
    ) -> bool:
        """Every event about these customers comes to the door, and is looked into."""
        events = self.hands.events_about(customers, 0 if again else self.told)
        for event in events[:: -1 if again else 1]:
            headers, body = signed(event, WEBHOOK_SECRET, at=real_seconds())
            lower = {name.lower(): value for name, value in headers.items()}
            await hear_provider(shop.app, self.connection_id, lower, body, NOON)
        await self._does_its_jobs(shop)
        return True

    async def is_asked_about_debits(
        self, shop: World, customers: Sequence[UUID], rounds: int
    ) -> None:
        """Stripe tells of what it has decided."""
        await self.tells(shop, customers)

    async def goes_round(self, world: World, rounds: int) -> None:
        """The events that were heard are looked into, and the hour is over."""
        await self._does_its_jobs(world)
        await world.execute(
            "update provider_connections set check_at = now()"
            " + case when tenant_id = $1 then -interval '1 second' else interval '1 hour' end",
            world.tenant_id,
        )
        await look_after_connections(world.app, NOON, HOUR)

    async def kept(self, world: World, customers: Sequence[UUID]) -> Mapping[UUID, int]:
        """The sum of the ledger."""
        kept: Counter[UUID] = Counter()
        payments = self.account.objects["payment_intent"]
        for moved in self.account.ledger:
            kept[_owner(payments[moved.payment_intent])] += moved.amount
        return kept

    async def could_take(self, world: World, customers: Sequence[UUID]) -> Mapping[UUID, int]:
        """The intents that are neither final nor a debit on its way."""
        return Counter(_owner(one) for one in self._intents() if one["status"] in OPEN)

    async def _does_its_jobs(self, shop: World) -> None:
        """The worker looks into whatever was heard; what gives no answer waits."""
        for row in await shop.fetch(
            "select id from provider_events where tenant_id = $1 and looked_into_at is null"
            " order by received_at",
            shop.tenant_id,
        ):
            with suppress(NoAnswer):
                await look_into_event(shop.ctx, row["id"])

    def _intents(self) -> list[Json]:
        objects = self.account.objects
        return [*objects["payment_intent"].values(), *objects["setup_intent"].values()]


class LentBank(StripeBank):
    """The same account from a process that is about to die: what a story does while it is told.

    Everything else is done by the process that lives.
    """

    def __init__(self, lent: Lent) -> None:
        keys = StripeKeys(
            secret_key=lent.secret_key,
            publishable_key=lent.publishable_key,
            webhook_secrets=(WEBHOOK_SECRET,),
        )
        self.provider = Stripe(
            keys, name=lent.name, api_base=lent.api_base, script_url=lent.script_url
        )
        self.connection_id = lent.connection_id
        self.hands = lent.hands
        self.told = lent.told

    @override
    def scripted(self) -> tuple[ScriptedBank, Delayed]:
        """Nothing is ever on its way: it would die with its sender."""
        return ScriptedStripe(self.provider, self.hands), Delayed()


def _owner(one: Json) -> UUID:
    found = whose(one)
    assert found is not None, "the adapter says whose an intent is"
    return found


async def open_stripe_bank(world: World) -> tuple[World, StripeBank]:
    """Connect the shop to an account of its own at the twin."""
    opener = Opener(the_twin())
    account = opener.twin.merchant()
    shop = await connect(world, opener, account)
    assert shop.world.provider.name == shop.name, "the connection is what is paid through"
    await shop.bank.stripe.close()
    for one in opener.made.values():
        one._http._client_async = httpx.AsyncClient(transport=AtHand(opener.twin))
    return shop.world, StripeBank(opener, account, shop.connection_id)


async def borrow_stripe_bank(world: World, lent: object) -> tuple[World, StripeBank]:
    """The bank of a shop in a process of its own."""
    assert isinstance(lent, Lent), "it is lent by `StripeBank`"
    return world, LentBank(lent)
