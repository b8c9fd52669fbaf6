"""A shop in which the same story happens to many customers, and what has become of each."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tallystick.db import subscription_writes
from tallystick.db.engine import Database
from tallystick.domain.payment import Method
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import RateFee
from tallystick.services.ids import new_id
from tallystick.services.late_money import refund_late_money
from tallystick.services.refund_invoice import sweep_refunds
from tallystick.services.sweep_attempts import sweep_attempts
from tallystick.services.sweep_setups import sweep_setups
from tallystick.services.try_to_collect import sweep_collections
from tests.faults.bank import Bank, Pays
from tests.faults.banks import BANKS, SANDBOX
from tests.real_time import travel
from tests.scripted_bank import Delayed, ScriptedBank, with_bank
from tests.world import NOON, SoldPlan, World, open_world, rate, sandbox_of

CALL_LIMIT_SECONDS = 3600.0
"""So long that nothing is swept but what a story says: a sweep is a part of it."""

DEBITS_AT_ONCE = 50

DEBIT_SECONDS = 86_400.0
"""A debit is decided when a story says so."""

WAITING = ("payment_attempts", "collections", "refunds", "method_setups")
"""What the sweepers take up."""

_FACTS = """
    select c.id,
      coalesce((select sum(case t.payment_type when 'PAYMENT' then t.amount else -t.amount end)
        from transactions t where t.tenant_id = c.tenant_id and t.customer_id = c.id
         and t.status = 'SETTLED' and t.provider = $3), 0)::bigint as recorded,
      (select count(*) from payment_attempts a where a.tenant_id = c.tenant_id
         and a.customer_id = c.id and a.state = 'LIVE')
      + (select count(*) from collections l where l.tenant_id = c.tenant_id
         and l.customer_id = c.id and l.state = 'LIVE')
      + (select count(*) from refunds r where r.tenant_id = c.tenant_id
         and r.customer_id = c.id and r.state = 'LIVE')
      + (select count(*) from method_setups t where t.tenant_id = c.tenant_id
         and t.customer_id = c.id and t.state = 'LIVE') as under_way,
      coalesce((select sum(b.balance - b.held) from customer_balances b
        where b.tenant_id = c.tenant_id and b.customer_id = c.id), 0)::bigint as balance,
      (select count(*) from payment_methods m where m.tenant_id = c.tenant_id
         and m.customer_id = c.id) as methods,
      (select count(*) from coupon_redemptions r join payment_attempts a
         on a.tenant_id = r.tenant_id and a.id = r.attempt_id
        where r.tenant_id = c.tenant_id and a.customer_id = c.id) as redemptions,
      (select coalesce(sum(e.delta), 0) from slot_entries e
         join subscription_items i on i.tenant_id = e.tenant_id and i.id = e.item_id
         join subscriptions s on s.tenant_id = i.tenant_id and s.id = i.subscription_id
        where s.tenant_id = c.tenant_id and s.customer_id = c.id
          and (e.id = e.item_id or e.effective_on is not null)) as slots,
      (select json_object_agg(s.id, json_build_array(s.status, s.plan_version_id))
        from subscriptions s where s.tenant_id = c.tenant_id and s.customer_id = c.id)
        as subscriptions,
      (select json_object_agg(s.id, s.state) from checkout_sessions s
        where s.tenant_id = c.tenant_id and s.customer_id = c.id) as sessions,
      (select json_object_agg(i.id, json_build_array(i.status, i.payment_status, i.amount_due))
        from invoices i where i.tenant_id = c.tenant_id and i.customer_id = c.id) as invoices,
      (select json_object_agg(n.id, n.status) from credit_notes n
        where n.tenant_id = c.tenant_id and n.customer_id = c.id) as notes
    from customers c where c.tenant_id = $1 and c.id = any($2)
