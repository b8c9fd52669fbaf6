"""A bank that the matrix is run against: what buyers and time do there, and its own books.

The stories know nothing else of it, so that another provider can take the place of the test
bank: `banks.py` names those that there are.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from tallystick.domain.payment import Method, MethodKind
from tallystick.services.ports import PaymentProvider
from tallystick.services.settle_debits import settle_debits
from tests.scripted_bank import Delayed, ScriptedBank
from tests.world import NOON, World


class Pays(StrEnum):
    """What becomes of a method when it is charged."""

    GOOD = "GOOD"
    DECLINED = "DECLINED"
    ASKS = "ASKS"
    SETTLES = "SETTLES"
    BOUNCES = "BOUNCES"

    @property
    def is_debit(self) -> bool:
        """Whether it is a bank account."""
        return self in {Pays.SETTLES, Pays.BOUNCES}

    @property
    def kind(self) -> MethodKind:
        """What kind of method it is."""
        return MethodKind.DIRECT_DEBIT if self.is_debit else MethodKind.CARD


class Bank(Protocol):
    """What a story does at the bank, past the port that the product has to it."""

    @property
    def provider(self) -> PaymentProvider:
        """The provider as the product has it."""
        ...

    async def close(self) -> None:
        """The matrix is done with it."""
        ...

    def scripted(self) -> tuple[ScriptedBank, Delayed]:
        """The provider behind a script of its own, and what keeps a call on its way."""
        ...

    def lent(self) -> AbstractContextManager[object]:
        """What a process of its own needs to ask the same bank, as long as the block runs."""
        ...

    async def typed(self, pays: Pays) -> Mapping[str, str]:
        """What a buyer fills in to pay like this, in the fields of the provider's panel."""
        ...

    async def method(self, world: World, pays: Pays, *, on_file: bool) -> Method:
        """A method as a buyer gives it; one to be `on_file` can be saved whatever it pays."""
        ...

    async def keeps(self, world: World, method: Method, customer_id: UUID) -> None:
        """The method was saved for a customer."""
        ...

    async def turns(self, world: World, customers: Sequence[UUID], pays: Pays) -> None:
        """From now on what these customers saved of its kind pays otherwise."""
        ...

    async def answers(self, world: World, reference: str, *, approve: bool) -> None:
        """The buyer answers the challenge, if there is one."""
        ...

    async def decides(self, world: World, references: Sequence[str]) -> None:
        """Accepted debits are decided: their time has come."""
        ...

    def has_told(self) -> None:
        """Whatever happened until now was told long ago."""
        ...

    async def tells(
        self, shop: World, customers: Sequence[UUID], *, again: bool = False
    ) -> bool:
        """Tell the shop by itself what happened to these; False if it tells nobody.

        `again` says that everything is told, also what was told long ago, the newest first.
        """
        ...

    async def is_asked_about_debits(
        self, shop: World, customers: Sequence[UUID], rounds: int
    ) -> None:
        """The shop learns of the debits of these customers that were decided."""
        ...

    async def goes_round(self, world: World, rounds: int) -> None:
        """The worker asks about debits and whatever else it asks this provider, so often."""
        ...

    async def kept(self, world: World, customers: Sequence[UUID]) -> Mapping[UUID, int]:
        """What was taken of each and not given back, in minor units, by its own books."""
        ...

    async def could_take(self, world: World, customers: Sequence[UUID]) -> Mapping[UUID, int]:
        """How many intents of each are open and could take money yet."""
        ...


