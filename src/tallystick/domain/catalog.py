"""The catalog as an offer is resolved from it: products, plan versions, components, add-ons."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tallystick.domain.minimum_commitment import MinimumCommitment
from tallystick.domain.pricing import FeeStructure, Price


class PlanType(StrEnum):
    """What a plan is for; a FREE plan never bills."""

    STANDARD = "STANDARD"
    FREE = "FREE"
    CUSTOM = "CUSTOM"


class PlanStatus(StrEnum):
    """Whether a plan can be sold."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    ARCHIVED = "ARCHIVED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """Something that is sold; its fee structure says what kind of fee it has."""

    id: UUID
    product_family_id: UUID
    name: str
    fee: FeeStructure
    in_catalog: bool = True
    description: str | None = None
    archived_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanComponent:
    """A priced part of a plan version. Several prices are choices by cadence or by capacity."""

    id: UUID
    name: str
    product_id: UUID
    fee: FeeStructure
    prices: tuple[Price, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAddOn:
    """A plan version's own entry for an add-on: it may set the price and lower the limit.

    `self_serviceable` None means as the add-on itself.
    """

    add_on_id: UUID
    price: Price | None = None
    max_instances: int | None = None
    self_serviceable: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTrial:
    """The plan's own trial; `trialing_plan_id` decides entitlements during it, never prices."""

    days: int
    is_free: bool
    trialing_plan_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanVersion:
    """A version of a plan: immutable once published, so it may be cached by id.

    `net_terms` None means the invoicing entity's. `add_ons` empty means that any add-on can
    be sold with it.
    """

    id: UUID
    plan_id: UUID
    plan_name: str
    product_family_id: UUID
    version: int
    currency: str
    tax_inclusive: bool
    components: tuple[PlanComponent, ...]
    add_ons: tuple[PlanAddOn, ...]
    is_published: bool
    net_terms: int | None = None
    period_start_day: int | None = None
    billing_cycles: int | None = None
    trial: PlanTrial | None = None
    minimum: MinimumCommitment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddOn:
    """Something sold beside a plan, with its own price and a limit per subscription."""

    id: UUID
    name: str
    product: Product
    price: Price
    max_instances: int | None
    self_serviceable: bool = False
    archived_at: datetime | None = None
