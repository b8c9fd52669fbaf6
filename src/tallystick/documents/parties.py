"""Seller and buyer on a document, and where to pay to."""

import re

from tallystick.documents.paper import Pair, Party, Transfer
from tallystick.documents.writer import Writer
from tallystick.domain.document_facts import DocumentFacts
from tallystick.domain.invoice import CustomerSnapshot, SellerSnapshot
from tallystick.domain.parties import BankAccount
from tallystick.locales.addresses import address_lines
from tallystick.locales.formats import grouped

_COLOR = re.compile(r"#[0-9A-Fa-f]{6}")
_OWN_ACCENT = "#2f4bd8"
"""Our own, for a seller that names none."""


def seller_party(seller: SellerSnapshot, write: Writer) -> Party:
    """Who sells, where, and under which numbers."""
    lines = list(address_lines(seller.address, write.words.locale))
    if seller.vat_number:
        lines.append(write.words("party.vat_number", number=seller.vat_number))
    if seller.email:
        lines.append(seller.email)
    return Party(label="", name=seller.legal_name, lines=tuple(lines))


def buyer_party(customer: CustomerSnapshot, facts: DocumentFacts, write: Writer) -> Party:
    """Who is billed, where, and under which numbers."""
    lines = list(address_lines(customer.billing_address, write.words.locale))
    if customer.vat_number:
        lines.append(write.words("party.vat_number", number=customer.vat_number))
    if facts.legal_number:
        lines.append(write.words("party.legal_number", number=facts.legal_number))
    label = write.words("party.billed_to")
    return Party(label=label, name=customer.name, lines=tuple(lines))


def imprint(seller: SellerSnapshot, write: Writer) -> tuple[str, ...]:
    """The foot of every page: the seller, its address, its numbers."""
    address = ", ".join(address_lines(seller.address, write.words.locale))
    numbers = [seller.registration]
    if seller.vat_number:
        numbers.append(write.words("party.vat_number", number=seller.vat_number))
    numbers.append(seller.email)
    lines = (
        " \N{MIDDLE DOT} ".join(part for part in (seller.legal_name, address) if part),
        " \N{MIDDLE DOT} ".join(part for part in numbers if part),
    )
    return tuple(line for line in lines if line)


def transfer_to(account: BankAccount, number: str, write: Writer) -> Transfer:
    """Where the amount due goes, and what to name with it."""
    words = write.words
    rows = (
        ("transfer.holder", account.holder),
        ("transfer.bank", account.bank_name),
        ("transfer.iban", account.iban and grouped(account.iban)),
        ("transfer.bic", account.bic),
        ("transfer.account_number", account.account_number),
        ("transfer.reference", number),
    )
    return Transfer(
        title=words("transfer.title"),
        text=words("transfer.text", number=number),
        account=tuple(Pair(label=words(key), value=value) for key, value in rows if value),
    )


def accent_of(facts: DocumentFacts) -> str:
    """The seller's colour; the template makes it dark enough to be read."""
    named = facts.entity.brand_color or ""
    return named if _COLOR.fullmatch(named) else _OWN_ACCENT
