"""The catalog as it is listed: each domain value with what only its listing shows."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallystick.domain.catalog import AddOn, PlanStatus, PlanType, PlanVersion, Product
from tallystick.domain.coupons import CouponState, CouponTerms
from tallystick.domain.entitlement import Entitlement


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductFamily:
    """A group of products, plans and metrics; `alias` is what it can be found by as well."""

    id: UUID
    name: str
    created_at: datetime
    alias: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductEntry:
    """A product in a list."""

    product: Product
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AddOnEntry:
    """An add-on in a list."""

    add_on: AddOn
    description: str | None
    created_at: datetime
    entitlements: tuple[Entitlement, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponEntry:
    """A coupon in a list; `state.used_by_customer` tells of nobody here."""

    terms: CouponTerms
    state: CouponState
    description: str | None
    archived_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanVersionEntry:
    """A version of a plan in a list; one without `published_at` is the draft."""

    id: UUID
    version: int
    currency: str
    published_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEntry:
    """A plan with one of its versions.

    `net_terms` are the version's own, else those of the tenant's default invoicing entity.
    `entitlements` are what is attached to the version; unlike it, they may change.
    """

    id: UUID
    family: ProductFamily
    description: str | None
    plan_type: PlanType
    status: PlanStatus
    self_service_rank: int | None
    version: PlanVersion
    net_terms: int
    archived_at: datetime | None
    created_at: datetime
    entitlements: tuple[Entitlement, ...] = ()
