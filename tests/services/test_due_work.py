"""What the worker looks for: due at its tenant's now, and one that fails stops no other."""

import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from typing_extensions import override

from tallystick.db import due_sessions
from tallystick.domain.payment import FailureReason, Method, PaymentOrder, Standing, Unknown
from tallystick.providers.sandbox import Sandbox
from tallystick.services.claim import Claimed, Confirmation, claim
from tallystick.services.confirm_result import Completed, Consent, InFlight
from tallystick.services.context import App
from tallystick.services.expire_sessions import expire_due_sessions
from tallystick.services.settle_debits import settle_debits
from tallystick.services.sweep_attempts import sweep_attempts
from tests.real_time import sweep
from tests.shops import attempts, invoice, stored
from tests.soundness import assert_sound
from tests.world import GLOBEX, NOON, World, open_world

QUESTION_IS_LOST = "4000000000009987"
ASKS = "4000002500003155"


async def failures(world: World) -> list[str]:
    """Why each attempt ended, oldest first."""
    return [str(row["failure"]) for row in await attempts(world)]


async def test_an_interrupted_attempt_says_so(world: World) -> None:
    """A call without an answer ends INTERRUPTED."""
    session = await world.session(await world.customer(), await world.plan())
    await world.confirm(session, method=await world.card(QUESTION_IS_LOST))

    await sweep(world)

    assert await failures(world) == [f'{{"reason": "{FailureReason.INTERRUPTED}"}}']


async def test_a_challenge_left_alone_is_abandoned(world: World) -> None:
    """Half an hour without an answer to the challenge ends AUTHENTICATION_ABANDONED."""
    session = await world.session(await world.customer(), await world.plan())
    await world.confirm(session, method=await world.card(ASKS))
    await world.execute("update payment_attempts set challenge_until = now()")

    await sweep(world)

    assert await failures(world) == [
        f'{{"reason": "{FailureReason.AUTHENTICATION_ABANDONED}"}}'
    ]


async def test_an_attempt_of_an_ending_session_ends_with_it(world: World) -> None:
    """Once the session's ending is asked for, an unanswered attempt ends SESSION_ENDED."""
    session = await world.session(await world.customer(), await world.plan())
    await world.confirm(session, method=await world.card(QUESTION_IS_LOST))
    await world.execute("update checkout_sessions set ending_requested = 'CANCEL'")

    await sweep(world)

    assert await failures(world) == [f'{{"reason": "{FailureReason.SESSION_ENDED}"}}']
    assert (await stored(world, session))["state"] == "CANCELLED"


async def test_waiting_for_a_lock_takes_nothing_from_the_lease(world: World) -> None:
    """A claim that waited a second for its customer has the whole thirty seconds to charge."""
    customer = await world.customer()
    session = await world.session(customer, await world.plan())
    shown, card = await world.shown(session), await world.card(ASKS)
    async with world.database.transaction() as tx:
        await tx.execute("select from customers where id = $1 for update", customer)
        buying = asyncio.create_task(claimed(world, session, shown, card))
        await asyncio.sleep(1)
    await buying

    left = "extract(epoch from check_at - clock_timestamp())"
    assert (await world.one(f"select {left} as seconds from payment_attempts"))[
        "seconds"
    ] > 29.5


async def claimed(world: World, session: UUID, shown: str, card: Method) -> None:
    """Claim a session and go no further."""
    confirmation = Confirmation(
        shown=shown,
        buyer=GLOBEX,
        code=None,
        method=card,
        consent=Consent(text_version="1", language="en", text="...", given_at=NOON),
        return_url="http://localhost/",
    )
    async with world.app.transaction() as tx:
        assert isinstance(await claim(world.ctx, tx, session, confirmation), Claimed)


async def test_one_attempt_that_cannot_be_read_stops_no_other(world: World) -> None:
    """Of twelve due attempts one is broken: it stays leased, eleven are taken up."""
    plan = await world.plan()
    for _ in range(12):
        session = await world.session(await world.customer(), plan)
        lost = await world.confirm(session, method=await world.card(QUESTION_IS_LOST))
        assert lost == InFlight()
    broken = (await attempts(world))[3]["id"]
    await world.execute("update payment_attempts set obligation = '{}' where id = $1", broken)

    assert await sweep(world) == 11

    live = [row for row in await attempts(world) if row["state"] == "LIVE"]
    assert [row["id"] for row in live] == [broken]
    assert await sweep_attempts(world.app, NOON) == 0


async def test_sessions_expire_at_their_own_tenants_now(world: World) -> None:
    """A frozen clock expires nothing however late it really is; real time does elsewhere."""
    frozen = await world.session(await world.customer(), await world.plan(), expires_in_hours=1)
    other = await open_world(world.database)
    await other.execute("update tenants set clock = null where id = $1", other.tenant_id)
    real = await other.session(await other.customer(), await other.plan(), expires_in_hours=1)

    assert await expire_due_sessions(world.app, NOON + timedelta(minutes=59)) == 0
    assert await expire_due_sessions(world.app, NOON + timedelta(days=1)) == 1

    assert (await stored(world, frozen))["state"] == "CREATED"
    assert (await stored(other, real))["state"] == "EXPIRED"


