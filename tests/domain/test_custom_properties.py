"""Values are held to their definitions when they are written, and only then."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tallystick.domain.custom_properties import (
    PropertyConfig,
    PropertyDefinition,
    PropertyEntity,
    PropertyType,
    SelectOption,
    definition_faults,
    merged,
    set_anew,
)

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
COLOURS = PropertyConfig(options=(SelectOption(value="red"), SelectOption(value="blue")))
PERCENT = PropertyConfig(min=Decimal(0), max=Decimal(100))


def defined(
    key: str,
    kind: PropertyType,
    **more: Any,  # noqa: ANN401 - of the definition
) -> PropertyDefinition:
    """A property of customers."""
    return PropertyDefinition(
        id=UUID(int=1),
        entity=PropertyEntity.CUSTOMER,
        key=key,
        name=key,
        type=kind,
        created_at=NOON,
        updated_at=NOON,
        **more,
    )


def fault(definition: PropertyDefinition, value: object) -> str | None:
    """What is said of a value, None where nothing is."""
    _, faults = set_anew([definition], {}, {definition.key: value})
    return faults[0].message if faults else None


@pytest.mark.parametrize(
    ("kind", "config", "accepted", "refused", "message"),
    [
        (
            PropertyType.TEXT,
            PropertyConfig(max_length=3),
            ["", "abc"],
            ["abcd", 1, ["a"]],
            "must be text of at most 3 characters",
        ),
        (PropertyType.TEXT, PropertyConfig(), ["x" * 10_000], ["x" * 10_001], None),
        (PropertyType.NUMBER, PropertyConfig(), [0, -1, 2.5], [True, "1"], "must be a number"),
        (PropertyType.NUMBER, PERCENT, [0, 100], [-1, -0.01], "must be 0 or more"),
        (PropertyType.NUMBER, PERCENT, [99.9], [100.01], "must be 100 or less"),
        (PropertyType.BOOLEAN, PropertyConfig(), [True, False], [0, "x"], "must be true or"),
        (
            PropertyType.DATE,
            PropertyConfig(),
            ["2024-02-29"],
            ["2023-02-29", "20240229", 7, "2024-02-29T00:00:00Z"],
            "must be a date as YYYY-MM-DD",
        ),
        (
            PropertyType.DATETIME,
            PropertyConfig(),
            ["2026-01-31T09:30:00Z", "2026-01-31T09:30:00.5+02:00"],
            ["2026-01-31T09:30:00", "2026-01-31T25:00:00Z", "2026-01-31"],
            "must be an instant with its zone",
        ),
        (
            PropertyType.SINGLE_SELECT,
            COLOURS,
            ["red", "blue"],
            ["Red", "", ["red"], 1],
            "must be one of `red`, `blue`",
        ),
        (
            PropertyType.MULTI_SELECT,
            COLOURS,
            [["red"], ["blue", "red"], []],
            ["red", ["green"], ["red", "red"], [1], [["red"]]],
            "must be a list of different ones of `red`, `blue`",
        ),
        (PropertyType.JSON, PropertyConfig(), [{"a": [1]}, "x", 0, False, []], [], None),
        (
            PropertyType.URL,
            PropertyConfig(),
            ["https://a.example/b?c", "http://x"],
            ["a.example", "javascript:alert(1)", "https://", "https://a b", 1],
            "must be an absolute http or https address",
        ),
        (
            PropertyType.EMAIL,
            PropertyConfig(),
            ["ada@a.example"],
            ["ada", "a@b", "a b@c.d", 1],
            "must be an email address",
        ),
    ],
)
def test_values_of_each_type(
    kind: PropertyType,
    config: PropertyConfig,
    accepted: list[object],
    refused: list[object],
    message: str | None,
) -> None:
    """What each type accepts, and what is said of everything else."""
    definition = defined("it", kind, config=config)

    assert [fault(definition, value) for value in accepted] == [None] * len(accepted)
    for value in refused:
        assert (fault(definition, value) or "").startswith(message or "must be text")


def test_all_faults_with_their_paths() -> None:
    """A wrong value, an unknown key near a known one, and one that is missing."""
    known = [
        defined("score", PropertyType.NUMBER),
        defined("region", PropertyType.TEXT, required=True),
        defined("vip", PropertyType.BOOLEAN, required=True, default=False),
    ]

    _, faults = set_anew(known, {}, {"score": "7", "regoin": "EU", "zzz": 1})

    assert [(one.field, one.code) for one in faults] == [
        ("custom_properties.score", "invalid"),
        ("custom_properties.regoin", "unknown_property"),
        ("custom_properties.zzz", "unknown_property"),
        ("custom_properties.region", "required"),
    ]
    assert faults[1].message == "is not a defined property; did you mean `region`?"


def test_what_is_not_said_has_its_default() -> None:
    """Of a new object null is the default; said anew, null is none, unless it is required."""
    known = [
        defined("vip", PropertyType.BOOLEAN, default=False),
        defined("tier", PropertyType.TEXT, default="free", required=True),
    ]

    assert set_anew(known, {}, {"vip": None}) == ({"vip": False, "tier": "free"}, [])
    values, faults = set_anew(known, {"vip": True}, {"vip": None, "tier": None})
    assert values == {}
    assert [one.field for one in faults] == ["custom_properties.tier"]
    assert set_anew(known, {"vip": True}, {}) == ({"vip": False, "tier": "free"}, [])


def test_what_is_stored_is_not_looked_at_again() -> None:
    """A value of before passes as it stands, whatever its definition says by now."""
    number = defined("score", PropertyType.NUMBER, config=PERCENT)
    stored = {"score": 500, "gone": ["x"]}

    assert merged([number], stored, {"score": 500, "gone": ["x"]}) == (stored, [])
    assert merged([number], stored, {"gone": None}) == ({"score": 500}, [])
    _, faults = merged([number], stored, {"score": 501, "gone": ["y"]})
    assert [(one.field, one.code) for one in faults] == [
        ("custom_properties.score", "invalid"),
        ("custom_properties.gone", "unknown_property"),
    ]
    # True is not 1, although Python thinks so.
    assert merged([number], {"score": 1}, {"score": True})[1] != []


def test_merging() -> None:
    """Null takes one away; a required one stays, and is not asked for where it never was."""
    known = [
        defined("tier", PropertyType.TEXT, required=True),
        defined("note", PropertyType.TEXT),
    ]

    assert merged(known, {"tier": "a", "note": "b"}, {"note": None}) == ({"tier": "a"}, [])
    assert merged(known, {}, {"note": "b"}) == ({"note": "b"}, [])
    _, faults = merged(known, {"tier": "a"}, {"tier": None})
    assert [(one.field, one.code) for one in faults] == [("custom_properties.tier", "required")]


def test_all_of_them_have_a_size() -> None:
    """16 KiB together, with those that are kept."""
    known = [defined(key, PropertyType.TEXT) for key in ("a", "b")]

    assert merged(known, {}, {"a": "x" * 10_000})[1] == []
    _, faults = merged(known, {"a": "x" * 10_000}, {"b": "x" * 10_000})
    assert [(one.field, one.code) for one in faults] == [("custom_properties", "too_long")]


def test_definitions_that_cannot_be() -> None:
    """Bounds the wrong way round, no options, the same twice, and defaults that do not fit."""
    number = defined("n", PropertyType.NUMBER)
    select = defined("s", PropertyType.SINGLE_SELECT, config=COLOURS)
    twice = PropertyConfig(options=(SelectOption(value="a"), SelectOption(value="a")))

    assert definition_faults(replace(number, default=7, config=PERCENT)) == []
    assert [
        [(one.field, one.code) for one in definition_faults(definition)]
        for definition in (
            replace(number, config=PropertyConfig(min=Decimal(2), max=Decimal(1))),
            replace(select, config=PropertyConfig()),
            replace(select, config=twice),
            replace(select, default="green"),
            replace(number, default=101, config=PERCENT),
            defined("t", PropertyType.TEXT, default="x" * 2000),
        )
    ] == [
        [("config.max", "out_of_range")],
        [("config.options", "required")],
        [("config.options[1].value", "duplicate")],
        [("default_value", "invalid")],
        [("default_value", "invalid")],
        [("default_value", "invalid")],
    ]
