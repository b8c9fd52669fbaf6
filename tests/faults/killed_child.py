"""A story in a process of its own, which kills itself with SIGKILL at one of its steps."""

import asyncio
import logging
import signal
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from multiprocessing.process import BaseProcess
from uuid import UUID

import structlog

from tallystick.db.engine import Database
from tallystick.domain.errors import TallystickError
from tallystick.services.context import App, Context, Tenant
from tests.faults.applying import outcome_named
from tests.faults.banks import LENT
from tests.faults.outcomes import Outcome
from tests.faults.process import MortalProcess, in_process
from tests.faults.stage import CALL_LIMIT_SECONDS, DEBIT_SECONDS, Case, Stage
from tests.faults.story import Story
from tests.forked import CONTEXT
from tests.scripted_bank import with_bank
from tests.world import PUBLIC_URL, World, sandbox_of


@dataclass(frozen=True, kw_only=True)
class Errand:
    """What the child is told: where, about whom, and when to die."""

    dsn: str
    tenant: Tenant
    now: datetime
    entity_id: UUID
    family_id: UUID
    provider: str
    lent: object
    story: Story
    outcome: str
    case: Case
    step: int


async def tell_and_die(
    stage: Stage, story: Story, outcome: Outcome, case: Case, step: int
) -> bool:
    """Tell a story to a child that dies at a step; whether it came so far."""
    with stage.bank.lent() as lent:
        child = _sent(stage, lent, story, outcome, case, step)
        await asyncio.to_thread(child.join)
    assert child.exitcode in {0, -signal.SIGKILL}, f"the child ended with {child.exitcode}"
    return child.exitcode == -signal.SIGKILL


def _sent(
    stage: Stage, lent: object, story: Story, outcome: Outcome, case: Case, step: int
) -> BaseProcess:
    """Start the child."""
    ctx = stage.world.ctx
    errand = Errand(
        dsn=stage.world.database.dsn,
        tenant=ctx.tenant,
        now=ctx.now,
        entity_id=stage.world.entity_id,
        family_id=stage.world.family_id,
        provider=stage.provider,
        lent=lent,
        story=story,
        outcome=outcome.name,
        case=replace(case, own=None),
        step=step,
    )
    child = CONTEXT.Process(target=_run, args=(errand,))
    child.start()
    return child


def _run(errand: Errand) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    asyncio.run(_tell(errand))


async def _tell(errand: Errand) -> None:
    database = await Database.open(errand.dsn)
    stage = await _stage(errand, database)
    outcome = outcome_named(errand.story, errand.provider, errand.outcome)
    case = stage.scripted(errand.case)
    outcome.scripts(stage, case)
    shop = in_process(stage.world, case.bank, MortalProcess(errand.step))
    with suppress(TallystickError):
        await errand.story.tell(stage, case, outcome, shop)
    await database.close()


async def _stage(errand: Errand, database: Database) -> Stage:
    """The tenant as the parent has it."""
    sandbox = sandbox_of(database, debit_seconds=DEBIT_SECONDS)
    app = App(
        database=database,
        providers={sandbox.name: sandbox},
        public_url=PUBLIC_URL,
        call_limit_seconds=CALL_LIMIT_SECONDS,
        plan_versions={},
    )
    world = World(
        app=app,
        ctx=Context(app=app, tenant=errand.tenant, actor="test", now=errand.now),
        sandbox=sandbox,
        database=database,
        entity_id=errand.entity_id,
        family_id=errand.family_id,
    )
    world, bank = await LENT[errand.provider](world, errand.lent)
    script, _ = bank.scripted()
    world = with_bank(world, script, CALL_LIMIT_SECONDS)
    return Stage(world=world, bank=bank, provider=errand.provider)
