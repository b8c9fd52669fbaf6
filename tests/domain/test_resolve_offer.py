"""The offer as a whole: terms, dates, trial, coupons and payment, and every refusal."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from tallystick.domain.catalog import PlanTrial
from tallystick.domain.debit_scheme import DebitScheme
from tallystick.domain.errors import InvalidInput
from tallystick.domain.offer import (
    BankTransfer,
    ExternalPayment,
    Offer,
    OnlinePayment,
    PaymentConfig,
    Trial,
)
from tallystick.domain.offer_request import AddOnEntry, OfferRequest
from tallystick.domain.parties import BankAccount, InvoicingEntity
from tests.domain.offers import PLAN
from tests.domain.orders import (
    ANNUAL,
    PLATFORM,
    SEATS,
    TODAY,
    catalog,
    component,
    messages,
    rate_pricing,
    refused,
    resolved,
    version,
)
from tests.domain.samples import named, percent

PLAIN = catalog(version(PLATFORM))
ENTITY = PLAIN.entity
ACCOUNT = BankAccount(id=named("account"), holder="Seller")
OWN_TRIAL = PlanTrial(days=14, is_free=True, trialing_plan_id=named("trialing"))
TENTH = percent("10", "TEN")


def test_an_offer_holds_what_was_promised() -> None:
    """Plan, version, currency, entity, day, and the defaults of the terms."""
    made = resolved(PLAIN)
    assert made == Offer(
        plan_id=PLAN,
        plan_version_id=named("version"),
        plan_name="Plan",
        plan_version=3,
        currency="EUR",
        tax_inclusive=False,
        invoicing_entity_id=named("entity"),
        items=made.items,
        coupons=(),
        payment=OnlinePayment(),
        created_on=TODAY,
        net_terms=30,
        auto_advance_invoices=True,
        charge_automatically=True,
    )


def test_what_the_request_says_goes_into_the_offer() -> None:
    """Dates, terms and texts."""
    request = OfferRequest(
        billing_start_date=date(2024, 2, 1),
        billing_day_anchor=31,
        end_date=date(2025, 1, 1),
        net_terms=0,
        auto_advance_invoices=False,
        charge_automatically=False,
        invoice_memo="Thank you",
        purchase_order="PO-7",
        invoice_threshold=Decimal("99.50"),
    )
    made = resolved(catalog(version(PLATFORM, billing_cycles=12, tax_inclusive=True)), request)
    assert (made.start_date, made.anchor, made.end_date) == (
        date(2024, 2, 1),
        31,
        date(2025, 1, 1),
    )
    assert (made.net_terms, made.auto_advance_invoices, made.charge_automatically) == (
        0,
        False,
        False,
    )
    assert (made.invoice_memo, made.purchase_order, made.invoice_threshold) == (
        "Thank you",
        "PO-7",
        Decimal("99.50"),
    )
    assert (made.billing_cycles, made.tax_inclusive) == (12, True)


@pytest.mark.parametrize(
    ("asked", "plans", "terms"), [(None, None, 30), (None, 14, 14), (None, 0, 0), (7, 14, 7)]
)
def test_net_terms_of_request_plan_or_entity(
    asked: int | None, plans: int | None, terms: int
) -> None:
    """The first of them that says something."""
    facts = catalog(version(PLATFORM, net_terms=plans))
    assert resolved(facts, OfferRequest(net_terms=asked)).net_terms == terms


@pytest.mark.parametrize(
    ("asked", "plans", "anchor"),
    [(None, None, None), (None, 1, 1), (15, 1, 15), (15, None, 15)],
)
def test_anchor_of_request_or_plan(
    asked: int | None, plans: int | None, anchor: int | None
) -> None:
    """None where nobody fixed it."""
    facts = catalog(version(PLATFORM, period_start_day=plans))
    assert resolved(facts, OfferRequest(billing_day_anchor=asked)).anchor == anchor


# What is sold.


@pytest.mark.parametrize(
    ("published", "is_sold", "faults"),
    [
        (False, True, [("plan_version_id", "draft")]),
        (True, False, [("plan_version_id", "archived")]),
        (False, False, [("plan_version_id", "draft"), ("plan_version_id", "archived")]),
    ],
)
def test_only_published_versions_of_unarchived_plans(
    published: bool, is_sold: bool, faults: list[tuple[str, str]]
) -> None:
    """A draft and an archived plan are not sold."""
    facts = catalog(version(PLATFORM, is_published=published), plan_is_sold=is_sold)
    assert refused(facts) == faults


def test_an_offer_too_large_is_refused() -> None:
    """Also where a short first period would hide it from the first bill."""
    cut = OfferRequest(end_date=date(2024, 1, 2))
    for amount, fine in (("11000000000000", True), ("12000000000000", False)):
        facts = catalog(version(component("Huge", (rate_pricing(amount), ANNUAL))))
        if fine:
            assert resolved(facts, cut).items[0].pricing == rate_pricing(amount)
        else:
            assert refused(facts, cut) == [("components", "too_large")]


# Dates.


@pytest.mark.parametrize(
    ("days", "fine"), [(-366, True), (-367, False), (0, True), (3660, True), (3661, False)]
)
def test_the_start_is_at_most_a_year_back(days: int, fine: bool) -> None:
    """366 days back, and ten years ahead."""
    request = OfferRequest(billing_start_date=TODAY + timedelta(days=days))
    if fine:
        assert resolved(PLAIN, request).start_date == request.billing_start_date
    else:
        assert refused(PLAIN, request) == [("billing_start_date", "out_of_bounds")]
        assert messages(PLAIN, request) == ["must be between 2022-12-31 and 2034-01-08"]


@pytest.mark.parametrize(
    ("request_", "first"),
    [
        (OfferRequest(end_date=date(2024, 1, 1)), "2024-01-01"),
        (OfferRequest(end_date=date(2023, 1, 1)), "2024-01-01"),
        (OfferRequest(end_date=date(2024, 1, 8), trial_duration_days=7), "2024-01-08"),
        (
            OfferRequest(end_date=date(2024, 2, 1), billing_start_date=date(2024, 2, 1)),
            "2024-02-01",
        ),
        (
            OfferRequest(
                end_date=date(2023, 12, 31),
                billing_start_date=date(2023, 12, 1),
                trial_duration_days=7,
            ),
            "2024-01-01",
        ),
    ],
)
def test_the_end_is_after_the_first_billed_day(request_: OfferRequest, first: str) -> None:
    """The trial included, also one that is over."""
    assert refused(PLAIN, request_) == [("end_date", "too_early")]
    assert messages(PLAIN, request_) == [f"must be after the first billed day, {first}"]
    assert request_.end_date is not None
    later = replace(request_, end_date=request_.end_date + timedelta(days=400))
    assert resolved(PLAIN, later).end_date == later.end_date


def test_a_trial_that_was_used_does_not_push_the_end() -> None:
    """The first billed day is today for who gets no trial."""
    facts = catalog(version(PLATFORM, trial=OWN_TRIAL))
    request = OfferRequest(end_date=date(2024, 1, 10))
    assert refused(facts, request) == [("end_date", "too_early")]
    assert resolved(facts, request, trial_used=True).end_date == date(2024, 1, 10)


# Trial.


@pytest.mark.parametrize(
    ("own", "asked", "trial"),
    [
        (None, None, None),
        (None, 0, None),
        (None, 7, Trial(days=7, is_free=True, once_per_customer=False)),
        (
            OWN_TRIAL,
            None,
            Trial(
                days=14,
                is_free=True,
                once_per_customer=True,
                trialing_plan_id=named("trialing"),
            ),
        ),
        (OWN_TRIAL, 0, None),
        (
            PlanTrial(days=14, is_free=False),
            30,
            Trial(days=30, is_free=False, once_per_customer=False),
        ),
        (
            OWN_TRIAL,
            30,
            Trial(
                days=30,
                is_free=True,
                once_per_customer=False,
                trialing_plan_id=named("trialing"),
            ),
        ),
        (PlanTrial(days=0, is_free=True), None, None),
    ],
)
def test_trial_of_plan_or_request(
    own: PlanTrial | None, asked: int | None, trial: Trial | None
) -> None:
    """Silence means the plan's, once; zero none; a number so many days, free as the plan's."""
    facts = catalog(version(PLATFORM, trial=own))
    assert resolved(facts, OfferRequest(trial_duration_days=asked)).trial == trial


# Payment.


def _paying(
    asked: PaymentConfig | None,
    default: PaymentConfig | None = None,
    currency: str = "EUR",
    automatic: bool | None = None,
    accounts: tuple[BankAccount, ...] = (),
) -> tuple[PaymentConfig, bool]:
    entity = InvoicingEntity(
        id=named("entity"),
        creditor_identifier="DE98ZZZ09999999999",
        legal_name="Seller",
        default_payment=default or OnlinePayment(),
        bank_accounts=accounts,
    )
    request = OfferRequest(payment=asked, charge_automatically=automatic)
    made = resolved(catalog(version(currency=currency), entity=entity), request)
    return made.payment, made.charge_automatically


def test_payment_of_request_or_entity() -> None:
    """The request's, else the entity's; only online ones are charged automatically."""
    card_only = OnlinePayment(direct_debit=False)
    transfer = BankTransfer(account_id=ACCOUNT.id)
    assert _paying(None) == (OnlinePayment(), True)
    assert _paying(None, ExternalPayment()) == (ExternalPayment(), False)
    assert _paying(card_only, ExternalPayment()) == (card_only, True)
    assert _paying(card_only, automatic=False) == (card_only, False)
    assert _paying(transfer, accounts=(ACCOUNT,)) == (transfer, False)
    assert _paying(BankTransfer(), accounts=(ACCOUNT,), automatic=False) == (
        BankTransfer(),
        False,
    )


def test_direct_debit_is_offered_in_euro_only() -> None:
    """A plan in dollars keeps the card."""
    assert _paying(OnlinePayment(card=False)) == (OnlinePayment(card=False), True)
    assert _paying(None, currency="USD") == (OnlinePayment(direct_debit=False), True)


@pytest.mark.parametrize(
    ("asked", "currency", "accounts", "path", "code"),
    [
        (OnlinePayment(card=False), "USD", (), "", "unusable"),
        (OnlinePayment(card=False, direct_debit=False), "EUR", (), "", "unusable"),
        (BankTransfer(), "EUR", (), "", "unusable"),
        (BankTransfer(account_id=named("other")), "EUR", (), ".account_id", "unknown"),
        (BankTransfer(account_id=named("other")), "EUR", (ACCOUNT,), ".account_id", "unknown"),
    ],
)
def test_payment_that_cannot_work(
    asked: PaymentConfig,
    currency: str,
    accounts: tuple[BankAccount, ...],
    path: str,
    code: str,
) -> None:
    """No method left, no account to transfer to, an account of somebody else."""
    entity = replace(ENTITY, bank_accounts=accounts)
    facts = catalog(version(currency=currency), entity=entity)
    expected = [(f"payment_methods_config{path}", code)]
    assert refused(facts, OfferRequest(payment=asked)) == expected
    by_default = replace(facts, entity=replace(entity, default_payment=asked))
    assert refused(by_default) == expected


@pytest.mark.parametrize("payment", [BankTransfer(), ExternalPayment()])
def test_only_online_payments_are_charged_automatically(payment: PaymentConfig) -> None:
    """An explicit wish for it with another type is a contradiction."""
    facts = catalog(version(), entity=replace(ENTITY, bank_accounts=(ACCOUNT,)))
    request = OfferRequest(payment=payment, charge_automatically=True)
    assert refused(facts, request) == [("charge_automatically", "contradiction")]


# Together.


def test_all_faults_are_told_together() -> None:
    """One refusal with every path, and a sentence that counts them."""
    request = OfferRequest(
        add_ons=(AddOnEntry(add_on_id=named("nothing")),),
        removed=(named("nothing"),),
        coupon_code="nothing",
        payment=ExternalPayment(),
        charge_automatically=True,
        billing_start_date=date(2020, 1, 1),
        end_date=date(2020, 1, 1),
    )
    facts = catalog(version(SEATS, is_published=False))
    assert refused(facts, request) == [
        ("plan_version_id", "draft"),
        ("components.remove_components[0]", "unknown"),
        ("components.parameterized_components", "ambiguous_price"),
        ("add_ons[0].add_on_id", "unknown"),
        ("coupon_code", "unknown"),
        ("charge_automatically", "contradiction"),
        ("billing_start_date", "out_of_bounds"),
        ("end_date", "too_early"),
    ]
    with pytest.raises(InvalidInput) as error:
        resolved(facts, request)
    assert error.value.message == (
        "plan_version_id: must be published; this version is a draft (and 7 more)"
    )


def test_direct_debit_in_other_currencies_is_the_providers_to_collect() -> None:
    """Bacs and BECS are offered where they are collected, without a number of the creditor."""
    entity = replace(ENTITY, creditor_identifier=None)
    debit = OnlinePayment(card=False)
    for currency, scheme in (("GBP", DebitScheme.BACS), ("AUD", DebitScheme.BECS)):
        facts = catalog(version(currency=currency), entity=entity)
        taking = replace(facts, debits=frozenset({scheme}))
        assert resolved(taking, OfferRequest(payment=debit)).payment == debit
        assert refused(facts, OfferRequest(payment=debit)) == [
            ("payment_methods_config", "unusable")
        ]


def test_direct_debit_needs_a_creditor_to_name_in_the_mandate() -> None:
    """An entity without a creditor identifier offers cards only."""
    entity = replace(ENTITY, creditor_identifier=None)
    made = resolved(catalog(version(), entity=entity), OfferRequest())
    assert made.payment == OnlinePayment(direct_debit=False)
