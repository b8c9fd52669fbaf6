"""Where the benchmark plays: an own PostgreSQL, an own server, an own shop with customers."""

import asyncio
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from tallystick.bootstrap import wired
from tallystick.cli.bench.measured import BenchFailed
from tallystick.cli.demo_api import Api
from tallystick.cli.demo_catalog import Catalog, set_up_catalog, set_up_entity
from tallystick.cli.demo_customers import GLOBEX
from tallystick.cli.demo_request import full_request
from tallystick.db.migrate import migrate
from tallystick.db.server import EmbeddedServer
from tallystick.services.context import App
from tallystick.services.create_tenant import NewTenant, create_tenant
from tallystick.settings import Settings

PROCESSES = 2
CUSTOMERS = 8
"""Sessions are created for these in turn; they buy nothing."""
START_SECONDS_MAX = 60.0
END_SECONDS_MAX = 30.0
SERVE = "from tallystick.cli import app; app()"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What is measured, and how it is reached.

    Attributes:
        folder: An own folder, gone afterwards.
        dsn: The database.
        postgres: The process id of its postmaster.
        url: The server.
        server: The process id of the server's parent process.
        app: The product wired in this process, on the same database.
        api: A client of the server.
        catalog: What is for sale.
        tenant_id: The merchant.
        today: The tenant's day.
    """

    folder: Path
    dsn: str
    postgres: int
    url: str
    server: int
    app: App
    api: Api
    catalog: Catalog
    tenant_id: UUID
    today: date

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of a request to the API."""
        return {
            "Authorization": f"Bearer {self.api.key}",
            "Content-Type": "application/json",
        }

    def body(self, customer: str) -> bytes:
        """The full request, every field of it, for a customer."""
        request = full_request(self.catalog, customer, self.today, "https://shop.example")
        return json.dumps(request, separators=(",", ":")).encode()

    async def customers(self, names: Sequence[str]) -> list[str]:
        """Make customers, and return their ids."""
        made: list[dict[str, Any]] = [
            await self.api.post(
                "/customers", {**GLOBEX, "name": f"Globex {name}", "alias": name}
            )
            for name in names
        ]
        return [str(one["id"]) for one in made]

    async def session(self, body: bytes) -> str:
        """Create a session, and return its link."""
        made = await self.api.post("/checkout-sessions", json.loads(body))
        return str(made["session"]["checkout_url"])


@asynccontextmanager
async def set_stage(
    now: datetime, *, clock: datetime | None = None, works: bool = True
) -> AsyncIterator[Stage]:
    """Start PostgreSQL as in production, the server with two processes, and make a shop.

    Everything lies in a folder of its own in the system's temporary folder, and is stopped and
    removed afterwards.

    Args:
        now: Real time.
        clock: Where the shop's clock stands frozen; None for real time.
        works: Whether the server has its worker beside it.
    """
    with _folder() as folder:
        server = EmbeddedServer(folder / "data")
        try:
            dsn = await asyncio.to_thread(server.ensure_running)
            await migrate(dsn)
            postgres = server.status().pid
            assert postgres is not None, "it has just been started"
            settings = Settings(database_url=dsn, port=_free_port())
            async with (
                _server(settings, folder, works=works) as pid,
                wired(settings, dsn) as app,
            ):
                tenant = await _tenant(app, now, clock)
                api = Api(settings.base_url, tenant.api_key)
                await set_up_entity(api)
                stage = Stage(
                    folder=folder,
                    dsn=dsn,
                    postgres=postgres,
                    url=settings.base_url,
                    server=pid,
                    app=app,
                    api=api,
                    catalog=await set_up_catalog(api),
                    tenant_id=tenant.tenant_id,
                    today=(clock or now).astimezone(UTC).date(),
                )
                yield stage
                await api.close()
        finally:
            await asyncio.to_thread(server.stop)


async def _tenant(app: App, now: datetime, clock: datetime | None) -> NewTenant:
    async with app.transaction() as tx:
        return await create_tenant(
            app, tx, name="Bench", currency="EUR", clock=clock, live=False, real_now=now
        )


@asynccontextmanager
async def _server(settings: Settings, folder: Path, *, works: bool) -> AsyncIterator[int]:
    """`tallystick serve` as anybody would start it, in processes of its own."""
    assert settings.database_url is not None, "the bench's own"
    command = ["serve", "--port", str(settings.port), "--workers", str(PROCESSES)]
    if not works:
        command.append("--no-worker")
    log = folder / "server.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", SERVE, *command),
            env={
                **{k: v for k, v in os.environ.items() if not k.startswith("TALLYSTICK_")},
                "DATABASE_URL": settings.database_url,
                # No limit: it is the machine that is measured.
                "TALLYSTICK_REQUESTS_PER_SECOND": "0",
                "TALLYSTICK_PAGE_POSTS_PER_MINUTE": "0",
            },
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        await _answers(settings, process, log)
        yield process.pid
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), END_SECONDS_MAX)
        except TimeoutError:
            process.kill()


async def _answers(settings: Settings, process: asyncio.subprocess.Process, log: Path) -> None:
    deadline = asyncio.get_running_loop().time() + START_SECONDS_MAX
    while asyncio.get_running_loop().time() < deadline:
        if process.returncode is not None:
            break
        with suppress(OSError):
            _, writer = await asyncio.open_connection(settings.host, settings.port)
            writer.close()
            return
        await asyncio.sleep(0.05)
    said = await asyncio.to_thread(log.read_text, errors="replace")
    raise BenchFailed(f"The server did not start:\n{said[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder that the database's user may enter, too."""
    folder = Path(tempfile.mkdtemp(prefix="tallystick-bench-"))
    try:
        folder.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
