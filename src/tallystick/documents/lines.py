"""The lines of a document: what was bought, for which days, at which price."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from uuid import UUID

from tallystick.documents.paper import Heads, PaperLine, PaperPart
from tallystick.documents.writer import Writer
from tallystick.domain.billing_entries import InvoiceLineEntry
from tallystick.domain.invoice import LineExplanation
from tallystick.domain.pricing import UsageModelType
from tallystick.domain.sub_lines import SubLine, sub_lines
from tallystick.domain.usage_pricing import UsageLine, UsagePart
from tallystick.locales.line_names import line_name


def heads_of(write: Writer, *, discounted: bool) -> Heads:
    """The heads of the table of lines."""
    words = write.words
    return Heads(
        description=words("head.description"),
        quantity=words("head.quantity"),
        unit_price=words("head.unit_price"),
        amount=words("head.amount") if discounted else None,
        discount=words("head.discount") if discounted else None,
        tax=words("head.tax"),
        net=words("head.net", currency=write.currency),
    )


def paper_lines(
    lines: Sequence[InvoiceLineEntry],
    explanations: Mapping[UUID, LineExplanation],
    write: Writer,
) -> tuple[PaperLine, ...]:
    """The lines of an invoice in their order."""
    return tuple(_line(line, explanations[line.id], write) for line in lines)


def _line(line: InvoiceLineEntry, how: LineExplanation, write: Writer) -> PaperLine:
    parts = sub_lines(line, write.currency)
    return PaperLine(
        name=line_name(line.name, write.words),
        notes=tuple(_notes(line, how, write)),
        quantity="" if line.quantity is None else write.quantity(line.quantity),
        unit_price="" if line.unit_price is None or parts else write.price(line.unit_price),
        amount=write.figure(line.amount),
        discount=write.figure(-line.discount) if line.discount else "",
        tax=write.words("tax.none")
        if how.decision.exemption is not None or not how.decision.rates
        else write.formats.percent(line.tax_rate),
        net=write.figure(line.amount - line.discount),
        parts=tuple(_part(one, how.usage, write) for one in parts),
    )


def period(start: date, end: date, write: Writer) -> str:
    """The days of a line."""
    return write.formats.span(start, end)


def _notes(line: InvoiceLineEntry, how: LineExplanation, write: Writer) -> Iterator[str]:
    words, computation = write.words, how.computation
    yield period(line.start_date, line.end_date, write)
    if how.usage is not None:
        yield from _usage_notes(how.usage, write)
    elif how.shortfall is None:
        if computation.instances > 1 and computation.units > 1:
            yield words(
                "line.instances",
                instances=write.formats.number(computation.instances),
                units=write.formats.number(computation.units),
            )
        if computation.unit_name:
            yield words("line.per_unit", unit=computation.unit_name)
        if computation.days != computation.full_days:
            yield words(
                "line.prorated",
                days=write.formats.number(computation.days),
                full_days=write.formats.number(computation.full_days),
            )
    else:
        yield words(
            "line.minimum",
            minimum=write.money(how.shortfall.least),
            cost=write.money(how.shortfall.cost),
        )
    if how.replaced is not None and how.replaced.credit:
        yield words("line.replaced", amount=write.money(how.replaced.credit))


def _usage_notes(usage: UsageLine, write: Writer) -> Iterator[str]:
    words = write.words
    if usage.group:
        yield words("line.group", group=usage.group)
    used = write.quantity(usage.usage)
    if usage.block_size is not None and usage.model is UsageModelType.PACKAGE:
        size = write.formats.number(usage.block_size)
        yield words("line.blocks", usage=used, size=size)
    if usage.allowance is not None:
        included = write.formats.number(usage.allowance)
        yield words("line.overage", usage=used, included=included)


def _part(one: SubLine, usage: UsageLine | None, write: Writer) -> PaperPart:
    assert usage is not None, "only usage has parts"
    return PaperPart(
        name=write.words("line.before")
        if one.part is None
        else _priced_name(one.part, usage, write),
        quantity=write.quantity(one.quantity),
        unit_price=write.price(one.unit_price),
        amount=write.figure(one.total),
    )


def _priced_name(part: UsagePart, usage: UsageLine, write: Writer) -> str:
    words, name = write.words, _part_name(part, usage, write)
    if part.flat_fee:
        name = words("line.flat_fee", name=name, fee=write.major(part.flat_fee))
    if part.flat_cap is not None:
        name = words("line.flat_cap", name=name, cap=write.major(part.flat_cap))
    return name


def _part_name(part: UsagePart, usage: UsageLine, write: Writer) -> str:
    words = write.words
    if usage.model is None:
        return words("line.beyond")
    if part.dimensions:
        return ", ".join(f"{one.key} {one.value}" for one in part.dimensions)
    first = write.formats.number(part.first_unit or 0)
    if part.next_unit is None:
        return words("line.tier", first=first)
    return words("line.tier_to", first=first, next=write.formats.number(part.next_unit))
