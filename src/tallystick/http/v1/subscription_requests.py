"""The requests that create and change subscriptions, and what they mean."""

import json
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field
from pydantic.json_schema import JsonSchemaValue
from typing_extensions import override

from tallystick.domain.errors import ALL_READ, Fault, InvalidInput
from tallystick.domain.purchase import Activation
from tallystick.http.v1.checkout_answers import CheckoutSessionOut
from tallystick.http.v1.checkout_schemas import (
    NET_TERMS_MAX,
    AddOns,
    AutoAdvanceInvoices,
    BillingDayAnchor,
    ComponentsIn,
    EndDate,
    NetTerms,
    PaymentMethodsConfigIn,
    TrialDays,
    to_payment,
    what_is_sold,
)
from tallystick.http.v1.invoice_schemas import InvoiceOut
from tallystick.http.v1.property_values import CustomProperties, MergedProperties
from tallystick.http.v1.scalar import Scalar, must_be_text, problem
from tallystick.http.v1.scalars import (
    LIST_MAX,
    AnswerModel,
    CustomerIdOrAlias,
    Day,
    Flag,
    LongText,
    Name,
    PlanId,
    PlanVersionId,
    RequestModel,
    ShortText,
    Text,
    WholeNumber,
)
from tallystick.http.v1.subscription_schemas import SubscriptionDetailsOut, SubscriptionOut
from tallystick.services.create_subscription import SubscriptionRequest
from tallystick.services.edit_subscription import TermsChange
from tallystick.services.plan_wanted import PlanChangeRequest

_ECHOED = {
    "add_ons": "add_ons",
    "price_components": "components",
    "trial_days": "trial_duration_days",
}
VERSION_MAX = 2**31 - 1
REASON_CHARS_MAX = 1000


class ActivationName(Scalar):
    """How the subscription begins."""

    @override
    def parse(self, value: Any) -> Activation:
        match must_be_text(value):
            case "ON_START":
                return Activation.ON_START
            case "MANUAL":
                return Activation.MANUAL
            case "ON_CHECKOUT":
                return Activation.ON_CHECKOUT
            case _:
                raise problem("unknown_value", "must be ON_START, ON_CHECKOUT or MANUAL")

    @override
    def schema(self) -> JsonSchemaValue:
        return {"type": "string", "enum": ["ON_START", "ON_CHECKOUT", "MANUAL"]}


class ChangeAt(StrEnum):
    """When a plan changes."""

    NOW = "NOW"
    PERIOD_END = "PERIOD_END"


class ChangeAtName(Scalar):
    """When a plan changes."""

    @override
    def parse(self, value: Any) -> ChangeAt:
        match must_be_text(value):
            case "NOW":
                return ChangeAt.NOW
            case "PERIOD_END":
                return ChangeAt.PERIOD_END
            case _:
                raise problem("unknown_value", "must be NOW or PERIOD_END")

    @override
    def schema(self) -> JsonSchemaValue:
        return {"type": "string", "enum": ["NOW", "PERIOD_END"]}


class SubscriptionCreateRequest(RequestModel):
    """A subscription of a customer to a plan."""

    activation_condition: Annotated[
        Activation,
        ActivationName(),
        Field(
            description="ON_START: by itself on `start_date`. ON_CHECKOUT: when its customer "
            "confirms at `checkout_url`, a free trial by itself before. MANUAL: when it is "
            "activated."
        ),
    ]
    customer_id_or_alias: CustomerIdOrAlias
    plan_id: PlanId
    start_date: Annotated[
        Day,
        Field(description="Where it begins, trial included; past periods are caught up."),
    ]
    add_ons: AddOns = None
    auto_advance_invoices: AutoAdvanceInvoices = None
    backdate_invoices: Annotated[
        Flag | None,
        Field(description="Changes nothing: every invoice is dated by its period."),
    ] = None
    billing_day_anchor: BillingDayAnchor = None
    charge_automatically: Annotated[
        Flag | None,
        Field(description="Charge invoices to the saved method; default true online."),
    ] = None
    coupon_codes: Annotated[
        list[Name] | None,
        Field(max_length=LIST_MAX, description="Matched exactly; duplicates merge."),
    ] = None
    custom_properties: CustomProperties | None = None
    end_date: EndDate = None
    invoice_memo: Annotated[LongText | None, Field(description="Shown on every invoice.")] = (
        None
    )
    net_terms: NetTerms = None
    payment_methods_config: PaymentMethodsConfigIn | None = None
    price_components: ComponentsIn | None = None
    purchase_order: Annotated[
        ShortText | None, Field(description="Shown on every invoice.")
    ] = None
    skip_past_invoices: Annotated[
        Flag | None,
        Field(description="True: what lies before today was billed elsewhere."),
    ] = None
    trial_days: TrialDays = None
    version: Annotated[
        WholeNumber | None,
        Field(ge=1, le=VERSION_MAX, description="Default: the plan's published version."),
    ] = None


class SubscriptionUpdateRequest(RequestModel):
    """A change of how a subscription is billed: what is left out stays, null is the default."""

    auto_advance_invoices: Flag | None = None
    charge_automatically: Flag | None = None
    custom_properties: MergedProperties | None = None
    invoice_memo: LongText | None = None
    net_terms: Annotated[WholeNumber | None, Field(ge=0, le=NET_TERMS_MAX)] = None
    payment_methods_config: Annotated[
        PaymentMethodsConfigIn | None,
        Field(description="One that is not online turns automatic charging off."),
    ] = None
    purchase_order: ShortText | None = None


