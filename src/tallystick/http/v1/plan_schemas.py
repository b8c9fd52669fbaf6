"""Plans on the wire: the request that makes one, and how one is shown."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from tallystick.domain.catalog import PlanComponent, PlanStatus, PlanTrial, PlanType
from tallystick.domain.catalog_entries import PlanEntry
from tallystick.domain.errors import Fault
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.new_plan import NewComponent, NewPlan, NewPlanAddOn
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import COUNT_MAX, CapacityPricing, FeeType
from tallystick.http.v1.entitlement_schemas import (
    EntitlementOut,
    EntitlementSpecRequest,
    show_entitlement,
    to_new_entitlements,
)
from tallystick.http.v1.minimum_schemas import MinimumCommitmentSchema, show_optional
from tallystick.http.v1.paging import PaginationMeta
from tallystick.http.v1.plan_fees import PlanFee, show_plan_fee, to_choices, to_plan_fee
from tallystick.http.v1.product_families import ProductFamilyOut, show_family
from tallystick.http.v1.scalars import (
    LIST_MAX,
    AddOnId,
    AnswerModel,
    ComponentId,
    Currency,
    Flag,
    Instant,
    LongText,
    Name,
    PlanId,
    PlanVersionId,
    PriceId,
    ProductFamilyId,
    ProductId,
    RequestModel,
    WholeNumber,
)

NET_TERMS_MAX = 365
BILLING_CYCLES_MAX = 1200
TRIAL_DAYS_MAX = 730
RANK_MAX = 1_000_000


class PriceComponentInput(RequestModel):
    """A component to be; without `product_id` a product is made for it in the plan's family."""

    name: Name
    fee: PlanFee
    product_id: ProductId | None = None


class PlanAddOnInput(RequestModel):
    """An add-on sold with the plan, at the plan's own price and limit where given."""

    add_on_id: AddOnId
    price_id: PriceId | None = None
    max_instances: Annotated[WholeNumber, Field(ge=1, le=COUNT_MAX)] | None = None
    self_serviceable: Flag | None = None


class TrialConfig(RequestModel):
    """The plan's trial; one that is not free is charged from its first day."""

    duration_days: Annotated[WholeNumber, Field(ge=0, le=TRIAL_DAYS_MAX)]
    is_free: Flag
    trialing_plan_id: PlanId | None = None


class BillingConfig(RequestModel):
    """How the plan is billed; `net_terms` left out are the invoicing entity's."""

    net_terms: Annotated[WholeNumber, Field(ge=0, le=NET_TERMS_MAX)] | None = None
    period_start_day: Annotated[WholeNumber, Field(ge=1, le=31)] | None = None
    billing_cycles: Annotated[WholeNumber, Field(ge=1, le=BILLING_CYCLES_MAX)] | None = None


class CreatePlanRequest(RequestModel):
    """A plan to be: `status` ACTIVE publishes it at once, DRAFT leaves it for review."""

    name: Name
    product_family_id: ProductFamilyId
    plan_type: PlanType
    status: Literal[PlanStatus.DRAFT, PlanStatus.ACTIVE]
    currency: Currency
    components: Annotated[list[PriceComponentInput], Field(max_length=LIST_MAX)]
    add_ons: Annotated[list[PlanAddOnInput], Field(max_length=LIST_MAX)] | None = None
    billing: BillingConfig | None = None
    description: LongText | None = None
    entitlements: Annotated[
        list[EntitlementSpecRequest] | None,
        Field(max_length=LIST_MAX, description="What the plan's version grants."),
    ] = None
    self_service_rank: Annotated[WholeNumber, Field(ge=0, le=RANK_MAX)] | None = None
    tax_inclusive: Flag | None = None
    trial: TrialConfig | None = None


class PriceComponentOut(AnswerModel):
    """A priced part of a plan version."""

    id: ComponentId
    name: str
    product_id: ProductId
    fee: PlanFee


class PlanAddOnOut(AnswerModel):
    """An add-on sold with a plan version."""

    add_on_id: AddOnId
    price_id: PriceId | None
    max_instances: int | None
    self_serviceable: bool | None


class AvailableParameters(AnswerModel):
    """What a checkout can choose per component, by the component's id.

    `billing_periods` and `capacity_thresholds` name only components with more than one choice.
    """

    billing_periods: dict[str, list[Cadence]]
    capacity_thresholds: dict[str, list[int]]
    slot_components: list[str]


