"""More requests than connections, and a disk that is full: refused, and then all is well."""

import asyncio
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from tallystick.bootstrap import wired
from tallystick.db import engine
from tallystick.domain.ids import Prefix, encode
from tallystick.http.app import create_app
from tallystick.services.api_keys import create_api_key
from tallystick.services.examine import examine
from tallystick.settings import Settings
from tests.outages.clients import UNAVAILABLE, found_again
from tests.outages.figures import BUYERS, EVERY_WAY, ROUNDS, note
from tests.outages.served import own_folder, served
from tests.outages.test_database_away import PRICE, bought, buy, defects
from tests.world import World, open_world

CONNECTIONS = 2
REQUESTS = 40 * ROUNDS
WAIT_SECONDS = 0.5 if ROUNDS == 1 else 5.0
"""How long a request waits for a connection: not as long as in earnest, in a short run."""
DISK_MEGABYTES = 192
SPARE_BYTES = 1024 * 1024

pytestmark = pytest.mark.timeout(900)


async def test_more_requests_than_connections(
    database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two connections wait for a row; whoever finds none free hears when to come back."""
    monkeypatch.setattr(engine, "ACQUIRE_SECONDS_MAX", WAIT_SECONDS)
    settings = Settings(pool_max=CONNECTIONS, pool_min=1)
    outside = await engine.Database.open(database_dsn, max_size=2)
    world = await open_world(outside)
    plan = await world.plan()
    async with outside.transaction() as tx:
        key = await create_api_key(world.ctx.within(tx), "load")
    async with wired(settings, database_dsn) as app:
        web = create_app(app)
        sessions = [
            await world.session(await world.customer(f"C{n}"), plan) for n in range(REQUESTS)
        ]
        names = [encode(Prefix.CHECKOUT_SESSION, one) for one in sessions]
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(web),
            base_url="http://testserver/api/v1",
            headers={"Authorization": f"Bearer {key.secret}"},
        ) as client:
            assert (await client.get("/customers")).status_code == 200
            answers = await _while_held(world, sessions[:CONNECTIONS], client, names)
            told = Counter(one.status_code for one in answers)
            refused = [one for one in answers if one.status_code == UNAVAILABLE]
            assert all(one.headers["retry-after"] == "1" for one in refused)
            assert {one.json()["code"] for one in refused} == {"INTERNAL_SERVER_ERROR"}
            assert set(told) == {200, UNAVAILABLE}
            # Who was refused has changed nothing, and is served when it asks again.
            states = await _states(world)
            assert states["CANCELLED"] == told[200]
            again = [await client.post(f"/checkout-sessions/{one}/cancel") for one in names]
            assert {one.status_code for one in again} == {200, 409}
            assert (await _states(world))["CANCELLED"] == REQUESTS
    await outside.close()
    note(
        "more requests than connections",
        times=1,
        longest=WAIT_SECONDS,
        acknowledged=told[200],
        refused=told[UNAVAILABLE],
        lost=0,
        renewed=0,
    )


async def _while_held(
    world: World, held: list[UUID], client: httpx.AsyncClient, names: list[str]
) -> list[httpx.Response]:
    """Cancel every session while somebody else holds the customers of the first ones."""
    async with world.database.transaction() as tx:
        await tx.execute(
            "select from customers where id in "
            "(select customer_id from checkout_sessions where id = any($1)) for update",
            held,
        )
        first = [
            asyncio.ensure_future(client.post(f"/checkout-sessions/{one}/cancel"))
            for one in names[:CONNECTIONS]
        ]
        await asyncio.sleep(WAIT_SECONDS / 4)
        rest = await asyncio.gather(
            *(client.post(f"/checkout-sessions/{one}/cancel") for one in names[CONNECTIONS:])
        )
    return [*await asyncio.gather(*first), *rest]


async def _states(world: World) -> Counter[str]:
    rows = await world.fetch("select state from checkout_sessions")
    return Counter(row["state"] for row in rows)


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of its own, in memory, for as long as the block runs."""
    place = folder / "disk"
    place.mkdir(mode=0o755)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m,mode=755", "tmpfs", place],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk to fill")
@pytest.mark.skipif(not EVERY_WAY, reason="`make outages` fills a disk")
async def test_the_disk_is_full() -> None:
    """Nothing can be written: everybody hears so; when there is room, everything goes on."""
    async with own_folder() as folder:
        with small_disk(folder) as disk:
            data_dir = disk / "data"
            async with served(data_dir, subscriptions=5) as on:
                stop = asyncio.Event()
                buyers = [asyncio.create_task(buy(on.clients, stop)) for _ in range(BUYERS)]
                await bought(on.clients, BUYERS)
                for _ in range(ROUNDS):
                    refused = on.clients.told[UNAVAILABLE]
                    ballast = fill(disk)
                    async with asyncio.timeout(120):
                        while on.clients.told[UNAVAILABLE] < refused + 5:
                            await asyncio.sleep(0.05)
                    ballast.unlink()
                    await bought(on.clients, len(on.clients.bought) + BUYERS)
                stop.set()
                await asyncio.gather(*buyers)
                lost = await found_again(on.clients)
                assert await on.shop.charges() == [PRICE] * len(on.clients.bought)
                assert (await examine(on.shop.database)).breaches == ()
                assert defects(on) == []
    clients = on.clients
    assert (lost, clients.unclear) == ([], [])
    note(
        "the disk is full",
        times=ROUNDS,
        longest=0,
        acknowledged=len(clients.created) + len(clients.bought),
        refused=clients.told[UNAVAILABLE],
        lost=len(lost),
        renewed=0,
    )


def fill(disk: Path) -> Path:
    """Fill a disk to the last byte."""
    ballast = disk / "ballast"
    block = bytes(SPARE_BYTES)
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(block):
            pass
    return ballast
