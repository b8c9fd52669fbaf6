"""Events reach who wants them: signed, in order, again until they are taken, for three days."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from meteroid.webhooks import Webhook

from tallystick.db import webhook_endpoints
from tallystick.domain.errors import Conflict, NotFound
from tallystick.domain.webhook_delivery import RETRY_PAUSES, DeliveryStatus
from tallystick.domain.webhook_endpoint import DisabledReason, WebhookHeader
from tallystick.services.edit_webhook_endpoint import (
    delete_webhook_endpoint,
    edit_webhook_endpoint,
    rotate_webhook_secret,
)
from tallystick.services.examine import examine
from tallystick.services.purge_deliveries import purge_deliveries
from tallystick.services.resend_delivery import resend_delivery
from tests.webhooks.conftest import Post
from tests.webhooks.receiver import OK, Received, answering, receiving

DOWN = answering(500, "down for maintenance")


async def test_what_arrives(post: Post) -> None:
    """The event as it is read in the log, signed so that the SDK verifies it."""
    async with receiving() as receiver:
        made = await post.endpoint(
            receiver.url,
            headers=(WebhookHeader(name="X-Team", value="billing"),),
        )
        await post.happens("customer.created")
        assert await post.work() == 1

    [received] = receiver.got
    Webhook(made.secret).verify(received.body, received.headers)
    assert received.headers["x-team"] == "billing"
    assert received.headers["webhook-id"] == received.event["id"]
    assert received.event | {"id": ""} == {
        "id": "",
        "type": "customer.created",
        "timestamp": "2026-03-10T12:00:00.000Z",
        "sequence": 1,
        "n": 1,
    }
    # Business time stands still in this shop; the header has real time.
    sent = datetime.fromtimestamp(int(received.headers["webhook-timestamp"]), UTC)
    assert abs(sent - post.now) < timedelta(seconds=2)
    [delivery] = await post.deliveries(made.endpoint.id)
    assert (delivery.status, delivery.attempt_count) == (DeliveryStatus.SUCCEEDED, 1)
    assert [(a.response_status, a.error, a.response_excerpt) for a in delivery.attempts] == [
        (200, None, "ok")
    ]
    assert await post.work() == 0


async def test_only_what_is_wanted(post: Post) -> None:
    """An endpoint gets the types that it names, and what happens after it was made."""
    async with receiving() as some, receiving() as every:
        await post.happens("customer.created")
        await post.endpoint(some.url, event_types=("invoice.paid",))
        await post.endpoint(every.url)
        await post.happens("customer.created", "invoice.paid", "plan.created")
        await post.work()

    assert some.told == ["invoice.paid"]
    assert sorted(every.told) == ["customer.created", "invoice.paid", "plan.created"]


async def test_an_object_keeps_its_order(post: Post) -> None:
    """A later event waits for the earlier one of its object; other objects go on."""
    refused = 0

    async def refuse_first(received: Received) -> bytes:
        nonlocal refused
        if received.event["type"] == "invoice.created" and refused < 2:
            refused += 1
            return DOWN
        return OK

    async with receiving(refuse_first) as receiver:
        made = await post.endpoint(receiver.url)
        invoice = await post.happens("invoice.created", "invoice.finalized")
        await post.happens("customer.created")
        await post.work()
        assert receiver.told == ["invoice.created", "customer.created"]
        await post.happens("invoice.paid", to=invoice)
        await post.work()
        due = [one.next_attempt_at for one in await post.deliveries(made.endpoint.id)]
        assert [one is None for one in due] == [False, True, True, True]
        post.later(seconds=6)
        await post.work()
        assert receiver.told[2:] == ["invoice.created"]
        post.later(minutes=6)
        await post.work()

    assert receiver.told[3:] == ["invoice.created", "invoice.finalized", "invoice.paid"]
    assert await post.statuses(made.endpoint.id) == ["SUCCEEDED"] * 4


async def test_three_days(post: Post) -> None:
    """Ten attempts over three days, then it is given up, and what waited for it is sent."""

    async def poison(received: Received) -> bytes:
        return DOWN if received.event["type"] == "invoice.created" else OK

    async with receiving(poison) as receiver:
        made = await post.endpoint(receiver.url)
        began = post.now
        invoice = await post.happens("invoice.created", "invoice.paid")
        attempts = [post.now] if await post.work() == 1 else []
        for pause in RETRY_PAUSES:
            # Something else succeeds meanwhile: it is this event that is at fault.
            await post.happens("customer.created")
            post.later(seconds=pause.total_seconds() - 3)
            assert await post.work() == 1
            post.later(seconds=5)
            await post.work()
            attempts.append(post.now)

    hours = [round((one - began).total_seconds() / 3600, 1) for one in attempts]
    assert hours == [0.0, 0.0, 0.1, 0.6, 2.6, 7.6, 17.6, 31.6, 51.6, 71.6]
    assert receiver.told.count("invoice.created") == 10
    assert receiver.told[-1] == "invoice.paid"
    given_up, after, *_ = await post.deliveries(made.endpoint.id)
    assert (given_up.status, given_up.attempt_count) == (DeliveryStatus.FAILED, 10)
    assert (given_up.last_response_status, given_up.last_error) == (500, "answered 500")
    assert given_up.attempts[0].response_excerpt == "down for maintenance"
    assert after.status is DeliveryStatus.SUCCEEDED
    assert await post.disabled_reason(made.endpoint.id) is None
    assert invoice is not None


async def test_an_endpoint_that_fails_for_days(post: Post) -> None:
    """It is disabled and says why; enabled again, it gets what it has missed."""
    async with receiving(DOWN) as receiver:
        made = await post.endpoint(receiver.url)
        name = made.endpoint.id
        await post.happens("invoice.created", "invoice.paid")
        await post.work()
        for pause in RETRY_PAUSES[:-1]:
            post.later(seconds=pause.total_seconds() + 1)
            await post.work()
        assert await post.disabled_reason(name) is None
        post.later(days=1)
        await post.work()
        assert await post.disabled_reason(name) is DisabledReason.AUTO_FAILURES
        assert (await post.shown(name)).health.consecutive_failures == 10
        assert await post.statuses(name) == ["FAILED", "PENDING"]

        await post.happens("customer.created")
        assert await post.work() == 0
        receiver.answer = OK
        await enable(post, name)
        await post.work()

    assert receiver.told[-2:] == ["invoice.paid", "customer.created"]
    health = (await post.shown(name)).health
    assert (health.consecutive_failures, health.failing_since) == (0, None)


async def enable(post: Post, endpoint_id: UUID, *, enabled: bool = True) -> None:
    """Switch an endpoint on or off."""
    await post.within(
        lambda ctx: edit_webhook_endpoint(ctx, endpoint_id, {}, disabled=not enabled)
    )


async def test_what_was_missed_too_long_ago(post: Post) -> None:
    """What is older than three days when an endpoint is enabled is not sent any more."""
    async with receiving() as receiver:
        made = await post.endpoint(receiver.url)
        invoice = await post.happens("invoice.created")
        await post.take()
        await post.world.execute(
            "update webhook_deliveries set created_at = now() - interval '4 days', "
            "status = 'PENDING', lease_until = null, next_attempt_at = now()"
        )
        await enable(post, made.endpoint.id, enabled=False)
        await post.happens("invoice.finalized", to=invoice)
        await post.world.execute("alter table events disable trigger event_is_fixed")
        await post.world.execute("update events set stored_at = now() - interval '4 days'")
        await post.world.execute("alter table events enable trigger event_is_fixed")
        await post.happens("invoice.paid", to=invoice)
        await enable(post, made.endpoint.id)
        await post.work()

    assert receiver.told == ["invoice.paid"]
    assert await post.statuses(made.endpoint.id) == ["CANCELLED", "SUCCEEDED"]


async def test_one_that_is_gone(post: Post) -> None:
    """410 says that nobody wants to hear of anything any more."""
    async with receiving(answering(410)) as receiver:
        made = await post.endpoint(receiver.url)
        await post.happens("invoice.created")
        await post.work()

    assert await post.disabled_reason(made.endpoint.id) is DisabledReason.GONE


async def test_a_rest_for_who_is_not_reached(post: Post) -> None:
    """After five in a row nothing is sent for half a minute, then one at a time."""
    async with receiving() as receiver:
        url = receiver.url
    made = await post.endpoint(url)
    for _ in range(8):
        await post.happens("customer.created")
    taken = await post.take()
    # No more at once than the endpoint's limit.
    assert len(taken) == 5
    await post.send(*taken)

    paused_until = (await post.shown(made.endpoint.id)).health.paused_until
    assert paused_until is not None
    assert timedelta(seconds=29) < paused_until - post.now < timedelta(seconds=35)
    post.later(seconds=20)
    assert await post.take() == []
    post.later(seconds=20)
    [one] = await post.take()
    assert await post.take() == []
    await post.send(one)
    paused_until = (await post.shown(made.endpoint.id)).health.paused_until
    assert paused_until is not None
    assert paused_until - post.now > timedelta(seconds=59)


async def test_a_rate_limit(post: Post) -> None:
    """No more are begun within any second than the endpoint's limit."""
    async with receiving() as receiver:
        await post.endpoint(receiver.url, rate_limit_per_sec=2)
        for _ in range(5):
            await post.happens("customer.created")
        for wanted in (2, 0, 2, 0, 1, 0):
            taken = await post.take()
            await post.send(*taken)
            assert len(taken) == wanted
            post.later(seconds=0.6)


