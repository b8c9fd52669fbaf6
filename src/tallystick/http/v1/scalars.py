"""The values that requests and answers are made of, with their limits.

In: what cannot be stored, or computed with exactly, is refused here with a sentence. Out: ids
with their prefix, decimals as text, instants in UTC with milliseconds and `Z`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, Strict
from pydantic.json_schema import JsonSchemaValue
from typing_extensions import override

from tallystick.domain.countries import COUNTRIES
from tallystick.domain.currencies import EXPONENTS
from tallystick.domain.ids import MalformedId, Prefix, decode, encode, is_prefixed
from tallystick.domain.money import AMOUNT_MAX
from tallystick.http.json_body import Exponent
from tallystick.http.v1.moments import DayText, InstantText
from tallystick.http.v1.scalar import Scalar, must_be_text, problem

ALIAS_CHARS_MAX = 255
LIST_MAX = 100

_DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,12})?")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
_LOCALE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_COLOR = re.compile(r"#[0-9A-Fa-f]{6}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_UUID = "[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_EXAMPLE_ID = UUID("0198c4a5-7b3e-7c11-9f00-0123456789ab")


class RequestModel(BaseModel):
    """Base of every body and query: unknown fields are refused.

    `stand_ins` are put in place of required fields of a body that could not be read, so that
    the rest can be looked at; see `SetAside`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    stand_ins: ClassVar[Mapping[str, object]] = MappingProxyType({})


class AnswerModel(BaseModel):
    """Base of every answer."""

    model_config = ConfigDict(frozen=True)


@dataclass(frozen=True)
class Text(Scalar):
    """Text of limited length that every database and every JSON reader can hold.

    NUL and lone surrogates are refused; so is blank text, unless `blank`.
    """

    maximum: int
    blank: bool = False

    @override
    def parse(self, value: Any) -> str:
        text = must_be_text(value)
        if not self.blank and (not text or text.isspace()):
            raise problem("too_short", "must not be empty")
        if len(text) > self.maximum:
            raise problem("too_long", f"must have at most {self.maximum} characters")
        if "\0" in text:
            raise problem("invalid_text", "must not hold the character NUL")
        if not text.isascii() and _SURROGATE.search(text):
            raise problem("invalid_text", "holds characters that are not valid Unicode")
        return text

    @override
    def schema(self) -> JsonSchemaValue:
        return {"type": "string", "minLength": int(not self.blank), "maxLength": self.maximum}


@dataclass(frozen=True)
class Shaped(Text):
    """Text of a shape; `wanted` completes "must be ..."."""

    shape: re.Pattern[str] = _EMAIL
    wanted: str = ""

    @override
    def parse(self, value: Any) -> str:
        text = super().parse(value)
        if not self.shape.fullmatch(text):
            raise problem("malformed", f"must be {self.wanted}")
        return text

    @override
    def schema(self) -> JsonSchemaValue:
        return super().schema() | {"pattern": f"^{self.shape.pattern}$"}


@dataclass(frozen=True)
class AliasText(Text):
    """Text that can stand in an address as one of its parts."""

    @override
    def parse(self, value: Any) -> str:
        text = super().parse(value)
        if "/" in text or text in {".", ".."} or _CONTROL.search(text):
            message = (
                "must be usable in an address: without `/` and control characters, and not "
                "`.` or `..`"
            )
            raise problem("malformed", message)
        return text


@dataclass(frozen=True)
class OneOf(Scalar):
    """A code from a closed list that is too long to be listed in a sentence."""

    codes: frozenset[str]
    wanted: str

    @override
    def parse(self, value: Any) -> str:
        text = must_be_text(value)
        if text not in self.codes:
            raise problem("unknown_value", f"must be {self.wanted}")
        return text

    @override
    def schema(self) -> JsonSchemaValue:
        return {"type": "string", "enum": sorted(self.codes)}


