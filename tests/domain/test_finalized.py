"""A draft as it becomes final; and the invoice of a change that was bought."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from tallystick.domain.invoice import InvoiceStatus, InvoiceType, PaymentStatus, finalized
from tallystick.domain.purchase import invoice_of
from tests.domain.offers import offer, quoted, rate
from tests.domain.purchases import attempt
from tests.domain.samples import DAY

NOW = datetime(2024, 1, 2, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("applied", "written_off", "due"),
    [(0, 0, 3500), (1000, 0, 2500), (0, 3500, 0), (3500, 0, 0), (3000, 500, 0), (3499, 0, 1)],
)
def test_what_the_balance_covers_is_paid(applied: int, written_off: int, due: int) -> None:
    """35.00 less the balance and what is written off; of nothing due it is paid at once."""
    made = offer(rate("35"), charge_automatically=False)
    draft = invoice_of(attempt(made), pending=False)
    assert draft is not None
    draft = replace(
        draft,
        status=InvoiceStatus.DRAFT,
        payment_status=PaymentStatus.UNPAID,
        applied_balance=0,
        settled=0,
        amount_due=3500,
        finalized_at=None,
        paid_at=None,
    )

    final = finalized(draft, applied, written_off, NOW)

    assert final == replace(
        draft,
        status=InvoiceStatus.FINALIZED,
        payment_status=PaymentStatus.UNPAID if due else PaymentStatus.PAID,
        applied_balance=applied,
        written_off=written_off,
        amount_due=due,
        finalized_at=NOW,
        paid_at=None if due else NOW,
    )


@pytest.mark.parametrize(
    ("adjusts", "kind"), [(True, InvoiceType.ADJUSTMENT), (False, InvoiceType.RECURRING)]
)
def test_a_change_that_was_bought_is_an_adjustment(adjusts: bool, kind: InvoiceType) -> None:
    """What a quote says that it adjusts."""
    made = offer(rate("35"))
    shown = replace(quoted(made), adjusts=adjusts)
    bought = invoice_of(attempt(made, quote=shown), pending=False)
    assert bought is not None
    assert bought.type is kind
    assert bought.invoice_date == DAY == date(2024, 1, 1)
