"""A portal token opens one customer's portal for a while, and nothing else."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tallystick.db.engine import Database
from tallystick.domain.errors import Conflict, InvalidInput, NotFound, Unauthorized
from tallystick.services import signed_token
from tallystick.services.ids import new_id
from tallystick.services.portal_token import (
    PortalScope,
    issue_portal_token,
    open_portal,
    revoke_portal_tokens,
)
from tallystick.services.purge_secrets import purge_secrets
from tests.portals import BOTH
from tests.world import World, open_world


@pytest.fixture
async def world(db: Database) -> World:
    """A shop of its own."""
    return await open_world(db)


async def token_of(world: World, name: str = "Globex", **columns: object) -> str:
    """An hour's token of a new customer."""
    customer = await world.customer(name, **columns)
    async with world.app.transaction() as tx:
        made = await issue_portal_token(world.ctx.within(tx), customer, 3600, BOTH)
    return made.token


def now() -> datetime:
    """Real time, which tokens go by."""
    return datetime.now(UTC)  # noqa: TID251 - a token's own time


def claims_of(token: str) -> dict[str, object]:
    """What a token says, read as anybody could."""
    body = token.split(".")[1]
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(body + "=="))
    return found


def part(content: object) -> str:
    """A part of a token."""
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


async def test_a_token_opens_its_customers_portal(world: World) -> None:
    """Whose it is, what may be done, until when; the tenant's clock stands in 2026."""
    token = await token_of(world)

    found = await open_portal(world.app, token, now())

    assert found.customer.name == "Globex"
    assert found.scopes == {PortalScope.READ, PortalScope.MANAGE}
    assert timedelta(minutes=59) < found.expires_at - now() <= timedelta(hours=1)
    assert found.context.now == world.ctx.now
    assert base64.urlsafe_b64decode(token.split(".")[0] + "==") == (
        b'{"alg":"HS256","typ":"JWT"}'
    )


async def test_it_ends_by_real_time(world: World) -> None:
    """A second before its end it opens, at its end it does not, whatever the clock says."""
    token = await token_of(world)
    ends = datetime.fromtimestamp(int(str(claims_of(token)["exp"])), UTC)

    assert (await open_portal(world.app, token, ends - timedelta(seconds=1))).may_manage
    with pytest.raises(Unauthorized):
        await open_portal(world.app, token, ends)


async def test_what_is_not_signed_by_us_opens_nothing(world: World) -> None:
    """No part of a token can be changed, its algorithm included; garbage is refused."""
    token = await token_of(world)
    header, body, signature = token.split(".")
    other = claims_of(await token_of(world, "Other"))
    claims = claims_of(token)
    wrong_key = signed_token.encode(claims, b"another key")
    forged = [
        f"{header}.{part(claims | {'exp': claims['exp'], 'sub': other['sub']})}.{signature}",
        f"{part({'alg': 'none', 'typ': 'JWT'})}.{body}.",
        f"{part({'alg': 'none', 'typ': 'JWT'})}.{body}.{signature}",
        f"{header}.{body}.",
        f"{header}.{body}",
        f"{header}.{body}.{signature}x",
        f"{header}.{body}.{signature[:-2]}",
        wrong_key,
        "",
        "...",
        "a.b.c",
        "\N{LATIN SMALL LETTER E WITH ACUTE}" * 40,
        f"{header}.{part(['a'])}.{signature}",
        f"{header}.{part('[' * 900)}.{signature}",
        f"{header}.{'A' * 5000}.{signature}",
        f"{header}.{part(claims | {'ten': 7})}.{signature}",
        f"{header}.{part(claims | {'aud': 'another'})}.{signature}",
    ]

    for one in forged:
        with pytest.raises(Unauthorized):
            await open_portal(world.app, one, now())
    assert (await open_portal(world.app, token, now())).may_manage


async def test_another_tenants_key_signs_nothing_here(world: World, db: Database) -> None:
    """Signed by one tenant for a customer of another, it opens nothing."""
    other = await open_world(db)
    claims = claims_of(await token_of(world))
    theirs = await token_of(other)
    crossed = {**claims, "ten": claims_of(theirs)["ten"]}
    # Even with the very key of the other tenant, the customer is none of its own.
    key = hmac.new(other.ctx.tenant.link_secret, b"tallystick portal token", "sha256")
    forged = signed_token.encode(crossed, key.digest())

    with pytest.raises(Unauthorized):
        await open_portal(world.app, forged, now())


