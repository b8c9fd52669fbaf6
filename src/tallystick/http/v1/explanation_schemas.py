"""Explanations on the wire: every figure of an invoice as data, and in a sentence each."""

from typing import Annotated

from pydantic import Field, TypeAdapter

from tallystick.domain.explain_invoice import ExplainedLine, InvoiceExplanation
from tallystick.domain.plain_english import tell
from tallystick.http.v1.explanation_steps import InvoiceStepOut, LineStepOut
from tallystick.http.v1.invoice_schemas import DRAFT_NUMBER, InvoiceStatusName
from tallystick.http.v1.scalars import AnswerModel, Day, InvoiceId, ProductId

Sentences = Annotated[list[str], Field(description="One for each step, in the same order.")]


class ExplainedLineOut(AnswerModel):
    """A line of the invoice and the steps that lead to `amount_total`."""

    id: str
    product_id: ProductId
    name: str
    start_date: Day
    end_date: Day
    amount: int
    discount: int
    tax: int
    amount_total: int
    steps: list[LineStepOut]
    sentences: Sentences


class InvoiceExplanationOut(AnswerModel):
    """How every figure of an invoice came about.

    It was computed once more and arrived at the stored figures.
    """

    invoice_id: InvoiceId
    invoice_number: str
    status: InvoiceStatusName
    invoice_date: Day
    currency: str
    tax_inclusive: bool
    lines: list[ExplainedLineOut]
    steps: list[InvoiceStepOut]
    sentences: Sentences


_LINE_STEPS: TypeAdapter[list[LineStepOut]] = TypeAdapter(list[LineStepOut])
_STEPS: TypeAdapter[list[InvoiceStepOut]] = TypeAdapter(list[InvoiceStepOut])


def show_explanation(made: InvoiceExplanation) -> InvoiceExplanationOut:
    """An explanation as it is sent."""
    kept = made.invoice
    return InvoiceExplanationOut(
        invoice_id=kept.id,
        invoice_number=kept.number or DRAFT_NUMBER,
        status=InvoiceStatusName(kept.status.value),
        invoice_date=kept.invoice_date,
        currency=kept.currency,
        tax_inclusive=kept.tax_inclusive,
        lines=[_line(one, kept.currency) for one in made.lines],
        steps=_STEPS.validate_python(list(made.steps)),
        sentences=[tell(step, kept.currency) for step in made.steps],
    )


def _line(one: ExplainedLine, currency: str) -> ExplainedLineOut:
    line = one.line
    return ExplainedLineOut(
        id=str(line.id),
        product_id=line.product_id,
        name=line.name,
        start_date=line.start_date,
        end_date=line.end_date,
        amount=line.amount,
        discount=line.discount,
        tax=line.tax,
        amount_total=line.amount_total,
        steps=_LINE_STEPS.validate_python(list(one.steps)),
        sentences=[tell(step, currency) for step in one.steps],
    )