Name = Annotated[str, Text(255)]
"""1 to 255 characters, not blank."""
Alias = Annotated[str, AliasText(ALIAS_CHARS_MAX)]
"""A merchant's own name for an object."""
ShortText = Annotated[str, Text(255, blank=True)]
LongText = Annotated[str, Text(10_000, blank=True)]
Email = Annotated[str, Shaped(254, shape=_EMAIL, wanted="an email address")]
Locale = Annotated[
    str, Shaped(35, shape=_LOCALE, wanted="a language tag such as `fr` or `de-AT`")
]
Color = Annotated[str, Shaped(7, shape=_COLOR, wanted="a colour such as #1a2b3c")]
Currency = Annotated[
    str, OneOf(frozenset(EXPONENTS), "a currency code of ISO 4217 in capitals, such as EUR")
]
Country = Annotated[
    str, OneOf(COUNTRIES, "a country code of ISO 3166-1 in capitals, such as FR")
]


WholeNumber = Annotated[int, Strict()]
"""A whole number; bound it with `Field(ge=..., le=...)`."""
Amount = Annotated[int, Strict(), Field(ge=-AMOUNT_MAX, le=AMOUNT_MAX)]
"""An amount in the currency's minor unit."""
Flag = Annotated[bool, Strict()]


@dataclass(frozen=True)
class DecimalText(Scalar):
    """An exact decimal: at most 15 digits before and 12 after the point, no exponent.

    Text or a JSON number in, text out. `minimum` is allowed, `above` and `below` are not.
    """

    minimum: Decimal | None = None
    above: Decimal | None = None
    below: Decimal | None = None

    @override
    def parse(self, value: Any) -> Decimal:
        if isinstance(value, (bool, Exponent)) or not isinstance(
            value, (str, int, float, Decimal)
        ):
            raise problem("wrong_type", "must be a decimal number, as text, without exponent")
        text = format(value, "f") if isinstance(value, Decimal) else str(value)
        if not _DECIMAL.fullmatch(text):
            raise problem(
                "malformed",
                "must be a decimal with at most 15 digits before and 12 after the point, "
                "without exponent",
            )
        number = Decimal(text)
        if self.minimum is not None and number < self.minimum:
            raise problem("out_of_range", f"must be {self.minimum} or more")
        if self.above is not None and number <= self.above:
            raise problem("out_of_range", f"must be above {self.above}")
        if self.below is not None and number >= self.below:
            raise problem("out_of_range", f"must be below {self.below}")
        return number

    @override
    def text(self, value: Decimal) -> str:
        return format(value, "f")

    @override
    def schema(self) -> JsonSchemaValue:
        return {"type": ["string", "number"], "pattern": f"^{_DECIMAL.pattern}$"}


NonNegativeDecimal = Annotated[Decimal, DecimalText(minimum=Decimal(0))]
PositiveDecimal = Annotated[Decimal, DecimalText(above=Decimal(0))]
TaxFraction = Annotated[Decimal, DecimalText(minimum=Decimal(0), below=Decimal(1))]
"""A tax rate as a fraction: 0.20 is 20 %."""


class ExactDecimal(DecimalText):
    """A decimal of an answer, whatever its length."""

    @override
    def parse(self, value: Any) -> Decimal:
        assert isinstance(value, Decimal)
        return value

    @override
    def schema(self) -> JsonSchemaValue:
        return {"type": "string"}


DecimalOut = Annotated[Decimal, ExactDecimal()]


Day = Annotated[date, DayText()]
Instant = Annotated[datetime, InstantText()]


@dataclass(frozen=True)
class IdOf(Scalar):
    """An id of one kind."""

    prefix: Prefix

    @override
    def parse(self, value: Any) -> UUID:
        if isinstance(value, UUID):
            return value
        try:
            return decode(self.prefix, must_be_text(value))
        except MalformedId:
            message = f"must be an id that starts with {self.prefix.value}_"
            raise problem("malformed_id", message) from None

    @override
    def text(self, value: UUID) -> str:
        return encode(self.prefix, value)

    @override
    def schema(self) -> JsonSchemaValue:
        return {
            "type": "string",
            "pattern": f"^({self.prefix.value}_[0-9A-Za-z]{{1,22}}|{_UUID})$",
            "examples": [encode(self.prefix, _EXAMPLE_ID)],
        }


