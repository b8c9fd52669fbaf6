"""What can go wrong, as a small closed tree.

    TallystickError
    +-- InvalidInput          the request cannot mean anything we could do
    +-- NotFound              a named thing does not exist for this tenant
    +-- Conflict              the thing exists, but its state forbids the request
    |   +-- Busy              ... for now: the same request may succeed shortly
    |   +-- Unexplained       ... the figures of an invoice do not follow from their formulas
    +-- Unauthorized          no valid API key
    +-- Forbidden             a valid key that may not do this
    +-- RateLimited           too many requests, with the time to wait

Every error carries a sentence for the person who must act, and a fault per field where fields
are at fault. Status codes are the doors' business (`http/errors.py`).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one field.

    `field` is the path as the caller wrote it (``components.extra_components[0].name``), `code`
    is stable and machine-readable (``unknown``, ``wrong_currency``), `message` says what would
    be accepted.
    """

    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Unread:
    """What of a request could not be read, so that it is refused, whatever the rest says.

    `faults` says why; `fields` are the fields that were set aside and count as left out. The
    rest is looked at all the same, so that all faults are told together.
    """

    faults: tuple[Fault, ...] = ()
    fields: frozenset[str] = frozenset()

    def joined(
        self,
        found: Iterable[Fault],
        rests_on: Mapping[str, Collection[str]] = MappingProxyType({}),
    ) -> list[Fault]:
        """Its own faults, then those of `found` that do not come from what was set aside.

        Args:
            found: Faults of the rest.
            rests_on: Field -> other fields that decide whether it is at fault.
        """
        return [*self.faults, *(one for one in found if self._holds(one, rests_on))]

    def _holds(self, fault: Fault, rests_on: Mapping[str, Collection[str]]) -> bool:
        field = fault.field.partition(".")[0].partition("[")[0]
        return self.fields.isdisjoint({field, *rests_on.get(field, ())})


ALL_READ = Unread()
"""Nothing was set aside."""


class TallystickError(Exception):
    """Base of everything the product refuses or cannot do; `str(error)` is the sentence
    shown.
    """

    def __init__(self, message: str, faults: tuple[Fault, ...] = ()) -> None:
        """Keep the sentence and the faults that explain it, field by field."""
        super().__init__(message)
        self.message = message
        self.faults = faults


class InvalidInput(TallystickError):
    """The request is malformed or impossible; nothing was changed."""


class NotFound(TallystickError):
    """A named object does not exist for this tenant (another tenant's object included)."""


class Conflict(TallystickError):
    """The object's present state forbids the request; repeating it unchanged will not help."""


class Busy(Conflict):
    """The request conflicts with work in flight; it may be repeated after a pause."""

    def __init__(
        self, message: str, retry_after_seconds: int, faults: tuple[Fault, ...] = ()
    ) -> None:
        """Keep the sentence and the pause, in whole seconds, after which to try again."""
        super().__init__(message, faults)
        self.retry_after_seconds = retry_after_seconds


class Unexplained(Conflict):
    """What is stored of an invoice is not what its own formulas come to: a defect, or damage.

    The message names the figure, what it comes to and what is stored.
    """


class Unauthorized(TallystickError):
    """No API key, or one that is unknown or revoked."""


class Forbidden(TallystickError):
    """The API key is valid but may not do this."""


class RateLimited(TallystickError):
    """Too many requests; `retry_after_seconds` says when to come back."""

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        """Keep the sentence and the pause in whole seconds."""
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


def fail_if(faults: list[Fault]) -> None:
    """Raise one `InvalidInput` that lists every fault, or return when there is none."""
    if faults:
        raise InvalidInput(sentence(faults), tuple(faults))


def sentence(faults: list[Fault] | tuple[Fault, ...]) -> str:
    """One sentence for a list of faults: the first fault's, and how many more there are."""
    first = faults[0]
    rest = len(faults) - 1
    more = "" if rest == 0 else f" (and {rest} more)"
    return f"{first.field}: {first.message}{more}"
