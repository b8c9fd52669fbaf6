"""Plans on the wire: the request that makes one, and how one is shown."""

from typing import Annotated, Literal

from pydantic import Field

from tallystick.domain.catalog import PlanComponent, PlanStatus, PlanTrial, PlanType
from tallystick.domain.catalog_entries import PlanEntry
from tallystick.domain.errors import Fault
from tallystick.domain.new_plan import NewComponent, NewPlan, NewPlanAddOn
from tallystick.domain.pricing import COUNT_MAX
from tallystick.http.v1.entitlement_schemas import (
    EntitlementOut,
    EntitlementSpecRequest,
    show_entitlement,
    to_new_entitlements,
)
from tallystick.http.v1.minimum_schemas import MinimumCommitmentSchema, show_optional
from tallystick.http.v1.paging import PaginationMeta
from tallystick.http.v1.plan_fees import PlanFee, show_plan_fee, to_choices, to_plan_fee
from tallystick.http.v1.plan_parameters import AvailableParameters, parameters_of
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

    name: Annotated[Name, Field(description="What buyers read, on the page and on invoices.")]
    fee: Annotated[PlanFee, Field(description="Its fee with all of its prices.")]
    product_id: Annotated[
        ProductId | None,
        Field(description="What it is a price of; its fee must be this product's."),
    ] = None


class PlanAddOnInput(RequestModel):
    """An add-on sold with the plan, at the plan's own price and limit where given."""

    add_on_id: Annotated[AddOnId, Field(description="The add-on.")]
    price_id: Annotated[
        PriceId | None,
        Field(description="The plan's own price, in its currency; null: the add-on's."),
    ] = None
    max_instances: Annotated[
        Annotated[WholeNumber, Field(ge=1, le=COUNT_MAX)] | None,
        Field(description="How many a subscription may have, within the add-on's own limit."),
    ] = None
    self_serviceable: Annotated[
        Flag | None,
        Field(
            description="For your own pages: whether customers may add it themselves; "
            "null: as the add-on says."
        ),
    ] = None


class TrialConfig(RequestModel):
    """The plan's trial; one that is not free is charged from its first day."""

    duration_days: Annotated[
        WholeNumber, Field(ge=0, le=TRIAL_DAYS_MAX, description="0 to 730; 0: no trial.")
    ]
    is_free: Annotated[Flag, Field(description="Whether nothing is billed for its days.")]
    trialing_plan_id: Annotated[
        PlanId | None,
        Field(
            description="The plan whose entitlements hold during it; prices are the plan's own."
        ),
    ] = None


class BillingConfig(RequestModel):
    """How the plan is billed; `net_terms` left out are the invoicing entity's."""

    net_terms: Annotated[
        Annotated[WholeNumber, Field(ge=0, le=NET_TERMS_MAX)] | None,
        Field(description="Days from invoice date to due date; null: the invoicing entity's."),
    ] = None
    period_start_day: Annotated[
        Annotated[WholeNumber, Field(ge=1, le=31)] | None,
        Field(
            description="The day of the month on which periods begin; null: that of the start."
        ),
    ] = None
    billing_cycles: Annotated[
        Annotated[WholeNumber, Field(ge=1, le=BILLING_CYCLES_MAX)] | None,
        Field(description="After how many periods a subscription ends; null: it does not."),
    ] = None


class CreatePlanRequest(RequestModel):
    """A plan to be: `status` ACTIVE publishes it at once, DRAFT leaves it for review."""

    name: Annotated[Name, Field(description="What buyers read.")]
    product_family_id: Annotated[
        ProductFamilyId, Field(description="The family it belongs to.")
    ]
    plan_type: Annotated[
        PlanType, Field(description="FREE: nothing of it may ever cost anything.")
    ]
    status: Annotated[
        Literal[PlanStatus.DRAFT, PlanStatus.ACTIVE],
        Field(description="DRAFT, or ACTIVE to publish it at once."),
    ]
    currency: Annotated[Currency, Field(description="In which it is sold.")]
    components: Annotated[
        list[PriceComponentInput],
        Field(max_length=LIST_MAX, description="What it sells, in this order."),
    ]
    add_ons: Annotated[
        Annotated[list[PlanAddOnInput], Field(max_length=LIST_MAX)] | None,
        Field(description="The only add-ons sold with it; none: any."),
    ] = None
    billing: Annotated[BillingConfig | None, Field(description="How it is billed.")] = None
    description: Annotated[LongText | None, Field(description="For the merchant.")] = None
    entitlements: Annotated[
        list[EntitlementSpecRequest] | None,
        Field(max_length=LIST_MAX, description="What the plan's version grants."),
    ] = None
    self_service_rank: Annotated[
        Annotated[WholeNumber, Field(ge=0, le=RANK_MAX)] | None,
        Field(
            description="For your own pages: its place among plans shown to customers. "
            "It is kept and shown."
        ),
    ] = None
    tax_inclusive: Annotated[
        Flag | None, Field(description="Whether the amounts hold the tax; null: no.")
    ] = None
    trial: Annotated[TrialConfig | None, Field(description="Its trial.")] = None


