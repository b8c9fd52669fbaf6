"""VAT numbers: whether one can be real, by its form and its check digits.

Whether it is registered today only the tax offices know; they are not asked (no call to VIES).
"""

from stdnum import get_cc_module
from stdnum.eu import vat as eu_vat

from tallystick.domain.errors import Fault
from tallystick.domain.vat_rates import EU_COUNTRIES

_NORTHERN_IRELAND = "XI"
"""Numbers of Northern Irish traders in goods, whose addresses are in GB."""

_PREFIXES = (EU_COUNTRIES - {"GR"}) | {"EL", _NORTHERN_IRELAND}
"""How the numbers of the member states begin: Greece's with EL."""


def is_valid(number: str, country: str | None) -> bool | None:
    """Whether `number` is well-formed for a business at an address in `country`.

    None where no rule is known for the country: such a number is kept and changes no tax.

    The number may come with or without its country's prefix, with blanks and punctuation. One
    of another country's is not valid here: what tax is due depends on both together. Without a
    country only numbers that begin with the prefix of a member state can be told.

    Args:
        number: As it was typed.
        country: ISO 3166-1 code of the address, None when it is unknown.
    """
    prefix = number.strip()[:2].upper()
    if country is None:
        return bool(eu_vat.is_valid(number)) if prefix in _PREFIXES else None
    if country == "GB" and prefix == _NORTHERN_IRELAND:
        return bool(eu_vat.is_valid(number))
    rules = get_cc_module(country.lower(), "vat")
    return None if rules is None else bool(rules.is_valid(number))


def faults(number: str | None, country: str | None) -> list[Fault]:
    """What is wrong with a VAT number of somebody at an address in `country`, if anything."""
    if not number or is_valid(number, country) is not False:
        return []
    message = "must be a VAT number of the address's country, with the right check digits"
    return [Fault("vat_number", "invalid", message)]
