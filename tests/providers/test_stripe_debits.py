"""Debits of other schemes than SEPA through Stripe: Bacs and BECS; and what is left out."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tallystick.domain.debit_scheme import DebitScheme
from tallystick.domain.payment import Declined, FailureReason, PaymentOrder, Pending, Succeeded
from tallystick.providers.panel_modules import panel_modules
from tallystick.providers.stripe import Stripe
from tallystick.providers.stripe_account import examine
from tallystick.providers.stripe_debits import DEBIT_OF_CURRENCY
from tallystick.services.ids import new_id
from tests.providers.contract import (
    Case,
    ProviderContract,
    a_setup,
    an_order,
    opened,
    opened_setup,
)
from tests.providers.contract_money import MoneyContract
from tests.providers.stripe_banks import BacsBank, BecsBank, TwinBank
from tests.providers.test_stripe_account import keys_of
from tests.stripe import twin as at
from tests.stripe.account import Account
from tests.stripe.script import Failing
from tests.stripe.twin import Twin

DEBITS = ("test_a_debit", "test_an_account", "test_a_decided_debit")
"""How the contract's claims about debits begin: the others do not know what the debit is."""


@pytest.fixture(params=[BacsBank, BecsBank])
async def bank(
    request: pytest.FixtureRequest, twin: Twin, merchant: Account
) -> AsyncIterator[TwinBank]:
    """The adapter, and a merchant at the twin who takes debits of one scheme."""
    bank: TwinBank = request.param(twin, merchant)
    yield bank
    await bank.stripe.close()


class TestDebitsKeepTheContract:
    """What the contract says of debits holds in each scheme."""


for _contract in (ProviderContract, MoneyContract):
    for _name, _test in vars(_contract).items():
        if _name.startswith(DEBITS):
            setattr(TestDebitsKeepTheContract, _name, _test)


async def later(bank: TwinBank, order: PaymentOrder) -> PaymentOrder:
    """The order of a charge while nobody is at a page, with the account of this one set up."""
    setup = a_setup(order)
    reference = await opened_setup(bank.stripe, setup)
    assert await bank.stripe.confirm(setup, reference) == Succeeded()
    return replace(order, attempt_id=new_id(), off_session=True, acceptance=None)


async def accepted(bank: TwinBank, order: PaymentOrder) -> str:
    """The reference of a debit that is on its way."""
    reference = await opened(bank.stripe, order)
    assert await bank.stripe.confirm(order, reference) == Pending()
    return reference


async def test_what_the_contract_says_of_debits_is_shown() -> None:
    """None of its claims has another name by now."""
    shown = [name for name in vars(TestDebitsKeepTheContract) if name.startswith("test_")]
    assert len(shown) == 5


async def test_an_account_that_was_set_up_is_debited_off_session(bank: TwinBank) -> None:
    """The mandate of the setup, which says who agreed, covers what comes later."""
    order = await later(bank, await an_order(bank, Case.GOOD_DEBIT))
    assert bank.merchant.moved() == []

    at.settle(bank.merchant, await accepted(bank, order))

    assert bank.merchant.moved() == [5412]
    (mandate,) = bank.merchant.objects["mandate"].values()
    assert mandate["type"] == "multi_use"
    assert mandate["customer_acceptance"]["online"]["ip_address"] == "203.0.113.5"


async def test_a_mandate_that_has_ended_is_debited_no_more(bank: TwinBank) -> None:
    """The payer's bank says that nobody may debit: the next try has failed at once."""
    order = await later(bank, await an_order(bank, Case.GOOD_DEBIT))
    reference = await accepted(bank, order)
    at.bounce(bank.merchant, reference, "debit_not_authorized")
    failed = Declined(FailureReason.DEBIT_FAILED)
    assert await bank.stripe.look(order.tenant_id, reference) == failed

    again = replace(order, attempt_id=new_id())
    reference = await opened(bank.stripe, again)

    assert await bank.stripe.confirm(again, reference) == failed
    assert bank.merchant.moved() == []


