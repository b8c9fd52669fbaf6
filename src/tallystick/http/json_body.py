"""Reading JSON without losing a digit.

Numbers with a decimal point become `Decimal`, so that a price sent as a number is exactly what
was written. An exponent is told apart (`Exponent`), because a decimal may not have one; in
free-form objects it is an ordinary number. What JSON does not know (NaN, Infinity) is refused.
"""

import json
from decimal import Decimal
from typing import NoReturn

from tallystick.domain.errors import Fault, InvalidInput


class Exponent(float):
    """A number written with an exponent."""


def parse_json(body: bytes) -> object:
    """The value in a request's body.

    Raises:
        InvalidInput: It is not UTF-8, not JSON, or nested too deeply.
    """
    try:
        return json.loads(body.decode(), parse_float=_exact, parse_constant=_refuse_constant)
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


def _refuse_constant(name: str) -> NoReturn:
    raise _invalid("invalid_json", f"is not valid JSON: {name} is not a number there")


def _invalid(code: str, message: str) -> InvalidInput:
    return InvalidInput(f"The body {message}.", (Fault("body", code, message),))
