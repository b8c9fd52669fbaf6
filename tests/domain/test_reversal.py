"""Money that a provider takes back: what each report changes, in any order, however often."""

from dataclasses import replace
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.domain.errors import Busy, Conflict
from tallystick.domain.reversal import (
    ReportedReversal,
    Reversal,
    ReversalKind,
    ReversalStep,
    ReversiblePayment,
    take_in,
)

PAYMENT = UUID(int=1)


def paid(
    amount: int = 3500,
    *,
    taken: int = 0,
    due: int = 0,
    way: int = 0,
    spare: int = 0,
    balance: int = 0,
) -> ReversiblePayment:
    """A payment, of which `taken` is with its bank by now; its invoice owes `due`.

    `spare` of it went to the customer's balance, which has `balance`.
    """
    return ReversiblePayment(
        id=PAYMENT,
        amount=amount,
        taken_back=taken,
        amount_due=due,
        under_way=way,
        spare=spare,
        available=balance,
    )


def report(
    amount: int, returned: int = 0, kind: ReversalKind = ReversalKind.DISPUTE
) -> ReportedReversal:
    """What the provider says of its reversal `dp_1`."""
    return ReportedReversal(
        id="dp_1", reference="ch_1", kind=kind, amount=amount, returned=returned
    )


def known_from(reported: ReportedReversal, to_balance: int = 0) -> Reversal:
    """The reversal once a report of it was recorded."""
    return Reversal(
        payment_id=PAYMENT,
        kind=reported.kind,
        amount=reported.amount,
        returned=reported.returned,
        to_balance=to_balance,
    )


def figures(step: ReversalStep) -> tuple[int, int, int]:
    """Due again, not due any more, to the balance."""
    return step.taken, step.given_back, step.to_balance


def test_what_is_taken_is_due_again() -> None:
    """EUR 10 of 35."""
    step = take_in(paid(), None, report(1000))

    assert (figures(step), step.due_again) == ((1000, 0, 0), 1000)


def test_a_redelivered_report_changes_nothing() -> None:
    """The same again, whatever has happened since."""
    for returned in (0, 1000):
        first = report(1000, returned)
        step = take_in(paid(taken=1000 - returned), known_from(first), first)
        assert figures(step) == (0, 0, 0)


def test_what_comes_back_pays_the_invoice() -> None:
    """A dispute that was won."""
    step = take_in(paid(taken=1000, due=1000), known_from(report(1000)), report(1000, 1000))

    assert (figures(step), step.due_again) == ((0, 1000, 0), -1000)


def test_an_older_report_does_not_take_a_second_time() -> None:
    """It was won; the news of its opening comes late."""
    step = take_in(paid(), known_from(report(1000, 1000)), report(1000))

    assert figures(step) == (0, 0, 0)


def test_won_before_anybody_heard_of_it() -> None:
    """Both at once: nothing is due, and nothing goes to the balance."""
    step = take_in(paid(), None, report(1000, 1000))

    assert (figures(step), step.due_again) == ((1000, 1000, 0), 0)


@pytest.mark.parametrize(
    ("due", "given", "spare"), [(3500, 3500, 0), (500, 500, 3000), (0, 0, 3500)]
)
def test_what_the_invoice_does_not_owe_is_the_customers(
    due: int, given: int, spare: int
) -> None:
    """It was paid another way meanwhile, or forgiven, in part or all of it."""
    step = take_in(paid(taken=3500, due=due), known_from(report(3500)), report(3500, 3500))

    assert figures(step) == (0, given, spare)


@pytest.mark.parametrize(
    ("amount", "balance", "from_balance", "due"),
    [
        (2640, 9999, 2640, 0),
        (1000, 9999, 1000, 0),
        (2640, 1000, 1000, 1640),
        (2640, 0, 0, 2640),
        (3500, 9999, 2640, 860),
    ],
)
def test_what_the_balance_had_of_it_is_taken_from_there(
    amount: int, balance: int, from_balance: int, due: int
) -> None:
    """EUR 26.40 of 35.00 came back to spare: no more than that, nor than the balance has."""
    step = take_in(paid(spare=2640, balance=balance), None, report(amount))

    assert (step.from_balance, step.due_again, step.spare) == (from_balance, due, -from_balance)


def test_what_the_balance_gave_and_what_was_due_come_back() -> None:
    """Of EUR 26.40 the balance gave 10.00, and 16.40 were due: each has its part again."""
    first = report(2640)
    step = take_in(
        paid(taken=2640, due=1640, spare=1640), known_from(first), report(2640, 2640)
    )

    assert (figures(step), step.due_again, step.spare) == ((0, 1640, 1000), -1640, 1000)


