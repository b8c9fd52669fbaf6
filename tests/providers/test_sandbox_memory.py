"""One charge whatever happens at once, one answer per key, and nothing secret is stored."""

import asyncio
import random
from dataclasses import replace

import pytest

from tallystick.db.engine import Database, DatabaseUnavailable
from tallystick.domain.payment import (
    AlreadySucceeded,
    Cancelled,
    Declined,
    FailureReason,
    MethodKind,
    RefundRefused,
    Succeeded,
    Unconfirmed,
    Unknown,
)
from tallystick.providers.sandbox_calls import BankMisused, KeyReused, NoSuchIntent
from tallystick.providers.sandbox_numbers import ACCOUNTS, CARDS
from tallystick.services.ids import new_id
from tests.providers.contract import Case, an_order, order_for
from tests.providers.sandbox_bank import SandboxBank, card, debit


async def test_fifty_confirmations_take_the_money_once(bank: SandboxBank) -> None:
    """Of fifty that ask at the same time each hears that the money was taken, once."""
    order = await an_order(bank, Case.GOOD_CARD)
    reference = await bank.sandbox.open(order)

    outcomes = await asyncio.gather(
        *(bank.sandbox.confirm(order, reference) for _ in range(50))
    )

    assert outcomes == [Succeeded()] * 50
    assert await bank.moved(order.tenant_id) == [5412]


@pytest.mark.parametrize("seed", range(5))
async def test_a_cancellation_and_a_payment_cannot_both_be(
    bank: SandboxBank, seed: int
) -> None:
    """Of confirmations and cancellations at the same time, all tell of one truth."""
    order = await an_order(bank, Case.GOOD_CARD)
    reference = await bank.sandbox.open(order)
    calls = [bank.sandbox.confirm(order, reference) for _ in range(5)]
    endings = [bank.sandbox.cancel(order, reference) for _ in range(5)]
    mixed = [*calls, *endings]
    random.Random(seed).shuffle(mixed)

    outcomes = set(await asyncio.gather(*mixed))

    if await bank.moved(order.tenant_id):
        assert outcomes == {Succeeded(), AlreadySucceeded()}
    else:
        assert outcomes == {Declined(FailureReason.INTERRUPTED), Cancelled()}


async def test_twenty_answers_to_a_challenge_take_the_money_once(bank: SandboxBank) -> None:
    """Whichever of approval and refusal came first, the others change nothing."""
    order = await an_order(bank, Case.CHALLENGED_CARD)
    reference = await bank.sandbox.open(order)
    await bank.sandbox.confirm(order, reference)

    standings = await asyncio.gather(
        *(
            bank.sandbox.answer_challenge(order.tenant_id, reference, approve=n % 2 == 0)
            for n in range(20)
        )
    )

    assert len(set(standings)) == 1
    assert await bank.moved(order.tenant_id) == ([5412] if standings[0] == Succeeded() else [])


async def test_ten_sweepers_settle_a_debit_once(bank: SandboxBank) -> None:
    """Listing and looking at the same time takes the money of a debit once."""
    order = await an_order(bank, Case.GOOD_DEBIT)
    reference = await bank.sandbox.open(order)
    await bank.sandbox.confirm(order, reference)
    await bank.let_time_pass(order.tenant_id, reference)

    await asyncio.gather(
        *(bank.sandbox.debits_to_settle() for _ in range(10)),
        *(bank.sandbox.look(order.tenant_id, reference) for _ in range(10)),
    )

    assert await bank.moved(order.tenant_id) == [5412]


async def test_concurrent_refunds_never_exceed_the_charge(bank: SandboxBank) -> None:
    """Of ten refunds of a third of the money under ten keys, three are given."""
    order = await an_order(bank, Case.GOOD_CARD, amount=3000)
    reference = await bank.sandbox.open(order)
    await bank.sandbox.confirm(order, reference)

    await asyncio.gather(
        *(
            bank.sandbox.refund(order.tenant_id, reference, 1000, f"refund {n}")
            for n in range(10)
        )
    )

    assert await bank.moved(order.tenant_id) == [3000, -1000, -1000, -1000]


async def test_a_delayed_duplicate_hears_the_first_answer(bank: SandboxBank) -> None:
    """A repeated confirmation is not a question about now: `look` is."""
    order = await an_order(bank, Case.CHALLENGED_CARD)
    reference = await bank.sandbox.open(order)
    challenge = await bank.sandbox.confirm(order, reference)
    await bank.sandbox.answer_challenge(order.tenant_id, reference, approve=True)

    assert await bank.sandbox.confirm(order, reference) == challenge
    assert await bank.sandbox.look(order.tenant_id, reference) == Succeeded()


async def test_a_refused_refund_stays_refused_under_its_key(bank: SandboxBank) -> None:
    """A refund asked for before the money came is refused, also when it is repeated later."""
    order = await an_order(bank, Case.GOOD_DEBIT)
    reference = await bank.sandbox.open(order)
    await bank.sandbox.confirm(order, reference)
    first = await bank.sandbox.refund(order.tenant_id, reference, 5412, "refund")
    await bank.let_time_pass(order.tenant_id, reference)

    assert isinstance(first, RefundRefused)
    assert await bank.sandbox.refund(order.tenant_id, reference, 5412, "refund") == first
    assert await bank.moved(order.tenant_id) in ([], [5412])


