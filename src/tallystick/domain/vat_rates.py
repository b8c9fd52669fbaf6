"""The VAT rates of the European Union's member states, by the day they came into force.

Source: European Commission, Taxes in Europe Database (TEDB), through the extracts that the open
eu-vat-rates-data project publishes: the rates in force on 2026-03-27, and the days on which
standard rates changed, as of 2026-09-23. Germany's cut of July to December 2020, which TEDB
does not list, from BGBl. 2020 I p. 1512. Reduced rates before 2026 from the open table of the
ibericode/vat-rates project and the announcements of the changes since.

What the data covers, and what it does not:

- Standard rates are complete for days from 2017-01-01 on, reduced rates from 2024-01-01 on. An
  earlier day gets the oldest rates listed for the country.
- `reduced` is the country's reduced rate, or the higher one where it has two; `reduced_alt` is
  the lower of two. Super-reduced and parking rates and rates for single goods are left out: a
  product that needs one carries a rule of its own.
- Countries are ISO 3166-1 codes, so Greece is GR, although its VAT numbers begin with EL.
- Monaco (MC) belongs to the French VAT area and is taxed as France.
- Northern Ireland (XI) counts as the Union for goods only. It is not included: services and
  software sold there are sold to the United Kingdom (GB).
- Territories outside the Union's VAT area that have a country code of their own (AX, BL, FO,
  GF, GL, GP, MF, MQ, RE, SM, VA, YT...) are outside here as well. Those without one (Canary
  Islands, Livigno, Heligoland...) are told by their postal codes, in `vat_territories`.
- Regions with other rates (Azores, Madeira, Corsica, Jungholz, Mittelberg) are not told from
  their country: give such a customer a rate of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType

SOURCE_DATE = "2026-03-27"


@dataclass(frozen=True, slots=True, kw_only=True)
class VatRates:
    """A member state's rates from one day on, as fractions (0.19 is 19 %)."""

    valid_from: date
    standard: Decimal
    reduced: Decimal | None
    reduced_alt: Decimal | None


# Country, first day, then standard, reduced and second reduced rate in per cent; oldest first.
_ROWS = """
    AT 2017-01-01 20   13   10
    BE 2017-01-01 21   12   6
    BG 2017-01-01 20   9    -
    CY 2017-01-01 19   9    5
    CZ 2017-01-01 21   15   10
    CZ 2024-01-01 21   12   -
    DE 2017-01-01 19   7    -
    DE 2020-07-01 16   5    -
    DE 2021-01-01 19   7    -
    DK 2017-01-01 25   -    -
    EE 2017-01-01 20   9    5
    EE 2024-01-01 22   9    5
    EE 2025-01-01 22   13   9
    EE 2025-07-01 24   13   9
    ES 2017-01-01 21   10   -
    FI 2017-01-01 24   14   10
    FI 2024-09-01 25.5 14   10
    FI 2026-01-01 25.5 13.5 10
    FR 2017-01-01 20   10   5.5
    GR 2017-01-01 24   13   6
    HR 2017-01-01 25   13   5
    HU 2017-01-01 27   18   5
    IE 2017-01-01 23   13.5 9
    IE 2020-09-01 21   13.5 9
    IE 2021-03-01 23   13.5 9
    IT 2017-01-01 22   10   5
    LT 2017-01-01 21   9    5
    LT 2026-01-01 21   12   5
    LU 2017-01-01 17   8    -
    LU 2023-01-01 16   7    -
    LU 2024-01-01 17   8    -
    LV 2017-01-01 21   12   5
    MT 2017-01-01 18   7    5
    NL 2017-01-01 21   6    -
    NL 2019-01-01 21   9    -
    PL 2017-01-01 23   8    5
    PT 2017-01-01 23   13   6
    RO 2017-01-01 19   9    5
    RO 2025-08-01 21   11   -
    SE 2017-01-01 25   12   6
    SI 2017-01-01 22   9.5  5
    SK 2017-01-01 20   10   5
    SK 2025-01-01 23   19   5
"""

_TAXED_AS = {"MC": "FR"}


def _fraction(per_cent: str) -> Decimal | None:
    return None if per_cent == "-" else Decimal(per_cent).scaleb(-2)


def _read(rows: str) -> dict[str, tuple[VatRates, ...]]:
    rates: dict[str, tuple[VatRates, ...]] = {}
    for row in rows.strip().splitlines():
        country, first_day, standard, reduced, reduced_alt = row.split()
        one = VatRates(
            valid_from=date.fromisoformat(first_day),
            standard=Decimal(standard).scaleb(-2),
            reduced=_fraction(reduced),
            reduced_alt=_fraction(reduced_alt),
        )
        rates[country] = (*rates.get(country, ()), one)
    return rates


RATES: Mapping[str, tuple[VatRates, ...]] = MappingProxyType(_read(_ROWS))
"""Member state -> its rates, oldest first."""

EU_COUNTRIES: frozenset[str] = frozenset(RATES)
"""The 27 member states. Monaco is not among them; `member_state` answers for it."""


def member_state(country: str) -> str | None:
    """The member state whose VAT applies in `country` (FR in MC), None outside the Union."""
    state = _TAXED_AS.get(country, country)
    return state if state in EU_COUNTRIES else None


def rates_on(country: str, day: date) -> VatRates | None:
    """The rates in force in `country` on `day`, or None outside the Union."""
    state = member_state(country)
    if state is None:
        return None
    listed = RATES[state]
    in_force = [rates for rates in listed if rates.valid_from <= day]
    return in_force[-1] if in_force else listed[0]
