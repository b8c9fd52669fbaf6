"""Pages of one card: what happened, and the ways on."""

from dataclasses import dataclass

from babel import Locale

from tallystick.http.pages.assets import Assets
from tallystick.http.pages.drawing import templates_of
from tallystick.http.pages.frame import bare_frame
from tallystick.http.pages.teller import teller_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A way on from a page: a link, or a form that is posted (with its token)."""

    label: str
    url: str
    posts: bool = False
    primary: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A page of one card: a mark, a title, a sentence and the ways on."""

    tone: str
    icon: str
    title: str
    text: str
    actions: tuple[Action, ...] = ()


def bare_page(key: str, icon: str, locale: Locale, assets: Assets) -> str:
    """A page that belongs to nobody: an unknown link, or a request that was refused."""
    say = teller_for(locale)
    message = Message(
        tone="bad", icon=icon, title=say.words(f"{key}.title"), text=say.words(f"{key}.text")
    )
    return (
        templates_of()
        .get_template("message.html")
        .render(
            t=say.words,
            frame=bare_frame(message.title, assets),
            message=message,
            csrf="",
            links=None,
            polls=False,
            leads_to=None,
        )
    )


def in_words(key: str, locale: Locale) -> str:
    """The same without a page around it."""
    say = teller_for(locale)
    return f"{say.words(f'{key}.title')}. {say.words(f'{key}.text')}"
