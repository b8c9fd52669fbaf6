"""Reading JSON without losing a digit.

Numbers with a decimal point become `Decimal`, so that a price sent as a number is exactly what
was written. An exponent is told apart (`Exponent`), because a decimal may not have one; in
free-form objects it is an ordinary number. What JSON does not know (NaN, Infinity) is refused,
and so is a name that stands twice in an object, of which readers take one or the other.
"""

import json
from collections import Counter
from decimal import Decimal
from typing import NoReturn

from tallystick.domain.errors import Fault, InvalidInput
from tallystick.http.faults import short


class Exponent(float):
    """A number written with an exponent."""


def parse_json(body: bytes) -> object:
    """The value in a request's body.

    Raises:
        InvalidInput: It is not UTF-8, not JSON, nested too deeply, or names a field twice.
    """
    try:
        return json.loads(
            body.decode(),
            parse_float=_exact,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object,
        )
    except UnicodeDecodeError as reason:
        raise _invalid("invalid_utf8", f"is not valid UTF-8 at byte {reason.start}") from None
    except json.JSONDecodeError as reason:
        where = f"line {reason.lineno}, column {reason.colno}"
        raise _invalid("invalid_json", f"is not valid JSON: {reason.msg} at {where}") from None
    except RecursionError:
        raise _invalid("too_deep", "is nested too deeply") from None
    except ValueError:
        # Python reads no integer of more than a few thousand digits.
        raise _invalid("invalid_json", "holds a number that is too long") from None


def _exact(text: str) -> Decimal | Exponent:
    if "e" in text or "E" in text:
        return Exponent(text)
    return Decimal(text)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        times = Counter(name for name, _ in pairs)
        twice = next(name for name, count in times.items() if count > 1)
        raise _invalid("repeated", f"names `{short(twice)}` twice in one object")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise _invalid("invalid_json", f"is not valid JSON: {name} is not a number there")


def _invalid(code: str, message: str) -> InvalidInput:
    return InvalidInput(f"The body {message}.", (Fault("body", code, message),))
