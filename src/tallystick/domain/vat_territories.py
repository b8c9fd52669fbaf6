"""Territories of member states in which the Union's VAT is not due, told by postal codes.

Source: Article 6 of Directive 2006/112/EC, for the territories and the days from which they
stand outside; the postal codes are those of the national posts, as known on 2026-11-29.

What the data covers, and what it does not:

- A territory is told where an address has its member state's country code and a postal code
  that nobody else shares. Those with a country code of their own (AX, GF, GP, MQ, RE, YT...)
  are no part of a member state in `vat_rates` either, and need no row here.
- Livigno and Campione d'Italia formerly had postal codes (23030, 22060) that neighbours inside
  the area share: an address that still has one is taxed as Italy.
- Monaco's 980xx belongs to the French VAT area.
- Taxes that such territories have of their own (the Canary Islands' IGIC, the VAT of the
  French overseas departments) are not computed: a customer there can have a rate of its own.
- A seller's own postal code is not looked at.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Territory:
    """A territory outside the VAT area from one day on.

    `first` and `last` are the five digits of its postal codes, both included.
    """

    name: str
    outside_from: date
    first: str
    last: str


# Country, first day outside, first and last postal code, name. The day is that of the state's
# accession, or the beginning of the common system in 1993.
_ROWS = """
    DE 1993-01-01 27498 27498 Heligoland
    DE 1993-01-01 78266 78266 Büsingen am Hochrhein
    ES 1993-01-01 35000 35999 Canary Islands
    ES 1993-01-01 38000 38999 Canary Islands
    ES 1993-01-01 51000 51999 Ceuta
    ES 1993-01-01 52000 52999 Melilla
    FI 1995-01-01 22000 22999 Åland Islands
    FR 1993-01-01 97100 97999 French overseas territories
    FR 1993-01-01 98100 98999 French overseas territories
    GR 1993-01-01 63086 63086 Mount Athos
    IT 1993-01-01 22061 22061 Campione d'Italia
    IT 1993-01-01 23041 23041 Livigno
"""

_DIGITS = 5
_COUNTRY_MARK = re.compile(r"[A-Z]{1,2}-")


def _read(rows: str) -> dict[str, tuple[Territory, ...]]:
    found: dict[str, tuple[Territory, ...]] = {}
    for row in rows.strip().splitlines():
        country, outside_from, first, last, name = row.split(maxsplit=4)
        one = Territory(
            name=name, outside_from=date.fromisoformat(outside_from), first=first, last=last
        )
        found[country] = (*found.get(country, ()), one)
    return found


TERRITORIES: Mapping[str, tuple[Territory, ...]] = MappingProxyType(_read(_ROWS))
"""Member state -> its territories outside the VAT area."""


def territory_of(country: str | None, postal_code: str | None, day: date) -> Territory | None:
    """The territory outside the VAT area that an address lies in on `day`, if it is one.

    Blanks in the postal code and the country's mark before it (`FI-22100`) do not matter.
    """
    known = TERRITORIES.get(country or "")
    if not known or not postal_code:
        return None
    code = _COUNTRY_MARK.sub("", "".join(postal_code.upper().split()), count=1)
    if len(code) != _DIGITS or not (code.isascii() and code.isdigit()):
        return None
    return next(
        (one for one in known if one.first <= code <= one.last and one.outside_from <= day),
        None,
    )
