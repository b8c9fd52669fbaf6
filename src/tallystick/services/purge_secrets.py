"""Forget what has let somebody in, or signed, and does so no more."""

from tallystick.db import portal_tokens, webhook_endpoints
from tallystick.services.context import App


async def purge_secrets(app: App) -> int:
    """Delete secrets of webhooks that were replaced and sign no more; return how many.

    With them goes what is known of revoked portal tokens whose time is over.
    """
    async with app.transaction() as tx:
        secrets = await webhook_endpoints.forget_replaced_secrets(tx)
    async with app.transaction() as tx:
        tokens = await portal_tokens.forget_ended(tx)
    return secrets + tokens
