"""How frozen domain values are kept in jsonb: as JSON that is checked again when it is read.

Closed unions are told apart by their `type`. A row that no longer fits is a defect and
raises; nothing is guessed.
"""

from typing import Generic, TypeVar, cast

from pydantic import TypeAdapter

T = TypeVar("T")


class Codec(Generic[T]):
    """Writes and reads one type of value as JSON text."""

    def __init__(self, kind: object) -> None:
        """Compile the codec once, for a class or a union."""
        self._adapter: TypeAdapter[T] = TypeAdapter(cast("type[T]", kind))

    def dump(self, value: T) -> str:
        """The value as JSON text."""
        return self._adapter.dump_json(value).decode()

    def dump_optional(self, value: T | None) -> str | None:
        """The value as JSON text, None as None (SQL null)."""
        return None if value is None else self.dump(value)

    def load(self, text: str | bytes) -> T:
        """The value behind JSON text; raises `ValueError` when the text does not hold one."""
        return self._adapter.validate_json(text)

    def load_optional(self, text: str | bytes | None) -> T | None:
        """The value behind JSON text, None for SQL null."""
        return None if text is None else self.load(text)
