"""Postal addresses as a locale's readers write them."""

from babel import Locale

from tallystick.domain.buyer import Address


def address_lines(address: Address, locale: Locale) -> tuple[str, ...]:
    """A postal address, line by line; the country by its name."""
    town = " ".join(part for part in (address.zip_code, address.city) if part)
    country = address.country and locale.territories.get(address.country, address.country)
    lines = (address.line1, address.line2, town, address.state, country)
    return tuple(line for line in lines if line)
