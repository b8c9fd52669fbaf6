"""Change an invoicing entity: what is settable of it, all or nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from tallystick.db import checkout_sessions, invoicing_entities
from tallystick.domain.entity_settings import EntityAccount, EntitySettings, entity_faults
from tallystick.domain.errors import ALL_READ, Conflict, Fault, NotFound, Unread, fail_if
from tallystick.domain.ids import Prefix, encode
from tallystick.services import vat_numbers
from tallystick.services.context import Context
from tallystick.services.ids import new_id

_RESTS_ON = {
    "default_payment_methods_config": ("bank_accounts",),
    "vat_number": ("address",),
}
"""Field -> others that decide whether it can be: what is said of it needs them, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedAccount:
    """A bank account as it shall be: one that the entity has by its `id`, else a new one."""

    id: UUID | None
    holder: str
    iban: str | None
    bic: str | None
    bank_name: str | None
    account_number: str | None
    currency: str | None


async def edit_entity(
    ctx: Context,
    entity_id: UUID,
    change: Callable[[EntitySettings], EntitySettings],
    accounts: Sequence[WantedAccount] | None = None,
    *,
    unread: Unread = ALL_READ,
) -> EntitySettings:
    """Apply a change to an entity and return what it is then.

    Args:
        ctx: The context, with its transaction.
        entity_id: Which entity.
        change: What is to become of everything but its bank accounts.
        accounts: Its bank accounts from now on, those left out being removed; None keeps them.
        unread: What could not be read of the change.

    Raises:
        NotFound: The tenant has no such entity.
        InvalidInput: Its settings cannot be as changed; every fault together.
        Conflict: An open checkout names a bank account that is to be removed.
    """
    before = await invoicing_entities.lock(ctx.transaction, ctx.tenant.id, entity_id)
    if before is None:
        raise NotFound("There is no such invoicing entity.")
    after = replace(change(before), updated_at=ctx.now)
    faults: list[Fault] = []
    if accounts is not None:
        faults.extend(_stranger_faults(before, accounts))
        after = replace(after, bank_accounts=tuple(_account(wanted) for wanted in accounts))
    faults += entity_faults(after)
    if (after.vat_number, after.address) != (before.vat_number, before.address):
        faults += vat_numbers.faults(after.vat_number, after.address.country)
    fail_if(unread.joined(faults, _RESTS_ON))
    await _check_promises(ctx, before, after)
    await invoicing_entities.save(ctx.transaction, ctx.tenant.id, after)
    return after


async def _check_promises(ctx: Context, before: EntitySettings, after: EntitySettings) -> None:
    """Refuse to remove an account that a buyer may be about to pay to."""
    kept = {account.id for account in after.bank_accounts}
    removed = [account.id for account in before.bank_accounts if account.id not in kept]
    if not removed:
        return
    found = await checkout_sessions.promising_account(
        ctx.transaction, ctx.tenant.id, removed, ctx.now
    )
    if found is not None:
        session = encode(Prefix.CHECKOUT_SESSION, found[0])
        account = encode(Prefix.BANK_ACCOUNT, found[1])
        message = f"must keep {account} while the open checkout {session} names it"
        raise Conflict(
            f"bank_accounts: {message}", (Fault("bank_accounts", "in_use", message),)
        )


def _stranger_faults(entity: EntitySettings, accounts: Sequence[WantedAccount]) -> list[Fault]:
    known = {account.id for account in entity.bank_accounts}
    message = "is not a bank account of this entity; leave it out to add a new one"
    return [
        Fault(f"bank_accounts[{index}].id", "unknown", message)
        for index, wanted in enumerate(accounts)
        if wanted.id is not None and wanted.id not in known
    ]


def _account(wanted: WantedAccount) -> EntityAccount:
    return EntityAccount(
        id=wanted.id or new_id(),
        holder=wanted.holder,
        iban=wanted.iban,
        bic=wanted.bic,
        bank_name=wanted.bank_name,
        account_number=wanted.account_number,
        currency=wanted.currency,
    )
