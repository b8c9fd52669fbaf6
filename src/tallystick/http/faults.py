"""Faults of a request that does not fit its schema, in the words of the one who wrote it.

Pydantic finds all of them at once. Here each gets the path as the caller wrote it, a stable
code, and a sentence that says what would be accepted. Validators of ours raise
`PydanticCustomError` with code and sentence; both are passed on as they are.
"""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from tallystick.domain.errors import Fault
from tallystick.http.schema_paths import Located, Place, SchemaPaths

FAULTS_MAX = 100
"""More than this helps nobody; the rest is left out."""
NAME_CHARS_MAX = 80
NEAR = 0.6

_MEMBER = re.compile(r"<\w+\.\w+: ('[^']*')>")
"""How pydantic writes some members of an enumeration, and not all of them: as in our code."""

WORDS: Mapping[str, tuple[str, str]] = {
    "missing": ("required", "is required"),
    "string_type": ("wrong_type", "must be text"),
    "string_unicode": ("invalid_text", "holds characters that are not valid Unicode"),
    "int_type": ("wrong_type", "must be a whole number"),
    "int_parsing": ("wrong_type", "must be a whole number"),
    "int_parsing_size": ("out_of_range", "is too large a number"),
    "int_from_float": ("wrong_type", "must be a whole number"),
    "bool_type": ("wrong_type", "must be true or false"),
    "bool_parsing": ("wrong_type", "must be true or false"),
    "list_type": ("wrong_type", "must be a list"),
    "dict_type": ("wrong_type", "must be an object"),
    "model_type": ("wrong_type", "must be an object"),
    "model_attributes_type": ("wrong_type", "must be an object"),
    "dataclass_type": ("wrong_type", "must be an object"),
    "not_null": ("wrong_type", "must not be null"),
    "none_required": ("wrong_type", "must be null"),
    "string_too_short": ("too_short", "must have at least {min_length} characters"),
    "string_too_long": ("too_long", "must have at most {max_length} characters"),
    "too_short": ("too_short", "must have at least {min_length} entries"),
    "too_long": ("too_long", "must have at most {max_length} entries"),
    "greater_than": ("out_of_range", "must be above {gt}"),
    "greater_than_equal": ("out_of_range", "must be {ge} or more"),
    "less_than": ("out_of_range", "must be below {lt}"),
    "less_than_equal": ("out_of_range", "must be {le} or less"),
    "enum": ("unknown_value", "must be {expected}"),
    "literal_error": ("unknown_value", "must be {expected}"),
    "string_pattern_mismatch": ("malformed", "is not well-formed"),
}
"""Pydantic's type of problem -> our code, and the sentence with pydantic's figures put in."""


def faults_of(
    problems: Sequence[Mapping[str, Any]], schemas: Mapping[str, SchemaPaths] | None = None
) -> tuple[Fault, ...]:
    """One fault per problem that pydantic found.

    Args:
        problems: As `errors()` of a validation error gives them, the first element of each
            place naming the part of the request: `body`, `query`, `header`.
        schemas: The schema of a part, to tell union tags from fields and to know names.
    """
    known = schemas or {}
    return tuple(_fault(problem, known) for problem in problems[:FAULTS_MAX])


def path_text(path: Place) -> str:
    """A path as it is shown: `components.extra_components[0].name`."""
    text = ""
    for element in path:
        if isinstance(element, int):
            text += f"[{element}]"
        else:
            text += f".{short(element)}" if text else short(element)
    return text


def _fault(problem: Mapping[str, Any], schemas: Mapping[str, SchemaPaths]) -> Fault:
    part, *rest = problem["loc"] or ("body",)
    place: Place = tuple(rest)
    schema = schemas.get(str(part))
    located = schema.locate(place) if schema else Located(place)
    kind, context = str(problem["type"]), problem.get("ctx") or {}
    path = located.path
    sent = problem.get("input", "")
    if sent is None and located.is_field:
        # Null is as good as nothing where nothing is not enough.
        kind, context = ("missing" if located.is_required else "not_null"), {}
    elif kind == "union_tag_not_found" and not isinstance(sent, Mapping):
        kind = "model_type"
    if kind in {"union_tag_invalid", "union_tag_not_found"}:
        path = (*path, located.discriminator or "type")
    code, message = _words(kind, str(problem["msg"]), context, located)
    return Fault(path_text(path) or str(part), code, message)


def _words(
    kind: str, text: str, context: Mapping[str, Any], located: Located
) -> tuple[str, str]:
    if kind == "extra_forbidden":
        return "unknown_field", _unknown(str(located.path[-1]), located.siblings)
    if kind == "union_tag_invalid":
        return "unknown_value", f"must be one of {_listed(located.tags)}"
    if kind == "union_tag_not_found":
        return "required", f"is required: one of {_listed(located.tags)}"
    if kind in WORDS and "message" not in context:
        code, sentence = WORDS[kind]
        return code, _MEMBER.sub(r"\1", sentence.format_map(dict(context)))
    if kind in {"value_error", "assertion_error"}:
        return "invalid", text.partition(", ")[2] or text
    return kind, text.replace("Input should be", "must be")


def _unknown(name: str, siblings: tuple[str, ...]) -> str:
    near = get_close_matches(name, siblings, n=1, cutoff=NEAR) or [
        sibling for sibling in siblings if sibling.startswith(f"{name}_")
    ]
    if near:
        return f"is not a known field; did you mean `{near[0]}`?"
    return "is not a known field"


def _listed(tags: tuple[str, ...]) -> str:
    return ", ".join(f"`{tag}`" for tag in tags) or "the known types"


def short(name: str) -> str:
    """A name as it is shown: not longer than helps anybody."""
    return name if len(name) <= NAME_CHARS_MAX else f"{name[:NAME_CHARS_MAX]}..."
