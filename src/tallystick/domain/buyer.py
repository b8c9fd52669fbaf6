"""The buyer as typed on the page: kept on the session, written to the customer when it is
bought.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal address; `country` is an ISO 3166-1 alpha-2 code, `state` a code or text."""

    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    state: str | None = None
    zip_code: str | None = None
    country: str | None = None


NO_ADDRESS = Address()


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyerDetails:
    """Who is billed: what the invoice will say, and what tax is decided by."""

    name: str
    email: str | None = None
    address: Address = NO_ADDRESS
    vat_number: str | None = None
