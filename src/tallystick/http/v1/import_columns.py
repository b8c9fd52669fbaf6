"""The columns of a file: the fields of the request that a row stands for, in a flat form.

Taken from the request's own model, so that a file knows every field that the request knows.
A nested object is a column for each of its fields (`billing_address.city`), a list of texts is
one cell with `|` between, a number or a flag is written as in JSON, and whatever else has a
structure is JSON in its cell. An empty cell is a field left out.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel

from tallystick.domain.errors import Fault, InvalidInput
from tallystick.http.faults import NEAR, short
from tallystick.http.json_body import parse_json

COLUMNS_MAX = 500
BETWEEN = "|"
"""Between the entries of a list in one cell."""
ERROR_COLUMNS = ("import_row", "import_error")
"""What a file of errors has besides: such a file can be mended and imported as it is."""

_WHOLE = re.compile(r"-?[0-9]{1,18}")
_FLAGS = {"true": True, "false": False}

Convert = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Open:
    """Columns whose names the file chooses: `properties.<name>`."""

    convert: Convert


Column = Convert | Open


def columns_of(model: type[BaseModel], at: str = "") -> dict[str, Column]:
    """The columns of a request's model, by their names."""
    found: dict[str, Column] = {}
    for name, about in model.model_fields.items():
        path = f"{at}{name}"
        kind = _bare(about.annotation)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= columns_of(kind, f"{path}.")
        elif _is_texts(kind, dict):
            found[path] = Open(_as_it_is)
        else:
            found[path] = _convert(kind)
    return found


def is_report_of_errors(names: Sequence[str]) -> bool:
    """Whether a file with these columns is a report of ours, whose cells are guarded."""
    return set(ERROR_COLUMNS) <= {name.strip() for name in names}


def _bare(kind: Any) -> Any:  # noqa: ANN401 - a type
    """A type without annotations and without null."""
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        elif get_origin(kind) in (Union, UnionType):
            rest = [part for part in get_args(kind) if part is not NoneType]
            if len(rest) != 1:
                return kind
            kind = rest[0]
        else:
            return kind


def _is_texts(kind: Any, container: type) -> bool:  # noqa: ANN401 - a type
    """Whether a type is a list of texts or ids, or an object of texts."""
    return get_origin(kind) is container and _bare(get_args(kind)[-1]) in (str, UUID)


def _convert(kind: Any) -> Convert:  # noqa: ANN401 - a type
    if kind is int:
        return as_number
    if kind is bool:
        return _as_flag
    if _is_texts(kind, list):
        return _as_list
    if get_origin(kind) in (list, dict, Union, UnionType) and not _has_text(kind):
        return _as_json
    return _as_it_is


def _has_text(kind: Any) -> bool:  # noqa: ANN401 - a type
    """Whether a union takes text, as an id or an alias does."""
    return get_origin(kind) in (Union, UnionType) and str in get_args(kind)


def _as_it_is(cell: str) -> object:
    return cell


def as_number(cell: str) -> object:
    """A cell that should hold a whole number; the field says so where it does not."""
    return int(cell) if _WHOLE.fullmatch(cell) else cell


def _as_flag(cell: str) -> object:
    return _FLAGS.get(cell.lower(), cell)


def _as_list(cell: str) -> object:
    return [part.strip() for part in cell.split(BETWEEN) if part.strip()]