"""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is true of a customer; amounts in minor units.

    `kept` is by the bank's books, `recorded` by ours. An invoice is its status, its payment's
    and what is due; a subscription its status and plan version.
    """

    kept: int
    recorded: int
    under_way: int
    could_take: int
    balance: int
    methods: int
    redemptions: int
    slots: int
    subscriptions: Mapping[UUID, tuple[str, UUID]]
    sessions: Mapping[UUID, str]
    invoices: Mapping[UUID, tuple[str, str, int]]
    notes: Mapping[UUID, str]

    @property
    def final(self) -> list[tuple[str, int]]:
        """Payment status and what is due of each invoice that counts."""
        return [
            (paid, due) for status, paid, due in self.invoices.values() if status == "FINALIZED"
        ]

    @property
    def live(self) -> list[UUID]:
        """The plan versions of subscriptions that live."""
        over = {"CANCELLED", "COMPLETED", "SUPERSEDED", "ABORTED", "TRIAL_EXPIRED"}
        return [
            version for status, version in self.subscriptions.values() if status not in over
        ]


@dataclass(kw_only=True)
class Case:
    """One customer, with all that a story needs of it in hand before it begins.

    `due` is what the story charges in the end, in minor units, as it was shown. `own` is its
    stage where it has one for itself alone.
    """

    customer: UUID
    due: int
    method: Method | None = None
    session: UUID | None = None
    shown: str | None = None
    subscription: UUID | None = None
    invoice: UUID | None = None
    item: UUID | None = None
    wants: UUID | None = None
    pays: Pays = Pays.GOOD
    typed: Mapping[str, str] = field(default_factory=dict)
    own: "Stage | None" = None
    late: Delayed | None = None
    key: UUID = field(default_factory=new_id)
    bank: ScriptedBank = field(init=False)
    delayed: Delayed = field(init=False)
    was: Facts = field(init=False)