class TestBank:
    """The sandbox, which ships with the product."""

    __test__ = False
    _numbers: Mapping[Pays, str] = {
        Pays.GOOD: "4242424242424242",
        Pays.DECLINED: "4000000000000002",
        Pays.ASKS: "4000002500003155",
        Pays.SETTLES: "DE89370400440532013000",
        Pays.BOUNCES: "DE62370400440532013001",
    }
    _declined_when_charged = "4000000000000341"
    _behaviours: Mapping[Pays, str] = {
        Pays.GOOD: "SUCCEEDS",
        Pays.DECLINED: "FAILS_WHEN_CHARGED",
        Pays.SETTLES: "SETTLES_LATER",
        Pays.BOUNCES: "FAILS_LATER",
    }

    def __init__(self, world: World) -> None:
        self.provider: PaymentProvider = world.sandbox

    async def close(self) -> None:
        """It is the database's."""

    def scripted(self) -> tuple[ScriptedBank, Delayed]:
        """As tests script it everywhere."""
        return ScriptedBank(self.provider), Delayed()

    def lent(self) -> AbstractContextManager[object]:
        """It is in the database, which every process has."""
        return nullcontext()

    async def typed(self, pays: Pays) -> Mapping[str, str]:
        """A published test number."""
        if pays.is_debit:
            return {"iban": self._numbers[pays], "account_holder": "Dana Globex"}
        card = {"card_expiry": "12/40", "card_cvc": "123"}
        return {"card_number": self._numbers[pays], **card}

    async def method(self, world: World, pays: Pays, *, on_file: bool) -> Method:
        """A published test number."""
        number = self._numbers[pays]
        if on_file and pays is Pays.DECLINED:
            number = self._declined_when_charged
        return await (world.debit(number) if pays.is_debit else world.card(number))

    async def keeps(self, world: World, method: Method, customer_id: UUID) -> None:
        """As after a purchase that saved it."""
        await world.execute(
            "update sandbox.methods set customer_id = $3 where tenant_id = $1 and token = $2",
            world.tenant_id,
            method.token,
            customer_id,
        )

    async def turns(self, world: World, customers: Sequence[UUID], pays: Pays) -> None:
        """The number behaves as another one."""
        await world.execute(
            "update sandbox.methods set behaviour = $3"
            " where tenant_id = $1 and customer_id = any($2) and kind = $4",
            world.tenant_id,
            customers,
            self._behaviours[pays],
            pays.kind.value,
        )

    async def answers(self, world: World, reference: str, *, approve: bool) -> None:
        """On the bank's own page."""
        await world.sandbox.answer_challenge(world.tenant_id, reference, approve=approve)

    async def decides(self, world: World, references: Sequence[str]) -> None:
        """As if the days were over."""
        await world.execute(
            "update sandbox.intents set settle_at = now() - interval '1 second'"
            " where tenant_id = $1 and state = 'PENDING' and reference = any($2)",
            world.tenant_id,
            references,
        )

    def has_told(self) -> None:
        """It tells nobody."""

    async def tells(
        self, shop: World, customers: Sequence[UUID], *, again: bool = False
    ) -> bool:
        """It tells nobody: there is no door for its news."""
        return False

    async def is_asked_about_debits(
        self, shop: World, customers: Sequence[UUID], rounds: int
    ) -> None:
        """It lists them."""
        for _ in range(rounds):
            await settle_debits(shop.app, NOON)

    async def goes_round(self, world: World, rounds: int) -> None:
        """The same."""
        await self.is_asked_about_debits(world, (), rounds)

    async def kept(self, world: World, customers: Sequence[UUID]) -> Mapping[UUID, int]:
        """The sum of the ledger."""
        rows = await world.fetch(
            "select i.customer_id, sum(case when m.kind in ('CHARGE', 'REINSTATEMENT')"
            "  then m.amount else -m.amount end)::bigint as kept"
            " from sandbox.intents i join sandbox.movements m"
            "  on m.tenant_id = i.tenant_id and m.reference = i.reference"
            " where i.tenant_id = $1 and i.customer_id = any($2) group by 1",
            world.tenant_id,
            customers,
        )
        return {row["customer_id"]: row["kept"] for row in rows}

    async def could_take(self, world: World, customers: Sequence[UUID]) -> Mapping[UUID, int]:
        """The intents that are neither final nor a debit on its way."""
        rows = await world.fetch(
            "select customer_id, count(*) as open from sandbox.intents"
            " where tenant_id = $1 and customer_id = any($2)"
            "  and state in ('OPEN', 'CHALLENGED') group by 1",
            world.tenant_id,
            customers,
        )
        return {row["customer_id"]: row["open"] for row in rows}