async def test_a_debit_is_taken_back_weeks_later(bank: TwinBank) -> None:
    """The payer asks the bank for the money, and gets it: a dispute, as with cards."""
    order = await an_order(bank, Case.GOOD_DEBIT)
    reference = await accepted(bank, order)
    at.settle(bank.merchant, reference)

    at.dispute(bank.merchant, reference, reason="debit_not_authorized")

    (told,) = await bank.stripe.reversals_of(order.tenant_id, reference)
    assert told.amount == 5412


async def test_an_account_of_another_scheme_is_declined(bank: TwinBank) -> None:
    """Nobody debits pounds from an account that holds dollars: nothing is opened."""
    order = replace(await an_order(bank, Case.GOOD_DEBIT), currency="EUR")

    assert await bank.stripe.open(order) == Declined(FailureReason.PROCESSING_ERROR)
    assert bank.merchant.objects["payment_intent"] == {}


def test_the_page_draws_the_debits_that_the_adapter_collects() -> None:
    """The script has the same list, by currency."""
    module = panel_modules()["stripe"].decode()
    listed = ", ".join(f'{currency}: "{kind}"' for currency, kind in DEBIT_OF_CURRENCY.items())
    assert f"DEBITS = {{ {listed} }}" in module


def test_a_panel_names_an_agent_for_each_debit_that_the_account_takes(
    merchant: Account,
) -> None:
    """And for no other; Australia's scheme wants the agent's full name and number."""
    panel = Stripe(keys_of(merchant), debits=(DebitScheme.BECS,)).panel()

    assert panel.debits == {DebitScheme.BECS}
    agent = panel.debit_agents[DebitScheme.BECS]
    assert (agent.name, agent.legal_name[:34]) == (
        "Stripe",
        "Stripe Payments Australia Pty Ltd ",
    )


@pytest.mark.parametrize("sees_configuration", [True, False])
async def test_an_account_says_which_debits_it_takes(
    twin: Twin, merchant: Account, *, sees_configuration: bool
) -> None:
    """By its page of payment methods, else by what it is able to; the rest is said why not."""
    merchant.types = ("card", "sepa_debit", "bacs_debit", "au_becs_debit", "us_bank_account")
    merchant.capabilities["us_bank_account_ach_payments"] = "active"
    merchant.capabilities["sepa_debit_payments"] = "pending"
    if not sees_configuration:
        merchant.script("payment_method_configurations.list", Failing(403))

    facts = await examine(keys_of(merchant), twin.api_base)

    assert facts.debits == (DebitScheme.BACS, DebitScheme.BECS)
    assert facts.missing == ()
    (sentence,) = facts.left_out
    assert sentence.startswith("ACH debits (US dollars) are switched on at Stripe and are not")


async def test_both_keys_are_of_one_account(twin: Twin, merchant: Account) -> None:
    """The publishable key reads what the secret one has made, and nothing is left of it."""
    facts = await examine(keys_of(merchant), twin.api_base)

    assert facts.missing == ()
    (probe,) = merchant.objects["setup_intent"].values()
    assert (probe["status"], probe["customer"]) == ("canceled", None)


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("another's", "The publishable key is of another account than the secret key."),
        ("nobody's", "Stripe does not know the publishable key."),
    ],
)
async def test_a_publishable_key_of_another_account_is_told(
    twin: Twin, merchant: Account, key: str, sentence: str
) -> None:
    """Else buyers would fill in fields whose tokens nobody here can charge."""
    told = twin.merchant().publishable_key if key == "another's" else "pk_test_nobody"
    wrong = replace(keys_of(merchant), publishable_key=told)

    assert (await examine(wrong, twin.api_base)).missing == (sentence,)
    (probe,) = merchant.objects["setup_intent"].values()
    assert probe["status"] == "canceled"


async def test_a_key_that_may_not_write_is_told(twin: Twin, merchant: Account) -> None:
    """A restricted key that only sees is found out before a buyer waits."""
    merchant.script("setup_intents.create", Failing(403))

    (sentence,) = (await examine(keys_of(merchant), twin.api_base)).missing
    assert sentence.startswith("The secret key may not write SetupIntents")
