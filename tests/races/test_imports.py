"""Files that come in, are given up, cancelled and imported at the same moment."""

from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest

from tallystick.domain.batch_job import BatchJob, BatchJobStatus
from tallystick.http.v1 import receive_import as receiving
from tallystick.http.v1.import_rows import read_chunk
from tallystick.http.v1.receive_import import Asked, receive_import
from tallystick.services.cancel_import import cancel_import
from tallystick.services.context import Context
from tallystick.services.ids import new_id
from tallystick.services.run_imports import run_imports
from tallystick.services.start_import import CUT_OFF_SECONDS, finish_import, give_up_cut_off
from tests.importing import CUSTOMERS, job_of
from tests.races.racing import Race, Runner, written
from tests.services.test_imports import customers
from tests.subscribing import Merchant
from tests.world import World

ROWS = 3

pytestmark = pytest.mark.timeout(900)


async def almost_here(shop: World) -> UUID:
    """A file whose last row came so long ago that it is about to be given up."""

    async def stream() -> object:
        yield customers(ROWS).encode()

    asked = Asked(
        job_id=new_id(),
        job_type=CUSTOMERS,
        created_by=shop.tenant_id,
        file_name=None,
        allow_backfilling=False,
    )
    await receive_import(shop.ctx, asked, stream())  # type: ignore[arg-type]
    await shop.execute(
        "update batch_jobs set touched_at = touched_at - $1::interval where id = $2",
        timedelta(seconds=CUT_OFF_SECONDS + 1),
        asked.job_id,
    )
    return asked.job_id


async def _finish(job_id: UUID, ctx: Context) -> BatchJob:
    return await finish_import(ctx, job_id, input_bytes=100, items=ROWS, chunks=ROWS)


async def _cancel(job_id: UUID, ctx: Context) -> BatchJob:
    return await cancel_import(ctx, job_id)


async def test_given_up_while_it_ends(
    race: Race, shop: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that end while workers give them up: whole, or nothing unless it was cancelled."""
    monkeypatch.setitem(receiving.CHUNK_ITEMS_MAX, CUSTOMERS, 1)
    jobs: list[UUID] = []
    for _ in race.rounds():
        found = [await almost_here(shop) for _ in range(race.racers)]
        runners: list[Runner[object]] = [partial(give_up_cut_off, shop.app, shop.ctx.now)] * 4
        for job in found:
            runners.append(partial(written, shop, partial(_finish, job)))
            runners.append(partial(written, shop, partial(_cancel, job)))
        runners += [partial(run_imports, shop.app, shop.ctx.now, read_chunk)] * 2
        race.random.shuffle(runners)
        await race.run(runners)
        jobs += found
    await run_imports(shop.app, shop.ctx.now, read_chunk)

    for job in jobs:
        stands = await job_of(shop, job)
        assert stands.status.has_ended
        is_whole = stands.status is BatchJobStatus.COMPLETED
        is_cancelled = stands.status is BatchJobStatus.CANCELLED
        assert is_cancelled or stands.processed_items == (ROWS if is_whole else 0)
    await Merchant(world=shop).is_sound()
