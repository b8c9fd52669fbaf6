"""A tour of everything that the SDK can ask for, taken once by each of its clients."""

from typing import Any

import httpx
import pytest
from meteroid import AsyncMeteroid, Meteroid

from tallystick.bootstrap import wired
from tallystick.settings import Settings
from tests.database import in_own_loop
from tests.http.conftest import Served, new_tenant
from tests.http.sdk.both_ways import InTurn
from tests.http.sdk.guide import Async, Guide, Log, Sync
from tests.http.sdk.tour import take_tour


@pytest.fixture(scope="module")
def asked(api: Served, shared_dsn: str) -> Log:
    """What the synchronous client asked on its tour, and was answered."""
    return in_own_loop(_tour(api, shared_dsn, waiting=True))


@pytest.fixture(scope="module")
def asked_at_once(api: Served, shared_dsn: str) -> Log:
    """The same of the asynchronous client."""
    return in_own_loop(_tour(api, shared_dsn, waiting=False))


async def _tour(api: Served, dsn: str, *, waiting: bool) -> Log:
    log = Log()
    async with wired(Settings(), dsn) as app:
        tenant = await new_tenant(app, "Synchronous" if waiting else "Asynchronous")
        log.api_key = tenant.api_key
        key: dict[str, Any] = {"api_key": tenant.api_key, "base_url": api.url, "max_retries": 0}
        async with (
            httpx.AsyncClient(transport=Async(log), timeout=60) as http,
            httpx.AsyncClient(
                transport=Async(log),
                base_url=f"{api.url}/api/v1",
                headers={"Authorization": f"Bearer {tenant.api_key}"},
                timeout=60,
            ) as raw,
        ):
            if waiting:
                with (
                    httpx.Client(transport=Sync(log), timeout=60) as blocking,
                    Meteroid(**key, http_client=blocking) as sdk,
                ):
                    await take_tour(Guide(sdk=InTurn(sdk), raw=raw, log=log), app)
            else:
                async with AsyncMeteroid(**key, http_client=http) as sdk:
                    await take_tour(Guide(sdk=sdk, raw=raw, log=log), app)
    return log