async def test_a_worker_that_is_killed(post: Post) -> None:
    """What it had begun is sent again after a minute, under the same id, and counted."""
    async with receiving() as receiver:
        made = await post.endpoint(receiver.url)
        await post.happens("invoice.created")
        [lost] = await post.take()
        post.later(seconds=59)
        assert await post.take() == []
        post.later(seconds=2)
        assert await post.take() == []
        post.later(seconds=6)
        [again] = await post.take()
        await post.send(again)
        # The first worker was only slow: what it has to say comes too late to count.
        await post.send(lost)

    assert (again.attempt, again.message_id, again.body) == (2, lost.message_id, lost.body)
    [delivery] = await post.deliveries(made.endpoint.id)
    assert (delivery.status, delivery.attempt_count) == (DeliveryStatus.SUCCEEDED, 2)
    assert [one.error for one in delivery.attempts] == [
        "the worker ended before the answer was noted",
        None,
    ]
    assert (await post.shown(made.endpoint.id)).health.consecutive_failures == 0


async def test_two_workers(post: Post) -> None:
    """Both pass events on and take up what is due; each is sent once."""
    async with receiving() as receiver:
        await post.endpoint(receiver.url)
        for _ in range(4):
            await post.happens("customer.created")
        first, second = await post.take(limit=2), await post.take(limit=2)
        await post.send(*first, *second)
        assert await post.work() == 0

    assert len({one.headers["webhook-id"] for one in receiver.got}) == len(receiver.got) == 4


