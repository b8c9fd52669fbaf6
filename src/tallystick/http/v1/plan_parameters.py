"""What a checkout can choose of a plan, on the wire."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from tallystick.domain.catalog import PlanComponent
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import CapacityPricing, FeeType
from tallystick.http.v1.scalars import AnswerModel


class AvailableParameters(AnswerModel):
    """What a checkout can choose per component, by the component's id.

    `billing_periods` and `capacity_thresholds` name only components with more than one choice.
    """

    billing_periods: Annotated[
        dict[str, list[Cadence]], Field(description="Cadences to choose among.")
    ]
    capacity_thresholds: Annotated[
        dict[str, list[int]], Field(description="Included amounts to choose among.")
    ]
    slot_components: Annotated[
        list[str], Field(description="Components that take a first number of slots.")
    ]


def parameters_of(components: tuple[PlanComponent, ...]) -> AvailableParameters:
    """What can be chosen of a plan's components."""
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
