"""The request that creates a checkout session, and what it means."""

import json
from dataclasses import replace
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from tallystick.domain.checkout_request import (
    EXPIRES_IN_HOURS_DEFAULT,
    EXPIRES_IN_HOURS_MAX,
    CheckoutRequest,
)
from tallystick.domain.errors import Fault, Unread
from tallystick.domain.offer import (
    BankTransfer,
    ExternalPayment,
    OnlinePayment,
    PaymentConfig,
)
from tallystick.domain.offer_request import (
    AddOnEntry,
    Extra,
    OfferRequest,
    Overridden,
    Parameterized,
    Parameters,
    PriceOverride,
)
from tallystick.domain.periods import Cadence
from tallystick.http.v1.free_form import Metadata
from tallystick.http.v1.pricing_schemas import (
    Count,
    CountFromOne,
    PriceEntrySchema,
    ProductRefSchema,
    to_price_entry,
    to_product_entry,
)
from tallystick.http.v1.scalars import (
    LIST_MAX,
    AddOnId,
    BankAccountId,
    ComponentId,
    CouponId,
    CustomerIdOrAlias,
    Day,
    Flag,
    LongText,
    Name,
    PlanVersionId,
    PositiveDecimal,
    RequestModel,
    ShortText,
    WholeNumber,
)
from tallystick.http.v1.web_urls import WebUrl

DAYS_IN_MONTH_MAX = 31
NET_TERMS_MAX = 365
TRIAL_DAYS_MAX = 730


class ParametersIn(RequestModel):
    """A choice among the prices of a component or add-on, and its first number of slots."""

    billing_period: Annotated[
        Cadence | None,
        Field(description="Choose the price of this cadence; a one-time fee has none."),
    ] = None
    committed_capacity: Annotated[
        Count | None, Field(description="Choose the price that includes this many units.")
    ] = None
    initial_slot_count: Annotated[
        Count | None, Field(description="Slots at the start, within the price's min and max.")
    ] = None


class ParameterizationIn(ParametersIn):
    """Parameters for an add-on; they must fit its price."""

    type: Literal["PARAMETERIZATION"]


class PriceOverrideIn(RequestModel):
    """Another price, and perhaps another name, for an add-on."""

    type: Literal["PRICE_OVERRIDE"]
    price_entry: PriceEntrySchema
    name: Annotated[Name | None, Field(description="Shown instead of the add-on's name.")] = (
        None
    )


CustomizationIn = Annotated[PriceOverrideIn | ParameterizationIn, Field(discriminator="type")]


class AddOnIn(RequestModel):
    """An add-on to sell with the plan."""

    add_on_id: AddOnId
    quantity: Annotated[
        CountFromOne | None, Field(description="How many instances; null means 1.")
    ] = None
    customization: CustomizationIn | None = None


class ParameterizedIn(RequestModel):
    """A component of the plan, with its parameters."""

    component_id: ComponentId
    parameters: ParametersIn


class OverriddenIn(RequestModel):
    """A component of the plan, with another price and name."""

    component_id: ComponentId
    name: Name
    price_entry: PriceEntrySchema


class ExtraIn(RequestModel):
    """A component that the plan does not have."""

    name: Name
    product_ref: ProductRefSchema
    price_entry: PriceEntrySchema


class ComponentsIn(RequestModel):
    """How the plan's components differ in this offer."""

    parameterized_components: Annotated[
        list[ParameterizedIn] | None, Field(max_length=LIST_MAX)
    ] = None
    overridden_components: Annotated[list[OverriddenIn] | None, Field(max_length=LIST_MAX)] = (
        None
    )
    extra_components: Annotated[list[ExtraIn] | None, Field(max_length=LIST_MAX)] = None
    remove_components: Annotated[list[ComponentId] | None, Field(max_length=LIST_MAX)] = None


class EnabledIn(RequestModel):
    """Whether a way to pay is offered."""

    enabled: Flag


class OnlineMethodsIn(RequestModel):
    """The ways to pay on the page; one that is absent is offered."""

    card: EnabledIn | None = None
    direct_debit: EnabledIn | None = None


class OnlineIn(RequestModel):
    """Paid on the page."""

    type: Literal["online"]
    config: OnlineMethodsIn | None = None