async def test_a_new_secret(post: Post) -> None:
    """The old secret signs beside the new one for a day, and then no more."""
    async with receiving() as receiver:
        made = await post.endpoint(receiver.url)
        new = await post.within(lambda ctx: rotate_webhook_secret(ctx, made.endpoint.id))
        await post.happens("invoice.created")
        await post.work()
        post.later(hours=24)
        await post.happens("invoice.created")
        [late] = await post.take()

    [received] = receiver.got
    for secret in (made.secret, new):
        Webhook(secret).verify(received.body, received.headers)
    assert late.secrets == (new,)
    for _ in range(3):
        await post.within(lambda ctx: rotate_webhook_secret(ctx, made.endpoint.id))
    with pytest.raises(Conflict, match="rotated 4 times within 24 hours"):
        await post.within(lambda ctx: rotate_webhook_secret(ctx, made.endpoint.id))


async def test_sent_again_by_request(post: Post) -> None:
    """A delivery can be asked for again, past what waits; not where its endpoint is off."""
    async with receiving(DOWN) as receiver:
        made = await post.endpoint(receiver.url)
        await post.happens("invoice.created", "invoice.paid")
        await post.work()
        first, waiting = await post.deliveries(made.endpoint.id)
        receiver.answer = OK
        again = await post.within(lambda ctx: resend_delivery(ctx, waiting.id))
        assert (again.manual, again.status) == (True, DeliveryStatus.PENDING)
        await post.work()
        assert receiver.told == ["invoice.created", "invoice.paid"]
        assert await post.statuses(made.endpoint.id) == ["PENDING", "PENDING", "SUCCEEDED"]
        await enable(post, made.endpoint.id, enabled=False)
        with pytest.raises(Conflict, match="disabled"):
            await post.within(lambda ctx: resend_delivery(ctx, first.id))
        await post.within(lambda ctx: delete_webhook_endpoint(ctx, made.endpoint.id))
        with pytest.raises(NotFound):
            await post.within(lambda ctx: resend_delivery(ctx, first.id))


