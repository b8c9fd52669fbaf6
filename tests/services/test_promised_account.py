"""The bank account that an offer promises is the one that is paid to, or there is no sale."""

from datetime import timedelta
from uuid import UUID

import pytest

from tallystick.domain.errors import Conflict, Fault
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.offer import BankTransfer
from tallystick.services.confirm_result import Completed, Refused
from tallystick.services.edit_entity import WantedAccount, edit_entity
from tallystick.services.end_session import cancel_session
from tallystick.services.ids import new_id
from tallystick.services.show_checkout import show_checkout
from tests.shops import attempts, sold
from tests.soundness import assert_sound
from tests.world import World

NO_ACCOUNT = Refused((Fault("form", "no_account", "ask the seller for a new link"),))


async def account(world: World, holder: str) -> UUID:
    """One more bank account of the seller, newer than those before."""
    account_id = new_id()
    await world.execute(
        "insert into bank_accounts (tenant_id, id, invoicing_entity_id, holder, iban) "
        "values ($1, $2, $3, $4, 'DE89370400440532013000')",
        world.tenant_id,
        account_id,
        world.entity_id,
        holder,
    )
    return account_id


async def keep(world: World, *account_ids: UUID) -> None:
    """Let the seller have these accounts and no others."""
    wanted = [
        WantedAccount(
            id=one,
            holder="Kept",
            iban=None,
            bic=None,
            bank_name=None,
            account_number="7",
            currency=None,
        )
        for one in account_ids
    ]
    async with world.app.transaction() as tx:
        await edit_entity(world.ctx.within(tx), world.entity_id, lambda entity: entity, wanted)


async def holder_shown(
    world: World, session: UUID, paid_with: UUID | None = None
) -> str | None:
    """Whose account the page shows."""
    view = await show_checkout(world.ctx, session, paid_with=paid_with)
    shown = view.seller.bank_account
    return None if shown is None else shown.holder


async def confirmed(world: World, session: UUID, shown: str | None = None) -> object:
    """Order by bank transfer."""
    return await world.confirm(session, shown=shown, chooses=False, agrees=False)


async def test_an_account_stays_while_a_checkout_promises_it(world: World) -> None:
    """Removing it is refused by name; it can go once the checkout has ended."""
    promised, other = await account(world, "Promised"), await account(world, "Other")
    session = await world.session(
        await world.customer(), await world.plan(), payment=BankTransfer(account_id=promised)
    )

    with pytest.raises(Conflict) as refused:
        await keep(world, other)

    assert encode(Prefix.BANK_ACCOUNT, promised) in refused.value.message
    assert encode(Prefix.CHECKOUT_SESSION, session) in refused.value.message
    assert refused.value.faults[0].field == "bank_accounts"
    assert await holder_shown(world, session) == "Promised"
    await cancel_session(world.ctx, session)
    await keep(world, other)
    assert [row["id"] for row in await world.fetch("select id from bank_accounts")] == [other]


async def test_an_expired_checkout_keeps_no_account(world: World) -> None:
    """From its expiry on the promise is over, whatever the worker did."""
    promised = await account(world, "Promised")
    await world.session(
        await world.customer(),
        await world.plan(),
        payment=BankTransfer(account_id=promised),
        expires_in_hours=1,
    )

    await keep(world.at(world.ctx.now + timedelta(hours=1)))

    assert await world.fetch("select id from bank_accounts") == []


@pytest.mark.parametrize("is_named", [True, False])
async def test_nothing_is_sold_with_no_account_to_pay_to(world: World, is_named: bool) -> None:
    """A named account that is gone is replaced by no other; without any there is no sale."""
    promised = await account(world, "Promised")
    if is_named:
        await account(world, "Other")
    payment = BankTransfer(account_id=promised if is_named else None)
    session = await world.session(await world.customer(), await world.plan(), payment=payment)
    shown = await world.shown(session)
    assert await holder_shown(world, session) == "Promised"
    await world.execute("delete from bank_accounts where id = $1", promised)

    assert await holder_shown(world, session) is None
    assert await confirmed(world, session, shown) == NO_ACCOUNT

    assert await sold(world) == (0, 0, 0)
    await account(world, "Another")
    assert await holder_shown(world, session) == (None if is_named else "Another")
    await assert_sound(world)


async def test_a_receipt_shows_the_account_of_the_order(world: World) -> None:
    """What was ordered is paid to the account that was shown, though it was removed since."""
    promised = await account(world, "Promised")
    session = await world.session(
        await world.customer(), await world.plan(), payment=BankTransfer(account_id=promised)
    )
    assert await confirmed(world, session) == Completed()
    (attempt,) = await attempts(world)

    await keep(world, await account(world, "Other"))

    assert await holder_shown(world, session, attempt["id"]) == "Promised"
