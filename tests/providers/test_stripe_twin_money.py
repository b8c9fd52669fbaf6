"""Amounts, refunds and reversals of Stripe's adapter, with the ledger of the twin."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tallystick.domain.payment import (
    Declined,
    FailureReason,
    Refunded,
    RefundRefused,
    Unknown,
)
from tallystick.domain.reversal import ReversalKind
from tallystick.providers.stripe_refunds import KEY
from tallystick.services.ids import new_id
from tests.providers.contract import opened
from tests.providers.stripe_banks import TwinBank, order_by, paid
from tests.stripe import twin as at
from tests.stripe.money import LEAST, give_back
from tests.stripe.script import Failing, Late


@pytest.fixture
def bank(twin_bank: TwinBank) -> TwinBank:
    """Stripe's adapter, and a merchant of its own at the twin."""
    return twin_bank


async def test_the_least_amounts_are_stripes(bank: TwinBank) -> None:
    """In every currency of Stripe's table: as much can be opened, one unit less cannot."""
    order = await order_by(bank, "pm_card_visa")

    async def is_opened(amount: int, currency: str) -> bool:
        one = replace(order, attempt_id=new_id(), amount=amount, currency=currency)
        return isinstance(await bank.stripe.open(one), str)

    for name, least in LEAST.items():
        currency = name.upper()
        assert bank.stripe.chargeable(least, currency), currency
        assert not bank.stripe.chargeable(least - 1, currency), currency
        assert await is_opened(least, currency), currency
        assert not await is_opened(least - 1, currency), currency


@pytest.mark.parametrize(
    ("currency", "amount", "at_stripe"),
    [("JPY", 500, 500), ("KWD", 5120, 5120), ("ISK", 700, 70000), ("UGX", 5000, 500000),
     ("MGA", 500000, 5000), ("HUF", 20000, 20000)],
)  # fmt: skip
async def test_amounts_as_stripe_counts_them(
    bank: TwinBank, currency: str, amount: int, at_stripe: int
) -> None:
    """ISK 700 is 70000 at Stripe, and MGA 5000.00 is 5000."""
    reference = await paid(
        bank, await order_by(bank, "pm_card_visa", amount=amount, currency=currency)
    )
    assert bank.merchant.moved(reference) == [at_stripe]


@pytest.mark.parametrize(("currency", "amount"), [("KWD", 5124), ("MGA", 500050)])
async def test_what_stripe_cannot_count_is_not_charged(
    bank: TwinBank, currency: str, amount: int
) -> None:
    """KWD 5.124 is declined before anything is opened: it is never rounded."""
    order = await order_by(bank, "pm_card_visa", amount=amount, currency=currency)

    assert await bank.stripe.open(order) == Declined(FailureReason.PROCESSING_ERROR)
    assert bank.merchant.objects["payment_intent"] == {}


@pytest.mark.parametrize("done", [False, True])
async def test_a_refund_that_stripe_fails_is_asked_for_again(
    bank: TwinBank, *, done: bool
) -> None:
    """A fault that Stripe keeps under the key delays no whole refund, and doubles none."""
    order = await order_by(bank, "pm_card_visa")
    reference = await paid(bank, order)
    bank.merchant.script("refunds.create", Failing(500, done=done))
    asked = (order.tenant_id, reference, 5412, "key")

    answers = [await bank.stripe.refund(*asked) for _ in range(3)]

    assert answers[0] == Unknown()
    assert answers[-1] == Refunded()
    assert bank.merchant.moved(reference) == [5412, -5412]


async def test_another_wording_under_a_key_opens_another_intent(bank: TwinBank) -> None:
    """And no more than one of them is ever confirmed."""
    order = await order_by(bank, "pm_card_visa")
    first = await opened(bank.stripe, order)
    second = await opened(bank.stripe, replace(order, amount=5413))

    assert first != second
    await bank.stripe.confirm(order, second)
    assert await bank.stripe.confirm(order, first) in {
        Unknown(),
        Declined(FailureReason.PROCESSING_ERROR),
    }
    assert bank.merchant.moved() == [5413]


