"""What stands above a form when something went wrong or changed."""

from dataclasses import dataclass

from tallystick.domain.payment import FailureReason
from tallystick.http.pages.form_faults import FormFault
from tallystick.http.pages.teller import Teller


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One figure as it was shown, and as it is now."""

    label: str
    before: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A notice that takes the focus: the faults by field, or the figures that changed."""

    tone: str
    title: str
    text: str | None = None
    faults: tuple[FormFault, ...] = ()
    changes: tuple[Change, ...] = ()


def faults_alert(faults: tuple[FormFault, ...], say: Teller) -> Alert:
    """Everything that must be mended, with a link to each field."""
    title = say.words.count("alert.faults", len(faults), count=say.formats.number(len(faults)))
    return Alert(tone="bad", title=title, faults=faults)


def failure_alert(reason: FailureReason, say: Teller) -> Alert:
    """Why the payment did not go through, and what to do."""
    if reason is FailureReason.CANCELLED_BY_BUYER:
        return Alert(tone="warn", title=say.words("alert.stopped"), text=say.words.of(reason))
    return Alert(tone="bad", title=say.words("alert.failed"), text=say.words.of(reason))
