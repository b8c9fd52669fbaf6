"""The demo's tenant and the API key that speaks for it."""

import os
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

from tallystick.db import tenants
from tallystick.services.api_keys import (
    create_api_key,
    hash_of,
    list_api_keys,
    revoke_api_key,
    verify_api_key,
)
from tallystick.services.context import App
from tallystick.services.create_tenant import create_tenant
from tallystick.services.tenant_context import tenant_context

NAME = "Acme Cloud"
CURRENCY = "EUR"
KEY_NAME = "demo"
KEY_FILE = "demo.key"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoTenant:
    """The tenant; `today` is its own day, `is_new` whether it was made just now."""

    id: UUID
    key: str
    today: date
    is_new: bool


async def demo_tenant(app: App, data_dir: Path, now: datetime) -> DemoTenant:
    """Find the demo's tenant by its name, or make it; and a key that is valid.

    The key is kept in the data directory, in a file that only its owner can read: a key's
    secret cannot be read back from the database. When the file is lost, another key is made
    and the lost one revoked.

    Args:
        app: What is wired once per process.
        data_dir: Where the key is kept.
        now: Real time, UTC.
    """
    file = data_dir / KEY_FILE
    # The file is written before the commit: a key that the database does not know does no harm,
    # and the next run replaces it.
    async with app.transaction() as tx:
        found = next(
            (one for one in await tenants.every(tx) if one.name == NAME and one.is_test), None
        )
        if found is None:
            made = await create_tenant(
                app,
                tx,
                name=NAME,
                currency=CURRENCY,
                clock=None,
                live=False,
                real_now=now,
            )
            tenant_id = made.tenant_id
            _keep(file, made.api_key)
        else:
            tenant_id = found.id
        ctx = (await tenant_context(app, tx, tenant_id, now, "operator")).within(tx)
        key = _kept(file)
        verified = None if key is None else await verify_api_key(tx, hash_of(key))
        if key is None or verified is None or verified.tenant.id != tenant_id:
            for lost in await list_api_keys(ctx):
                if lost.name == KEY_NAME and lost.revoked_at is None:
                    await revoke_api_key(ctx, lost.id)
            key = (await create_api_key(ctx, KEY_NAME)).secret
            _keep(file, key)
    return DemoTenant(id=tenant_id, key=key, today=ctx.today, is_new=found is None)


def _kept(file: Path) -> str | None:
    try:
        return file.read_text(encoding="ascii").strip() or None
    except (FileNotFoundError, UnicodeDecodeError):
        return None


def _keep(file: Path, key: str) -> None:
    """Write the key where nobody else could read it, not even for a moment."""
    new = file.with_suffix(".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as opened:
        opened.write(f"{key}\n")
    new.rename(file)
