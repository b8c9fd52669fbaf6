"""Ready-made offers, what a quote depends on beside them, and the golden plans as offers."""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from tallystick.domain.charges import Item
from tallystick.domain.coupons import CouponState
from tallystick.domain.offer import Offer, OnlinePayment, Trial
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import (
    BillingType,
    CapacityPricing,
    ExtraRecurringPricing,
    OneTimePricing,
    PerUnit,
    Pricing,
    RatePricing,
    SlotPricing,
    UsagePricing,
)
from tallystick.domain.quote import Quote, QuoteFacts, quote
from tallystick.domain.schedule import Schedule, schedule
from tallystick.domain.tax import Buyer, Seller, TaxEngine, TaxRate
from tests.cases.golden import case
from tests.domain.samples import DAY, golden_coupons, item, named, numbered

PLAN = named("plan")

OPEN = CouponState(
    expires_at=None,
    disabled=False,
    archived=False,
    redemption_limit=None,
    taken=0,
    plan_ids=frozenset(),
    used_by_customer=False,
)


def priced(
    name: str,
    pricing: Pricing,
    cadence: Cadence = Cadence.MONTHLY,
    *,
    billing_type: BillingType = BillingType.ADVANCE,
    slots: int | None = None,
    instances: int = 1,
) -> Item:
    """An item whose ids follow from its name."""
    made = item(pricing, cadence, billing_type=billing_type, slots=slots, instances=instances)
    return replace(made, id=named(name), name=name, product_id=named(f"product {name}"))


def rate(amount: str, cadence: Cadence = Cadence.MONTHLY, name: str = "Rate") -> Item:
    """A fixed fee of so much."""
    return priced(name, RatePricing(rate=Decimal(amount)), cadence)


def seats(amount: str, count: int) -> Item:
    """So many seats at so much a month."""
    return priced("Seats", SlotPricing(unit_rate=Decimal(amount), min_slots=1), slots=count)


def capacity(amount: str, overage: str = "0.05", cadence: Cadence = Cadence.MONTHLY) -> Item:
    """A fee that includes a hundred units."""
    pricing = CapacityPricing(rate=Decimal(amount), included=100, overage_rate=Decimal(overage))
    return priced("Capacity", pricing, cadence)


def usage(amount: str = "0.10", cadence: Cadence = Cadence.MONTHLY) -> Item:
    """Metered usage at so much a unit."""
    return priced("Usage", UsagePricing(model=PerUnit(rate=Decimal(amount))), cadence)


def recurring(
    amount: str,
    cadence: Cadence = Cadence.MONTHLY,
    *,
    quantity: int = 1,
    billing_type: BillingType = BillingType.ADVANCE,
) -> Item:
    """An extra recurring fee, in advance or in arrears."""
    pricing = ExtraRecurringPricing(unit_price=Decimal(amount), quantity=quantity)
    name = f"{cadence.value} {billing_type.value}"
    return priced(name, pricing, cadence, billing_type=billing_type)


def arrears(amount: str, cadence: Cadence = Cadence.MONTHLY, quantity: int = 1) -> Item:
    """A recurring fee billed when its period ends."""
    return recurring(amount, cadence, quantity=quantity, billing_type=BillingType.ARREARS)


def once(amount: str, quantity: int = 1) -> Item:
    """A fee charged once."""
    return priced("Setup", OneTimePricing(unit_price=Decimal(amount), quantity=quantity))


def offer(*items: Item, **changes: object) -> Offer:
    """An offer of these items, paid online and charged automatically, made on DAY."""
    plain = Offer(
        plan_id=PLAN,
        plan_version_id=named("version"),
        plan_name="Plan",
        plan_version=1,
        currency="EUR",
        tax_inclusive=False,
        invoicing_entity_id=named("entity"),
        items=items,
        coupons=(),
        payment=OnlinePayment(),
        created_on=DAY,
        net_terms=0,
        auto_advance_invoices=True,
        charge_automatically=True,
    )
    return replace(plain, **cast("dict[str, Any]", changes))