def test_won_before_anybody_heard_of_it_the_balance_keeps_it() -> None:
    """Taken and given back at once: of a part only what is missing comes from the balance."""
    whole, part = report(2640, 2640), report(2640, 2000)

    assert take_in(paid(spare=2640, balance=2640), None, whole).spare == 0
    step = take_in(paid(spare=2640, balance=2640), None, part)
    assert (step.from_balance, step.to_balance, step.due_again) == (640, 0, 0)


def test_what_exceeds_the_payment_is_lost() -> None:
    """EUR 25.01 of 35.00, of which 10.00 are gone: 25.00 are due again, and a cent is lost."""
    step = take_in(paid(taken=1000, due=1000), None, report(2501))
    assert (step.taken, step.lost, step.due_again) == (2501, 1, 2500)

    step = take_in(paid(taken=1000, due=1000), None, report(2500))
    assert (step.lost, step.due_again) == (0, 2500)
    step = take_in(paid(taken=3500, due=3500), None, report(700))
    assert (step.lost, step.due_again) == (700, 0)


def test_what_was_lost_is_made_good_first() -> None:
    """EUR 40 were taken of 35: of 12 that come back 5 were lost, and 7 are not due any more."""
    first = report(4000)
    step = take_in(paid(taken=4000, due=3500), known_from(first), report(4000, 1200))
    assert (step.made_good, step.given_back, step.due_again) == (500, 700, -700)
    assert (step.more_lost, step.returned) == (-500, 1200)

    step = take_in(paid(taken=4000, due=3500), known_from(first), report(4000, 4000))
    assert (step.made_good, step.given_back, step.due_again) == (500, 3500, -3500)


def test_another_reversal_that_comes_back_makes_it_good() -> None:
    """A refund of 10 and a dispute of 35: 10 are lost, until the refund does not arrive."""
    refund = report(1000, 1000, ReversalKind.REFUND)
    known = known_from(report(1000, kind=ReversalKind.REFUND))
    step = take_in(paid(taken=4500, due=3500), known, refund)

    assert (step.made_good, step.given_back, step.due_again) == (1000, 0, 0)


def test_it_is_found_later_that_more_was_taken() -> None:
    """EUR 35 were known, and it was 38.20: the rest is lost. An older report is refused."""
    step = take_in(paid(taken=3500, due=3500), known_from(report(3500)), report(3820))
    assert (step.taken, step.lost, step.due_again) == (320, 320, 0)

    step = take_in(paid(taken=1000, due=1000), known_from(report(1000)), report(1200, 1100))
    assert (step.taken, step.given_back, step.due_again) == (200, 1100, -900)


def test_when_all_has_come_back_it_is_all_that_was_known() -> None:
    """EUR 35 were known, as nobody could say; it was 31.50, all of which is back: so are 35."""
    known = known_from(report(3500))
    step = take_in(paid(taken=3500, due=3500), known, report(3150, 3150))
    assert (step.taken, step.returned, step.due_again) == (0, 3500, -3500)

    over = known_from(report(3500, 3500))
    assert take_in(paid(), over, report(3150, 3150)).returned == 0
    with pytest.raises(Conflict, match="is known with 3500"):
        take_in(paid(taken=3500, due=3500), known, report(3150, 3149))


def test_the_balance_gives_no_more_than_the_payment_had() -> None:
    """EUR 35 came back to the balance, and 40 are taken: 35 from there, and 5 are lost."""
    step = take_in(paid(spare=3500, balance=9000), None, report(4000))

    assert (step.from_balance, step.lost, step.due_again) == (3500, 500, 0)


@pytest.mark.parametrize(
    "known",
    [known_from(report(1001)), replace(known_from(report(1000)), payment_id=UUID(int=2))],
)
def test_an_id_is_that_of_one_reversal(known: Reversal) -> None:
    """A smaller amount, or another payment, under a known id is refused."""
    with pytest.raises(Conflict, match="dp_1 is known with"):
        take_in(paid(taken=999), known, report(1000))


def test_what_comes_back_waits_for_a_payment_under_way() -> None:
    """EUR 35 are due, and being paid: nobody knows yet whether the 35 that came are spare."""
    known, won = known_from(report(3500)), report(3500, 3500)
    with pytest.raises(Busy):
        take_in(paid(taken=3500, due=3500, way=3500), known, won)

    step = take_in(paid(taken=3500, due=4500, way=1000), known, won)
    assert figures(step) == (0, 3500, 0), "enough is due beside it"


