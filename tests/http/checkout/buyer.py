"""A buyer's browser without JavaScript: it keeps cookies, sends forms, follows redirects."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Self
from uuid import UUID

import httpx
from fastapi import FastAPI
from typing_extensions import override

from tallystick.services.link import checkout_url
from tests.world import PUBLIC_URL, World

CARD = {"card_number": "4242 4242 4242 4242", "card_expiry": "12 / 40", "card_cvc": "123"}


@dataclass
class Form:
    """A form as it stands in a page: where it goes, what it holds, its buttons."""

    action: str
    values: dict[str, str] = field(default_factory=dict)
    buttons: list[dict[str, str]] = field(default_factory=list)


class _Forms(HTMLParser):
    """Reads a page's forms, the text that is seen, and everything with an id."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.text: list[str] = []
        self.ids: dict[str, dict[str, str]] = {}
        self._select: str | None = None

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.ids[given["id"]] = given
        if tag == "form":
            self.forms.append(Form(action=given.get("action", "")))
        elif self.forms and tag == "input" and "name" in given:
            is_chosen = given.get("type") != "radio" or "checked" in given
            if is_chosen:
                self.forms[-1].values[given["name"]] = given.get("value", "")
        elif self.forms and tag == "button":
            self.forms[-1].buttons.append(given)
        elif tag == "select":
            self._select = given["name"]
            self.forms[-1].values[self._select] = ""
        elif tag == "option" and self._select and "selected" in given:
            self.forms[-1].values[self._select] = given["value"]

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = None

    @override
    def handle_data(self, data: str) -> None:
        if data.strip():
            self.text.append(" ".join(data.split()))


@dataclass(frozen=True)
class Seen:
    """An answer, read as a person reads it."""

    response: httpx.Response
    read: _Forms

    @property
    def status(self) -> int:
        """The status code."""
        return self.response.status_code

    @property
    def text(self) -> str:
        """All text of the page, a blank between its parts."""
        return " ".join(self.read.text)

    @property
    def form(self) -> Form:
        """The page's form."""
        return self.read.forms[0]

    def error(self, name: str) -> str:
        """What stands below a field, by the markup; empty when nothing is wrong with it."""
        before, _, after = self.response.text.partition(f'id="{name}-error"')
        assert before, "the page has content"
        return after.partition(">")[2].partition("</p>")[0].strip()

    @classmethod
    def of(cls, response: httpx.Response) -> Self:
        """Read an answer."""
        read = _Forms()
        read.feed(response.text)
        return cls(response, read)


@dataclass
class Buyer:
    """A browser at the shop's pages."""

    client: httpx.AsyncClient
    link: str

    async def open(self, path: str = "", **headers: str) -> Seen:
        """Open the link, or a page below it."""
        return Seen.of(await self.client.get(self.link + path, headers=headers))

    async def send(
        self, form: Form, typed: Mapping[str, str] | None = None, to: str | None = None
    ) -> Seen:
        """Send a form, to its own address or a button's, and follow where it leads."""
        return await self._follow(await self.post(form, typed, to))

    async def send_back(self) -> Seen:
        """Come back from the bank."""
        return await self._follow(await self.client.get(f"{self.link}/return"))

    async def _follow(self, answer: httpx.Response) -> Seen:
        hops = 0
        while answer.is_redirect and hops < 10:
            location = httpx.URL(answer.headers["location"])
            if location.host not in ("", httpx.URL(PUBLIC_URL).host):
                break
            answer = await self.client.get(location)
            hops += 1
        return Seen.of(answer)

    async def post(
        self,
        form: Form,
        typed: Mapping[str, str] | None = None,
        to: str | None = None,
        **headers: str,
    ) -> httpx.Response:
        """Send a form and follow nothing."""
        values = {**form.values, **(typed or {})}
        return await self.client.post(to or form.action, data=values, headers=headers)

    @property
    def quote_url(self) -> str:
        """Where the total is brought up to date."""
        return f"{self.link}/quote"


def browser(web: FastAPI, **headers: str) -> httpx.AsyncClient:
    """A client that keeps its cookies and follows no redirect by itself."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(web), base_url=PUBLIC_URL, headers=headers
    )


def link_of(world: World, session_id: UUID) -> str:
    """The path of a session's page."""
    secret = world.ctx.tenant.link_secret
    return checkout_url(PUBLIC_URL, secret, session_id).removeprefix(PUBLIC_URL)
