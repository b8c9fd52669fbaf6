"""Where a buyer's request comes from: what is counted of it, and what is kept of it."""

from ipaddress import IPv6Address, ip_network

from starlette.requests import Request

from tallystick.domain.payment import Acceptance
from tallystick.domain.payment_panel import MountedPanel, PaymentPanel
from tallystick.services.context import Context
from tallystick.services.try_limits import payer_of

_NETWORK_BITS = 64
"""What one subscriber is given of IPv6: all its addresses count as one."""

_USER_AGENT_CHARS_MAX = 500


def subscriber(address: str) -> str:
    """The key of whoever has an address: of IPv6 the network, of anything else all of it."""
    try:
        six = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if six.ipv4_mapped is not None:
        return str(six.ipv4_mapped)
    return str(ip_network((int(six), _NETWORK_BITS), strict=False))


def payer_from(ctx: Context, request: Request) -> bytes | None:
    """A mark of the network address that a request comes from."""
    client = request.client
    return payer_of(ctx, None if client is None else subscriber(client.host))


def acceptance_from(ctx: Context, request: Request, panel: PaymentPanel) -> Acceptance | None:
    """Where an agreement came from, for a provider that has to be told; it is kept for it.

    None where the provider need not be told, or the server cannot tell.
    """
    client = request.client
    if client is None or not isinstance(panel, MountedPanel):
        return None
    browser = request.headers.get("user-agent", "")
    return Acceptance(at=ctx.now, ip=client.host, user_agent=browser[:_USER_AGENT_CHARS_MAX])
