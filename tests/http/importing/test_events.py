"""Files of usage events: kept once each, by the path that the ingestion of events takes."""

import json
from datetime import timedelta

import pytest

from tallystick.db.engine import Tx
from tests.http.conftest import NOON
from tests.http.importing.importer import EVENTS, Importer

FRESH = (NOON - timedelta(hours=1)).isoformat().replace("+00:00", "Z")
HEADER = "event_id,customer,code,timestamp,property.units,property.region\n"


@pytest.fixture
def metered(importer: Importer) -> Importer:
    """A tenant with the customer `globex`, and a metric that sums `units` of `calls`."""
    shop = importer.shop
    shop.sdk.customers.create(name="Globex", currency="EUR", alias="globex")
    shop.sdk.metrics.create(
        aggregation_type="SUM",
        aggregation_key="units",
        code="calls",
        name="Calls",
        product_family_id=shop.family(),
    )
    return importer


def kept(importer: Importer) -> list[tuple[str, dict[str, str]]]:
    """Every event that is kept, by its id, with its properties."""

    async def read(tx: Tx) -> list[tuple[str, dict[str, str]]]:
        rows = await tx.fetch(
            "select event_id, properties from usage_events where tenant_id = $1 order by 1",
            importer.shop.tenant_id,
        )
        return [(row["event_id"], json.loads(row["properties"])) for row in rows]

    return importer.shop._behind(read)


def test_events_are_kept_with_their_properties(metered: Importer) -> None:
    """Properties are columns; an empty cell is a property that is not there."""
    job = metered.imported(
        f"{HEADER}e1,globex,calls,{FRESH},2.50,eu\ne2,globex,calls,{FRESH},3,\n", EVENTS
    )

    assert (job.status, job.processed_items, job.has_output) == ("COMPLETED", 2, False)
    assert kept(metered) == [
        ("e1", {"units": "2.50", "region": "eu"}),
        ("e2", {"units": "3"}),
    ]


def test_an_event_is_kept_once(metered: Importer) -> None:
    """The same file again, and the same event over REST, change nothing and fail nothing."""
    content = f"{HEADER}e1,globex,calls,{FRESH},2,\ne1,globex,calls,{FRESH},9,\n"
    first, again = metered.imported(content, EVENTS), metered.imported(content, EVENTS)

    assert [job.status for job in (first, again)] == ["COMPLETED", "COMPLETED"]
    assert kept(metered) == [("e1", {"units": "2"})]


def test_events_that_cannot_be_counted(metered: Importer) -> None:
    """Each fails with its column as the file calls it; the others are kept."""
    job = metered.imported(
        HEADER + f"e1,nobody,calls,{FRESH},1,\n"
        f"e2,globex,mails,{FRESH},1,\n"
        f"e3,globex,calls,yesterday,1,\n"
        f"e4,globex,calls,{FRESH},many,\n"
        f",globex,calls,{FRESH},1,\n"
        f"e6,globex,calls,{FRESH},1,\n",
        EVENTS,
    )

    assert (job.status, job.failed_items) == ("COMPLETED_WITH_ERRORS", 5)
    assert kept(metered) == [("e6", {"units": "1"})]
    report = metered.failures(job.id)
    assert [(row, name, reason.partition(":")[0]) for row, name, reason in report] == [
        (2, "e1", "customer"),
        (3, "e2", "code"),
        (4, "e3", "timestamp"),
        (5, "e4", "property.units"),
        (6, None, "event_id"),
    ]


def test_old_events(metered: Importer) -> None:
    """An event of last year is taken where the file was sent with backfilling, only there."""
    content = f"{HEADER}e1,globex,calls,2025-03-10T12:00:00Z,2,\n"
    refused = metered.imported(content, EVENTS)
    taken = metered.imported(content, EVENTS, allow_backfilling="true")

    assert (refused.failed_items, taken.failed_items) == (1, 0)
    assert "allow_backfilling" in metered.failures(refused.id)[0][2]
    assert kept(metered) == [("e1", {"units": "2"})]


def test_many_events(metered: Importer) -> None:
    """Twenty-five hundred events in three chunks, each in one step."""
    rows = [f"e{n},globex,calls,{FRESH},1,eu\n" for n in range(2500)]
    name = metered.sent(HEADER + "".join(rows), EVENTS)
    steps = [metered.step() for _ in range(4)]

    assert steps == [1000, 1000, 500, None]
    assert len(kept(metered)) == 2500
    assert metered.shop.sdk.batch_jobs.retrieve(name).status == "COMPLETED"
