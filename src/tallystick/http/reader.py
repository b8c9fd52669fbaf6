"""Reading a value of a type: what it means, or everything that is wrong with it.

Who asks for what is left of an object gets it without the fields that are at fault, so that the
rest can be looked at too and all faults are told in one answer.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from tallystick.domain.errors import ALL_READ, Unread
from tallystick.http.faults import faults_of
from tallystick.http.schema_paths import SchemaPaths


class Reader:
    """Reads values of one type; made once.

    Args:
        kind: The type; its `stand_ins`, if it has any, take the place of required fields that
            are at fault.
        part: What a fault of the value as a whole is about: `body`, `query`.
    """

    def __init__(self, kind: Any, part: str) -> None:  # noqa: ANN401 - what pydantic takes
        self._adapter: TypeAdapter[Any] = TypeAdapter(kind)
        self._schemas = {part: SchemaPaths(kind)}
        self._part = part
        self._stand_ins: Mapping[str, object] = getattr(kind, "stand_ins", {})

    def read(self, value: object) -> tuple[Any, Unread]:
        """What the value means; None where something of it is at fault."""
        try:
            return self._adapter.validate_python(value), ALL_READ
        except ValidationError as invalid:
            problems = invalid.errors(include_url=False)
        placed = [{**one, "loc": (self._part, *one["loc"])} for one in problems]
        aside = frozenset(str(one["loc"][0]) for one in problems if one["loc"])
        return None, Unread(faults_of(placed, self._schemas), aside)

    def read_apart(self, value: object) -> tuple[Any, Unread]:
        """The same, without the fields at fault; None where that cannot be read either."""
        found, unread = self.read(value)
        if unread.fields and isinstance(value, dict):
            rest = {name: sent for name, sent in value.items() if name not in unread.fields}
            for name in unread.fields & self._stand_ins.keys():
                rest[name] = self._stand_ins[name]
            found, _ = self.read(rest)
        return found, unread
