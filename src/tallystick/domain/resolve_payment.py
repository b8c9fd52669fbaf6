"""How a subscription is paid: as asked, else as its invoicing entity has it, if it can work."""

from collections.abc import Collection
from typing import assert_never

from tallystick.domain.debit_scheme import SEPA_ALONE, DebitScheme, scheme_for
from tallystick.domain.offer import (
    BankTransfer,
    ExternalPayment,
    OnlinePayment,
    PaymentConfig,
)
from tallystick.domain.parties import InvoicingEntity
from tallystick.domain.resolve_prices import Resolution


def resolve_payment(
    asked: PaymentConfig | None,
    entity: InvoicingEntity,
    work: Resolution,
    *,
    takes_online: bool,
    debits: Collection[DebitScheme] = SEPA_ALONE,
) -> PaymentConfig:
    """The configuration asked for or the entity's, if something of it can work.

    `takes_online` says that the entity is connected to a payment provider, which collects
    `debits` of these schemes.
    """
    wanted = entity.default_payment if asked is None else asked
    match wanted:
        case OnlinePayment(card=card, direct_debit=direct_debit):
            scheme = scheme_for(work.currency, entity.creditor_identifier, debits)
            can_debit = direct_debit and scheme is not None
            if not takes_online:
                work.fault(
                    "payment_methods_config",
                    "not_connected",
                    "the invoicing entity is connected to no payment provider: connect it, or "
                    "use BANK_TRANSFER or EXTERNAL",
                )
            elif not card and not can_debit:
                work.fault(
                    "payment_methods_config",
                    "unusable",
                    "must allow cards, or a direct debit that can be collected: in EUR by an "
                    "entity with a creditor identifier, in GBP and AUD where its payment "
                    "provider collects them",
                )
            return OnlinePayment(card=card, direct_debit=can_debit)
        case BankTransfer(account_id=account_id):
            known = {account.id for account in entity.bank_accounts}
            if account_id is not None and account_id not in known:
                work.fault(
                    "payment_methods_config.account_id",
                    "unknown",
                    "must be a bank account of the invoicing entity",
                )
            elif not known:
                work.fault(
                    "payment_methods_config",
                    "unusable",
                    "the invoicing entity has no bank account to transfer to; add one first",
                )
        case ExternalPayment():
            pass
        case _:
            assert_never(wanted)
    return wanted


def resolve_charging(payment: PaymentConfig, work: Resolution, *, asked: bool | None) -> bool:
    """Whether later invoices are charged: as asked, else wherever payment is online."""
    is_online = isinstance(payment, OnlinePayment)
    if asked is None:
        return is_online
    if asked and not is_online:
        work.fault(
            "charge_automatically",
            "contradiction",
            f"only online payments can be charged automatically, not {payment.type}",
        )
    return asked
