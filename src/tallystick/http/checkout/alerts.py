"""What stands above the form when a purchase asks for another look; nothing was charged."""

from tallystick.http.pages.alerts import Alert, Change
from tallystick.http.pages.teller import Teller


def changed_alert(changed: tuple[Change, ...], say: Teller) -> Alert:
    """The quote is another one than was shown; nothing was charged."""
    return Alert(
        tone="warn",
        title=say.words("alert.changed"),
        text=say.words("alert.changed_text"),
        changes=changed,
    )


def terms_alert(say: Teller) -> Alert:
    """The same amounts, but another wording of what is agreed to; nothing was charged."""
    return Alert(
        tone="warn", title=say.words("alert.terms"), text=say.words("alert.terms_text")
    )


def held_alert(plan: str, say: Teller) -> Alert:
    """The customer has the plan already; nothing was charged."""
    return Alert(
        tone="warn",
        title=say.words("alert.held", plan=plan),
        text=say.words("alert.held_text"),
    )
