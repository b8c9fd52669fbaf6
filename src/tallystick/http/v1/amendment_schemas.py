"""The request that amends a subscription, and what it means."""

from typing import Annotated

from pydantic import Field

from tallystick.domain.amendment_request import (
    AmendmentRequest,
    ComponentChange,
    QuantityChange,
)
from tallystick.domain.errors import Fault, Unread
from tallystick.domain.offer_request import OfferRequest, Parameterized, Parameters
from tallystick.http.v1.checkout_schemas import (
    AddOnIn,
    ExtraIn,
    ParametersIn,
    to_add_ons,
    to_extra,
    to_parameters,
)
from tallystick.http.v1.credit_note_schemas import CreditNoteOut
from tallystick.http.v1.pricing_schemas import CountFromOne, PriceEntrySchema, to_price_entry
from tallystick.http.v1.scalars import (
    LIST_MAX,
    ComponentId,
    Flag,
    Name,
    RequestModel,
    SubscriptionAddOnId,
    SubscriptionComponentId,
)
from tallystick.http.v1.subscription_requests import (
    ActivateSubscriptionResponse,
    ChangeAt,
    ChangeAtName,
)


class PlanComponentIn(RequestModel):
    """A component of the plan that the subscription does not have."""

    component_id: ComponentId
    parameters: ParametersIn | None = None


class ComponentChangeIn(RequestModel):
    """A component of the subscription with another price, another name, or both."""

    id: SubscriptionComponentId
    name: Name | None = None
    price_entry: Annotated[
        PriceEntrySchema | None, Field(description="Slots stay as many as they are.")
    ] = None


class QuantityChangeIn(RequestModel):
    """An add-on of the subscription, so many times from now on."""

    id: SubscriptionAddOnId
    quantity: CountFromOne


class AmendedComponentsIn(RequestModel):
    """Components that join, change and leave. A changed one gets another id."""

    add: Annotated[list[ExtraIn] | None, Field(max_length=LIST_MAX)] = None
    add_from_plan: Annotated[list[PlanComponentIn] | None, Field(max_length=LIST_MAX)] = None
    change: Annotated[list[ComponentChangeIn] | None, Field(max_length=LIST_MAX)] = None
    remove: Annotated[list[SubscriptionComponentId] | None, Field(max_length=LIST_MAX)] = None


class AmendedAddOnsIn(RequestModel):
    """Add-ons that join, change and leave. A changed one gets another id."""

    add: Annotated[list[AddOnIn] | None, Field(max_length=LIST_MAX)] = None
    change: Annotated[list[QuantityChangeIn] | None, Field(max_length=LIST_MAX)] = None
    remove: Annotated[list[SubscriptionAddOnId] | None, Field(max_length=LIST_MAX)] = None


class AmendSubscriptionRequest(RequestModel):
    """What is to be different about a running subscription, and from when."""

    at: Annotated[
        ChangeAt,
        ChangeAtName(),
        Field(
            description="NOW: today, in the period that stays. PERIOD_END: before the next one "
            "is billed; it replaces an amendment that was scheduled."
        ),
    ]
    components: AmendedComponentsIn | None = None
    add_ons: AmendedAddOnsIn | None = None
    preview: Annotated[Flag, Field(description="True: nothing is stored.")] = False


class AmendSubscriptionResponse(ActivateSubscriptionResponse):
    """The subscription as amended, the invoice of what joined and changed, if any, and what was
    credited of what left.

    In a preview nothing is stored, and nothing has a number; at the end of the period the
    invoice is the one of that day, as far as it is known.
    """

    credit_notes: list[CreditNoteOut]


def to_amendment(body: AmendSubscriptionRequest) -> AmendmentRequest:
    """What an amendment means, with the faults of prices that cannot be computed."""
    faults: list[Fault] = []
    components = body.components or AmendedComponentsIn()
    add_ons = body.add_ons or AmendedAddOnsIn()
    extra = to_extra(components.add or [], "components.add", faults)
    changes = _changes(components.change or [], faults)
    added = to_add_ons(add_ons.add or [], "add_ons.add", faults)
    sold = OfferRequest(
        add_ons=added,
        parameterized=tuple(
            Parameterized(
                component_id=one.component_id,
                parameters=Parameters()
                if one.parameters is None
                else to_parameters(one.parameters),
            )
            for one in components.add_from_plan or ()
        ),
        extra=extra,
        unread=Unread(tuple(faults)),
    )
    return AmendmentRequest(
        sold=sold,
        components=changes,
        add_ons=tuple(
            QuantityChange(item_id=one.id, quantity=one.quantity)
            for one in add_ons.change or ()
        ),
        removed_components=tuple(components.remove or ()),
        removed_add_ons=tuple(add_ons.remove or ()),
    )


def _changes(sent: list[ComponentChangeIn], faults: list[Fault]) -> tuple[ComponentChange, ...]:
    found = []
    for index, one in enumerate(sent):
        path = f"components.change[{index}].price_entry"
        price = (
            None if one.price_entry is None else to_price_entry(one.price_entry, path, faults)
        )
        found.append(ComponentChange(item_id=one.id, name=one.name, price=price))
    return tuple(found)