async def test_an_archived_customer_has_no_portal(world: World) -> None:
    """A token of before does not open any more, and there is no new one."""
    token = await token_of(world, alias="globex")
    await world.execute("update customers set archived_at = now() where alias = 'globex'")
    row = await world.one("select id from customers where alias = 'globex'")

    with pytest.raises(Unauthorized):
        await open_portal(world.app, token, now())
    async with world.app.transaction() as tx:
        with pytest.raises(Conflict, match="archived"):
            await issue_portal_token(world.ctx.within(tx), row["id"], 60, BOTH)
        with pytest.raises(NotFound):
            await issue_portal_token(world.ctx.within(tx), new_id(), 60, BOTH)


async def test_to_manage_is_to_read(world: World) -> None:
    """A token of the scope manage alone can look, too; one to read changes nothing."""
    customer = await world.customer()
    async with world.app.transaction() as tx:
        ctx = world.ctx.within(tx)
        manage = await issue_portal_token(ctx, customer, 60, [PortalScope.MANAGE])
        read = await issue_portal_token(ctx, customer, 60, [PortalScope.READ])

    assert (await open_portal(world.app, manage.token, now())).scopes == set(PortalScope)
    assert not (await open_portal(world.app, read.token, now())).may_manage


async def issued(world: World, customer: UUID) -> str:
    """An hour's token."""
    async with world.app.transaction() as tx:
        made = await issue_portal_token(world.ctx.within(tx), customer, 3600, BOTH)
    return made.token


async def revoke(world: World, customer: UUID | str, token: str | None = None) -> None:
    """Take one token back, or all of them."""
    async with world.app.transaction() as tx:
        await revoke_portal_tokens(world.ctx.within(tx), customer, token)


async def test_one_token_is_revoked(world: World) -> None:
    """It opens nothing more, the customer's other one does; twice is the same as once."""
    customer = await world.customer()
    lost, kept = await issued(world, customer), await issued(world, customer)
    await revoke(world, customer, lost)
    await revoke(world, customer, lost)

    with pytest.raises(Unauthorized, match="revoked"):
        await open_portal(world.app, lost, now())
    assert (await open_portal(world.app, kept, now())).may_manage


async def test_every_token_is_revoked(world: World) -> None:
    """All of one customer's, and nobody else's; one that is made right after opens."""
    customer, other = await world.customer(alias="globex"), await world.customer("Other")
    before = [await issued(world, customer) for _ in range(2)]
    theirs = await issued(world, other)
    for _ in range(2):
        await revoke(world, "globex")
        after = await issued(world, customer)
        for one in before:
            with pytest.raises(Unauthorized):
                await open_portal(world.app, one, now())
        assert (await open_portal(world.app, after, now())).may_manage
        before.append(after)
    assert (await open_portal(world.app, theirs, now())).may_manage


async def test_what_cannot_be_revoked(world: World) -> None:
    """Another customer's token, and what is none of ours: nothing changes."""
    customer = await world.customer()
    theirs = await token_of(world, "Other")
    own = await issued(world, customer)
    forged = signed_token.encode(claims_of(own), b"another key")
    for wrong in (theirs, forged, "a.b.c"):
        with pytest.raises(InvalidInput) as refused:
            await revoke(world, customer, wrong)
        assert [fault.field for fault in refused.value.faults] == ["token"]
    with pytest.raises(NotFound):
        await revoke(world, new_id(), own)

    assert (await open_portal(world.app, theirs, now())).may_manage
    assert (await open_portal(world.app, own, now())).may_manage


async def test_a_token_of_before_there_were_generations(world: World) -> None:
    """It carries none and opens as one of the first, until all of them are revoked."""
    customer = await world.customer()
    claims = claims_of(await issued(world, customer))
    del claims["gen"]
    key = hmac.new(world.ctx.tenant.link_secret, b"tallystick portal token", "sha256")
    old = signed_token.encode(claims, key.digest())

    assert (await open_portal(world.app, old, now())).may_manage
    await revoke(world, customer)
    with pytest.raises(Unauthorized):
        await open_portal(world.app, old, now())


async def test_what_has_ended_needs_no_revocation(world: World) -> None:
    """The row of a revoked token goes when its time is over."""
    customer = await world.customer()
    await revoke(world, customer, await issued(world, customer))
    assert await purge_secrets(world.app) == 0
    await world.execute("update revoked_portal_tokens set expires_at = now()")
    assert await purge_secrets(world.app) == 1