def _as_json(cell: str) -> object:
    try:
        return parse_json(cell.encode())
    except InvalidInput:
        # The field says what it must be.
        return cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What the columns of one kind of file may be.

    Attributes:
        columns: Every field, by its path in the request.
        other_names: Names that files may have for a field.
        required: Groups of fields of which each file has one.
        identifiers: What names a row in a report, the best first.
    """

    columns: Mapping[str, Column]
    other_names: Mapping[str, str]
    required: Sequence[tuple[str, ...]]
    identifiers: Sequence[str]

    @property
    def _open(self) -> list[str]:
        return [f"{name}." for name, one in self.columns.items() if isinstance(one, Open)]

    def field_of(self, name: str) -> str | None:
        """The field that a column is about, None where there is no such column."""
        for other, field in self.other_names.items():
            if name == other:
                return field
            chosen = name.removeprefix(f"{other}.")
            if chosen not in ("", name) and isinstance(self.columns.get(field), Open):
                return f"{field}.{chosen}"
        if name in self.columns and not isinstance(self.columns[name], Open):
            return name
        return name if any(name.startswith(at) and name != at for at in self._open) else None

    def known_names(self) -> list[str]:
        """Every name that a column may have, those that a file chooses by their beginning."""
        fields = {**{name: name for name in self.columns}, **self.other_names}
        chosen = {n for n, f in fields.items() if isinstance(self.columns.get(f), Open)}
        names = [f"{name}." if name in chosen else name for name in fields]
        return [*names, *ERROR_COLUMNS]

    def value(self, field: str, cell: str) -> object:
        """What a cell says."""
        column = self.columns.get(field)
        if column is None:
            column = next(
                one
                for name, one in self.columns.items()
                if isinstance(one, Open) and field.startswith(f"{name}.")
            )
        return column.convert(cell) if isinstance(column, Open) else column(cell)

    def path(self, field: str) -> tuple[str, ...]:
        """Where a field stands in the request."""
        for start in self._open:
            if field.startswith(start):
                return (start.removesuffix("."), field.removeprefix(start))
        return tuple(field.split("."))


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The columns of a file: for each its name, and its field; None where it is not read.

    `instead` names the column that stands for a field which the file does not have.
    """

    names: tuple[str, ...]
    fields: tuple[str | None, ...]
    instead: Mapping[str, str]

    def column_of(self, field: str) -> str:
        """The name that the file has for a field, or for the column around it."""
        known = dict(self.instead)
        known.update((f, n) for f, n in zip(self.fields, self.names, strict=True) if f)
        if field in known:
            return known[field]
        for one, name in known.items():
            if field.startswith((f"{one}.", f"{one}[")):
                return name + field.removeprefix(one)
        return field


def read_header(cells: Sequence[str], layout: Layout) -> Header:
    """What the columns of a file are.

    Raises:
        InvalidInput: Some are unknown, named twice or missing; every fault together.
    """
    names = tuple(cell.strip() for cell in cells)
    if len(names) > COLUMNS_MAX:
        message = f"must have at most {COLUMNS_MAX} columns"
        raise InvalidInput(f"The file {message}.", (Fault("file", "too_long", message),))
    fields = tuple(None if name in ERROR_COLUMNS else layout.field_of(name) for name in names)
    faults = [
        _unknown(name, position, layout)
        for position, (name, field) in enumerate(zip(names, fields, strict=True), start=1)
        if field is None and name not in ERROR_COLUMNS
    ]
    times = Counter(field for field in fields if field is not None)
    for field, count in times.items():
        if count > 1:
            same = [name for name, one in zip(names, fields, strict=True) if one == field]
            faults.append(Fault(same[0], "repeated", f"is there {count} times: {_list(same)}"))
    for group in layout.required:
        if not any(field in times for field in group):
            others = f"; or {_list(group[1:])}" if len(group) > 1 else ""
            faults.append(
                Fault(group[0], "required", f"is a column that must be there{others}")
            )
    if faults:
        first = faults[0]
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise InvalidInput(f"column {first.field}: {first.message}{more}", tuple(faults))
    return Header(names=names, fields=fields, instead=_instead(names, fields, layout))


def _instead(
    names: Sequence[str], fields: Sequence[str | None], layout: Layout
) -> dict[str, str]:
    """For each way to say something, the column in which this file says it."""
    known = dict(zip(fields, names, strict=True))
    found: dict[str, str] = {}
    for group in layout.required:
        column = next((known[field] for field in group if field in known), None)
        if column is not None:
            found |= dict.fromkeys(group, column)
    return found


def _unknown(name: str, position: int, layout: Layout) -> Fault:
    if not name:
        return Fault(f"column {position}", "required", "has no name")
    known = layout.known_names()
    lowered = {one.lower(): one for one in known}
    near = get_close_matches(name.lower(), lowered, n=1, cutoff=NEAR) or [
        one for one in lowered if one.startswith(f"{name.lower()}_")
    ]
    if near:
        said = f"is not a known column; did you mean `{lowered[near[0]]}`?"
    else:
        said = f"is not a known column; known are {_list(sorted(known))}"
    return Fault(short(name), "unknown_field", said)


def _list(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def put(body: dict[str, Any], path: Sequence[str], value: object) -> None:
    """Put a value where it stands in a request."""
    for name in path[:-1]:
        body = body.setdefault(name, {})
    body[path[-1]] = value
