"""The part of the tour beside the sale: webhooks, and a file."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from meteroid import models as m

from tallystick.db.due_deliveries import real_time
from tallystick.domain.ids import Prefix, decode
from tallystick.domain.webhook_delivery import Answered, Outcome, Unreached
from tallystick.services.claim_deliveries import claim_deliveries
from tallystick.services.context import App
from tallystick.services.record_delivery import record_delivery
from tests.http.sdk.guide import Guide

TIMES_UNREACHED = 6
"""So often in a row, and the endpoint is rested."""


async def listen(guide: Guide, url: str) -> str:
    """Set up an endpoint, change it and its secret, and read it back; its id."""
    hooks = guide.sdk.webhook_endpoints.endpoints
    made = (
        await hooks.create(
            url=url,
            description="The books",
            event_types=["customer.created", "invoice.paid"],
            headers=[m.WebhookHeaderInput(name="X-Shop", value="acme", sensitive=False)],
            rate_limit_per_sec=10,
        )
    ).webhook_endpoint
    await hooks.update(made.id, description="The books, again", disabled=False)
    await hooks.rotate_secret(made.id)
    assert (await hooks.retrieve_secret(made.id)).secret.startswith("whsec_")
    assert (await hooks.retrieve(made.id)).description == "The books, again"
    assert (await hooks.list()).data
    spare = (await hooks.create(url=url)).webhook_endpoint
    await hooks.delete(spare.id)
    return str(made.id)


async def deliver(guide: Guide, app: App, endpoint_id: str) -> None:
    """Send what happened, with and without success; look at it, and send one of it again."""
    hooks = guide.sdk.webhook_endpoints
    await _attempt(app, endpoint_id, Answered(status=200, excerpt="ok"), 1)
    await _attempt(app, endpoint_id, Answered(status=500, excerpt="down"), 2)
    for hours in range(TIMES_UNREACHED):
        await _attempt(app, endpoint_id, Unreached(error="no connection"), 10 * (hours + 1))
    sent = [one async for one in hooks.endpoints.list_deliveries(endpoint_id)]
    assert {str(one.status) for one in sent} >= {"SUCCEEDED", "PENDING"}
    assert (await hooks.endpoints.retrieve(endpoint_id)).paused_until is not None
    again = await hooks.resend_webhook_delivery(sent[0].id)
    assert again.message_id == sent[0].message_id
    assert (await hooks.endpoints.retrieve(endpoint_id)).paused_until is None
    await hooks.endpoints.update(endpoint_id, disabled=True)
    assert (await hooks.endpoints.list()).data


async def _attempt(app: App, endpoint_id: str, outcome: Outcome, hours: int) -> None:
    """What a worker does some hours later with what is due next, and what comes of it."""
    endpoint = decode(Prefix.WEBHOOK_ENDPOINT, endpoint_id)
    async with app.database.connection() as tx:
        now = await real_time(tx)
        tenant_id = await tx.fetchval(
            "select tenant_id from webhook_endpoints where id = $1", endpoint
        )
    later = now + timedelta(hours=hours)
    [taken] = await claim_deliveries(app, tenant_id, endpoint, later, 1)
    await record_delivery(
        app,
        tenant_id,
        endpoint,
        delivery_id=taken.delivery_id,
        attempt=taken.attempt,
        outcome=outcome,
        now=later,
    )


async def send_file(guide: Guide, work: Callable[[], Awaitable[None]]) -> None:
    """Import customers from a file with a bad row, and read what became of it."""
    jobs = guide.sdk.batch_jobs
    answer = await guide.raw.post(
        "/batch-jobs",
        params={"type": "CUSTOMER_CSV_IMPORT", "file_name": "customers.csv"},
        content=b"name,currency,alias\nInitech,EUR,initech\nHooli,EURO,hooli\n",
        headers={"content-type": "text/csv"},
    )
    assert answer.status_code == 201, answer.text
    made = answer.json()
    await work()
    job = await jobs.retrieve(made["id"])
    assert (job.status, job.failed_items) == ("COMPLETED_WITH_ERRORS", 1)
    failures = await jobs.list_failures(made["id"])
    assert [one.item_identifier for one in failures.data] == ["hooli"]
    assert [one.id async for one in jobs.list()] == [made["id"]]
