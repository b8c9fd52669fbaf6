"""A soak: everybody uses an installation whose processes and database are killed at random.

In the end the clock is moved on until everything has settled, and what clients were told is
compared with what is in the database and at the bank.
"""

import asyncio
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from tallystick.db.engine import Database
from tallystick.domain.coupons import Percentage
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import RateFee, SlotFee, SlotPricing
from tallystick.services.api_keys import create_api_key
from tests.cli.test_serve import COMMAND
from tests.scenarios.test_usage_billed import metered_plan
from tests.soak.agreement import disagreements, figures
from tests.soak.people import SEATS, People
from tests.soak.processes import Installation
from tests.soak.told import Told
from tests.world import World, open_world, rate

SETTLE_SECONDS_MAX = 240.0
TOLD_SECONDS = 10.0
UNSETTLED = """
    select (select count(*) from payment_attempts where state = 'LIVE')
         + (select count(*) from collections where state = 'LIVE')
         + (select count(*) from refunds where state = 'LIVE')
         + (select count(*) from transactions where status = 'PENDING')
         + (select count(*) from events where sequence is null) as count
"""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long, by which chance, how many people, and how often something is killed.

    `moves` are those of the clock at the end, each of twenty days.
    """

    seconds: float
    seed: int
    buyers: int = 4
    merchants: int = 2
    kill_every_seconds: float = 4.0
    travel_every_seconds: float = 5.0
    moves: int = 3


@dataclass(kw_only=True)
class Report:
    """What came of a soak: what was done, what was killed, and everything that is wrong."""

    told: Told
    killed: dict[str, int]
    figures: dict[str, int]
    wrong: list[str] = field(default_factory=list)


async def soak(plan: Plan, say: Say) -> Report:
    """Run one, and compare in the end."""
    random = Random(plan.seed)
    async with installed() as installation:
        database = await Database.open(installation.server.dsn, max_size=3)
        try:
            world, people = await _open_shop(database, installation, random)
            await _everybody(plan, installation, people, random, say)
            await _settle(plan, world, people, say)
            wrong = await _compare(world, installation, people.told)
            found = await figures(world)
        finally:
            await database.close()
        wrong += [f"{role} ended by itself" for role in installation.died()]
        killed = dict(installation.killed)
    return Report(told=people.told, killed=killed, figures=found, wrong=wrong)


@asynccontextmanager
async def installed() -> AsyncIterator[Installation]:
    """An installation in a folder of its own, which is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="tallystick-soak-"))
    folder.chmod(0o755)
    installation = Installation(folder=folder)
    try:
        await asyncio.to_thread(installation.open)
        yield installation
    finally:
        await asyncio.to_thread(installation.close)
        shutil.rmtree(folder, ignore_errors=True)


async def _open_shop(
    database: Database, installation: Installation, random: Random
) -> tuple[World, People]:
    """A tenant with a frozen clock, four plans, one with usage, one of seats, and a coupon."""
    world = await open_world(database)
    sold = [await world.plan(name="Small"), await metered_plan(world)]
    monthly = ("Fee", RateFee(), [(Cadence.MONTHLY, rate("120.00"))])
    sold.append(await world.plan(monthly, name="Large"))
    pricing = SlotPricing(unit_rate=Decimal(10), min_slots=1, max_slots=1000)
    seats = (SEATS, SlotFee(unit_name="seat"), [(Cadence.MONTHLY, pricing)])
    sold.append(await world.plan(seats, name="Team"))
    tenth = Percentage(percentage=Decimal(10))
    coupon = await world.coupon("TENTH", tenth, redemption_limit=100_000)
    async with database.transaction() as tx:
        key = await create_api_key(world.ctx.within(tx), "soak")
    people = People(
        told=Told(),
        random=Random(random.random()),
        ports=installation.ports,
        key=key.secret,
        plans=[encode(Prefix.PLAN_VERSION, one.version_id) for one in sold],
        coupon=encode(Prefix.COUPON, coupon),
    )
    return world, people


async def _everybody(
    plan: Plan, installation: Installation, people: People, random: Random, say: Say
) -> None:
    """Let everybody do what they do, while something is killed every few seconds."""
    stop = asyncio.Event()
    parts = [people.buys(stop) for _ in range(plan.buyers)]
    parts += [people.manages(stop) for _ in range(plan.merchants)]
    parts.append(people.travels(stop, plan.travel_every_seconds))
    running = asyncio.gather(*parts)
    began = told_at = time.monotonic()
    while not running.done() and time.monotonic() - began < plan.seconds:
        pause = random.uniform(0.5, 1.5) * plan.kill_every_seconds
        left = plan.seconds - (time.monotonic() - began)
        await asyncio.wait({running}, timeout=min(pause, left))
        if left > pause:
            await asyncio.to_thread(installation.wait_for_any)
            await asyncio.to_thread(installation.kill_something, random)
        if time.monotonic() - told_at > TOLD_SECONDS:
            told_at = time.monotonic()
            done = len(people.told.bought)
            say(f"{told_at - began:4.0f} s: {done} bought, {dict(installation.killed)} killed")
    stop.set()
    await running


async def _settle(plan: Plan, world: World, people: People, say: Say) -> None:
    """Move the clock on past the next renewals, and wait until nothing is under way."""
    say("the clock is moved on, and everything settles")
    stands = time.monotonic()
    async with people.raw() as raw:
        for _ in range(plan.moves):
            await people.moves_on(raw, timedelta(days=20))
    async with asyncio.timeout(SETTLE_SECONDS_MAX):
        while (await world.one(UNSETTLED))["count"]:
            await asyncio.sleep(0.2)
    say(f"settled after {time.monotonic() - stands:.0f} s")


async def _compare(world: World, installation: Installation, told: Told) -> list[str]:
    """Everything that is not as it was told, or not as it must be."""
    wrong = [*told.unclear, *await disagreements(world, told)]
    if given_up := told.heard["purchase", "given up"]:
        wrong.append(f"{given_up} buyers pressed the button again and again, and had no answer")
    data_dir = str(installation.folder / "data")
    examined = await asyncio.to_thread(
        subprocess.run,
        [*COMMAND, "doctor", "--json", "--data-dir", data_dir],
        capture_output=True,
        check=False,
    )
    with suppress(ValueError):
        found: dict[str, Any] = json.loads(examined.stdout)
        wrong += [f"doctor: {one}" for one in found["breaches"]]
    if examined.returncode and not wrong:
        wrong.append(f"doctor: {examined.stderr.decode()[-2000:]}")
    said = installation.said
    wrong += [f"defect: {part[:3000]}" for part in said.split("http.defect")[1:]]
    return wrong
