"""What deliveries and secrets leave behind: nothing in flight for ever, nothing in clear."""

import pytest

from tallystick.services.edit_webhook_endpoint import (
    delete_webhook_endpoint,
    edit_webhook_endpoint,
    rotate_webhook_secret,
)
from tallystick.services.examine import examine
from tallystick.services.purge_secrets import purge_secrets
from tallystick.services.resend_delivery import resend_delivery
from tests.webhooks.conftest import Post
from tests.webhooks.receiver import receiving


async def test_a_worker_that_dies_before_its_endpoint_is_disabled(post: Post) -> None:
    """What it had under way is found out all the same, and sent when it is enabled again."""
    async with receiving() as receiver:
        made = await post.endpoint(receiver.url)
        endpoint_id = made.endpoint.id
        await post.happens("customer.created")
        [_] = await post.take()
        await post.within(
            lambda ctx: edit_webhook_endpoint(ctx, endpoint_id, {}, disabled=True)
        )
        post.later(seconds=61)
        assert await post.take() == []
        assert await post.statuses(endpoint_id) == ["PENDING"]
        post.later(seconds=60)
        assert await post.take() == [], "nothing is sent to what is disabled"
        await post.within(
            lambda ctx: edit_webhook_endpoint(ctx, endpoint_id, {}, disabled=False)
        )
        assert await post.work() == 1

    assert await post.statuses(endpoint_id) == ["SUCCEEDED"]
    assert (await examine(post.world.database)).breaches == ()


async def test_old_secrets_are_forgotten(post: Post) -> None:
    """One that was replaced, when it signs no more; every one, when its endpoint is deleted."""
    made = await post.endpoint("http://127.0.0.1:9/")
    endpoint_id = made.endpoint.id
    new = await post.within(lambda ctx: rotate_webhook_secret(ctx, endpoint_id))

    async def kept() -> list[bytes]:
        rows = await post.world.fetch("select secret from webhook_secrets order by made_at")
        return [row["secret"] for row in rows]

    assert await purge_secrets(post.app) == 0
    assert await kept() == [made.secret, new]
    await post.world.execute(
        "update webhook_secrets set valid_until = now() where valid_until is not null"
    )
    assert await purge_secrets(post.app) == 1
    assert await kept() == [new]
    await post.within(lambda ctx: rotate_webhook_secret(ctx, endpoint_id))
    await post.within(lambda ctx: delete_webhook_endpoint(ctx, endpoint_id))
    assert await kept() == []
    assert (await examine(post.world.database)).breaches == ()


@pytest.mark.parametrize("how", ["address", "enabled", "resent"])
async def test_a_rest_that_is_ended(post: Post, how: str) -> None:
    """Who has mended the receiver need not wait: what was owed is sent at once."""
    async with receiving() as receiver:
        url = receiver.url
    made = await post.endpoint(url)
    endpoint_id = made.endpoint.id
    for _ in range(5):
        await post.happens("customer.created")
    await post.send(*await post.take())
    post.later(seconds=6)
    assert await post.take() == [], "it rests"
    [first, *_] = await post.deliveries(endpoint_id)

    async with receiving() as mended:
        if how == "resent":
            # It has come back, at an address that the test can choose for it.
            await post.world.execute("update webhook_endpoints set url = $1", mended.url)
            await post.within(lambda ctx: resend_delivery(ctx, first.id))
        else:
            said = {"url": mended.url} if how == "address" else {}
            if not said:
                await post.world.execute("update webhook_endpoints set url = $1", mended.url)
            await post.within(
                lambda ctx: edit_webhook_endpoint(
                    ctx, endpoint_id, said, disabled=None if said else False
                )
            )
        post.later(seconds=1)
        assert await post.work() == (6 if how == "resent" else 5)

    health = (await post.shown(endpoint_id)).health
    assert (health.consecutive_failures, health.paused_until) == (0, None)
    assert (await examine(post.world.database)).breaches == ()