class BankTransferIn(RequestModel):
    """Paid by bank transfer, to the named account or the entity's first."""

    type: Literal["bank_transfer"]
    account_id: BankAccountId | None = None


class ExternalIn(RequestModel):
    """Paid by means arranged outside."""

    type: Literal["external"]


PaymentMethodsConfigIn = Annotated[
    OnlineIn | BankTransferIn | ExternalIn, Field(discriminator="type")
]

# What a checkout and a subscription without one both ask for.
AddOns = Annotated[list[AddOnIn] | None, Field(max_length=LIST_MAX)]
AutoAdvanceInvoices = Annotated[
    Flag | None,
    Field(description="Default true. False: invoices stay drafts until finalized by hand."),
]
BillingDayAnchor = Annotated[
    WholeNumber | None,
    Field(ge=1, le=DAYS_IN_MONTH_MAX, description="Day of the month on which periods begin."),
]
EndDate = Annotated[Day | None, Field(description="The first day not covered.")]
NetTerms = Annotated[
    WholeNumber | None,
    Field(ge=0, le=NET_TERMS_MAX, description="Days from invoice date to due date."),
]
TrialDays = Annotated[
    WholeNumber | None,
    Field(ge=0, le=TRIAL_DAYS_MAX, description="Null: the plan's trial. 0: none."),
]


class CreateCheckoutSession(RequestModel):
    """An offer to one customer, as special as it needs to be."""

    customer_id: Annotated[CustomerIdOrAlias, Field(description="The customer's id or alias.")]
    plan_version_id: Annotated[
        PlanVersionId, Field(description="A published version of a plan that is not archived.")
    ]
    add_ons: AddOns = None
    auto_advance_invoices: AutoAdvanceInvoices = None
    billing_day_anchor: BillingDayAnchor = None
    billing_start_date: Annotated[
        Day | None,
        Field(description="Where the subscription begins; default the day of confirmation."),
    ] = None
    cancel_url: Annotated[
        WebUrl | None, Field(description="Where the page's way back leads.")
    ] = None
    charge_automatically: Annotated[
        Flag | None,
        Field(description="Charge later invoices to the saved method; default true online."),
    ] = None
    components: ComponentsIn | None = None
    coupon_code: Annotated[Name | None, Field(description="Matched exactly.")] = None
    coupon_ids: Annotated[list[CouponId] | None, Field(max_length=LIST_MAX)] = None
    end_date: EndDate = None
    expires_in_hours: Annotated[
        WholeNumber | None,
        Field(ge=0, le=EXPIRES_IN_HOURS_MAX, description="Default 1; 0 means never."),
    ] = None
    invoice_memo: Annotated[
        LongText | None, Field(description="Shown on the page and on every invoice.")
    ] = None
    invoice_threshold: Annotated[
        PositiveDecimal | None,
        Field(description="Unbilled usage, in major units, at which an invoice is issued."),
    ] = None
    metadata: Annotated[
        Metadata | None, Field(description="Returned, copied to the subscription, in events.")
    ] = None
    net_terms: NetTerms = None
    payment_methods_config: PaymentMethodsConfigIn | None = None
    purchase_order: Annotated[
        ShortText | None, Field(description="Shown on the page and on every invoice.")
    ] = None
    success_url: Annotated[
        WebUrl | None,
        Field(description="Where the buyer goes after success, with `checkout_session_id`."),
    ] = None
    trial_duration_days: TrialDays = None


def what_is_sold(
    add_ons: list[AddOnIn] | None, components: ComponentsIn | None, unread: Unread
) -> OfferRequest:
    """The part of an offer that says what is sold, with the faults of impossible prices.

    `unread` is what is not in the request because it could not be read.
    """
    faults: list[Fault] = []
    changes = components or ComponentsIn()
    return OfferRequest(
        add_ons=to_add_ons(add_ons or [], "add_ons", faults),
        parameterized=tuple(
            Parameterized(
                component_id=one.component_id, parameters=to_parameters(one.parameters)
            )
            for one in changes.parameterized_components or ()
        ),
        overridden=_overridden(changes.overridden_components or [], faults),
        extra=to_extra(changes.extra_components or [], "components.extra_components", faults),
        removed=tuple(changes.remove_components or ()),
        unread=Unread((*unread.faults, *faults), unread.fields),
    )


