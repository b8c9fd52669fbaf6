"""A merchant who sends files, and the worker that imports them."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from meteroid import models as m

from tallystick.bootstrap import wired
from tallystick.http.v1.import_rows import read_chunk
from tallystick.services.run_imports import import_step, run_imports
from tallystick.settings import Settings
from tests.database import in_own_loop
from tests.http.catalog.shop import Shop, open_shop
from tests.http.conftest import NOON, Served

CUSTOMERS = "CUSTOMER_CSV_IMPORT"
SUBSCRIPTIONS = "SUBSCRIPTION_CSV_IMPORT"
EVENTS = "EVENT_CSV_IMPORT"


@dataclass(kw_only=True)
class Importer:
    """`shop` is the merchant."""

    shop: Shop
    dsn: str

    def post(
        self, content: str | bytes, kind: str = CUSTOMERS, key: str | None = None, **query: str
    ) -> httpx.Response:
        """Send a file."""
        headers = {"Content-Type": "text/csv"} | ({"Idempotency-Key": key} if key else {})
        return self.shop.raw.post(
            "/batch-jobs", params={"type": kind, **query}, content=content, headers=headers
        )

    def sent(self, content: str | bytes, kind: str = CUSTOMERS, **query: str) -> str:
        """Send a file that is taken; the job's id."""
        answer = self.post(content, kind, **query)
        assert answer.status_code == 201, answer.text
        name: str = answer.json()["id"]
        return name

    def imported(
        self, content: str | bytes, kind: str = CUSTOMERS, **query: str
    ) -> m.BatchJobDetailResponse:
        """Send a file and let it be imported."""
        name = self.sent(content, kind, **query)
        self.work()
        return self.shop.sdk.batch_jobs.retrieve(name)

    def refused(self, content: str | bytes, kind: str = CUSTOMERS) -> list[tuple[str, str]]:
        """Send a file that is refused as a whole; the faults as (field, message)."""
        answer = self.post(content, kind)
        assert answer.status_code == 400, answer.text
        assert self.shop.raw.get("/batch-jobs").json()["data"] == [], "it left nothing"
        return [(one["field"], one["message"]) for one in answer.json()["errors"]]

    def failures(self, job: str) -> list[tuple[int, str | None, str]]:
        """What failed: row, what it calls itself, and why."""
        answer = self.shop.raw.get(f"/batch-jobs/{job}/failures").json()
        return [(one["row"], one["item_identifier"], one["reason"]) for one in answer["data"]]

    def read(self, job: str, what: str) -> list[list[str]]:
        """The rows of a file of a job."""
        answer = self.shop.raw.get(f"/batch-jobs/{job}/{what}")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/csv")
        return list(csv.reader(io.StringIO(answer.text)))

    def work(self) -> int:
        """Import everything that is due, as a worker does."""

        async def run() -> int:
            async with wired(Settings(), self.dsn) as app:
                return await run_imports(app, NOON, read_chunk)

        return in_own_loop(run())

    def step(self) -> int | None:
        """Do one step."""

        async def run() -> int | None:
            async with wired(Settings(), self.dsn) as app:
                return await import_step(app, NOON, read_chunk)

        return in_own_loop(run())

    def customers(self) -> list[dict[str, Any]]:
        """Every customer, in the order in which they were made."""
        found: list[dict[str, Any]] = []
        while True:
            query = f"order_by=created_at.asc&per_page=100&page={len(found) // 100}"
            answer = self.shop.raw.get(f"/customers?{query}").json()
            found.extend(answer["data"])
            if len(found) == answer["pagination_meta"]["total_items"]:
                return found


@contextmanager
def open_importer(api: Served, dsn: str) -> Iterator[Importer]:
    """A new tenant."""
    with open_shop(api, dsn, "Acme Cloud") as shop:
        yield Importer(shop=shop, dsn=dsn)
