"""Move a customer's balance by hand."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallystick.db import balances, customers
from tallystick.domain.errors import Conflict, Fault, InvalidInput
from tallystick.domain.money import AMOUNT_MAX
from tallystick.services.context import Context
from tallystick.services.edit_customer import customer_not_found
from tallystick.services.ids import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceEntry:
    """A movement of a balance, in minor units; `held` of it is promised to open payments."""

    id: UUID
    customer_id: UUID
    currency: str
    amount: int
    balance_after: int
    held: int
    note: str | None
    created_at: datetime


async def add_balance_entry(
    ctx: Context, id_or_alias: UUID | str, *, currency: str, amount: int, note: str | None
) -> BalanceEntry:
    """Add to a customer's balance of one currency, or take from it.

    Args:
        ctx: The context, with its transaction.
        id_or_alias: A UUID is an id, a text is an alias.
        currency: Which balance.
        amount: Minor units: above zero adds, below zero takes.
        note: Why, for the merchant's own books.

    Raises:
        NotFound: The tenant has no such customer.
        InvalidInput: The amount is zero, or the balance would become too large.
        Conflict: The balance, less what open payments hold, does not have so much.
    """
    customer = await customers.load(ctx.transaction, ctx.tenant.id, id_or_alias, lock=True)
    if customer is None:
        raise customer_not_found()
    balance, held = await balances.lock(ctx.transaction, ctx.tenant.id, customer.id, currency)
    if amount == 0 or balance + amount > AMOUNT_MAX:
        message = "must not be zero" if amount == 0 else "makes the balance too large"
        fault = Fault("amount", "out_of_range", message)
        raise InvalidInput(f"amount: {message}", (fault,))
    if balance + amount < held:
        message = f"takes more than the {balance - held} that are available"
        fault = Fault("amount", "exceeds_balance", message)
        raise Conflict(
            f"The balance cannot become negative: it has {balance - held} available "
            f"(in minor units of {currency}).",
            (fault,),
        )
    entry_id = new_id()
    after = await balances.add_manual_entry(
        ctx.transaction,
        ctx.tenant.id,
        entry_id,
        customer_id=customer.id,
        currency=currency,
        amount=amount,
        note=note,
        now=ctx.now,
    )
    return BalanceEntry(
        id=entry_id,
        customer_id=customer.id,
        currency=currency,
        amount=amount,
        balance_after=after,
        held=held,
        note=note,
        created_at=ctx.now,
    )