def trial(days: int, *, is_free: bool = True, once_per_customer: bool = False) -> Trial:
    """A trial of so many days, free unless said otherwise."""
    return Trial(days=days, is_free=is_free, once_per_customer=once_per_customer)


def dates(made: Offer, today: date, *, trial_used: bool = False) -> Schedule:
    """The dates of an offer confirmed on `today`."""
    return schedule(made, today, trial_used=trial_used)


def facts(today: date, **changes: object) -> QuoteFacts:
    """What a quote depends on: nobody taxes, nothing is on the balance, any amount will do."""
    plain = QuoteFacts(
        now=datetime.combine(today, time(12), UTC),
        today=today,
        seller=Seller(engine=TaxEngine.NONE, country="FR"),
        buyer=Buyer(country=None, region=None, vat_number_valid=False),
        trial_used=False,
        balance_available=0,
        coupon_states={},
        product_taxes={},
        chargeable=lambda _: True,
    )
    return replace(plain, **cast("dict[str, Any]", changes))


def buyer(rate_: str, country: str | None = "FR") -> Buyer:
    """A customer with a rate of its own, a fraction."""
    own = TaxRate(name="VAT", rate=Decimal(rate_), code="VAT")
    return Buyer(country=country, custom_rates=(own,))


def quoted(made: Offer, today: date = DAY, **changes: object) -> Quote:
    """The quote of an offer; its coupons may be redeemed unless `coupon_states` says more."""
    states: dict[UUID, CouponState] = {terms.id: OPEN for terms in made.coupons}
    named_facts: dict[str, object] = {"coupon_states": states, **changes}
    return quote(made, facts(today, **named_facts))


def golden_offer(case_id: str, *, decided: str | None = None, **changes: object) -> Offer:
    """The plan, trial and coupons of a golden case, as an offer without a fixed start."""
    given = case(case_id, decided=decided)["input"]
    days = given.get("trial_days") or 0
    end = given.get("end_date")
    coupons = golden_coupons(given.get("coupons", []), "EUR")
    made = offer(
        *(golden_item(one) for one in given["plan_components"]),
        coupons=tuple(numbered(coupons)),
        trial=trial(days, is_free=given["plan"] != "PAID_TRIAL") if days else None,
        anchor=given.get("billing_day_anchor"),
        end_date=date.fromisoformat(end) if end else None,
        charge_automatically=given.get("charge_automatically", True),
    )
    return replace(made, **cast("dict[str, Any]", changes))


def golden_item(given: dict[str, Any]) -> Item:
    """A component of a golden plan."""
    name, cadence = given["name"], Cadence(given.get("cadence", "monthly").upper())
    billing_type = BillingType.ARREARS if given["billed"] == "arrears" else BillingType.ADVANCE
    match given["fee"]:
        case "rate":
            return priced(name, RatePricing(rate=_major(given, "unit_price_minor")), cadence)
        case "slot":
            least = given["min_slots"]
            pricing: Pricing = SlotPricing(
                unit_rate=_major(given, "unit_price_minor"), min_slots=least
            )
            return priced(name, pricing, cadence, slots=given.get("initial_slots", least))
        case "capacity":
            pricing = CapacityPricing(
                rate=_major(given, "base_minor"),
                included=given["included_units"],
                overage_rate=Decimal(given["overage_unit_price"]),
            )
            return priced(name, pricing, cadence)
        case "usage":
            pricing = UsagePricing(model=PerUnit(rate=Decimal(given["unit_price"])))
            return priced(name, pricing, cadence)
        case "recurring":
            pricing = ExtraRecurringPricing(
                unit_price=_major(given, "unit_price_minor"), quantity=given["quantity"]
            )
            return priced(name, pricing, cadence, billing_type=billing_type)
        case other:
            assert other == "one_time", other
            pricing = OneTimePricing(
                unit_price=_major(given, "unit_price_minor"), quantity=given["quantity"]
            )
            return priced(name, pricing)


def _major(given: dict[str, Any], field: str) -> Decimal:
    return Decimal(given[field]).scaleb(-2)