async def test_a_refund_key_means_one_amount(bank: TwinBank) -> None:
    """The same key with another amount gives nothing back, and does not say that it did."""
    order = await order_by(bank, "pm_card_visa")
    reference = await paid(bank, order)
    assert await bank.stripe.refund(order.tenant_id, reference, 100, "key") == Refunded()

    again = await bank.stripe.refund(order.tenant_id, reference, 200, "key")

    assert isinstance(again, RefundRefused)
    assert bank.merchant.moved() == [5412, -100]


async def test_a_refund_is_given_once_although_stripe_has_forgotten_its_key(
    bank: TwinBank,
) -> None:
    """Keys live a day; after that the refund is found by what it carries."""
    order = await order_by(bank, "pm_card_visa")
    reference = await paid(bank, order)
    await bank.stripe.refund(order.tenant_id, reference, 100, "key")
    bank.merchant.kept.clear()

    assert await bank.stripe.refund(order.tenant_id, reference, 100, "key") == Refunded()
    assert bank.merchant.moved() == [5412, -100]


async def test_a_refund_that_comes_back_was_refused(bank: TwinBank) -> None:
    """The customer's bank sends it back: asked again under its key, it says so."""
    order = await order_by(bank, "pm_card_visa")
    reference = await paid(bank, order)
    await bank.stripe.refund(order.tenant_id, reference, 100, "key")
    (refund,) = bank.merchant.objects["refund"].values()

    at.fail_refund(bank.merchant, refund["id"])

    told = await bank.stripe.refund(order.tenant_id, reference, 100, "key")
    assert isinstance(told, RefundRefused)
    assert bank.merchant.moved() == [5412, -100, 100]


async def test_a_refund_by_hand_is_reported(bank: TwinBank) -> None:
    """One made in the dashboard is a reversal; one of ours is none."""
    order = await order_by(bank, "pm_card_visa")
    reference = await paid(bank, order)
    await bank.stripe.refund(order.tenant_id, reference, 100, "key")
    by_hand = at.refund_by_hand(bank.merchant, reference, 700)

    ((tenant_id, one),) = await bank.stripe.reversals_to_record()
    assert (tenant_id, one.id, one.amount) == (order.tenant_id, by_hand, 700)
    assert one.kind is ReversalKind.REFUND
    assert await bank.stripe.reversals_of(order.tenant_id, reference) == [one]

    at.fail_refund(bank.merchant, by_hand)
    (one,) = await bank.stripe.reversals_of(order.tenant_id, reference)
    assert one.returned == 700


@pytest.mark.parametrize(
    ("reason", "won", "kind", "returned"),
    [
        ("fraudulent", True, ReversalKind.DISPUTE, 5412),
        ("fraudulent", False, ReversalKind.CHARGEBACK, 0),
        ("debit_not_authorized", False, ReversalKind.DEBTOR_RECALL, 0),
        ("insufficient_funds", False, ReversalKind.INSUFFICIENT_FUNDS, 0),
    ],
)
async def test_a_dispute_is_decided(
    bank: TwinBank, reason: str, won: bool, kind: ReversalKind, returned: int
) -> None:
    """Won, the money is back; lost, it is a chargeback, or what the debit's bank calls it."""
    order = await order_by(bank, "pm_card_visa")
    reference = await paid(bank, order)
    opened_dispute = at.dispute(bank.merchant, reference, reason=reason)
    at.decide_dispute(bank.merchant, opened_dispute, won=won)

    (one,) = await bank.stripe.reversals_of(order.tenant_id, reference)

    assert (one.id, one.kind, one.amount) == (opened_dispute, kind, 5412)
    assert one.returned == returned
    assert sum(bank.merchant.moved()) == returned


async def test_many_disputes_are_told_without_asking_for_each_payment(bank: TwinBank) -> None:
    """120 disputes and a refund by hand take three calls, and the oldest is told."""
    order = await order_by(bank, "pm_card_visa")
    reference = await paid(bank, order)
    at.refund_by_hand(bank.merchant, reference, 700)
    disputes = {at.dispute(bank.merchant, reference) for _ in range(120)}
    before = len(bank.merchant.calls)

    told = await bank.stripe.reversals_to_record()

    assert disputes < {one.id for _, one in told}
    assert len(told) == 121
    assert [call.name for call in bank.merchant.calls[before:]] == [
        "disputes.list",
        "disputes.list",
        "refunds.list",
    ]