class PlanOut(AnswerModel):
    """A plan with one of its versions. `entitlements` are those attached to the version."""

    id: PlanId
    name: str
    description: str | None
    plan_type: PlanType
    status: PlanStatus
    product_family: ProductFamilyOut
    self_service_rank: int | None
    version: int
    version_id: PlanVersionId
    currency: str
    tax_inclusive: bool
    net_terms: int
    period_start_day: int | None
    billing_cycles: int | None
    trial: TrialConfig | None
    price_components: list[PriceComponentOut]
    add_ons: list[PlanAddOnOut]
    available_parameters: AvailableParameters
    entitlements: list[EntitlementOut]
    minimum_commitment: MinimumCommitmentSchema | None
    created_at: Instant


class PlanList(AnswerModel):
    """One page of plans, each with its published version, or its draft where it has none."""

    data: list[PlanOut]
    pagination_meta: PaginationMeta


def to_new_plan(body: CreatePlanRequest, faults: list[Fault]) -> NewPlan:
    """The plan that was sent; a component whose fee has a fault added has no prices."""
    components = [
        NewComponent(
            name=component.name,
            fee=to_plan_fee(component.fee),
            prices=to_choices(component.fee, f"components[{index}].fee", faults),
            product_id=component.product_id,
        )
        for index, component in enumerate(body.components)
    ]
    billing = body.billing or BillingConfig()
    return NewPlan(
        name=body.name,
        product_family_id=body.product_family_id,
        plan_type=body.plan_type,
        currency=body.currency,
        publish=body.status is PlanStatus.ACTIVE,
        components=tuple(components),
        add_ons=tuple(_new_add_on(one) for one in body.add_ons or ()),
        description=body.description,
        self_service_rank=body.self_service_rank,
        tax_inclusive=bool(body.tax_inclusive),
        net_terms=billing.net_terms,
        period_start_day=billing.period_start_day,
        billing_cycles=billing.billing_cycles,
        trial=None if body.trial is None else _trial(body.trial),
        entitlements=to_new_entitlements(body.entitlements),
    )


def show_plan(entry: PlanEntry) -> PlanOut:
    """A plan as it is sent."""
    version = entry.version
    trial = version.trial
    return PlanOut(
        id=entry.id,
        name=version.plan_name,
        description=entry.description,
        plan_type=entry.plan_type,
        status=entry.status,
        product_family=show_family(entry.family),
        self_service_rank=entry.self_service_rank,
        version=version.version,
        version_id=version.id,
        currency=version.currency,
        tax_inclusive=version.tax_inclusive,
        net_terms=entry.net_terms,
        period_start_day=version.period_start_day,
        billing_cycles=version.billing_cycles,
        trial=None
        if trial is None
        else TrialConfig(
            duration_days=trial.days,
            is_free=trial.is_free,
            trialing_plan_id=trial.trialing_plan_id,
        ),
        price_components=[_show_component(one) for one in version.components],
        add_ons=[
            PlanAddOnOut(
                add_on_id=one.add_on_id,
                price_id=None if one.price is None else one.price.id,
                max_instances=one.max_instances,
                self_serviceable=one.self_serviceable,
            )
            for one in version.add_ons
        ],
        available_parameters=_parameters(version.components),
        entitlements=[show_entitlement(one) for one in entry.entitlements],
        minimum_commitment=show_optional(version.minimum),
        created_at=entry.created_at,
    )


def _new_add_on(schema: PlanAddOnInput) -> NewPlanAddOn:
    return NewPlanAddOn(
        add_on_id=schema.add_on_id,
        price_id=schema.price_id,
        max_instances=schema.max_instances,
        self_serviceable=schema.self_serviceable,
    )


def _trial(schema: TrialConfig) -> PlanTrial:
    return PlanTrial(
        days=schema.duration_days,
        is_free=schema.is_free,
        trialing_plan_id=schema.trialing_plan_id,
    )


def _show_component(component: PlanComponent) -> PriceComponentOut:
    return PriceComponentOut(
        id=component.id,
        name=component.name,
        product_id=component.product_id,
        fee=show_plan_fee(component),
    )


def _parameters(components: tuple[PlanComponent, ...]) -> AvailableParameters:
    periods: dict[str, list[Cadence]] = {}
    capacities: dict[str, list[int]] = {}
    slots: list[str] = []
    for component in components:
        key = _key(component.id)
        cadences = list(dict.fromkeys(price.cadence for price in component.prices))
        if len(cadences) > 1:
            periods[key] = cadences
        included = [
            price.pricing.included
            for price in component.prices
            if isinstance(price.pricing, CapacityPricing)
        ]
        if len(included) > 1:
            capacities[key] = included
        if component.fee.type is FeeType.SLOT:
            slots.append(key)
    return AvailableParameters(
        billing_periods=periods, capacity_thresholds=capacities, slot_components=slots
    )


def _key(component_id: UUID) -> str:
    return encode(Prefix.COMPONENT, component_id)
