"""Definitions of custom properties on the wire."""

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field
from pydantic.json_schema import JsonSchemaValue
from typing_extensions import override

from tallystick.domain.custom_properties import (
    TEXT_CHARS_MAX,
    PropertyConfig,
    PropertyDefinition,
    PropertyEntity,
    PropertyType,
    SelectOption,
)
from tallystick.http.v1.free_form import JsonAnything
from tallystick.http.v1.scalar import Scalar, problem
from tallystick.http.v1.scalars import (
    LIST_MAX,
    AnswerModel,
    CustomPropertyDefinitionId,
    Flag,
    Instant,
    LongText,
    Name,
    RequestModel,
    Shaped,
    ShortText,
    WholeNumber,
)

ORDER_MAX = 1_000_000

DefaultValue = Annotated[object, JsonAnything(TEXT_CHARS_MAX)]


@dataclass(frozen=True)
class NumberValue(Scalar):
    """A bound of a number: a JSON number in and out."""

    @override
    def parse(self, value: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            raise problem("wrong_type", "must be a number")
        if not -sys.float_info.max <= value <= sys.float_info.max:
            raise problem("out_of_range", "is too large a number")
        return Decimal(str(value))

    @override
    def text(self, value: Decimal) -> int | float:
        whole = int(value)
        return whole if whole == value else float(value)

    @override
    def schema(self) -> JsonSchemaValue:
        return {"type": "number"}


Number = Annotated[Decimal, NumberValue()]
Key = Annotated[
    str,
    Shaped(
        64,
        shape=re.compile(r"[A-Za-z0-9_]+"),
        wanted="letters, digits and underscores only",
    ),
]


class SelectOptionIn(RequestModel):
    """A choice of a select."""

    value: Annotated[Name, Field(description="What is stored and sent.")]
    label: Annotated[ShortText | None, Field(description="What people read instead of it.")] = (
        None
    )


class PropertyConfigIn(RequestModel):
    """What bounds a value; only what suits the type of the property is looked at."""

    min: Annotated[
        Number | None, Field(description="Of a NUMBER: the smallest that is accepted.")
    ] = None
    max: Annotated[
        Number | None, Field(description="Of a NUMBER: the largest that is accepted.")
    ] = None
    max_length: Annotated[
        WholeNumber | None,
        Field(ge=1, le=TEXT_CHARS_MAX, description="Of a TEXT: in characters."),
    ] = None
    options: Annotated[
        list[SelectOptionIn] | None,
        Field(max_length=LIST_MAX, description="Of a select, which needs one: the choices."),
    ] = None


class SelectOptionOut(AnswerModel):
    """A choice of a select."""

    value: Annotated[str, Field(description="What is stored and sent.")]
    label: Annotated[str | None, Field(description="What people read instead of it.")]


class PropertyConfigOut(AnswerModel):
    """What bounds a value, null where nothing does."""

    min: Annotated[Number | None, Field(description="The smallest NUMBER accepted.")]
    max: Annotated[Number | None, Field(description="The largest NUMBER accepted.")]
    max_length: Annotated[
        int | None, Field(description="How long a TEXT can be, in characters.")
    ]
    options: Annotated[
        list[SelectOptionOut] | None, Field(description="The choices of a select.")
    ]


class CustomPropertyDefinitionIn(RequestModel):
    """What can be said about a definition, when it is made and when it is changed."""

    config: Annotated[PropertyConfigIn | None, Field(description="Replaces the whole one.")] = (
        None
    )
    default_value: Annotated[
        DefaultValue | None,
        Field(description="What new objects begin with; at most 1 KiB as JSON."),
    ] = None
    description: Annotated[LongText | None, Field(description="For people.")] = None
    display_order: Annotated[
        WholeNumber | None,
        Field(
            ge=-ORDER_MAX,
            le=ORDER_MAX,
            description="Where it stands in lists, lowest first; default 0.",
        ),
    ] = None
    required: Annotated[
        Flag | None,
        Field(
            description="Whether who creates an object must give it a value, where it has no "
            "default; and whether the value can be taken away. Default false."
        ),
    ] = None


class CustomPropertyDefinitionCreateRequest(CustomPropertyDefinitionIn):
    """A property to be. Null and left out are the same."""

    entity_type: Annotated[
        PropertyEntity, Field(description="What it is kept with; cannot be changed.")
    ]
    key: Annotated[
        Key,
        Field(
            description="What requests and answers call it; cannot be changed, and belongs to "
            "one unarchived property per `entity_type`."
        ),
    ]
    name: Annotated[Name, Field(description="What people call it.")]
    property_type: Annotated[
        PropertyType, Field(description="What values it takes; cannot be changed.")
    ]


class CustomPropertyDefinitionUpdateRequest(CustomPropertyDefinitionIn):
    """A change of a definition: what is left out stays, null is the default."""

    # Cannot be cleared: null is refused, and what is left out is not looked at.
    name: Annotated[Name, Field(description="What people call it.")] = ""


class CustomPropertyDefinitionOut(AnswerModel):
    """What a key of one kind of object holds."""

    id: CustomPropertyDefinitionId
    entity_type: Annotated[PropertyEntity, Field(description="What it is kept with.")]
    key: Annotated[str, Field(description="What requests and answers call it.")]
    name: Annotated[str, Field(description="What people call it.")]
    description: Annotated[str | None, Field(description="For people.")]
    property_type: Annotated[PropertyType, Field(description="What values it takes.")]
    config: Annotated[PropertyConfigOut, Field(description="What bounds a value.")]
    required: Annotated[
        bool, Field(description="Whether an object made through the API must have a value.")
    ]
    default_value: Annotated[object | None, Field(description="What new objects begin with.")]
    display_order: Annotated[int, Field(description="Where it stands in lists, lowest first.")]
    archived: Annotated[bool, Field(description="Whether it is not enforced any more.")]
    created_at: Instant
    updated_at: Instant


def said_about(body: CustomPropertyDefinitionIn) -> dict[str, Any]:
    """The fields of a definition that the body speaks of; null says the default."""
    return {
        field: read(body)
        for name, (field, read) in _READ.items()
        if name in body.model_fields_set
    }


def show_definition(definition: PropertyDefinition) -> CustomPropertyDefinitionOut:
    """A definition as it is answered."""
    config = definition.config
    return CustomPropertyDefinitionOut(
        id=definition.id,
        entity_type=definition.entity,
        key=definition.key,
        name=definition.name,
        description=definition.description,
        property_type=definition.type,
        config=PropertyConfigOut(
            min=config.min,
            max=config.max,
            max_length=config.max_length,
            options=None
            if config.options is None
            else [SelectOptionOut(value=one.value, label=one.label) for one in config.options],
        ),
        required=definition.required,
        default_value=definition.default,
        display_order=definition.display_order,
        archived=definition.archived_at is not None,
        created_at=definition.created_at,
        updated_at=definition.updated_at,
    )


def _config(body: CustomPropertyDefinitionIn) -> PropertyConfig:
    sent = body.config
    if sent is None:
        return PropertyConfig()
    options = None
    if sent.options is not None:
        options = tuple(SelectOption(value=one.value, label=one.label) for one in sent.options)
    return PropertyConfig(
        min=sent.min, max=sent.max, max_length=sent.max_length, options=options
    )


_READ: Mapping[str, tuple[str, Callable[[Any], object]]] = {
    "config": ("config", _config),
    "default_value": ("default", lambda body: body.default_value),
    "description": ("description", lambda body: body.description),
    "display_order": ("display_order", lambda body: body.display_order or 0),
    "name": ("name", lambda body: body.name),
    "required": ("required", lambda body: body.required is True),
}
"""Field on the wire -> field of a definition, and how it is read."""