async def test_a_refund_is_found_among_many(bank: TwinBank) -> None:
    """Stripe has forgotten the key, and 120 refunds by hand came after: none is given twice."""
    order = await order_by(bank, "pm_card_visa")
    reference = await paid(bank, order)
    await bank.stripe.refund(order.tenant_id, reference, 100, "key")
    for _ in range(120):
        at.refund_by_hand(bank.merchant, reference, 1)
    bank.merchant.kept.clear()

    assert await bank.stripe.refund(order.tenant_id, reference, 100, "key") == Refunded()
    assert sum(bank.merchant.moved()) == 5412 - 100 - 120
    told = await bank.stripe.reversals_of(order.tenant_id, reference)
    assert len(told) == 120


@pytest.mark.parametrize("is_done", [True, False])
async def test_a_whole_refund_is_given_once_whatever_fault_is_kept(
    bank: TwinBank, *, is_done: bool
) -> None:
    """Stripe repeats its fault for a day; the payer has the money at the second try, once."""
    order = await order_by(bank, "pm_card_visa")
    reference = await paid(bank, order)
    bank.merchant.script("refunds.create", Failing(500, done=is_done))

    assert await bank.stripe.refund(order.tenant_id, reference, 5412, "key") == Unknown()
    assert await bank.stripe.refund(order.tenant_id, reference, 5412, "key") == Refunded()
    assert await bank.stripe.refund(order.tenant_id, reference, 5412, "key") == Refunded()
    assert bank.merchant.moved() == [5412, -5412]


@pytest.mark.parametrize("is_done", [True, False])
async def test_a_small_refund_is_given_once_whatever_fault_is_kept(
    bank: TwinBank, *, is_done: bool
) -> None:
    """A tenth of the payment, and Stripe repeats its fault for a day: given at the second try,
    once, however many ask at the same time and whatever comes late under the first key.
    """
    order = await order_by(bank, "pm_card_visa")
    reference = await paid(bank, order)
    asked = (order.tenant_id, reference, 541, "key")
    bank.merchant.script("refunds.create", Late(), Failing(500, done=is_done))

    for _ in range(2):
        assert await bank.stripe.refund(*asked) == Unknown()
    told = await asyncio.gather(*(bank.stripe.refund(*asked) for _ in range(5)))
    bank.twin.arrive_late(bank.merchant)

    assert Refunded() in told
    assert set(told) <= {Refunded(), Unknown()}
    assert await bank.stripe.refund(*asked) == Refunded()
    assert bank.merchant.moved() == [5412, -541]


async def test_fault_after_fault(bank: TwinBank) -> None:
    """Three keys are tried in a day; when they are forgotten, it is given."""
    order = await order_by(bank, "pm_card_visa")
    reference = await paid(bank, order)
    asked = (order.tenant_id, reference, 100, "key")
    bank.merchant.script("refunds.create", *(Failing(500) for _ in range(6)))
    for _ in range(6):
        assert await bank.stripe.refund(*asked) == Unknown()
    assert bank.merchant.moved() == [5412]

    bank.merchant.kept.clear()

    assert await bank.stripe.refund(*asked) == Refunded()
    assert bank.merchant.moved() == [5412, -100]


async def test_a_refund_that_stripe_makes_after_all_is_reported(bank: TwinBank) -> None:
    """Days after its fault, when the next key has given it: the second is a reversal."""
    order = await order_by(bank, "pm_card_visa")
    reference = await paid(bank, order)
    asked = (order.tenant_id, reference, 541, "key")
    bank.merchant.script("refunds.create", Failing(500))
    assert await bank.stripe.refund(*asked) == Unknown()
    assert await bank.stripe.refund(*asked) == Refunded()

    with bank.merchant.lock:
        charge = next(iter(bank.merchant.objects["charge"].values()))
        mended = give_back(bank.merchant, charge, 541, {"metadata": {KEY: "key"}})

    (one,) = await bank.stripe.reversals_of(order.tenant_id, reference)
    assert (one.id, one.amount, one.returned) == (mended["id"], 541, 0)
    assert one.kind is ReversalKind.REFUND
    assert await bank.stripe.reversals_to_record() == [(order.tenant_id, one)]
    assert await bank.stripe.refund(*asked) == Refunded()
    assert bank.merchant.moved() == [5412, -541, -541]


