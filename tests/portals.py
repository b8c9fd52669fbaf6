"""Customers who come to the portal."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import httpx
from fastapi import FastAPI

from tallystick.services.portal_token import (
    OpenedPortal,
    PortalScope,
    issue_portal_token,
    open_portal,
    portal_link,
)
from tests.http.checkout.buyer import Form, Seen, browser
from tests.world import NOON, PUBLIC_URL, World

BOTH = (PortalScope.READ, PortalScope.MANAGE)


async def link_of(
    world: World,
    customer_id: UUID,
    scopes: Sequence[PortalScope] = BOTH,
    seconds: int = 3600,
) -> str:
    """A link that opens a customer's portal."""
    async with world.app.transaction() as tx:
        made = await issue_portal_token(world.ctx.within(tx), customer_id, seconds, scopes)
    return portal_link(world.app.public_url, made.token)


async def opened(world: World, customer_id: UUID) -> OpenedPortal:
    """A customer's portal, for verbs without a page."""
    async with world.app.transaction() as tx:
        made = await issue_portal_token(world.ctx.within(tx), customer_id, 3600, BOTH)
    return await open_portal(world.app, made.token, NOON)


@dataclass
class Guest:
    """A browser at the portal, without JavaScript."""

    client: httpx.AsyncClient

    async def follow(self, answer: httpx.Response) -> Seen:
        """Where an answer leads."""
        hops = 0
        while answer.is_redirect and hops < 5:
            answer = await self.client.get(answer.headers["location"])
            hops += 1
        return Seen.of(answer)

    async def open(self, path: str = "", **headers: str) -> Seen:
        """Open a page of the portal."""
        return await self.follow(await self.client.get(f"/portal{path}", headers=headers))

    async def send(self, form: Form, **typed: str) -> Seen:
        """Send a form, and follow where it leads."""
        answer = await self.client.post(form.action, data={**form.values, **typed})
        return await self.follow(answer)


def form_to(seen: Seen, end: str) -> Form:
    """The form of a page whose address ends so."""
    (found,) = [one for one in seen.read.forms if one.action.endswith(end)]
    return found


async def enter(
    world: World,
    web: FastAPI,
    customer_id: UUID,
    scopes: Sequence[PortalScope] = BOTH,
    accept_language: str = "en-US",
) -> Guest:
    """A browser that came with a link, and was let in."""
    guest = Guest(browser(web, **{"accept-language": accept_language}))
    link = await link_of(world, customer_id, scopes)
    seen = await guest.follow(await guest.client.get(link.removeprefix(PUBLIC_URL)))
    assert seen.status == 200, seen.text
    return guest