async def test_one_session_that_cannot_be_read_stops_no_other(world: World) -> None:
    """A broken session stays as it is, the other one expires."""
    plan = await world.plan()
    broken, whole = [
        await world.session(await world.customer(), plan, expires_in_hours=1) for _ in range(2)
    ]
    await world.execute("update checkout_sessions set offer = '{}' where id = $1", broken)
    await world.execute("update tenants set clock = $1", NOON + timedelta(hours=2))

    assert await expire_due_sessions(world.app, NOON) == 1

    assert (await stored(world, broken))["state"] == "CREATED"
    assert (await stored(world, whole))["state"] == "EXPIRED"


async def test_sessions_that_cannot_expire_hold_up_no_other(world: World) -> None:
    """Of six due sessions the five oldest are broken: the sixth has its turn all the same."""
    plan = await world.plan()
    for _ in range(5):
        await world.session(await world.customer(), plan, expires_in_hours=1)
    await world.execute("update checkout_sessions set offer = '{}'")
    whole = await world.session(await world.customer(), plan, expires_in_hours=2)
    await world.execute("update tenants set clock = $1", NOON + timedelta(hours=3))

    tried = set()
    for _ in range(60):
        async with world.database.connection() as tx:
            due = await due_sessions.due_to_expire(tx, NOON, limit=2, limit_per_tenant=2)
        assert len(due) == 2
        tried |= {session.id for session in due}

    assert whole in tried


async def test_many_tenants_cost_one_statement(world: World) -> None:
    """Among five thousand tenants the one due session is found in a fraction of a second."""
    session = await world.session(
        await world.customer(), await world.plan(), expires_in_hours=1
    )
    await world.execute("update tenants set clock = null")
    await world.execute(
        "insert into tenants (id, name, currency, is_test, link_secret) "
        "select gen_random_uuid(), 'T', 'EUR', true, $1 from generate_series(1, 5000)",
        bytes(32),
    )
    began = time.monotonic()
    async with world.database.connection() as tx:
        due = await due_sessions.due_to_expire(
            tx, NOON + timedelta(days=1), limit=10, limit_per_tenant=10
        )

    assert [one.id for one in due] == [session]
    assert time.monotonic() - began < 1


async def test_one_tenant_does_not_keep_others_waiting(world: World) -> None:
    """Of a tenant with many due sessions only so many are taken at once."""
    plan = await world.plan()
    for _ in range(3):
        await world.session(await world.customer(), plan, expires_in_hours=1)
    other = await open_world(world.database)
    last = await other.session(await other.customer(), await other.plan(), expires_in_hours=2)
    await world.execute("update tenants set clock = $1", NOON + timedelta(days=1))
    async with world.database.connection() as tx:
        due = await due_sessions.due_to_expire(tx, NOON, limit=10, limit_per_tenant=2)

    assert [one.tenant_id for one in due].count(world.tenant_id) == 2
    assert last in {one.id for one in due}


class Impatient(Sandbox):
    """A bank that decides a debit before its caller has heard that it was accepted."""

    @override
    async def confirm(self, order: PaymentOrder, reference: str) -> Any:
        """Accept, decide, and have the worker go round before the answer arrives."""
        outcome = await super().confirm(order, reference)
        async with self._database.connection() as tx:
            await tx.execute("update sandbox.intents set settle_at = now()")
        self.rounds.append(await settle_debits(self.app, NOON))
        return outcome

    rounds: list[int]
    app: App


async def test_a_debit_decided_too_early_is_not_forgotten(world: World) -> None:
    """Decided before the purchase was recorded, the debit is listed until it is settled."""
    bank = Impatient(world.database, public_url="http://localhost", debit_seconds=5)
    app = replace(world.app, providers={"sandbox": bank})
    bank.app, bank.rounds = app, []
    early = replace(world, app=app, ctx=replace(world.ctx, app=app))
    session = await early.session(await early.customer(), await early.plan())

    assert await early.confirm(session, method=await early.debit()) == Completed()
    assert (bank.rounds, (await invoice(world))["payment_status"]) == ([1], "PROCESSING")

    assert await settle_debits(app, NOON) == 1
    assert (await invoice(world))["payment_status"] == "PAID"
    assert await settle_debits(app, NOON) == 0
    await assert_sound(world)


class Silent(Sandbox):
    """A bank that does not say what became of one debit."""

    silent_about: str

    @override
    async def look(self, tenant_id: UUID, reference: str) -> Standing:
        """Where the intent stands, or nothing."""
        if reference == self.silent_about:
            return Unknown()
        return await super().look(tenant_id, reference)


async def test_a_debit_without_an_answer_is_asked_about_again(world: World) -> None:
    """The debit that the bank is silent about stays listed; the other one is settled."""
    bank = Silent(world.database, public_url="http://localhost", debit_seconds=0)
    bank.silent_about = ""
    app = replace(world.app, providers={"sandbox": bank})
    shop = replace(world, app=app, ctx=replace(world.ctx, app=app))
    plan = await shop.plan()
    method: Method
    for _ in range(2):
        method = await shop.debit()
        await shop.confirm(await shop.session(await shop.customer(), plan), method=method)
    bank.silent_about = (await attempts(world))[0]["reference"]

    await settle_debits(app, NOON)
    states = await world.fetch("select status from transactions order by id")
    assert [row["status"] for row in states] == ["PENDING", "SETTLED"]

    bank.silent_about = ""
    await settle_debits(app, NOON)
    states = await world.fetch("select status from transactions order by id")
    assert [row["status"] for row in states] == ["SETTLED", "SETTLED"]
