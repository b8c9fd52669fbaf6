"""Fields of a PATCH that cannot be cleared: left out they stay, null is refused."""

from typing import Any

from pydantic import BaseModel, Field


def kept(description: str) -> Any:  # noqa: ANN401 - the default of a field of any type
    """A field that may be left out, whatever its type; without a value there is nothing in it.

    Who reads it looks at `model_fields_set` first, or takes None for what was left out.
    """
    return Field(default=None, description=description, json_schema_extra=_without_default)


def said_in(body: BaseModel, *names: str) -> dict[str, Any]:
    """Those of a body's fields that it speaks of, null included, as they were sent."""
    return {name: getattr(body, name) for name in names if name in body.model_fields_set}


def _without_default(schema: dict[str, Any]) -> None:
    """Null is no value of the field, so that the document must not call it the default."""
    schema.pop("default", None)