async def test_deleted(post: Post) -> None:
    """What was still to be sent is cancelled, also what is under way."""
    async with receiving() as receiver:
        made = await post.endpoint(receiver.url)
        await post.happens("invoice.created", "invoice.paid")
        [under_way] = await post.take()
        await post.within(lambda ctx: delete_webhook_endpoint(ctx, made.endpoint.id))
        await post.send(under_way)
        assert await post.work() == 0

    assert await post.statuses(made.endpoint.id) == ["CANCELLED", "CANCELLED"]


async def test_private_addresses_are_for_development(post: Post) -> None:
    """Without the setting, and for a live tenant, this machine is not reached."""
    async with receiving() as receiver:
        made = await post.endpoint(receiver.url)
        await post.happens("invoice.created")
        post.world.app = replace(post.world.app, private_webhooks=False)
        await post.work()

    assert receiver.connections == 0
    [delivery] = await post.deliveries(made.endpoint.id)
    assert delivery.last_error == "its address is not public"


async def test_old_deliveries_are_forgotten(post: Post) -> None:
    """A delivery is listed for 30 days after its end."""
    async with receiving() as receiver:
        made = await post.endpoint(receiver.url)
        await post.happens("invoice.created", "invoice.paid")
        post.later(days=-31)
        await post.world.execute("update webhook_endpoints set relayed_to = 0")
        await post.take()
        await post.world.execute(
            "update webhook_deliveries set status = 'SUCCEEDED', lease_until = null, "
            "completed_at = now() - interval '31 days' where status = 'IN_FLIGHT'"
        )
        assert await purge_deliveries(post.app) == 1

    assert await post.statuses(made.endpoint.id) == ["PENDING"]


async def test_the_doctor_finds_nothing(post: Post) -> None:
    """Everything that must hold of deliveries holds in the middle of it."""
    async with receiving(DOWN) as receiver:
        await post.endpoint(receiver.url)
        await post.happens("invoice.created", "invoice.paid")
        await post.happens("customer.created")
        [first, *_] = await post.take()
        await post.send(first)

    assert (await examine(post.world.database)).breaches == ()


async def test_the_secret_is_the_endpoints_own(post: Post) -> None:
    """Two endpoints have two secrets, of 32 bytes each."""
    one, other = await post.endpoint("http://127.0.0.1:1/"), await post.endpoint("http://a.b/")
    async with post.app.database.connection() as tx:
        [kept] = await webhook_endpoints.secrets(tx, post.tenant_id, one.endpoint.id)

    assert kept.secret == one.secret != other.secret
    assert len(one.secret) == len(other.secret) == 32
