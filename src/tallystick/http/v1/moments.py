"""Days and instants on the wire."""

import re
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from pydantic.json_schema import JsonSchemaValue
from typing_extensions import override

from tallystick.http.v1.scalar import Scalar, must_be_text, problem
from tallystick.services.events import instant_text

YEAR_MIN, YEAR_MAX = 1970, 2200

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
Moment = TypeVar("Moment", date, datetime)


class DayText(Scalar):
    """A day as YYYY-MM-DD."""

    @override
    def parse(self, value: Any) -> date:
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        text = must_be_text(value)
        try:
            day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
        except ValueError:
            day = None
        if day is None:
            raise problem("malformed", "must be a date as YYYY-MM-DD")
        return _within_years(day)

    @override
    def text(self, value: date) -> str:
        return value.isoformat()

    @override
    def schema(self) -> JsonSchemaValue:
        return {"type": "string", "format": "date"}


class InstantText(Scalar):
    """An instant with its zone in, in UTC with milliseconds and `Z` out."""

    @override
    def parse(self, value: Any) -> datetime:
        if isinstance(value, datetime):
            return value
        text = must_be_text(value).upper()
        try:
            moment = datetime.fromisoformat(text) if _INSTANT.fullmatch(text) else None
            moment = moment and moment.astimezone(UTC)
        except (ValueError, OverflowError):
            moment = None
        if moment is None:
            raise problem(
                "malformed", "must be an instant with its zone, such as 2026-01-31T09:30:00Z"
            )
        return _within_years(moment)

    @override
    def text(self, value: datetime) -> str:
        return instant_text(value)

    @override
    def schema(self) -> JsonSchemaValue:
        return {"type": "string", "format": "date-time"}


def _within_years(day: Moment) -> Moment:
    if not YEAR_MIN <= day.year <= YEAR_MAX:
        raise problem("out_of_range", f"must lie between {YEAR_MIN} and {YEAR_MAX}")
    return day
