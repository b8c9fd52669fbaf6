"""Changes of plans on the wire: replaced as a whole, and what is said about them; versions."""

from typing import Annotated, Literal

from pydantic import Field

from tallystick.domain.catalog import PlanStatus
from tallystick.domain.catalog_entries import PlanVersionEntry
from tallystick.domain.errors import Fault
from tallystick.domain.new_plan import NewMinimum
from tallystick.http.v1.entitlement_schemas import EntitlementSpecRequest, to_new_entitlements
from tallystick.http.v1.kept import kept
from tallystick.http.v1.minimum_schemas import AllComponentsScope
from tallystick.http.v1.paging import PaginationMeta
from tallystick.http.v1.plan_schemas import (
    RANK_MAX,
    BillingConfig,
    PlanAddOnInput,
    PriceComponentInput,
    TrialConfig,
    new_add_on,
    new_components,
    to_trial,
)
from tallystick.http.v1.scalars import (
    LIST_MAX,
    AnswerModel,
    Currency,
    Flag,
    Instant,
    LongText,
    Name,
    PlanVersionId,
    PositiveDecimal,
    RequestModel,
    WholeNumber,
)
from tallystick.services.replace_plan import PlanReplacement


class ComponentsScope(RequestModel):
    """Only fees and usage of the named components of this request count."""

    type: Literal["components"]
    component_names: Annotated[
        list[Name],
        Field(
            min_length=1,
            max_length=LIST_MAX,
            description="Names of components of this request.",
        ),
    ]


class MinimumCommitmentInput(RequestModel):
    """What each period is to cost at least: `amount` in major units of the plan's currency."""

    amount: Annotated[
        PositiveDecimal, Field(description="In major units of the plan's currency.")
    ]
    scope: Annotated[
        AllComponentsScope | ComponentsScope,
        Field(discriminator="type", description="What counts towards it."),
    ]


class ReplacePlanRequest(RequestModel):
    """All that a plan is to say and to sell: what is left out is gone.

    The plan's type, family and rank stay. A component without `product_id` keeps the product
    of the component that it replaces: the one with its name and its fee structure.
    """

    name: Annotated[Name, Field(description="What buyers read.")]
    currency: Annotated[Currency, Field(description="In which it is sold.")]
    components: Annotated[
        list[PriceComponentInput],
        Field(max_length=LIST_MAX, description="Everything that it sells, in this order."),
    ]
    status: Annotated[
        Literal[PlanStatus.DRAFT, PlanStatus.ACTIVE] | None,
        Field(
            description="ACTIVE publishes the new version, DRAFT stages it; left out it is"
            " published where the plan is published, and a draft where the plan is one."
        ),
    ] = None
    add_ons: Annotated[
        list[PlanAddOnInput] | None,
        Field(max_length=LIST_MAX, description="The only add-ons sold with it; none: any."),
    ] = None
    billing: Annotated[BillingConfig | None, Field(description="How it is billed.")] = None
    description: Annotated[LongText | None, Field(description="For the merchant.")] = None
    entitlements: Annotated[
        list[EntitlementSpecRequest] | None,
        Field(
            max_length=LIST_MAX,
            description="What the version grants; left out: what the one before granted.",
        ),
    ] = None
    minimum_commitment: Annotated[
        MinimumCommitmentInput | None,
        Field(description="What each period costs at least; left out: nothing."),
    ] = None
    tax_inclusive: Annotated[
        Flag | None, Field(description="Whether the amounts hold the tax; default false.")
    ] = None
    trial: Annotated[TrialConfig | None, Field(description="Its trial; left out: none.")] = None


class PatchPlanRequest(RequestModel):
    """What is said about a plan, its versions aside: what is left out stays, null clears."""

    name: Name = kept("What buyers read, and what its subscriptions are listed by.")
    description: Annotated[
        LongText | None, Field(description="For the merchant; null: none.")
    ] = None
    self_service_rank: Annotated[
        WholeNumber | None,
        Field(
            ge=0,
            le=RANK_MAX,
            description="For your own pages: its place among plans shown to customers. "
            "It is kept and shown.",
        ),
    ] = None


class PlanVersionOut(AnswerModel):
    """A version of a plan; `published_at` is null for the draft, which may still change."""

    id: Annotated[PlanVersionId, Field(description="The id by which a checkout sells it.")]
    version: Annotated[int, Field(description="Its number, from 1.")]
    currency: Annotated[str, Field(description="In which it is sold.")]
    is_draft: Annotated[bool, Field(description="Whether it can still change.")]
    published_at: Annotated[
        Instant | None, Field(description="When it was published; null: it is the draft.")
    ]
    created_at: Annotated[Instant, Field(description="When it was made.")]


class PlanVersionList(AnswerModel):
    """One page of a plan's versions, the newest first."""

    data: list[PlanVersionOut]
    pagination_meta: PaginationMeta


def to_replacement(body: ReplacePlanRequest, faults: list[Fault]) -> PlanReplacement:
    """The replacement that was sent; a component with a fault added has no prices."""
    billing = body.billing or BillingConfig()
    minimum = body.minimum_commitment
    return PlanReplacement(
        name=body.name,
        currency=body.currency,
        publish=None if body.status is None else body.status is PlanStatus.ACTIVE,
        components=new_components(body.components, faults),
        add_ons=tuple(new_add_on(one) for one in body.add_ons or ()),
        description=body.description,
        tax_inclusive=bool(body.tax_inclusive),
        net_terms=billing.net_terms,
        period_start_day=billing.period_start_day,
        billing_cycles=billing.billing_cycles,
        trial=None if body.trial is None else to_trial(body.trial),
        minimum=None if minimum is None else _to_minimum(minimum),
        entitlements=None
        if body.entitlements is None
        else to_new_entitlements(body.entitlements),
    )


def show_version(entry: PlanVersionEntry) -> PlanVersionOut:
    """A version as it is listed."""
    return PlanVersionOut(
        id=entry.id,
        version=entry.version,
        currency=entry.currency,
        is_draft=entry.published_at is None,
        published_at=entry.published_at,
        created_at=entry.created_at,
    )


def _to_minimum(schema: MinimumCommitmentInput) -> NewMinimum:
    scope = schema.scope
    names = tuple(scope.component_names) if isinstance(scope, ComponentsScope) else None
    return NewMinimum(amount=schema.amount, component_names=names)