class CancelSubscriptionRequest(RequestModel):
    """When and why; both may be left out, and so may the body."""

    effective_date: Annotated[
        Day | None, Field(description="Default: the end of the current period.")
    ] = None
    reason: Annotated[str, Text(REASON_CHARS_MAX, blank=True)] | None = None


class ActivateSubscriptionRequest(RequestModel):
    """Whether to activate, or to show only what it would bill; may be left out."""

    preview: Annotated[Flag, Field(description="True: nothing is stored.")] = False


class ReactivateSubscriptionRequest(RequestModel):
    """Whether to reactivate, or to show only what would come of it; may be left out."""

    preview: Annotated[Flag, Field(description="True: nothing is stored.")] = False


class ChangePlanRequest(RequestModel):
    """The plan version to change to; its components are matched by their products."""

    plan_version_id: PlanVersionId
    at: Annotated[
        ChangeAt,
        ChangeAtName(),
        Field(
            description="NOW: today, in the period that stays. PERIOD_END: before the next one "
            "is billed; it replaces what was scheduled."
        ),
    ]
    checkout: Annotated[
        Flag, Field(description="True: the customer makes it at the `checkout_url`; NOW only.")
    ] = False
    components: Annotated[
        ComponentsIn | None,
        Field(description="Slots that are not named stay as many as they are."),
    ] = None
    preview: Annotated[Flag, Field(description="True: nothing is stored.")] = False


class CancelSubscriptionResponse(AnswerModel):
    """The subscription with its cancellation, or without it again."""

    subscription: SubscriptionOut


class ReactivateSubscriptionResponse(CancelSubscriptionResponse):
    """The subscription without its cancellation; nothing is billed for that.

    In a preview it is not stored.
    """

    invoice: None


class SubscriptionUpdateResponse(AnswerModel):
    """The subscription as changed."""

    subscription: SubscriptionDetailsOut


class ActivateSubscriptionResponse(AnswerModel):
    """The subscription as activated, and the invoice that was made at once, if any.

    In a preview neither is stored, and the invoice has no number.
    """

    subscription: SubscriptionDetailsOut
    invoice: InvoiceOut | None


class ChangePlanResponse(ActivateSubscriptionResponse):
    """The subscription as changed, and the invoice that was made at once, if any.

    In a preview neither is stored, and the invoice has no number; at the end of the period it
    is the one of that day, as far as it is known. The counts are of components, matched by
    their products.
    """

    matched: int
    added: int
    removed: int
    session: Annotated[
        CheckoutSessionOut | None,
        Field(description="Where the customer makes the change, with `checkout`."),
    ] = None


def to_subscription_request(body: SubscriptionCreateRequest) -> SubscriptionRequest:
    """What a request means, with the faults of prices that cannot be computed."""
    offer = replace(
        what_is_sold(body.add_ons, body.price_components, ALL_READ),
        coupon_codes=tuple(body.coupon_codes or ()),
        billing_start_date=body.start_date,
        billing_day_anchor=body.billing_day_anchor,
        end_date=body.end_date,
        trial_duration_days=body.trial_days,
        net_terms=body.net_terms,
        auto_advance_invoices=body.auto_advance_invoices,
        charge_automatically=body.charge_automatically,
        payment=to_payment(body.payment_methods_config),
        invoice_memo=body.invoice_memo,
        purchase_order=body.purchase_order,
    )
    return SubscriptionRequest(
        customer=body.customer_id_or_alias,
        plan_id=body.plan_id,
        version=body.version,
        activation=body.activation_condition,
        start=body.start_date,
        offer=offer,
        skips_past=body.skip_past_invoices is True,
        properties=body.custom_properties or {},
        echo=_echo(body),
    )


def to_plan_change(body: ChangePlanRequest) -> PlanChangeRequest:
    """What a change of the plan means, with the faults of prices that cannot be computed."""
    if body.checkout and body.at is not ChangeAt.NOW:
        fault = Fault("checkout", "wrong_time", "goes with NOW only")
        raise InvalidInput(f"{fault.field}: {fault.message}", (fault,))
    return PlanChangeRequest(
        plan_version_id=body.plan_version_id,
        components=what_is_sold(None, body.components, ALL_READ),
    )


def plan_change_echo(body: ChangePlanRequest) -> str:
    """What a session of the change tells of the request, in the words of a session."""
    return body.model_dump_json(exclude_none=True, include={"components"})


def _echo(body: SubscriptionCreateRequest) -> str:
    """What a session of the subscription tells of the request, in the words of a session."""
    sent = body.model_dump(mode="json", exclude_none=True, include=set(_ECHOED))
    return json.dumps({told: sent[name] for name, told in _ECHOED.items() if name in sent})


def to_terms_change(body: SubscriptionUpdateRequest) -> TermsChange:
    """What a change means."""
    return TermsChange(
        said=frozenset(body.model_fields_set) - _unsaid(body),
        auto_advance_invoices=body.auto_advance_invoices,
        charge_automatically=body.charge_automatically,
        invoice_memo=body.invoice_memo,
        net_terms=body.net_terms,
        payment=to_payment(body.payment_methods_config),
        properties=body.custom_properties or {},
        purchase_order=body.purchase_order,
    )


def _unsaid(body: SubscriptionUpdateRequest) -> set[str]:
    """Null says nothing of the properties as a whole: each is taken away by its own null."""
    return set() if body.custom_properties is not None else {"custom_properties"}