async def test_a_dispute_of_more_than_the_payment(bank: TwinBank) -> None:
    """EUR 60.00 of 54.12 are told as they are."""
    order = await order_by(bank, "pm_card_visa")
    reference = await paid(bank, order)
    at.dispute(bank.merchant, reference, 6000)

    (one,) = await bank.stripe.reversals_of(order.tenant_id, reference)

    assert (one.amount, one.returned) == (6000, 0)
    assert sum(bank.merchant.moved()) == 5412 - 6000


async def test_a_dispute_in_the_currency_of_the_card(bank: TwinBank) -> None:
    """USD 61.00, for which EUR 56.03 leave the account: these are told, and come back."""
    order = await order_by(bank, "pm_card_visa")
    reference = await paid(bank, order)
    dispute = at.dispute(bank.merchant, reference, 5603, said=(6100, "usd"))
    (one,) = await bank.stripe.reversals_of(order.tenant_id, reference)
    assert (one.amount, one.returned) == (5603, 0)

    at.decide_dispute(bank.merchant, dispute, won=True)

    (one,) = await bank.stripe.reversals_of(order.tenant_id, reference)
    assert (one.amount, one.returned) == (5603, 5603)


@pytest.mark.parametrize(
    ("moved", "told"),
    [
        ([], []),
        ([(-4801, "gbp")], [(5412, 0)]),
        ([(-4801, "gbp"), (4801, "gbp")], [(5412, 5412)]),
    ],
)
async def test_a_dispute_in_two_other_currencies(
    bank: TwinBank, moved: list[tuple[int, str]], told: list[tuple[int, int]]
) -> None:
    """USD of a payment in EUR, out of an account in GBP: nobody can say, so it is all of it;
    nothing before money has moved.
    """
    order = await order_by(bank, "pm_card_visa")
    reference = await paid(bank, order)
    dispute = at.dispute(bank.merchant, reference, 5603, said=(6100, "usd"))
    bank.merchant.objects["dispute"][dispute]["balance_transactions"] = [
        {"object": "balance_transaction", "amount": amount, "currency": currency}
        for amount, currency in moved
    ]

    found = await bank.stripe.reversals_of(order.tenant_id, reference)

    assert [(one.amount, one.returned) for one in found] == told


async def test_a_dispute_that_is_won_in_part(bank: TwinBank) -> None:
    """Stripe calls it lost: of EUR 54.12 the 10.00 that had been refunded come back."""
    order = await order_by(bank, "pm_card_visa")
    reference = await paid(bank, order)
    dispute = at.dispute(bank.merchant, reference)
    at.decide_dispute(bank.merchant, dispute, won=False, part=1000)

    (one,) = await bank.stripe.reversals_of(order.tenant_id, reference)

    assert (one.kind, one.amount, one.returned) == (ReversalKind.CHARGEBACK, 5412, 1000)
    assert bank.merchant.moved() == [5412, -5412, 1000]


@pytest.mark.parametrize(
    "later", [{"status": "lost"}, {"amount": 6000, "balance_transactions": []}]
)
async def test_an_acknowledged_dispute_changes(bank: TwinBank, later: dict[str, Any]) -> None:
    """It is lost, or takes more, and nothing came back: it is told until that is known."""
    order = await order_by(bank, "pm_card_visa")
    reference = await paid(bank, order)
    dispute = at.dispute(bank.merchant, reference)
    ((tenant_id, one),) = await bank.stripe.reversals_to_record()
    await bank.stripe.acknowledge_reversal(tenant_id, one)
    assert await bank.stripe.reversals_to_record() == []

    with bank.merchant.lock:
        bank.merchant.objects["dispute"][dispute].update(later)

    ((_, again),) = await bank.stripe.reversals_to_record()
    assert again != one
    await bank.stripe.acknowledge_reversal(tenant_id, again)
    assert await bank.stripe.reversals_to_record() == []