async def test_a_key_does_not_open_another_order(bank: SandboxBank) -> None:
    """The same key with another amount is an error, not the first order's intent."""
    order = await an_order(bank, Case.GOOD_CARD)
    await bank.sandbox.open(order)

    with pytest.raises(KeyReused):
        await bank.sandbox.open(replace(order, amount=5413))


async def test_a_key_does_not_confirm_another_intent(bank: SandboxBank) -> None:
    """The same key for another reference is an error, and nothing is taken for it."""
    order = await an_order(bank, Case.GOOD_CARD)
    other = replace(order, attempt_id=new_id())
    first, second = await bank.sandbox.open(order), await bank.sandbox.open(other)
    await bank.sandbox.confirm(order, first)

    with pytest.raises(KeyReused):
        await bank.sandbox.confirm(order, second)

    assert await bank.sandbox.look(order.tenant_id, second) == Unconfirmed()
    assert await bank.moved(order.tenant_id) == [5412]


async def test_a_refund_key_means_one_amount(bank: SandboxBank) -> None:
    """The same refund key with another amount is an error, and gives nothing back."""
    order = await an_order(bank, Case.GOOD_CARD)
    reference = await bank.sandbox.open(order)
    await bank.sandbox.confirm(order, reference)
    await bank.sandbox.refund(order.tenant_id, reference, 100, "refund")

    with pytest.raises(KeyReused):
        await bank.sandbox.refund(order.tenant_id, reference, 200, "refund")

    assert await bank.moved(order.tenant_id) == [5412, -100]


async def test_where_the_buyer_returns_to_may_change(bank: SandboxBank) -> None:
    """An order opened again after the pages have moved is the same order."""
    order = await an_order(bank, Case.GOOD_CARD)

    reference = await bank.sandbox.open(order)

    assert (
        await bank.sandbox.open(replace(order, return_url="https://new.example.com"))
        == reference
    )


async def test_another_tenant_finds_nothing(bank: SandboxBank) -> None:
    """References and tokens mean nothing outside their tenant."""
    order = await an_order(bank, Case.GOOD_CARD)
    reference = await bank.sandbox.open(order)
    foreign = replace(order, tenant_id=new_id())

    with pytest.raises(NoSuchIntent):
        await bank.sandbox.look(foreign.tenant_id, reference)
    with pytest.raises(NoSuchIntent):
        await bank.sandbox.confirm(foreign, reference)
    with pytest.raises(BankMisused):
        await bank.sandbox.open(foreign)


async def test_a_saved_method_charges_its_customer_only(bank: SandboxBank) -> None:
    """A method saved for one customer cannot be used in another one's order."""
    order = await an_order(bank, Case.GOOD_CARD, save=True)
    await bank.sandbox.confirm(order, await bank.sandbox.open(order))

    with pytest.raises(BankMisused):
        await bank.sandbox.open(order_for(order.tenant_id, order.method))

    assert await bank.moved(order.tenant_id) == [5412]


async def test_references_cannot_be_guessed(bank: SandboxBank) -> None:
    """A reference carries 192 random bits."""
    order = await an_order(bank, Case.GOOD_CARD)

    reference = await bank.sandbox.open(order)

    assert len(reference.removeprefix("sbx_pay_")) == 32


async def test_no_number_is_stored_anywhere(bank: SandboxBank) -> None:
    """After every number was used, no column of any table holds one in full."""
    typed = [(MethodKind.CARD, card(number)) for number in CARDS]
    typed += [(MethodKind.DIRECT_DEBIT, debit(iban)) for iban in ACCOUNTS]
    for kind, fields in typed:
        tenant_id = new_id()
        method = await bank.sandbox.collect(tenant_id, new_id(), kind, fields)
        order = order_for(tenant_id, method, save=True)
        await bank.sandbox.confirm(order, await bank.sandbox.open(order))

    async with bank.db.connection() as connection:
        tables = await connection.fetch(
            """
            select format('%I.%I', table_schema, table_name) as name
            from information_schema.tables
            where table_type = 'BASE TABLE'
              and table_schema not in ('pg_catalog', 'information_schema')
            """
        )
        rows = [
            await connection.fetchval(f"select string_agg(t::text, ' ') from {table['name']} t")
            for table in tables
        ]
    stored = " ".join(text for text in rows if text)

    assert "sandbox.methods" in {table["name"] for table in tables}
    assert "Jane Roe" not in stored
    assert [number for number in (*CARDS, *ACCOUNTS) if number[4:] in stored] == []


async def test_a_bank_that_cannot_be_reached_gives_no_answer(database_dsn: str) -> None:
    """Without its database the sandbox says nothing that it does not know."""
    db = await Database.open(database_dsn)
    bank = SandboxBank(db)
    order = await an_order(bank, Case.GOOD_CARD)
    reference = await bank.sandbox.open(order)
    await db.close()

    assert await bank.sandbox.confirm(order, reference) == Unknown()
    assert await bank.sandbox.cancel(order, reference) == Unknown()
    assert await bank.sandbox.look(order.tenant_id, reference) == Unknown()
    assert await bank.sandbox.refund(order.tenant_id, reference, 1, "key") == Unknown()
    with pytest.raises(DatabaseUnavailable):
        await bank.sandbox.open(order)