@dataclass(frozen=True)
class IdOrAlias(Scalar):
    """An id, or an alias: what is not a well-formed prefixed id is an alias."""

    prefix: Prefix

    @override
    def parse(self, value: Any) -> UUID | str:
        if isinstance(value, UUID):
            return value
        text = Text(ALIAS_CHARS_MAX).parse(value)
        return decode(self.prefix, text) if is_prefixed(self.prefix, text) else text

    @override
    def text(self, value: UUID | str) -> str:
        return encode(self.prefix, value) if isinstance(value, UUID) else value

    @override
    def schema(self) -> JsonSchemaValue:
        return {"type": "string", "minLength": 1, "maxLength": ALIAS_CHARS_MAX}


CustomerIdOrAlias = Annotated[UUID | str, IdOrAlias(Prefix.CUSTOMER)]
"""A customer: a UUID when an id was sent, a str when an alias was."""

InvoicingEntityId = Annotated[UUID, IdOf(Prefix.INVOICING_ENTITY)]
BankAccountId = Annotated[UUID, IdOf(Prefix.BANK_ACCOUNT)]
CustomerId = Annotated[UUID, IdOf(Prefix.CUSTOMER)]
CustomPropertyDefinitionId = Annotated[UUID, IdOf(Prefix.CUSTOM_PROPERTY)]
ProductFamilyId = Annotated[UUID, IdOf(Prefix.PRODUCT_FAMILY)]
ProductFamilyIdOrAlias = Annotated[UUID | str, IdOrAlias(Prefix.PRODUCT_FAMILY)]
"""A product family: a UUID when an id was sent, a str when an alias was."""
ProductId = Annotated[UUID, IdOf(Prefix.PRODUCT)]
PriceId = Annotated[UUID, IdOf(Prefix.PRICE)]
ComponentId = Annotated[UUID, IdOf(Prefix.COMPONENT)]
PlanId = Annotated[UUID, IdOf(Prefix.PLAN)]
PlanVersionId = Annotated[UUID, IdOf(Prefix.PLAN_VERSION)]
AddOnId = Annotated[UUID, IdOf(Prefix.ADD_ON)]
CouponId = Annotated[UUID, IdOf(Prefix.COUPON)]
AppliedCouponId = Annotated[UUID, IdOf(Prefix.APPLIED_COUPON)]
MetricId = Annotated[UUID, IdOf(Prefix.METRIC)]
FeatureId = Annotated[UUID, IdOf(Prefix.FEATURE)]
FeatureIdOrCode = Annotated[UUID | str, IdOrAlias(Prefix.FEATURE)]
"""A feature: a UUID when an id was sent, a str when a code was."""
EntitlementId = Annotated[UUID, IdOf(Prefix.ENTITLEMENT)]
CheckoutSessionId = Annotated[UUID, IdOf(Prefix.CHECKOUT_SESSION)]
SubscriptionId = Annotated[UUID, IdOf(Prefix.SUBSCRIPTION)]
SubscriptionAddOnId = Annotated[UUID, IdOf(Prefix.SUBSCRIPTION_ADD_ON)]
SubscriptionComponentId = Annotated[UUID, IdOf(Prefix.SUBSCRIPTION_COMPONENT)]
InvoiceId = Annotated[UUID, IdOf(Prefix.INVOICE)]
CreditNoteId = Annotated[UUID, IdOf(Prefix.CREDIT_NOTE)]
TransactionId = Annotated[UUID, IdOf(Prefix.TRANSACTION)]
PaymentMethodId = Annotated[UUID, IdOf(Prefix.PAYMENT_METHOD)]
BatchJobId = Annotated[UUID, IdOf(Prefix.BATCH_JOB)]
BatchJobChunkId = Annotated[UUID, IdOf(Prefix.BATCH_JOB_CHUNK)]
EventId = Annotated[UUID, IdOf(Prefix.EVENT)]
WebhookEndpointId = Annotated[UUID, IdOf(Prefix.WEBHOOK_ENDPOINT)]
WebhookDeliveryId = Annotated[UUID, IdOf(Prefix.WEBHOOK_DELIVERY)]
