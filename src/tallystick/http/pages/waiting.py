"""A payment that is under way: at the bank, or with no answer yet."""

from tallystick.http.checkout.page import Action, Message
from tallystick.http.pages.frame import Links
from tallystick.http.pages.teller import Teller


def waiting_message(challenge: str | None, links: Links, say: Teller) -> Message:
    """The ways on while it is: to the bank's challenge, or back to another method; without a
    challenge there is nothing to do but to look again.
    """
    words = say.words
    if challenge is None:
        return Message(
            tone="",
            icon="clock",
            title=words("wait.title"),
            text=words("wait.text"),
            actions=(Action(label=words("wait.again"), url=links.back_from_bank),),
        )
    return Message(
        tone="",
        icon="shield",
        title=words("challenge.title"),
        text=words("challenge.text"),
        actions=(
            Action(label=words("challenge.go"), url=challenge, primary=True),
            Action(label=words("challenge.another"), url=links.another_method, posts=True),
        ),
    )
