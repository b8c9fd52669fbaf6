"""One feature, what is attached of it, and who has what."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import count
from uuid import UUID

from tallystick.domain.entitlement import (
    BooleanValue,
    ConfigValue,
    Entitlement,
    EntitlementValue,
    Holder,
    HolderKind,
    MeteredValue,
    TextSetting,
)
from tallystick.domain.feature import (
    BooleanFeature,
    ConfigFeature,
    ConfigValueType,
    Feature,
    FeatureProduct,
    FeatureType,
    MeteredFeature,
)
from tallystick.domain.periods import Period
from tallystick.domain.reset_period import Calendar, CalendarUnit
from tallystick.domain.resolve_entitlements import (
    Effective,
    HeldAddOn,
    Subscribed,
    attached,
    effective,
    resolve_subscriptions,
)
from tallystick.domain.usage_window import Anchors, Window

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
PLATFORM, SUPPORT, PACK = (UUID(int=n) for n in (1, 2, 3))
VERSION, OTHER_VERSION = UUID(int=11), UUID(int=12)
ADD_ON, OTHER_ADD_ON = UUID(int=21), UUID(int=22)
MONTHLY = Calendar(unit=CalendarUnit.MONTH, interval=1)
CALLS = MeteredFeature(metric_id=UUID(int=31))
SSO = BooleanFeature()
TIER = ConfigFeature(value_type=ConfigValueType.TEXT)
ALWAYS = Window(begins=NOON, ends=None, resets_at=None)


@dataclass(kw_only=True)
class Case:
    """One feature, what is attached of it, and who has what."""

    kind: FeatureType
    product: UUID | None = None
    default: EntitlementValue | None = None
    archived: bool = False
    found: list[Entitlement] = field(default_factory=list)
    numbers: "count[int]" = field(default_factory=lambda: count(100))

    @property
    def feature(self) -> Feature:
        """The feature."""
        holder = Holder(HolderKind.FEATURE, UUID(int=50))
        return Feature(
            id=UUID(int=50),
            code="feature",
            name="Feature",
            description=None,
            kind=self.kind,
            product=None
            if self.product is None
            else FeatureProduct(id=self.product, name="Product"),
            entitlement=None if self.default is None else self._made(holder, self.default),
            archived_at=NOON if self.archived else None,
            created_at=NOON,
            updated_at=NOON,
        )

    def says(self, kind: HolderKind, holder_id: UUID, value: EntitlementValue) -> "Case":
        """Attach a value, made a second after the one before."""
        self.found.append(self._made(Holder(kind, holder_id), value))
        return self

    def version(self, value: EntitlementValue, version: UUID = VERSION) -> "Case":
        """The plan says so."""
        return self.says(HolderKind.PLAN_VERSION, version, value)

    def add_on(self, value: EntitlementValue, add_on: UUID = ADD_ON) -> "Case":
        """The add-on says so."""
        return self.says(HolderKind.ADD_ON, add_on, value)

    def override(self, value: EntitlementValue, subscription: int = 1) -> "Case":
        """The subscription says so."""
        return self.says(HolderKind.SUBSCRIPTION, UUID(int=subscription), value)

    def granted(
        self, *subscriptions: Subscribed, used: str = "0", others: tuple[str, ...] = ()
    ) -> Effective | None:
        """What comes of it once so much is used, in each of several kinds of windows."""
        found = resolve_subscriptions(
            subscriptions or (having(),), [self.feature], attached(self.found)
        )
        if not found:
            return None
        (one,) = found
        kinds = len(one.value) if isinstance(one.value, tuple) else 0
        consumed = [Fraction(text) for text in (used, *others)][:kinds]
        return effective(one, [ALWAYS] * kinds, consumed)

    def limit(self, *subscriptions: Subscribed) -> Decimal | None:
        """The limit that comes of it."""
        value = self.value(*subscriptions)
        assert isinstance(value, MeteredValue)
        return value.limit

    def value(self, *subscriptions: Subscribed) -> EntitlementValue | None:
        """The value that comes of it while nothing is used."""
        found = self.granted(*subscriptions)
        return None if found is None else found.value

    def _made(self, holder: Holder, value: EntitlementValue) -> Entitlement:
        number = next(self.numbers)
        made = NOON + timedelta(seconds=number)
        return Entitlement(
            id=UUID(int=number),
            feature_id=UUID(int=50),
            holder=holder,
            value=value,
            created_at=made,
            updated_at=made,
        )


def having(*add_ons: HeldAddOn, number: int = 1, version: UUID = VERSION) -> Subscribed:
    """A subscription of the platform, with add-ons."""
    return Subscribed(
        id=UUID(int=number),
        plan_version_id=version,
        product_ids=frozenset({PLATFORM}),
        add_ons=add_ons,
        anchors=Anchors(activated=NOON, period=Period(date(2026, 3, 1), date(2026, 4, 1))),
    )


def held(quantity: int = 1, add_on: UUID = ADD_ON, product: UUID = PACK) -> HeldAddOn:
    """So many of an add-on."""
    return HeldAddOn(add_on_id=add_on, product_id=product, quantity=quantity)


def metered(limit: int | str | None, **fields: object) -> MeteredValue:
    """An allowance."""
    return MeteredValue(
        limit=None if limit is None else Decimal(limit),
        **fields,  # type: ignore[arg-type]
    )


def text(value: str) -> ConfigValue:
    """A setting."""
    return ConfigValue(value=TextSetting(value=value))


ON, OFF = BooleanValue(enabled=True), BooleanValue(enabled=False)
