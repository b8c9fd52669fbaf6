"""A portal token opens one customer's portal for a while, and nothing else."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest

from tallystick.db.engine import Database
from tallystick.domain.errors import Conflict, NotFound, Unauthorized
from tallystick.services import signed_token
from tallystick.services.ids import new_id
from tallystick.services.portal_token import PortalScope, issue_portal_token, open_portal
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
