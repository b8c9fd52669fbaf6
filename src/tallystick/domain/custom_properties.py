"""Custom properties: what a merchant keeps with its objects, by definitions of its own.

A definition says what kind of value a key holds. A value is held to its definition when it is
written, and only then: what is stored stays as it is when the definition changes or goes, and
may be written again as it stands.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from typing import Any
from uuid import UUID

from tallystick.domain.errors import Fault

FIELD = "custom_properties"
"""What every request calls them."""
BYTES_MAX = 16 * 1024
"""All values of one object together, as JSON."""
TEXT_CHARS_MAX = 10_000
"""The longest text, unless its definition says less."""
DEFAULT_BYTES_MAX = 1024
"""A default is written with every object, and is small."""

_URL_CHARS_MAX = 2048
_KEY_CHARS_SHOWN = 80
_URL = re.compile(r"https?://[^\s/?#]+[^\s]*")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})"
)

Values = Mapping[str, object]
"""Values by their keys, as JSON has them."""


class PropertyEntity(StrEnum):
    """What a property is kept with."""

    CUSTOMER = "CUSTOMER"
    SUBSCRIPTION = "SUBSCRIPTION"
    INVOICE = "INVOICE"
    CREDIT_NOTE = "CREDIT_NOTE"
    QUOTE = "QUOTE"


class PropertyType(StrEnum):
    """What kind of value a property has."""

    TEXT = "TEXT"
    NUMBER = "NUMBER"
    BOOLEAN = "BOOLEAN"
    DATE = "DATE"
    DATETIME = "DATETIME"
    SINGLE_SELECT = "SINGLE_SELECT"
    MULTI_SELECT = "MULTI_SELECT"
    JSON = "JSON"
    URL = "URL"
    EMAIL = "EMAIL"


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectOption:
    """A choice of a select: what is stored, and what people read instead."""

    value: str
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyConfig:
    """What bounds a value; only what suits the type of the property is looked at.

    `min` and `max` are the bounds of a number, both allowed; `max_length` is in characters.
    """

    min: Decimal | None = None
    max: Decimal | None = None
    max_length: int | None = None
    options: tuple[SelectOption, ...] | None = None

    @property
    def choices(self) -> tuple[str, ...]:
        """The values of the options."""
        return tuple(option.value for option in self.options or ())


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyDefinition:
    """What a key of one kind of object holds.

    `default` is JSON, None for none: new objects begin with it. `required` is asked of whoever
    writes through the API; `display_order` is where it stands in lists, lowest first.
    """

    id: UUID
    entity: PropertyEntity
    key: str
    name: str
    type: PropertyType
    description: str | None = None
    config: PropertyConfig = PropertyConfig()
    required: bool = False
    default: Any = None
    display_order: int = 0
    archived_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


def definition_faults(definition: PropertyDefinition) -> list[Fault]:
    """What cannot be about a definition, every fault of it."""
    faults = list(_config_faults(definition))
    if definition.default is not None and not faults:
        message = _wrong(definition, definition.default)
        if message is None and len(_as_json(definition.default)) > DEFAULT_BYTES_MAX:
            message = f"must have at most {DEFAULT_BYTES_MAX} bytes as JSON"
        if message is not None:
            faults.append(Fault("default_value", "invalid", message))
    return faults


def set_anew(
    definitions: Iterable[PropertyDefinition], stored: Values, said: Values
) -> tuple[dict[str, object], list[Fault]]:
    """The values of an object of which all are said, and what is wrong with them.

    Of a new object, nothing is `stored`. What is left out has its default; null is none, which
    for a new object is the default, too.
    """
    known = {one.key: one for one in definitions}
    defaults = {
        key: one.default
        for key, one in known.items()
        if one.default is not None and (key not in said or (said[key] is None and not stored))
    }
    given = {key: value for key, value in said.items() if value is not None}
    values = defaults | given
    faults = [
        *_value_faults(known, stored, given),
        *(_required(key) for key, one in known.items() if one.required and key not in values),
    ]
    return values, faults or _size_faults(values)


def merged(
    definitions: Iterable[PropertyDefinition], stored: Values, said: Values
) -> tuple[dict[str, object], list[Fault]]:
    """The values with those that are said, null taking one away; and what is wrong.

    A required one that was never given is not asked for here.
    """
    known = {one.key: one for one in definitions}
    given = {key: value for key, value in said.items() if value is not None}
    values = {key: value for key, value in {**stored, **said}.items() if value is not None}
    faults = [
        *_value_faults(known, stored, given),
        *(
            _required(key)
            for key, value in said.items()
            if value is None and key in known and known[key].required
        ),
    ]
    return values, faults or _size_faults(values)


def is_email(text: str) -> bool:
    """Whether a text has the form of an email address."""
    return _EMAIL.fullmatch(text) is not None


def _config_faults(definition: PropertyDefinition) -> Iterator[Fault]:
    config = definition.config
    match definition.type:
        case PropertyType.NUMBER:
            if config.min is not None and config.max is not None and config.min > config.max:
                yield Fault("config.max", "out_of_range", "must not be below `config.min`")
        case PropertyType.SINGLE_SELECT | PropertyType.MULTI_SELECT:
            if not config.options:
                yield Fault("config.options", "required", "is required: what may be chosen")
            for index, choice in enumerate(config.choices):
                if choice in config.choices[:index]:
                    path = f"config.options[{index}].value"
                    yield Fault(path, "duplicate", "is an option already")
        case _:
            return


def _value_faults(
    known: Mapping[str, PropertyDefinition], stored: Values, given: Values
) -> Iterator[Fault]:
    for key, value in given.items():
        if key in stored and _same(stored[key], value):
            continue
        path = f"{FIELD}.{_short(key)}"
        if key not in known:
            yield Fault(path, "unknown_property", _unknown(key, list(known)))
            continue
        message = _wrong(known[key], value)
        if message is not None:
            yield Fault(path, "invalid", message)


def _wrong(definition: PropertyDefinition, value: object) -> str | None:
    """What would be accepted instead of a value, None where it is accepted."""
    config = definition.config
    match definition.type:
        case PropertyType.TEXT:
            limit = config.max_length or TEXT_CHARS_MAX
            fits = isinstance(value, str) and len(value) <= limit
            return None if fits else f"must be text of at most {limit} characters"
        case PropertyType.NUMBER:
            return _wrong_number(config, value)
        case PropertyType.SINGLE_SELECT:
            fits = isinstance(value, str) and value in config.choices
            return None if fits else f"must be one of {_listed(config.choices)}"
        case PropertyType.MULTI_SELECT:
            fits = (
                isinstance(value, list)
                and all(isinstance(one, str) and one in config.choices for one in value)
                and len(set(value)) == len(value)
            )
            wanted = f"must be a list of different ones of {_listed(config.choices)}"
            return None if fits else wanted
        case PropertyType.JSON:
            return None
        case simple:
            wanted, accepts = _SIMPLE[simple]
            return None if accepts(value) else f"must be {wanted}"


def _wrong_number(config: PropertyConfig, value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "must be a number"
    number = Decimal(str(value))
    if config.min is not None and number < config.min:
        return f"must be {config.min:f} or more"
    if config.max is not None and number > config.max:
        return f"must be {config.max:f} or less"
    return None


def _is_day(value: object) -> bool:
    return _parses(_DAY, date.fromisoformat, value)


def _is_instant(value: object) -> bool:
    return _parses(_INSTANT, datetime.fromisoformat, value)


def _parses(shape: re.Pattern[str], parse: Callable[[str], object], value: object) -> bool:
    if not isinstance(value, str) or not shape.fullmatch(value):
        return False
    try:
        parse(value)
    except ValueError:
        return False
    return True


def _is_url(value: object) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= _URL_CHARS_MAX
        and _URL.fullmatch(value) is not None
    )


_SIMPLE: Mapping[PropertyType, tuple[str, Callable[[object], bool]]] = {
    PropertyType.BOOLEAN: ("true or false", lambda value: isinstance(value, bool)),
    PropertyType.DATE: ("a date as YYYY-MM-DD", _is_day),
    PropertyType.DATETIME: (
        "an instant with its zone, such as 2026-01-31T09:30:00Z",
        _is_instant,
    ),
    PropertyType.URL: (
        f"an absolute http or https address of at most {_URL_CHARS_MAX} characters",
        _is_url,
    ),
    PropertyType.EMAIL: (
        "an email address",
        lambda value: isinstance(value, str) and is_email(value),
    ),
}
"""What a value of a type without bounds must be, and what tells that it is."""


def _same(stored: object, value: object) -> bool:
    """Whether two values are one in JSON, where true is not 1."""
    return _as_json(stored) == _as_json(value)


def _as_json(value: object) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.encode()


def _size_faults(values: Values) -> list[Fault]:
    if len(_as_json(values)) <= BYTES_MAX:
        return []
    message = f"must have at most {BYTES_MAX} bytes as JSON, with those that are kept"
    return [Fault(FIELD, "too_long", message)]


def _required(key: str) -> Fault:
    return Fault(f"{FIELD}.{key}", "required", "is required")


def _unknown(key: str, keys: list[str]) -> str:
    near = get_close_matches(key, keys, n=1)
    if near:
        return f"is not a defined property; did you mean `{near[0]}`?"
    return "is not a defined property: define it first"


def _listed(choices: tuple[str, ...]) -> str:
    return ", ".join(f"`{choice}`" for choice in choices)


def _short(key: str) -> str:
    return key if len(key) <= _KEY_CHARS_SHOWN else f"{key[:_KEY_CHARS_SHOWN]}..."
