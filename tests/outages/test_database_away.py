"""The database goes away under load: refused cleanly, nothing is lost, and all goes on."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from tallystick.db.engine import DatabaseUnavailable
from tallystick.services.api_keys import create_api_key, revoke_api_key
from tallystick.services.examine import examine
from tests.outages.clients import UNAVAILABLE, Clients, browser, found_again
from tests.outages.figures import BUYERS, EVERY_WAY, ROUNDS, SECONDS, note
from tests.outages.served import Served, backends, kill_all, own_folder, served
from tests.webhooks.receiver import Receiver, receiving

PRICE = 4900
PATIENCE_SECONDS = 120

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc"),
]

Outage = Callable[[Served, Random], Awaitable[None]]


async def postmaster_killed(on: Served, _: Random) -> None:
    """The server's first process is killed; those that serve notice, and end."""
    os.kill(backends(on.server)[0], signal.SIGKILL)


async def everything_killed(on: Served, _: Random) -> None:
    """Every process of the server is killed."""
    kill_all(on.server, signal.SIGKILL)


async def connections_dropped(on: Served, random: Random) -> None:
    """Connections are ended one after the other, whatever they are doing."""
    for _ in range(40):
        with suppress(DatabaseUnavailable):
            await on.shop.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = 'tallystick' and pid <> pg_backend_pid()"
                " order by random() limit 3"
            )
        await asyncio.sleep(random.uniform(0, 0.05))


async def session_process_killed(on: Served, random: Random) -> None:
    """One process of a connection is killed: the server ends the others, and recovers."""
    pid = random.choice(backends(on.server)[1:])
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


OUTAGES: dict[str, Outage] = {
    "its first process is killed (-9)": postmaster_killed,
    "all its processes are killed (-9)": everything_killed,
    "one of its processes is killed (-9)": session_process_killed,
    "connections are ended (pg_terminate_backend)": connections_dropped,
}
TRIED = dict(list(OUTAGES.items())[: None if EVERY_WAY else 1])


@pytest.mark.parametrize("name", TRIED, ids=[one.__name__ for one in TRIED.values()])
async def test_the_database_goes_away(name: str) -> None:
    """Buyers buy and workers renew; each time it goes away, and comes back by itself."""
    random, away = Random(name), []
    async with (
        own_folder() as folder,
        receiving() as hooks,
        served(folder / "data", hooks.url) as on,
    ):
        stop = asyncio.Event()
        buyers = [asyncio.create_task(buy(on.clients, stop)) for _ in range(BUYERS)]
        await bought(on.clients, BUYERS)
        for _ in range(ROUNDS):
            await on.a_month_passes()
            await asyncio.sleep(random.uniform(0.3, 1) * SECONDS)
            at = time.monotonic()
            await OUTAGES[name](on, random)
            await bought(on.clients, len(on.clients.bought) + BUYERS)
            seconds = on.clients.seconds_away(at)
            away += [] if seconds is None else [seconds]
        stop.set()
        await asyncio.gather(*buyers)
        await _settled(on, hooks)
        lost = await found_again(on.clients)
        await _sound(on)
        await _hears_of_revoked_keys(on)
        assert on.serving.process.poll() is None
        assert defects(on) == []
    clients = on.clients
    assert (lost, clients.unclear) == ([], [])
    assert away or "ended" in name or "one of" in name, "nobody noticed"
    note(
        name,
        times=ROUNDS,
        longest=round(max(away, default=0), 1),
        acknowledged=len(clients.created) + len(clients.bought),
        refused=clients.told[UNAVAILABLE],
        lost=len(lost),
        renewed=on.subscriptions * on.months,
    )


def defects(on: Served) -> list[str]:
    """What the processes said about defects of their own, each with its last error."""
    return [part[:9000] for part in on.serving.said.read_text().split("http.defect")[1:]]


async def buy(clients: Clients, stop: asyncio.Event) -> None:
    """A buyer after the other, until it is enough."""
    async with browser() as http:
        await clients.buy_until(stop, http)


async def bought(clients: Clients, many: int) -> None:
    """Wait until so many purchases were made."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(clients.bought) < many:
            await asyncio.sleep(0.02)


async def _settled(on: Served, hooks: Receiver) -> None:
    """Worker, sequencer and delivery have gone on by themselves, to the last bit of work."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await on.renewed() < on.subscriptions * on.months:
            await asyncio.sleep(0.1)
        while await on.unnumbered():
            await asyncio.sleep(0.1)
        while len({one.headers["webhook-id"] for one in hooks.got}) < len(on.clients.bought):
            await asyncio.sleep(0.1)


async def _sound(on: Served) -> None:
    """Everybody was charged once, every month billed once, and the doctor is silent."""
    assert await on.shop.charges() == [PRICE] * len(on.clients.bought)
    twice = await on.renewing.fetch(
        "select subscription_id from invoices where tenant_id = $1"
        " group by subscription_id, invoice_date having count(*) > 1",
        on.renewing.tenant_id,
    )
    assert twice == []
    assert await on.renewed() == on.subscriptions * on.months
    assert (await examine(on.shop.database)).breaches == ()


async def _hears_of_revoked_keys(on: Served) -> None:
    """The connection that tells of revoked keys is there again: one is refused at once."""
    async with on.shop.database.transaction() as tx:
        made = await create_api_key(on.shop.ctx.within(tx), "short")
    clients = Clients(url=on.clients.url, key=made.secret, plan_version="")
    async with browser() as http:
        for _ in range(3):
            assert (await clients.ask(http, "GET", "/customers")).status_code == 200
        async with on.shop.database.transaction() as tx:
            await revoke_api_key(on.shop.ctx.within(tx), made.id)
        async with asyncio.timeout(5):
            while (await clients.ask(http, "GET", "/customers")).status_code != 401:
                await asyncio.sleep(0.05)
