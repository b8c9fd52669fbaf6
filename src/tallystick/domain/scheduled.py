"""What is scheduled for the end of a subscription's period, as it was resolved and frozen."""

from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from tallystick.domain.amended_items import Amendment
from tallystick.domain.new_components import TargetPlan
from tallystick.domain.offer import NewProduct
from tallystick.domain.pricing import Price


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledPlan:
    """A change of the plan at a boundary; what it brings along is made when it takes effect."""

    effective_on: date
    plan: TargetPlan
    plan_version_id: UUID
    plan_name: str
    plan_version: int
    new_products: tuple[NewProduct, ...] = ()
    new_prices: tuple[Price, ...] = ()
    type: Literal["PLAN"] = "PLAN"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledAmendment:
    """An amendment at a boundary; what it brings along is made when it takes effect."""

    effective_on: date
    amendment: Amendment
    type: Literal["AMENDMENT"] = "AMENDMENT"


Scheduled = ScheduledPlan | ScheduledAmendment
"""The closed union of what can be scheduled; a subscription has at most one of it."""