class PriceComponentOut(AnswerModel):
    """A priced part of a plan version."""

    id: Annotated[ComponentId, Field(description="The id by which a checkout changes it.")]
    name: Annotated[str, Field(description="What buyers read.")]
    product_id: Annotated[ProductId, Field(description="What it is a price of.")]
    fee: Annotated[PlanFee, Field(description="Its fee with all of its prices.")]


class PlanAddOnOut(AnswerModel):
    """An add-on sold with a plan version."""

    add_on_id: Annotated[AddOnId, Field(description="The add-on.")]
    price_id: Annotated[
        PriceId | None, Field(description="The plan's own price for it; null: the add-on's.")
    ]
    max_instances: Annotated[
        int | None,
        Field(description="How many a subscription may have; null: as the add-on says."),
    ]
    self_serviceable: Annotated[
        bool | None,
        Field(
            description="For your own pages: whether customers may add it themselves; "
            "null: as the add-on says."
        ),
    ]


class PlanOut(AnswerModel):
    """A plan with one of its versions, `is_draft` until that is published."""

    id: Annotated[PlanId, Field(description="Its id.")]
    name: Annotated[str, Field(description="What buyers read.")]
    description: Annotated[str | None, Field(description="For the merchant.")]
    plan_type: Annotated[
        PlanType, Field(description="FREE: nothing of it ever costs anything.")
    ]
    status: Annotated[
        PlanStatus,
        Field(description="DRAFT: nothing is published. ARCHIVED: nobody new can have it."),
    ]
    product_family: Annotated[ProductFamilyOut, Field(description="The family it belongs to.")]
    self_service_rank: Annotated[
        int | None,
        Field(
            description="For your own pages: its place among plans shown to customers. "
            "It is kept and shown."
        ),
    ]
    version: Annotated[int, Field(description="The number of the version that is shown.")]
    version_id: Annotated[
        PlanVersionId, Field(description="The id by which a checkout sells it.")
    ]
    is_draft: Annotated[bool, Field(description="Whether the version can still change.")]
    currency: Annotated[str, Field(description="In which it is sold.")]
    tax_inclusive: Annotated[bool, Field(description="Whether the amounts hold the tax.")]
    net_terms: Annotated[
        int,
        Field(description="Days from invoice date to due date: its own, else the entity's."),
    ]
    period_start_day: Annotated[
        int | None,
        Field(
            description="The day of the month on which periods begin; null: that of the start."
        ),
    ]
    billing_cycles: Annotated[
        int | None,
        Field(description="After how many periods a subscription ends; null: it does not."),
    ]
    trial: Annotated[TrialConfig | None, Field(description="Its trial; null: none.")]
    price_components: Annotated[
        list[PriceComponentOut], Field(description="What it sells, in order.")
    ]
    add_ons: Annotated[
        list[PlanAddOnOut], Field(description="The only add-ons sold with it; none: any.")
    ]
    available_parameters: Annotated[
        AvailableParameters, Field(description="What a checkout can choose.")
    ]
    entitlements: Annotated[
        list[EntitlementOut], Field(description="What is attached to the version.")
    ]
    minimum_commitment: Annotated[
        MinimumCommitmentSchema | None,
        Field(description="What each period costs at least; null: nothing."),
    ]
    created_at: Annotated[Instant, Field(description="When the plan was made.")]


class PlanList(AnswerModel):
    """One page of plans, each with its published version, or its draft where it has none."""

    data: list[PlanOut]
    pagination_meta: PaginationMeta


def to_new_plan(body: CreatePlanRequest, faults: list[Fault]) -> NewPlan:
    """The plan that was sent; a component whose fee has a fault added has no prices."""
    billing = body.billing or BillingConfig()
    return NewPlan(
        name=body.name,
        product_family_id=body.product_family_id,
        plan_type=body.plan_type,
        currency=body.currency,
        publish=body.status is PlanStatus.ACTIVE,
        components=new_components(body.components, faults),
        add_ons=tuple(new_add_on(one) for one in body.add_ons or ()),
        description=body.description,
        self_service_rank=body.self_service_rank,
        tax_inclusive=bool(body.tax_inclusive),
        net_terms=billing.net_terms,
        period_start_day=billing.period_start_day,
        billing_cycles=billing.billing_cycles,
        trial=None if body.trial is None else to_trial(body.trial),
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
        is_draft=not version.is_published,
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
        available_parameters=parameters_of(version.components),
        entitlements=[show_entitlement(one) for one in entry.entitlements],
        minimum_commitment=show_optional(version.minimum),
        created_at=entry.created_at,
    )


def new_components(
    sent: list[PriceComponentInput], faults: list[Fault]
) -> tuple[NewComponent, ...]:
    """The components that were sent; one whose fee has a fault added has no prices."""
    return tuple(
        NewComponent(
            name=component.name,
            fee=to_plan_fee(component.fee),
            prices=to_choices(component.fee, f"components[{index}].fee", faults),
            product_id=component.product_id,
        )
        for index, component in enumerate(sent)
    )


def new_add_on(schema: PlanAddOnInput) -> NewPlanAddOn:
    """The plan's entry for an add-on that was sent."""
    return NewPlanAddOn(
        add_on_id=schema.add_on_id,
        price_id=schema.price_id,
        max_instances=schema.max_instances,
        self_serviceable=schema.self_serviceable,
    )


def to_trial(schema: TrialConfig) -> PlanTrial:
    """The trial that was sent."""
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