def to_checkout_request(body: CreateCheckoutSession, unread: Unread) -> CheckoutRequest:
    """What a request means, with the faults of prices that cannot be computed.

    `unread` is what is not in the body because it could not be read.
    """
    offer = replace(
        what_is_sold(body.add_ons, body.components, unread),
        coupon_code=body.coupon_code,
        coupon_ids=tuple(body.coupon_ids or ()),
        billing_start_date=body.billing_start_date,
        billing_day_anchor=body.billing_day_anchor,
        end_date=body.end_date,
        trial_duration_days=body.trial_duration_days,
        net_terms=body.net_terms,
        auto_advance_invoices=body.auto_advance_invoices,
        charge_automatically=body.charge_automatically,
        payment=to_payment(body.payment_methods_config),
        invoice_memo=body.invoice_memo,
        purchase_order=body.purchase_order,
        invoice_threshold=body.invoice_threshold,
    )
    hours = body.expires_in_hours
    by_id = body.customer_id if isinstance(body.customer_id, UUID) else None
    return CheckoutRequest(
        customer=str(body.customer_id),
        customer_id=by_id,
        plan_version_id=body.plan_version_id,
        offer=offer,
        echo=body.model_dump_json(exclude_none=True, exclude={"metadata"}),
        expires_in_hours=EXPIRES_IN_HOURS_DEFAULT if hours is None else hours,
        metadata=None
        if body.metadata is None
        else json.dumps(body.metadata, ensure_ascii=False, separators=(",", ":")),
        success_url=body.success_url,
        cancel_url=body.cancel_url,
    )


def to_payment(
    config: OnlineIn | BankTransferIn | ExternalIn | None,
) -> PaymentConfig | None:
    """The payment configuration that was sent; ways to pay that are absent are offered."""
    match config:
        case None:
            return None
        case OnlineIn(config=None):
            return OnlinePayment()
        case OnlineIn(config=OnlineMethodsIn() as methods):
            return OnlinePayment(
                card=methods.card is None or methods.card.enabled,
                direct_debit=methods.direct_debit is None or methods.direct_debit.enabled,
            )
        case BankTransferIn():
            return BankTransfer(account_id=config.account_id)
        case _:
            return ExternalPayment()


def to_parameters(sent: ParametersIn) -> Parameters:
    """A choice among prices."""
    return Parameters(
        billing_period=sent.billing_period,
        committed_capacity=sent.committed_capacity,
        initial_slot_count=sent.initial_slot_count,
    )


def to_add_ons(sent: list[AddOnIn], at: str, faults: list[Fault]) -> tuple[AddOnEntry, ...]:
    """The add-ons under a path, with the faults of impossible prices."""
    found: list[AddOnEntry] = []
    for index, one in enumerate(sent):
        customization: PriceOverride | Parameters | None = None
        match one.customization:
            case PriceOverrideIn() as override:
                path = f"{at}[{index}].customization.price_entry"
                entry = to_price_entry(override.price_entry, path, faults)
                customization = PriceOverride(price=entry, name=override.name)
            case ParameterizationIn() as parameters:
                customization = to_parameters(parameters)
            case None:
                pass
        found.append(
            AddOnEntry(
                add_on_id=one.add_on_id,
                quantity=1 if one.quantity is None else one.quantity,
                customization=customization,
            )
        )
    return tuple(found)


def _overridden(sent: list[OverriddenIn], faults: list[Fault]) -> tuple[Overridden, ...]:
    found: list[Overridden] = []
    for index, one in enumerate(sent):
        path = f"components.overridden_components[{index}].price_entry"
        entry = to_price_entry(one.price_entry, path, faults)
        found.append(Overridden(component_id=one.component_id, name=one.name, price=entry))
    return tuple(found)


def to_extra(sent: list[ExtraIn], at: str, faults: list[Fault]) -> tuple[Extra, ...]:
    """The extra components under a path, with the faults of impossible prices."""
    found: list[Extra] = []
    for index, one in enumerate(sent):
        path = f"{at}[{index}]"
        entry = to_price_entry(one.price_entry, f"{path}.price_entry", faults)
        product = to_product_entry(one.product_ref, f"{path}.product_ref", faults)
        found.append(Extra(name=one.name, product=product, price=entry))
    return tuple(found)
