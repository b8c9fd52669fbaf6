"""Create a subscription from a row of a file, which may name its plan and count its slots."""

from dataclasses import replace
from uuid import UUID

from tallystick.db import plan_versions, plans
from tallystick.domain.billing_entries import SubscriptionDetails
from tallystick.domain.catalog import PlanComponent
from tallystick.domain.errors import Fault, InvalidInput, fail_if, sentence
from tallystick.domain.ids import MalformedId, Prefix, decode
from tallystick.domain.offer_request import OfferRequest, Parameterized, Parameters
from tallystick.domain.pricing import FeeType
from tallystick.services.context import Context
from tallystick.services.create_subscription import (
    SubscriptionRequest,
    create_subscription,
)
from tallystick.services.import_rows import NewSubscription
from tallystick.services.resolve_request import published_version

_SLOT_COUNT = "price_components.parameterized_components[{}].parameters.initial_slot_count"


async def import_subscription(
    ctx: Context, wanted: NewSubscription, subscription_id: UUID
) -> SubscriptionDetails:
    """Create the subscription that a row means, under the id of the row.

    Raises:
        NotFound: no such customer or plan.
        InvalidInput: every other fault of the row.
    """
    request = await _with_plan(ctx, wanted)
    slots: dict[str, str] = {}
    if wanted.slots:
        request, slots = await _with_slots(ctx, request, wanted.slots)
    try:
        return await create_subscription(ctx, request, subscription_id)
    except InvalidInput as refused:
        faults = [replace(one, field=slots.get(one.field, one.field)) for one in refused.faults]
        raise InvalidInput(refused.message, tuple(faults)) from None


async def _with_plan(ctx: Context, wanted: NewSubscription) -> SubscriptionRequest:
    """The request with the plan that is named otherwise than by its id."""
    tx, tenant_id, request = ctx.transaction, ctx.tenant.id, wanted.request
    if wanted.plan_version_id is not None:
        version = await plan_versions.load(tx, tenant_id, wanted.plan_version_id)
        if version is None:
            raise _refused("plan_version_id", "unknown", "must be a plan version")
        return replace(request, plan_id=version.plan_id, version=version.version)
    if wanted.plan_name is None:
        return request
    found = await plans.named(tx, tenant_id, wanted.plan_name)
    if not found:
        raise _refused("plan", "unknown", "must be the name of a plan that is not archived")
    if len(found) > 1:
        raise _refused("plan", "ambiguous", "is the name of several plans: use `plan_id`")
    return replace(request, plan_id=found[0])


async def _with_slots(
    ctx: Context, request: SubscriptionRequest, slots: tuple[tuple[str, int], ...]
) -> tuple[SubscriptionRequest, dict[str, str]]:
    """The request with numbers of slots for components of its plan.

    And what the fields are called in a file where the request has its own names for them.
    """
    found = await plan_versions.of_plan(
        ctx.transaction, ctx.tenant.id, request.plan_id, request.version
    )
    if found is None or found.version_id is None:
        # The verb says what is wrong with the plan.
        return request, {}
    version = await published_version(ctx, ctx.transaction, found.version_id)
    sold = [one for one in version.components if one.fee.type is FeeType.SLOT]
    faults: list[Fault] = []
    given = {one.component_id: one for one in request.offer.parameterized}
    names: dict[UUID, str] = {}
    for name, count in slots:
        component = _component(sold, name, faults)
        if component is None:
            continue
        names[component.id] = f"slots.{name}" if name else "slots"
        before = given.get(component.id)
        chosen = Parameters() if before is None else before.parameters
        given[component.id] = Parameterized(
            component_id=component.id, parameters=replace(chosen, initial_slot_count=count)
        )
    fail_if(faults)
    offer: OfferRequest = replace(request.offer, parameterized=tuple(given.values()))
    places = enumerate(given)
    return replace(request, offer=offer), {
        _SLOT_COUNT.format(at): names[one] for at, one in places if one in names
    }


def _component(
    sold: list[PlanComponent], name: str, faults: list[Fault]
) -> PlanComponent | None:
    """The component that a column of slots is about; None, and a fault, where it is not one."""
    names = ", ".join(f"`slots.{one.name}`" for one in sold) or "none: it sells no slots"
    if not name:
        if len(sold) == 1:
            return sold[0]
        faults.append(
            Fault("slots", "ambiguous", f"must name a component of the plan: {names}")
        )
        return None
    for one in sold:
        if name == one.name or _is_id_of(name, one.id):
            return one
    faults.append(
        Fault(f"slots.{name}", "unknown", f"must be a component of the plan: {names}")
    )
    return None


def _is_id_of(text: str, component_id: UUID) -> bool:
    try:
        return decode(Prefix.COMPONENT, text) == component_id
    except MalformedId:
        return False


def _refused(field: str, code: str, message: str) -> InvalidInput:
    fault = Fault(field, code, message)
    return InvalidInput(sentence([fault]), (fault,))
