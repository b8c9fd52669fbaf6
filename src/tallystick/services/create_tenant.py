"""Create a tenant: the merchant, its default invoicing entity, its first API key."""

import os
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallystick.db import invoicing_entities, tenants
from tallystick.db.engine import Tx
from tallystick.db.tenants import TenantRow
from tallystick.domain.buyer import Address
from tallystick.domain.entity_settings import EntitySettings
from tallystick.domain.errors import Forbidden
from tallystick.domain.offer import OnlinePayment
from tallystick.domain.orphan import OrphanPolicy
from tallystick.domain.tax import TaxEngine
from tallystick.services.api_keys import as_tenant, create_api_key
from tallystick.services.context import App, Context
from tallystick.services.ids import new_id

LINK_SECRET_BYTES = 32
FIRST_KEY_NAME = "first key"
TEST_CREDITOR = "DE98ZZZ09999999999"
"""The creditor identifier published for tests: with it a test tenant offers direct debits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTenant:
    """A tenant just made. `api_key` is shown now and never again."""

    tenant_id: UUID
    invoicing_entity_id: UUID
    api_key: str


async def create_tenant(
    app: App,
    tx: Tx,
    *,
    name: str,
    currency: str,
    clock: datetime | None,
    live: bool,
    real_now: datetime,
) -> NewTenant:
    """Make a tenant in the transaction.

    Args:
        app: What is wired once per process.
        tx: The transaction.
        name: The merchant's name, also its entity's legal name until that is set.
        currency: ISO 4217 code, the tenant's own currency.
        clock: The business time at which its clock is frozen; None for real time.
        live: Whether money is real. Its entity is paid online once it is connected to a
            provider (`connect_provider`), and by transfer until then.
        real_now: Real time, UTC.

    Raises:
        Forbidden: A live tenant has no clock of its own.
    """
    if live and clock is not None:
        raise Forbidden("A live tenant runs on real time: leave out --clock.")
    now = clock or real_now
    tenant = TenantRow(
        id=new_id(),
        name=name,
        currency=currency,
        is_test=not live,
        clock=clock,
        time_zone="UTC",
        places_per_plan=1,
        dunning_days=(),
        link_secret=os.urandom(LINK_SECRET_BYTES),
        # A copy of a live database knows nothing of what was paid since, and holds the keys to
        # give it back: with real money a person decides first.
        orphan_policy=OrphanPolicy.REPORT if live else OrphanPolicy.ATTACH_OR_REFUND,
    )
    await tenants.insert(
        tx,
        tenant.id,
        name=name,
        currency=currency,
        is_test=tenant.is_test,
        clock=clock,
        link_secret=tenant.link_secret,
        orphan_policy=tenant.orphan_policy,
    )
    entity = _first_entity(name, now, creditor=None if live else TEST_CREDITOR)
    await invoicing_entities.insert(tx, tenant.id, entity)
    ctx = Context(app=app, tenant=as_tenant(tenant), actor="operator", now=now, tx=tx)
    key = await create_api_key(ctx, FIRST_KEY_NAME)
    return NewTenant(tenant_id=tenant.id, invoicing_entity_id=entity.id, api_key=key.secret)


def _first_entity(legal_name: str, now: datetime, creditor: str | None) -> EntitySettings:
    """The entity every tenant begins with: taxes by its own rates, paid on the page."""
    return EntitySettings(
        id=new_id(),
        is_default=True,
        legal_name=legal_name,
        address=Address(),
        vat_number=None,
        creditor_identifier=creditor,
        logo_url=None,
        brand_color=None,
        email=None,
        registration=None,
        default_payment_config=OnlinePayment(),
        tax_engine=TaxEngine.MANUAL,
        below_vat_threshold=False,
        number_pattern="INV-{number}",
        grace_period_hours=12,
        net_terms=0,
        consolidate_recurring_invoices=False,
        bank_accounts=(),
        created_at=now,
        updated_at=now,
    )