@pytest.mark.parametrize(
    ("before", "said", "after"),
    [
        (ReversalKind.DISPUTE, ReversalKind.CHARGEBACK, ReversalKind.CHARGEBACK),
        (ReversalKind.CHARGEBACK, ReversalKind.DISPUTE, ReversalKind.CHARGEBACK),
        (ReversalKind.REFUND, ReversalKind.OTHER, ReversalKind.REFUND),
    ],
)
def test_a_dispute_becomes_what_it_comes_to(
    before: ReversalKind, said: ReversalKind, after: ReversalKind
) -> None:
    """A lost dispute is a chargeback; anything else stays what it is."""
    known = known_from(report(1000, kind=before))

    assert take_in(paid(taken=1000, due=1000), known, report(1000, kind=said)).kind is after


@pytest.mark.parametrize(("amount", "returned"), [(0, 0), (-5, 0), (1000, 1001), (1000, -1)])
def test_a_report_makes_sense(amount: int, returned: int) -> None:
    """Something was taken, and no more than that came back."""
    with pytest.raises(AssertionError):
        report(amount, returned)


@given(
    told=st.lists(
        st.tuples(st.integers(1, 5), st.integers(1, 4500), st.integers(0, 100)), max_size=12
    ),
    pays=st.lists(st.integers(0, 3500), max_size=12),
    spends=st.lists(st.integers(0, 3500), max_size=12),
)
def test_whatever_is_reported_the_books_agree(
    told: list[tuple[int, int, int]], pays: list[int], spends: list[int]
) -> None:
    """Due, lost and balance are never below zero, nothing is refused, and what is taken, lost,
    paid again, returned, spare and spent adds up.
    """
    amounts: dict[int, int] = {}
    known: dict[int, Reversal] = {}
    due = balance = spare = again = spent = lost = 0
    for number, (name, amount, part) in enumerate(told):
        amounts[name] = max(amount, amounts.get(name, 0))
        reported = report(amounts[name], amounts[name] * part // 100)
        out = sum(one.amount - one.returned for one in known.values())
        standing = paid(taken=out, due=due, spare=spare, balance=balance)
        step = take_in(standing, known.get(name), reported)
        assert min(step.taken, step.lost, step.made_good, step.given_back) >= 0
        assert min(step.to_balance, step.from_balance) >= 0
        before = known.get(name) or Reversal(
            payment_id=PAYMENT, kind=step.kind, amount=0, returned=0, to_balance=0
        )
        known[name] = replace(
            before,
            amount=before.amount + step.taken,
            returned=before.returned + step.returned,
            to_balance=before.to_balance + step.to_balance,
        )
        due, spare, balance = due + step.due_again, spare + step.spare, balance + step.spare
        lost += step.more_lost
        if number < len(pays):
            paying = min(pays[number], due)
            due, again = due - paying, again + paying
        if number < len(spends):
            spending = min(spends[number], balance)
            balance, spent = balance - spending, spent + spending
        assert min(due, spare, balance, lost) >= 0
        out = sum(one.amount - one.returned for one in known.values())
        assert lost == max(out - 3500, 0)
        assert due + again - spare + lost == out
        assert balance + spent == spare


@given(
    reports=st.lists(
        st.tuples(st.integers(1, 6), st.integers(1, 9000), st.booleans()),
        min_size=1,
        max_size=8,
        unique_by=lambda one: one[0],
    ),
    order=st.randoms(use_true_random=False),
)
def test_in_whatever_order_it_is_told_it_comes_to_the_same(
    reports: list[tuple[int, int, bool]], order: Random
) -> None:
    """What is due and what is lost follow from what the bank has, not from how it was told."""

    def told(sequence: list[tuple[int, int, bool]]) -> tuple[int, int]:
        out = due = lost = 0
        for _, amount, comes_back in sequence:
            step = take_in(paid(taken=out, due=due), None, report(amount))
            out, due, lost = out + amount, due + step.due_again, lost + step.more_lost
            if comes_back:
                step = take_in(
                    paid(taken=out, due=due), known_from(report(amount)), report(amount, amount)
                )
                out, due, lost = out - amount, due + step.due_again, lost + step.more_lost
        return due, lost

    out = sum(amount for _, amount, comes_back in reports if not comes_back)
    shuffled = list(reports)
    order.shuffle(shuffled)
    assert told(reports) == told(shuffled) == (min(out, 3500), max(out - 3500, 0))
