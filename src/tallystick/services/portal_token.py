"""Portal tokens: what lets one customer of one tenant in, for a while.

A token is a JWT signed under a key made of the tenant's secret. It ends by real time: it keeps
a door shut, and a clock that stands still would leave it open for ever.

A token is not stored. It carries the generation of its customer's tokens, so that all of them
can be revoked together, and an id, so that one can be.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from tallystick.db import customers, portal_tokens, tenants
from tallystick.domain.customer_record import CustomerRecord
from tallystick.domain.errors import Conflict, Fault, Unauthorized, fail_if
from tallystick.domain.ids import MalformedId, Prefix, decode, encode
from tallystick.services import signed_token
from tallystick.services.context import App, Context
from tallystick.services.edit_customer import customer_not_found
from tallystick.services.ids import new_id
from tallystick.services.tenant_context import tenant_context

AUDIENCE = "tallystick-portal"
SECONDS_MIN, SECONDS_MAX = 60, 30 * 24 * 3600
SECONDS_DEFAULT = 24 * 3600


class PortalScope(StrEnum):
    """What a token is good for: to look, and to change."""

    READ = "read"
    MANAGE = "manage"


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalToken:
    """A token that was just made, and until when it opens the portal (real time)."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedPortal:
    """A token that opens: whose portal, what may be done there, and until when.

    The context has no transaction, and the customer as its actor.
    """

    context: Context
    customer: CustomerRecord
    scopes: frozenset[PortalScope]
    expires_at: datetime

    @property
    def may_manage(self) -> bool:
        """Whether anything may be changed."""
        return PortalScope.MANAGE in self.scopes


async def issue_portal_token(
    ctx: Context, id_or_alias: UUID | str, seconds: int, scopes: Sequence[PortalScope]
) -> PortalToken:
    """Make a token that opens the portal of one customer.

    Args:
        ctx: The context, with its transaction.
        id_or_alias: A UUID is an id, a text is an alias.
        seconds: How long it opens, in real time.
        scopes: What it is good for; `manage` is no good without `read`, which it brings along.

    Raises:
        NotFound: The tenant has no such customer.
        Conflict: It is archived.
    """
    customer = await customers.load(ctx.transaction, ctx.tenant.id, id_or_alias)
    if customer is None:
        raise customer_not_found()
    if customer.archived_at is not None:
        raise Conflict("This customer is archived: nobody can enter its portal.")
    issued = (await tenants.real_now(ctx.transaction, ctx.tenant.id)).replace(microsecond=0)
    expires = issued + timedelta(seconds=seconds)
    granted = {PortalScope.READ, *scopes}
    claims = {
        "iss": "tallystick",
        "aud": AUDIENCE,
        "ten": encode(Prefix.TENANT, ctx.tenant.id),
        "sub": encode(Prefix.CUSTOMER, customer.id),
        "scope": " ".join(sorted(granted)),
        "iat": int(issued.timestamp()),
        "exp": int(expires.timestamp()),
        "jti": str(new_id()),
        "gen": await portal_tokens.generation(ctx.transaction, ctx.tenant.id, customer.id),
    }
    token = signed_token.encode(claims, _key(ctx.tenant.link_secret))
    return PortalToken(token=token, expires_at=expires)


async def revoke_portal_tokens(
    ctx: Context, id_or_alias: UUID | str, token: str | None = None
) -> None:
    """Take one token of a customer's back, or every one that was made until now.

    Args:
        ctx: The context, with its transaction.
        id_or_alias: A UUID is an id, a text is an alias.
        token: The one to take back; None: all of them.

    Raises:
        NotFound: The tenant has no such customer.
        InvalidInput: It is no token of this customer's.
    """
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    customer = await customers.load(tx, tenant_id, id_or_alias)
    if customer is None:
        raise customer_not_found()
    if token is None:
        await portal_tokens.revoke_all(tx, tenant_id, customer.id)
        return
    claims = signed_token.unverified(token)
    is_its_own = (
        claims is not None
        and signed_token.is_signed(token, _key(ctx.tenant.link_secret))
        and claims.get("sub") == encode(Prefix.CUSTOMER, customer.id)
    )
    if claims is None or not is_its_own:
        message = "is no portal token of this customer; leave it out to revoke all it has"
        fail_if([Fault("token", "unknown_token", message)])
    else:
        await portal_tokens.revoke(
            tx, tenant_id, customer.id, UUID(str(claims["jti"])), _end_of(claims)
        )


async def open_portal(app: App, token: str, real_now: datetime) -> OpenedPortal:
    """The portal that a token opens.

    The seam for REST: what a browser may read with a token as its Bearer starts here.

    Raises:
        Unauthorized: It is none of ours, its time is over, it was revoked, or its customer is
            archived.
    """
    claims = signed_token.unverified(token)
    if claims is None or claims.get("aud") != AUDIENCE:
        raise _closed()
    try:
        tenant_id = decode(Prefix.TENANT, str(claims.get("ten")))
        customer_id = decode(Prefix.CUSTOMER, str(claims.get("sub")))
    except MalformedId:
        raise _closed() from None
    async with app.database.connection() as tx:
        if await tenants.find(tx, tenant_id) is None:
            raise _closed()
        ctx = await tenant_context(app, tx, tenant_id, real_now, actor="customer")
        if not signed_token.is_signed(token, _key(ctx.tenant.link_secret)):
            raise _closed()
        # From here on the claims are our own words.
        expires = _end_of(claims)
        if expires <= real_now:
            raise _closed()
        stands = await portal_tokens.standing(
            tx, tenant_id, customer_id, UUID(str(claims["jti"]))
        )
        if stands.is_revoked or claims.get("gen", 0) != stands.generation:
            raise _closed()
        customer = await customers.load(tx, tenant_id, customer_id)
    if customer is None or customer.archived_at is not None:
        raise _closed()
    return OpenedPortal(
        context=ctx,
        customer=customer,
        scopes=frozenset(PortalScope(one) for one in str(claims["scope"]).split()),
        expires_at=expires,
    )


def portal_url(public_url: str) -> str:
    """Where the portal is."""
    return f"{public_url}/portal"


def portal_link(public_url: str, token: str) -> str:
    """The address that a customer is sent to, once: the portal takes the token out of it."""
    return f"{portal_url(public_url)}?token={token}"


def _end_of(claims: Mapping[str, object]) -> datetime:
    """When a token of ours ends."""
    return datetime.fromtimestamp(int(str(claims["exp"])), UTC)


def _key(link_secret: bytes) -> bytes:
    """The key of a tenant's portal tokens: nothing else is signed under it."""
    return hmac.new(link_secret, b"tallystick portal token", hashlib.sha256).digest()


def _closed() -> Unauthorized:
    return Unauthorized("This portal token is not valid, was revoked, or its time is over.")
