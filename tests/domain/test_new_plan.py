"""What can be wrong with a plan that is to be, each with the path that the merchant wrote."""

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from tallystick.domain.catalog import PlanTrial, PlanType
from tallystick.domain.new_plan import (
    NewComponent,
    NewPlan,
    NewPlanAddOn,
    NewPlanFacts,
    plan_faults,
)
from tallystick.domain.pricing import (
    BillingType,
    CapacityFee,
    CapacityPricing,
    ExtraRecurringFee,
    FeeStructure,
    PerUnit,
    Pricing,
    RateFee,
    SlotFee,
    UsageFee,
    UsageModelType,
    UsagePricing,
)
from tests.domain.orders import (
    ANNUAL,
    METRIC,
    MONTHLY,
    add_on,
    capacity_pricing,
    price,
    product,
    rate_pricing,
    slot_pricing,
)
from tests.domain.samples import named

OTHER_METRIC = UUID(int=10)
SUPPORT = add_on("Support", rate_pricing("10"))
DOLLARS = add_on("Dollars", rate_pricing("10"), currency="USD")
PER_UNIT = UsagePricing(model=PerUnit(rate=Decimal(1)))


def component(
    fee: FeeStructure,
    *prices: Pricing,
    of: str | None = None,
    cadence: Any = MONTHLY,  # noqa: ANN401
) -> NewComponent:
    """A component to be, of a known product where one is named."""
    return NewComponent(
        name="Part",
        fee=fee,
        prices=tuple((cadence, one) for one in prices),
        product_id=None if of is None else named(f"product {of}"),
    )


