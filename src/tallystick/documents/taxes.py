"""Taxes on a document: what each rate comes to, and why there is none."""

from collections.abc import Sequence

from tallystick.documents.paper import Sum
from tallystick.documents.writer import Writer
from tallystick.domain.bill import TaxBreakdown
from tallystick.domain.tax import EXEMPT_NOTE, ExemptionType

_BEFORE_TERRITORY = "("
_AFTER_TERRITORY = ";"


def tax_sums(breakdown: Sequence[TaxBreakdown], write: Writer) -> tuple[Sum, ...]:
    """A row for each rate and each reason for no tax: on how much, and what it comes to."""
    words = write.words
    return tuple(
        Sum(
            label=words(
                "sum.tax",
                name=write.tax_name(row.name),
                rate=write.formats.percent(row.rate),
            )
            if row.exemption is None
            else words(f"exemption.{row.exemption.value}"),
            note=words("sum.tax_on", net=write.money(row.taxable)),
            value=write.money(row.tax),
        )
        for row in breakdown
    )


def tax_notes(breakdown: Sequence[TaxBreakdown], write: Writer) -> tuple[str, ...]:
    """What must be said where no tax is charged; a merchant's own reason stands as it is."""
    found = [
        _note(row.exemption, row.reason or "", write)
        for row in breakdown
        if row.exemption is not None
    ]
    return tuple(dict.fromkeys(found))


def _note(exemption: ExemptionType, reason: str, write: Writer) -> str:
    match exemption:
        case ExemptionType.TAX_EXEMPT if reason and reason != EXEMPT_NOTE:
            return reason
        case ExemptionType.NO_VAT_TERRITORY:
            named = reason.partition(_BEFORE_TERRITORY)[2].partition(_AFTER_TERRITORY)[0]
            return write.words("note.NO_VAT_TERRITORY", territory=named)
        case _:
            return write.words(f"note.{exemption.value}")
