"""A document as it is typeset: everything that stands on it, in words, in its order.

The template draws it and computes nothing; each figure is written here as it will be read.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A label and what stands beside it."""

    label: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Seller or buyer: the name, and the lines below it."""

    label: str
    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperPart:
    """A part of a line, such as a tier of its usage."""

    name: str
    quantity: str
    unit_price: str
    amount: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperLine:
    """A line: `amount` before its `discount`, `net` after it.

    Without a discount in the whole document the table has no columns for the first two. A line
    in parts has their prices, and none of its own.
    """

    name: str
    notes: tuple[str, ...]
    quantity: str
    unit_price: str
    amount: str
    discount: str
    tax: str
    net: str
    parts: tuple[PaperPart, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """The heads of the table of lines; `amount` and `discount` are None where no line has a
    discount.
    """

    description: str
    quantity: str
    unit_price: str
    amount: str | None
    discount: str | None
    tax: str
    net: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """A row below the lines; `weight` is "plain", "total" or "due"."""

    label: str
    value: str
    note: str = ""
    weight: str = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Highlight:
    """What the reader looks for first: an amount, and what is to be done about it."""

    label: str
    value: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Where to transfer the amount to."""

    title: str
    text: str
    account: tuple[Pair, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A document. `mark` is printed across it; `page` has the places {page} and {pages}.

    `logo` is a drawing (SVG) of ours around the seller's picture, None without one.
    """

    language: str
    region: str | None
    title: str
    accent: str
    mark: str | None
    heading: str
    seller: Party
    buyer: Party
    facts: tuple[Pair, ...]
    highlight: Highlight
    heads: Heads
    lines: tuple[PaperLine, ...]
    sums: tuple[Sum, ...]
    notes: tuple[str, ...]
    transfer: Transfer | None
    memo: Pair | None
    imprint: tuple[str, ...]
    page: str
    logo: str | None = None
