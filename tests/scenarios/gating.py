"""A shop whose program asks what its customers may do."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from tallystick.domain.entitlement import (
    BooleanValue,
    ConfigValue,
    EntitlementValue,
    MeteredValue,
    NewEntitlement,
    TextSetting,
)
from tallystick.domain.feature import (
    BooleanFeature,
    ConfigFeature,
    ConfigValueType,
    FeatureType,
    MeteredFeature,
)
from tallystick.domain.pricing import RateFee
from tallystick.domain.reset_period import ResetPeriod
from tallystick.domain.resolve_entitlements import Effective
from tallystick.services.attach_entitlements import (
    attach_to_add_on,
    attach_to_subscription,
    attach_to_version,
)
from tallystick.services.create_feature import NewFeature, create_feature
from tallystick.services.ids import new_id
from tallystick.services.show_entitlements import (
    customer_entitlements,
    subscription_entitlements,
)
from tests.scenarios.test_usage_billed import metric
from tests.subscribing import Merchant
from tests.world import SoldPlan, World, rate

ON = BooleanValue(enabled=True)


@dataclass(kw_only=True)
class Gate:
    """Features of a shop, who grants them, and what comes of it."""

    merchant: Merchant

    @property
    def world(self) -> World:
        """The shop."""
        return self.merchant.world

    async def feature(
        self, code: str, kind: FeatureType, default: EntitlementValue | None = None
    ) -> UUID:
        """A new feature."""
        new = NewFeature(code=code, name=code, kind=kind, default=default)
        async with self.world.app.transaction() as tx:
            return (await create_feature(self.world.ctx.within(tx), new)).id

    async def boolean(self, code: str = "sso") -> UUID:
        """A new feature that is there or not."""
        return await self.feature(code, BooleanFeature())

    async def calls(self) -> UUID:
        """A new feature that counts calls."""
        return await self.feature("calls", MeteredFeature(metric_id=await metric(self.world)))

    async def text(self, code: str) -> UUID:
        """A new setting."""
        return await self.feature(code, ConfigFeature(value_type=ConfigValueType.TEXT))

    async def by_plan(self, plan: SoldPlan, feature: UUID, value: EntitlementValue) -> None:
        """Grant a feature by a plan."""
        wanted = [NewEntitlement(feature_id=feature, value=value)]
        async with self.world.app.transaction() as tx:
            await attach_to_version(self.world.ctx.within(tx), plan.version_id, wanted)

    async def by_add_on(self, add_on: UUID, feature: UUID, value: EntitlementValue) -> None:
        """Grant a feature by an add-on."""
        wanted = [NewEntitlement(feature_id=feature, value=value)]
        async with self.world.app.transaction() as tx:
            await attach_to_add_on(self.world.ctx.within(tx), add_on, wanted)

    async def to(self, subscription: UUID, feature: UUID, value: EntitlementValue) -> None:
        """Grant a feature to one subscription."""
        wanted = [NewEntitlement(feature_id=feature, value=value)]
        async with self.world.app.transaction() as tx:
            await attach_to_subscription(self.world.ctx.within(tx), subscription, wanted)

    async def add_on(self, name: str = "Pack") -> UUID:
        """An add-on at EUR 5 a month."""
        add_on_id = new_id()
        product = await self.world.product(name, RateFee())
        await self.world._insert(
            "add_ons",
            {
                "tenant_id": self.world.tenant_id,
                "id": add_on_id,
                "product_id": product,
                "price_id": await self.world.price(product, rate("5.00")),
                "name": name,
                "created_at": self.world.ctx.now,
            },
        )
        return add_on_id

    async def of(self, customer: UUID) -> dict[str, Effective]:
        """What a customer may do now, by the code of the feature."""
        async with self.world.database.connection() as tx:
            found = await customer_entitlements(self.world.ctx.within(tx), customer)
        return {one.feature.code: one for one in found}

    async def by(self, subscription: UUID) -> dict[str, Effective]:
        """What a subscription grants now, by the code of the feature."""
        async with self.world.database.connection() as tx:
            found = await subscription_entitlements(self.world.ctx.within(tx), subscription)
        return {one.feature.code: one for one in found}

    async def used(self, customer: UUID) -> tuple[int, int | None]:
        """How many calls a customer has used, and has left."""
        return counted((await self.of(customer))["calls"])


def counted(found: Effective) -> tuple[int, int | None]:
    """How much of an allowance is used, and is left."""
    assert found.usage is not None
    left = found.usage.remaining
    return int(found.usage.consumed), None if left is None else int(left)


def metered(limit: int | None, reset: ResetPeriod | None = None) -> MeteredValue:
    """So many calls until the reset."""
    return MeteredValue(limit=None if limit is None else Decimal(limit), reset_period=reset)


def text(value: str) -> ConfigValue:
    """A setting."""
    return ConfigValue(value=TextSetting(value=value))
