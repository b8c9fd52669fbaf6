"""Order what a renamed customer has by the new name."""

from tallystick.db import customer_renamings
from tallystick.services.context import App


async def pass_on_names(app: App) -> int:
    """Pass on the new names of renamed customers, in short transactions, until all had a turn.

    Returns how many renamings were looked at. Each is looked at again in a later turn, until
    nobody is left who may have read the former name.
    """
    async with app.transaction() as tx:
        since = await customer_renamings.real_time(tx)
    done = 0
    while True:
        async with app.transaction() as tx:
            looked_at = await customer_renamings.pass_on(tx, since)
        if not looked_at:
            return done
        done += looked_at