@dataclass(kw_only=True)
class Stage:
    """A tenant of its own, with what it sells; `world` is where its clock stands."""

    world: World
    bank: Bank
    provider: str = SANDBOX
    made: dict[str, Any] = field(default_factory=dict)
    besides: list["Stage"] = field(default_factory=list)

    @classmethod
    async def open(cls, database: Database, provider: str = SANDBOX) -> "Stage":
        """Found a tenant that takes money through a provider."""
        world = await open_world(database)
        world = replace(world, sandbox=sandbox_of(database, debit_seconds=DEBIT_SECONDS))
        world, bank = await BANKS[provider](world)
        script, _ = bank.scripted()
        world = with_bank(world, script, CALL_LIMIT_SECONDS)
        return cls(world=world, bank=bank, provider=provider)

    async def beside(self) -> "Stage":
        """Another tenant in the same database, for a case that needs a clock of its own."""
        stage = await Stage.open(self.world.database, self.provider)
        self.besides.append(stage)
        return stage

    async def close(self) -> None:
        """Nobody plays here any more."""
        for stage in (self, *self.besides):
            await stage.bank.close()

    def scripted(self, case: Case) -> Case:
        """Give a case a bank whose calls can be scripted, and which knows its own debits."""
        case.bank, case.delayed = self.bank.scripted()
        return case

    async def plan(self, name: str = "Pro") -> SoldPlan:
        """EUR 49 a month."""
        if name not in self.made:
            self.made[name] = await self.world.plan(name=name)
        plan: SoldPlan = self.made[name]
        return plan

    async def dearer(self) -> SoldPlan:
        """EUR 99 a month, of the same product."""
        if "dearer" not in self.made:
            plan = await self.plan()
            self.made["dearer"] = await self.world.plan(
                ("Fee", RateFee(), [(Cadence.MONTHLY, rate("99.00"))]),
                products=plan.products,
                name="Max",
            )
        dear: SoldPlan = self.made["dearer"]
        return dear

    async def shown(self, story: str, session: UUID) -> str:
        """What the page shows, which is the same to every customer of a story on a day."""
        key = f"{story} {self.world.ctx.now}"
        if key not in self.made:
            self.made[key] = await self.world.shown(session)
        return str(self.made[key])

    async def on_file(self, customer: UUID, pays: Pays) -> Method:
        """A method that the customer has saved before."""
        method = await self.bank.method(self.world, pays, on_file=True)
        async with self.world.database.transaction() as tx:
            await subscription_writes.insert_method(
                tx, self.world.tenant_id, new_id(), customer, method, self.world.ctx.now
            )
        await self.bank.keeps(self.world, method, customer)
        return method

    async def later(self, by: timedelta) -> None:
        """Business time passes; nothing happens on the way."""
        self.world = await travel(self.world, self.world.ctx.now + by)

    async def references(self, cases: Sequence[Case]) -> list[str]:
        """What the product knows of the provider's intents of these customers."""
        rows = await self.world.fetch(
            "select reference from payment_attempts where tenant_id = $1"
            " and customer_id = any($2) and reference is not null union all"
            " select reference from collections where tenant_id = $1"
            " and customer_id = any($2) and reference is not null union all"
            " select reference from method_setups where tenant_id = $1"
            " and customer_id = any($2) and reference is not null",
            self.world.tenant_id,
            [case.customer for case in cases],
        )
        return [row["reference"] for row in rows]

    async def become_due(self, cases: Sequence[Case]) -> None:
        """Real time passes for these customers alone: what nobody has recorded is due."""
        async with self.world.database.connection() as tx:
            await tx.execute(
                "update payment_attempts set challenge_until = now() - interval '1 second'"
                " where tenant_id = $1 and state = 'LIVE' and challenge_until is not null"
                " and customer_id = any($2)",
                self.world.tenant_id,
                [case.customer for case in cases],
            )
            for table in WAITING:
                await tx.execute(
                    f"update {table} set check_at = case when customer_id = any($2)"
                    " then now() - interval '1 second' else now() + interval '1 hour' end"
                    " where tenant_id = $1 and state = 'LIVE'",
                    self.world.tenant_id,
                    [case.customer for case in cases],
                )

    async def rounds(self, cases: Sequence[Case], *, decides: bool = True) -> None:
        """The worker goes round: it sweeps, settles and gives late money back."""
        app, now = self.world.app, NOON
        for _ in range(2):
            await self.become_due(cases)
            await sweep_attempts(app, now)
            await sweep_collections(app, now)
            await sweep_refunds(app, now)
            await sweep_setups(app, now)
        if decides:
            await self.bank.decides(self.world, await self.references(cases))
            # Some list so many debits at a time, and again until they are acknowledged.
            await self.bank.goes_round(self.world, 1 + len(cases) // DEBITS_AT_ONCE)
        for row in await self.world.fetch(
            "select id from payment_attempts where tenant_id = $1 and late_money = 'REFUNDING'",
            self.world.tenant_id,
        ):
            await refund_late_money(self.world.ctx, row["id"])
        await self.become_due(cases)
        await sweep_refunds(app, now)

    async def facts(self, cases: Sequence[Case]) -> list[Facts]:
        """What is true of each customer now."""
        customers = [case.customer for case in cases]
        name = self.bank.provider.name
        rows = await self.world.fetch(_FACTS, self.world.tenant_id, customers, name)
        kept = await self.bank.kept(self.world, customers)
        could_take = await self.bank.could_take(self.world, customers)
        found = {
            row["id"]: _facts(row, kept.get(row["id"], 0), could_take.get(row["id"], 0))
            for row in rows
        }
        return [found[customer] for customer in customers]


async def time_passes(stage: Stage, shop: World, case: Case, now: datetime = NOON) -> None:
    """The sweepers take up what a story has left, in a process that may fail."""
    await stage.become_due([case])
    await sweep_attempts(shop.app, now)
    await sweep_collections(shop.app, now)
    await sweep_refunds(shop.app, now)


def _facts(row: Mapping[str, Any], kept: int, could_take: int) -> Facts:
    def by_id(column: str) -> dict[UUID, Any]:
        return {UUID(one): what for one, what in json.loads(row[column] or "{}").items()}

    return Facts(
        kept=kept,
        recorded=row["recorded"],
        under_way=row["under_way"],
        could_take=could_take,
        balance=row["balance"],
        methods=row["methods"],
        redemptions=row["redemptions"],
        slots=row["slots"],
        subscriptions={
            one: (status, UUID(version))
            for one, (status, version) in by_id("subscriptions").items()
        },
        sessions=by_id("sessions"),
        invoices={
            one: (status, paid, due) for one, (status, paid, due) in by_id("invoices").items()
        },
        notes=by_id("notes"),
    )
