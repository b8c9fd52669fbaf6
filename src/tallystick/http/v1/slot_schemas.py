"""The request that changes how many slots a subscription has, and its answer."""

from typing import Annotated, Any

from pydantic import Field
from pydantic.json_schema import JsonSchemaValue
from typing_extensions import override

from tallystick.domain.errors import Fault, fail_if
from tallystick.domain.pricing import COUNT_MAX
from tallystick.domain.slot_change import SlotMode
from tallystick.http.v1.scalar import Scalar, must_be_text, problem
from tallystick.http.v1.scalars import (
    Day,
    Flag,
    RequestModel,
    SubscriptionAddOnId,
    SubscriptionComponentId,
    WholeNumber,
)
from tallystick.http.v1.subscription_requests import ActivateSubscriptionResponse
from tallystick.services.change_slots import SlotsRequest


class SlotModeName(Scalar):
    """When added slots are there."""

    @override
    def parse(self, value: Any) -> SlotMode:
        try:
            return SlotMode(must_be_text(value))
        except ValueError:
            names = ", ".join(SlotMode)
            raise problem("unknown_value", f"must be one of {names}") from None

    @override
    def schema(self) -> JsonSchemaValue:
        return {"type": "string", "enum": list(SlotMode)}


class ChangeSlotsRequest(RequestModel):
    """Slots that each instance of a component or an add-on gets, or gives up; name one of them.

    Fewer slots are there at the end of the period that was paid for, whatever the mode.
    """

    component_id: Annotated[
        SubscriptionComponentId | None,
        Field(description="The subscription's component, as the subscription shows it."),
    ] = None
    add_on_id: Annotated[
        SubscriptionAddOnId | None,
        Field(description="The subscription's add-on, as the subscription shows it."),
    ] = None
    delta: Annotated[
        WholeNumber,
        Field(ge=-COUNT_MAX, le=COUNT_MAX, description="More, or fewer if below 0; never 0."),
    ]
    mode: Annotated[
        SlotMode,
        SlotModeName(),
        Field(
            description="OPTIMISTIC: more slots are there at once. ON_INVOICE_PAID: when their "
            "invoice is paid. ON_CHECKOUT: a preview of that."
        ),
    ] = SlotMode.OPTIMISTIC
    preview: Annotated[Flag, Field(description="True: nothing is stored.")] = False


class ChangeSlotsResponse(ActivateSubscriptionResponse):
    """The subscription as changed, and the invoice that was made at once, if any.

    In a preview neither is stored, and the invoice has no number. `slots` are those of one
    instance today.
    """

    delta: int
    slots: int
    effective_on: Annotated[
        Day | None,
        Field(description="From which day the change counts; null until its invoice is paid."),
    ]


def to_slots_request(body: ChangeSlotsRequest) -> SlotsRequest:
    """What a change of slots means.

    Raises:
        InvalidInput: It names no item, or two, or changes nothing.
    """
    faults = []
    named = {"component_id": body.component_id, "add_on_id": body.add_on_id}
    given = [(field, one) for field, one in named.items() if one is not None]
    if len(given) != 1:
        message = "name one of component_id and add_on_id"
        faults.append(Fault("component_id", "contradiction", message))
    if body.delta == 0:
        faults.append(Fault("delta", "out_of_range", "must not be 0"))
    fail_if(faults)
    ((field, item_id),) = given
    return SlotsRequest(
        item_id=item_id,
        named=field,
        delta=body.delta,
        mode=body.mode,
    )
