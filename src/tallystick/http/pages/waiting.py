"""A payment that is under way: at the bank, or with no answer yet."""

from tallystick.http.pages.drawing import templates_of
from tallystick.http.pages.frame import Links
from tallystick.http.pages.message import Action, Message
from tallystick.http.pages.teller import Teller

_LOOKS_AT_FIRST = 30
_SECONDS_AT_FIRST = 2
_SECONDS_LATER = 10


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


def waiting_fragment(links: Links, look: int) -> str:
    """What a waiting page gets while there is no answer: ask again, later after a while."""
    return (
        templates_of()
        .get_template("status.html")
        .render(links=links, look=look, seconds=look_again_after(look))
    )


def look_again_after(look: int) -> int:
    """After how many seconds a waiting page asks for the `look`th time."""
    return _SECONDS_AT_FIRST if look <= _LOOKS_AT_FIRST else _SECONDS_LATER