def plan(*components: NewComponent, **changes: object) -> NewPlan:
    """A plan to be, in euro."""
    plain = NewPlan(
        name="Plan",
        product_family_id=named("family"),
        plan_type=PlanType.STANDARD,
        currency="EUR",
        publish=True,
        components=components,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


FACTS = NewPlanFacts(
    features={},
    products={
        one.id: one
        for one in (
            product("Rate", RateFee()),
            product("Seats", SlotFee(unit_name="seat")),
            product("Calls", UsageFee(metric_id=METRIC, model=UsageModelType.PER_UNIT)),
            product("Extra", ExtraRecurringFee(billing_type=BillingType.ARREARS)),
            product("Traffic", CapacityFee(metric_id=METRIC)),
            product("Old", RateFee(), archived=True),
        )
    },
    prices={
        one.id: one
        for one in (
            price("Support", rate_pricing("7")),
            price("Support", rate_pricing("8"), currency="USD"),
            price("Else", rate_pricing("9")),
        )
    },
    add_ons={
        one.id: one
        for one in (SUPPORT, DOLLARS, add_on("Gone", rate_pricing("1"), archived=True))
    },
    metric_ids=frozenset({METRIC}),
    plan_ids=frozenset({named("trialing")}),
)


def found(made: NewPlan) -> list[tuple[str, str]]:
    """Its faults: paths and codes."""
    return [(one.field, one.code) for one in plan_faults(made, FACTS)]


def said(*components: NewComponent) -> list[str]:
    """The sentences of the faults of components."""
    return [one.message for one in plan_faults(plan(*components), FACTS)]


def test_a_plan_without_a_fault() -> None:
    """New products and known ones, add-ons at any price, a trial of another plan."""
    made = plan(
        component(RateFee(), rate_pricing("29")),
        component(SlotFee(unit_name="seat"), slot_pricing("10"), of="Seats"),
        component(CapacityFee(metric_id=METRIC), capacity_pricing("1", 5), of="Traffic"),
        add_ons=(
            NewPlanAddOn(add_on_id=SUPPORT.id),
            NewPlanAddOn(
                add_on_id=DOLLARS.id, price_id=price("Dollars", rate_pricing("10")).id
            ),
        ),
        trial=PlanTrial(days=14, is_free=True, trialing_plan_id=named("trialing")),
    )
    in_euro = price("Dollars", rate_pricing("10"))
    facts = replace(FACTS, prices={**FACTS.prices, in_euro.id: in_euro})
    assert plan_faults(made, facts) == []
    assert found(plan()) == []


def test_a_product_must_be_there_and_be_of_the_fee() -> None:
    """Known, not archived, of its type and with its structure; each at its place."""
    assert found(
        plan(
            component(RateFee(), rate_pricing("1"), of="Rate"),
            component(RateFee(), rate_pricing("1"), of="Nothing"),
            component(RateFee(), rate_pricing("1"), of="Old"),
            component(RateFee(), rate_pricing("1"), of="Seats"),
            component(SlotFee(unit_name="chair"), slot_pricing("1"), of="Seats"),
        )
    ) == [
        ("components[1].product_id", "unknown"),
        ("components[2].product_id", "archived"),
        ("components[3].fee.type", "wrong_fee_type"),
        ("components[4].fee", "wrong_fee_structure"),
    ]
    assert said(component(RateFee(), rate_pricing("1"), of="Seats")) == [
        "must be SLOT, as the fee of the product says"
    ]


def test_what_the_product_has_is_said() -> None:
    """Its unit, its model, its billing, or that it has a metric of its own."""
    facts = replace(FACTS, metric_ids=frozenset({METRIC, OTHER_METRIC}))
    metered = UsageFee(metric_id=OTHER_METRIC, model=UsageModelType.PER_UNIT)
    made = plan(
        component(SlotFee(unit_name="chair"), slot_pricing("1"), of="Seats"),
        component(metered, PER_UNIT, of="Calls"),
        component(ExtraRecurringFee(billing_type=BillingType.ADVANCE), of="Extra"),
        component(CapacityFee(metric_id=OTHER_METRIC), capacity_pricing("1", 5), of="Traffic"),
    )
    differs = "differs from the product, which has"
    assert [one.message for one in plan_faults(made, facts)] == [
        f"{differs} the unit 'seat'",
        f"{differs} the model PER_UNIT and its own metric",
        f"{differs} the billing type ARREARS",
        f"{differs} its own metric",
    ]


def test_a_metric_must_be_there() -> None:
    """Of usage and of a capacity."""
    metered = UsageFee(metric_id=OTHER_METRIC, model=UsageModelType.PER_UNIT)
    assert found(
        plan(
            component(metered, PER_UNIT),
            component(CapacityFee(metric_id=OTHER_METRIC), capacity_pricing("1", 5)),
            component(CapacityFee(metric_id=METRIC), capacity_pricing("1", 5)),
        )
    ) == [
        ("components[0].fee.metric_id", "unknown"),
        ("components[1].fee.metric_id", "unknown"),
    ]


def test_prices_must_differ_in_what_can_be_chosen() -> None:
    """By their period; those of a capacity also by what they include."""
    monthly = component(RateFee(), rate_pricing("1"), rate_pricing("2"))
    both = replace(monthly, prices=((MONTHLY, rate_pricing("1")), (ANNUAL, rate_pricing("1"))))
    capacity = component(
        CapacityFee(metric_id=METRIC),
        capacity_pricing("1", 5),
        capacity_pricing("2", 6),
        capacity_pricing("3", 5),
    )
    assert found(plan(both, monthly, capacity)) == [
        ("components[1].fee.rates[1].term", "duplicate"),
        ("components[2].fee.thresholds[2].included_amount", "duplicate"),
    ]


def test_a_free_plan_costs_nothing() -> None:
    """None of its prices; other plans may."""
    free = component(RateFee(), rate_pricing("0"))
    one_costs = component(
        CapacityFee(metric_id=METRIC),
        CapacityPricing(rate=Decimal(0), included=5, overage_rate=Decimal(0)),
        capacity_pricing("0", 6),
    )
    made = plan(free, one_costs, plan_type=PlanType.FREE)
    assert found(made) == [("components[1].fee", "not_free")]
    assert found(plan(free, one_costs, plan_type=PlanType.CUSTOM)) == []


def test_an_add_on_must_be_there_once_in_the_currency() -> None:
    """At its own price or at one of its product's."""
    dollars = price("Support", rate_pricing("8"), currency="USD")
    made = plan(
        add_ons=(
            NewPlanAddOn(add_on_id=SUPPORT.id),
            NewPlanAddOn(add_on_id=SUPPORT.id, price_id=price("Support", rate_pricing("7")).id),
            NewPlanAddOn(add_on_id=named("add-on Nothing")),
            NewPlanAddOn(add_on_id=named("add-on Gone")),
            NewPlanAddOn(add_on_id=DOLLARS.id),
        )
    )
    assert found(made) == [
        ("add_ons[1].add_on_id", "duplicate"),
        ("add_ons[2].add_on_id", "unknown"),
        ("add_ons[3].add_on_id", "archived"),
        ("add_ons[4].add_on_id", "wrong_currency"),
    ]
    for price_id, code in (
        (named("nothing"), "unknown"),
        (price("Else", rate_pricing("9")).id, "unknown"),
        (dollars.id, "wrong_currency"),
    ):
        entry = NewPlanAddOn(add_on_id=SUPPORT.id, price_id=price_id)
        assert found(plan(add_ons=(entry,))) == [("add_ons[0].price_id", code)]
    in_dollars = NewPlanAddOn(add_on_id=SUPPORT.id, price_id=dollars.id)
    assert [one.message for one in plan_faults(plan(add_ons=(in_dollars,)), FACTS)] == [
        "is priced in USD, but the plan is sold in EUR"
    ]


def test_what_is_tried_must_be_a_plan() -> None:
    """One that is there; a trial of the plan itself names none."""
    own = PlanTrial(days=14, is_free=True)
    assert found(plan(trial=own)) == []
    other = replace(own, trialing_plan_id=named("gone"))
    assert found(plan(trial=other)) == [("trial.trialing_plan_id", "unknown")]
