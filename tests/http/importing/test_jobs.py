"""Batch jobs themselves: listed, looked at, cancelled, sent once; through the official SDK."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import pytest
from meteroid import AsyncMeteroid
from meteroid import models as m
from meteroid.errors import NotFoundError

from tallystick.db.engine import Tx
from tests.http.conftest import TRUSTED, Served
from tests.http.importing.importer import CUSTOMERS, EVENTS, Importer, open_importer

ONE = "name,currency,alias\nGlobex,EUR,globex\n"
BAD = "name,currency,alias\nGlobex,EURO,globex\n"


def many(count: int) -> str:
    """A file of so many customers."""
    return "name,currency,alias\n" + "".join(f"C{n},EUR,c{n}\n" for n in range(count))


def left(importer: Importer) -> dict[str, int]:
    """How many rows there are of jobs, and of what belongs to them."""

    async def read(tx: Tx) -> dict[str, int]:
        tables = ("batch_jobs", "batch_job_chunks", "batch_job_failures")
        return {
            name: await tx.fetchval(
                f"select count(*) from {name} where tenant_id = $1", importer.shop.tenant_id
            )
            for name in tables
        }

    return importer.shop._behind(read)


def test_a_job_from_its_beginning_to_its_end(importer: Importer) -> None:
    """PENDING when the file is here, PROCESSING after the first rows, then COMPLETED."""
    sdk = importer.shop.sdk
    name = importer.sent(many(150), file_name="customers.csv")

    before = sdk.batch_jobs.retrieve(name)
    assert (before.status, before.total_items, before.processed_items) == ("PENDING", 150, 0)
    assert (before.input_file_name, before.completed_at) == ("customers.csv", None)
    assert (before.has_error_csv, before.error_csv_url, before.has_output) == (
        False,
        None,
        False,
    )
    assert importer.step() == 100
    during = sdk.batch_jobs.retrieve(name)
    assert (during.status, during.processed_items, during.has_output) == (
        "PROCESSING",
        100,
        True,
    )
    assert importer.work() == 50
    after = sdk.batch_jobs.retrieve(name)
    assert (after.status, after.processed_items, after.completed_at) == (
        "COMPLETED",
        150,
        before.created_at,
    )
    assert after.output_url is not None
    assert after.output_url.endswith(f"/batch-jobs/{name}/output")


def test_who_made_it(importer: Importer) -> None:
    """The API key that sent the file."""

    async def key(tx: Tx) -> object:
        return await tx.fetchval(
            "select id from api_keys where tenant_id = $1", importer.shop.tenant_id
        )

    job = importer.imported(ONE)
    assert job.created_by == importer.shop._behind(key)


def test_jobs_are_listed(importer: Importer) -> None:
    """By type and by any of some statuses, newest first, page by page."""
    sdk = importer.shop.sdk
    good, bad = importer.imported(ONE).id, importer.imported(BAD).id
    waiting = importer.sent("event_id,customer,code\ne1,globex,calls\n", EVENTS)

    assert [one.id for one in sdk.batch_jobs.list()] == [waiting, bad, good]
    assert [one.id for one in sdk.batch_jobs.list(job_type=m.BatchJobType(EVENTS))] == [waiting]
    both = [m.BatchJobStatus.COMPLETED, m.BatchJobStatus.COMPLETED_WITH_ERRORS]
    ended = sdk.batch_jobs.list(status=both)
    assert [one.id for one in ended] == [bad, good]
    page = sdk.batch_jobs.list(page=1, per_page=2)
    assert [one.id for one in page.data] == [good]
    assert importer.shop.raw.get("/batch-jobs?page=5&per_page=2").json() == {
        "data": [],
        "pagination_meta": {"page": 5, "per_page": 2, "total_items": 3, "total_pages": 2},
    }
    for query in ("status=DONE", "job_type=CUSTOMERS", "order_by=status.asc", "limit=1"):
        assert importer.shop.raw.get(f"/batch-jobs?{query}").status_code == 400


def test_failures_have_their_own_paging(importer: Importer) -> None:
    """By `limit` and `offset`, with a true count also past the end."""
    job = importer.imported("name,currency\n" + "".join(f"C{n},EURO\n" for n in range(7)))
    failures = importer.shop.sdk.batch_jobs.list_failures

    assert [one.item_identifier for one in failures(job.id, limit=3, offset=5)] == ["C5", "C6"]
    assert [one.item_index for one in failures(job.id, limit=2)] == list(range(7))
    past = importer.shop.raw.get(f"/batch-jobs/{job.id}/failures?offset=9").json()
    assert past == {"data": [], "total_count": 7}
    for query in ("limit=0", "limit=101", "offset=-1", "chunk_id=bjob_1", "page=1"):
        answer = importer.shop.raw.get(f"/batch-jobs/{job.id}/failures?{query}")
        assert answer.status_code == 400


async def test_the_asynchronous_client(api: Served, shared_dsn: str) -> None:
    """Every operation of the SDK, without waiting for each other."""
    with open_importer(api, shared_dsn) as importer:
        job = importer.imported(BAD)
        key = importer.shop.tenant.api_key
    async with (
        httpx.AsyncClient(verify=TRUSTED, timeout=60) as http,
        AsyncMeteroid(api_key=key, base_url=api.url, http_client=http) as sdk,
    ):
        listed = [one.id async for one in sdk.batch_jobs.list()]
        found = await sdk.batch_jobs.retrieve(job.id)
        failed = [one async for one in sdk.batch_jobs.list_failures(job.id)]
        with pytest.raises(NotFoundError):
            await sdk.batch_jobs.retrieve("bjob_1")

    assert (listed, found) == ([job.id], job)
    assert [(one.item_index, one.item_identifier) for one in failed] == [(0, "globex")]
    assert failed[0].reason.startswith("currency: must be a currency code")


def test_a_file_is_sent_once(importer: Importer) -> None:
    """The same key and file: the same job, and no other; another file under it: 409."""
    first = importer.post(ONE, key="k1")
    before = left(importer)
    again = importer.post(ONE, key="k1")
    other = importer.post(BAD, key="k1")
    elsewhere = importer.post(ONE, key="k1", file_name="b.csv")

    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert (other.status_code, elsewhere.status_code) == (409, 409)
    assert left(importer) == before
    assert before["batch_jobs"] == 1


def test_a_file_that_is_sent_twice_at_once(importer: Importer) -> None:
    """Under one key it becomes one job, whoever comes first, and nothing of the other stays."""
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: importer.post(many(500), key="k1"), range(4)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert left(importer) == {"batch_jobs": 1, "batch_job_chunks": 3, "batch_job_failures": 0}


def test_a_file_on_its_way(importer: Importer) -> None:
    """While it comes in its job is CHUNKING, and nobody imports a row of it."""
    seen: list[m.BatchJobResponse | m.BatchJobDetailResponse] = []

    def content() -> Iterator[bytes]:
        yield many(300).encode()
        for _ in range(200):
            found = importer.shop.sdk.batch_jobs.list().data
            if found:
                seen.extend(found)
                break
        seen.append(importer.shop.sdk.batch_jobs.retrieve(seen[0].id))
        assert importer.step() is None
        yield b"Last,EUR,last\n"

    name = importer.shop.raw.post(
        "/batch-jobs",
        params={"type": CUSTOMERS},
        content=content(),
        headers={"Content-Type": "text/csv"},
    ).json()["id"]

    assert [(one.id, one.status, one.total_items) for one in seen] == [
        (name, "CHUNKING", None),
        (name, "CHUNKING", None),
    ]
    assert importer.shop.sdk.batch_jobs.retrieve(name).total_items == 301


def test_a_refused_file_frees_its_key(importer: Importer) -> None:
    """What was refused is not kept: the mended file goes through under the same key."""
    refused = importer.post("name,curency\nGlobex,EUR\n", key="k1")
    taken = importer.post(ONE, key="k1")

    assert (refused.status_code, taken.status_code) == (400, 201)


def test_a_cancelled_job_makes_nothing_more(importer: Importer) -> None:
    """What was made stays, what is left is not made; cancelled again it is a conflict."""
    name = importer.sent(many(250))
    assert importer.step() == 100
    answer = importer.shop.raw.post(f"/batch-jobs/{name}/cancel")

    assert (answer.status_code, answer.json()["status"]) == (200, "CANCELLED")
    assert answer.json()["processed_items"] == 100
    assert importer.step() is None
    assert len(importer.customers()) == 100
    again = importer.shop.raw.post(f"/batch-jobs/{name}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "CONFLICT")
    assert "CANCELLED" in again.json()["message"]
    assert len(importer.read(name, "output")) == 101


def test_files_of_all_go_on_side_by_side(importer: Importer, other: Importer) -> None:
    """A short file does not wait for the end of a long one that came before it."""
    long, short = importer.sent(many(1000)), other.sent(ONE)
    for _ in range(3):
        importer.step()

    done = other.shop.sdk.batch_jobs.retrieve(short)
    assert (done.status, done.processed_items) == ("COMPLETED", 1)
    assert importer.shop.sdk.batch_jobs.retrieve(long).status == "PROCESSING"
    importer.work()


@pytest.fixture
def other(api: Served, shared_dsn: str) -> Iterator[Importer]:
    """Another tenant."""
    with open_importer(api, shared_dsn) as opened:
        yield opened


def test_a_body_that_breaks_off_leaves_nothing(importer: Importer) -> None:
    """A client that goes away in the middle of its file has imported nothing of it."""

    def content() -> Iterator[bytes]:
        yield b"name,currency\n" + b"Globex,EUR\n" * 5000
        raise ConnectionAbortedError

    with suppress(ConnectionAbortedError):
        importer.shop.raw.post(
            "/batch-jobs",
            params={"type": CUSTOMERS},
            content=content(),
            headers={"Content-Type": "text/csv"},
        )
    for _ in range(100):
        if left(importer)["batch_jobs"] == 0:
            break

    assert left(importer) == {"batch_jobs": 0, "batch_job_chunks": 0, "batch_job_failures": 0}
    assert importer.customers() == []


def test_a_file_that_comes_in_pieces(importer: Importer) -> None:
    """Pieces that end anywhere, in characters, line ends and quotes, are one file."""
    whole = '\ufeffname,currency\r\n"Glö\r\nbex",EUR\r\nInitech,EUR\r\n'.encode()
    name = importer.shop.raw.post(
        "/batch-jobs",
        params={"type": CUSTOMERS},
        content=(whole[at : at + 1] for at in range(len(whole))),
        headers={"Content-Type": "text/csv"},
    ).json()["id"]
    importer.work()

    assert [one["name"] for one in importer.customers()] == ["Glö\r\nbex", "Initech"]
    assert importer.shop.raw.get(f"/batch-jobs/{name}/input").content == whole
