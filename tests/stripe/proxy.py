"""localstripe as a second opinion of Stripe: its process, and a proxy of ours in front of it.

    async def test_something(local: Proxy) -> None:            # tests/stripe/fixtures.py
        stripe = Stripe(StripeKeys(local.secret_key, local.publishable_key, ()),
                        api_base=local.api_base, script_url=local.script_url)
        local.script("payment_intents.confirm", Unanswered())  # as for the twin: script.py
        ...
        assert await local.moved() == [(5412, "eur")]
        assert ("payment_intents.create", "description") in local.stripped

The proxy adds what localstripe has not, and nothing else:

- the first answer is kept per `Idempotency-Key`; other parameters under it are refused, and so
  is a second call while the first is under way;
- parameters that localstripe refuses are stripped, and written down in `stripped`;
- what was stripped and is needed later is `supplied`: a SetupIntent's method when it is
  confirmed, and the challenge of a `return_url`, whose page is served here;
- a publishable key may create payment methods;
- webhooks come here, and go on when a test says so: `await local.heard("payment_intent...")`;
- its script is served inside a function, completed by `js/localstripe.js` (`browser.py` says
  what a page may use; the fields stand in the page itself, under the same labels).

localstripe has one memory for everybody: `forget` empties it, and each test begins so.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx

from tests.stripe import browser
from tests.stripe.forms import Tree, tree_of
from tests.stripe.operations import find
from tests.stripe.refusals import (
    Json,
    Refused,
    broken,
    key_in_use,
    key_reused,
    limited,
)
from tests.stripe.script import (
    Delayed,
    Failing,
    Hanging,
    Late,
    Limited,
    NewsFirst,
    Repeated,
    Script,
    Slow,
    Step,
    Through,
    Unanswered,
    Unheard,
)
from tests.stripe.wire import NO_TLS, Answer, Request, Silence, Wires

STARTER = Path(__file__).parent / "localstripe_process.py"
FOREVER_SECONDS = 3600
UNEXPECTED = "Unexpected "
SCRIPT_PATH = "/js.stripe.com/v3/"
HOOK_PATH = "/heard"
SECRET = "whsec_localstripe"

Stripped = tuple[str, str]
"""An operation, and the parameter that it was sent without."""


@contextmanager
def localstripe() -> Iterator[str]:
    """Run localstripe; its origin."""
    with subprocess.Popen(
        [sys.executable, str(STARTER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert port, "localstripe has started"
        yield f"http://127.0.0.1:{port}"
        process.stdin.close()
        process.wait(timeout=10)


class Proxy:
    """What clients and browsers speak to instead of localstripe."""

    id = "acct_localstripe"
    secret_key = "sk_test_localstripe"
    publishable_key = "pk_test_localstripe"

    def __init__(self, wires: Wires, upstream: str) -> None:
        self.wires = wires
        self.upstream = upstream
        self.api_base = wires.serve(self._serve)
        self.script_url = f"{self.api_base}{SCRIPT_PATH}"
        self.stripped: set[Stripped] = set()
        self.supplied: set[Stripped] = set()
        self.messages: list[tuple[dict[str, str], bytes]] = []
        """Webhooks that came: headers and body, as localstripe has signed them."""
        self._refused: dict[str, set[str]] = {}
        self._client = httpx.AsyncClient(base_url=upstream, timeout=20, verify=NO_TLS)
        self._fresh()

    def _fresh(self) -> None:
        self.steps = Script()
        self.stripped.clear()
        self.supplied.clear()
        self.messages.clear()
        self._late: list[Request] = []
        self._kept: dict[str, tuple[str, Answer | None]] = {}
        self._return_urls: dict[str, str] = {}
        self._methods: dict[str, str] = {}

    async def close(self) -> None:
        """Let go of the connections to localstripe."""
        await self._client.aclose()

    def script(self, call: str, *steps: Step) -> None:
        """What becomes of the next calls of one kind, such as "payment_intents.confirm"."""
        self.steps.write(call, *steps)

    async def forget(self) -> None:
        """Begin anew: no objects, no keys, no script, and webhooks come here."""
        self._fresh()
        await self._upstream("DELETE", "/_config/data")
        hook = {"url": f"{self.api_base}{HOOK_PATH}", "secret": SECRET}
        await self._upstream("POST", "/_config/webhooks/proxy", hook)

    async def heard(self, kind: str, seconds: float = 5) -> tuple[dict[str, str], bytes]:
        """The next webhook of a kind; localstripe sends them a second late."""
        async with asyncio.timeout(seconds):
            while True:
                for headers, body in self.messages:
                    if json.loads(body)["type"] == kind:
                        return headers, body
                await asyncio.sleep(0.02)

    async def arrive_late(self) -> None:
        """Let what was `Late()` arrive now; the answers reach nobody."""
        waiting, self._late = self._late, []
        for request in waiting:
            name, tree = _read(request)
            await asyncio.wrap_future(
                asyncio.run_coroutine_threadsafe(
                    self._execute(request, name, tree), self.wires.loop
                )
            )

    async def moved(self) -> list[tuple[int, str]]:
        """Every movement of money as localstripe has it, with its currency: charges, then
        refunds.
        """
        charges = await self._upstream("GET", "/v1/charges?limit=100")
        refunds = await self._upstream("GET", "/v1/refunds?limit=100")
        return [
            *((one["amount"], one["currency"]) for one in charges["data"]
              if one["status"] == "succeeded"),
            *((-one["amount"], one["currency"]) for one in refunds["data"]),
        ]  # fmt: skip

    async def intents(self) -> int:
        """How many payments were opened."""
        return len((await self._upstream("GET", "/v1/payment_intents?limit=100"))["data"])

    async def answer(self, intent_id: str, *, approve: bool) -> None:
        """Answer a challenge as the buyer does; one that nobody waits for changes nothing."""
        kind = "setup_intents" if intent_id.startswith("seti_") else "payment_intents"
        intent = await self._upstream("GET", f"/v1/{kind}/{intent_id}")
        if intent.get("status") != "requires_action":
            return
        secret = {"client_secret": intent["client_secret"]}
        if kind == "payment_intents":
            said = {**secret, "success": "true" if approve else "false"}
            await self._upstream("POST", f"/v1/{kind}/{intent_id}/_authenticate", said)
        else:
            verb = "confirm" if approve else "cancel"
            await self._upstream("POST", f"/v1/{kind}/{intent_id}/{verb}", secret)

    async def _upstream(self, method: str, path: str, form: Json | None = None) -> Any:  # noqa: ANN401
        """Speak to localstripe beside the proxy, from whichever loop."""
        headers = {"authorization": f"Bearer {self.secret_key}"}
        async with httpx.AsyncClient(
            base_url=self.upstream, headers=headers, verify=NO_TLS
        ) as client:
            answer = await client.request(method, path, data=form)
        return answer.json() if answer.content else {}

    async def _serve(self, request: Request) -> Answer | Silence:
        if request.method == "OPTIONS":
            return browser.allowed()
        if request.path == HOOK_PATH:
            self.messages.append((dict(request.headers), request.body))
            return Answer(200)
        if request.path == SCRIPT_PATH or request.path.endswith("/stripe.js"):
            script = await self._client.get(SCRIPT_PATH)
            return browser.completed(script.text)
        if request.path.startswith("/authenticate/"):
            return await self._challenge(request)
        try:
            name, tree = _read(request)
        except Refused as refusal:
            return browser.shared(refusal.status, refusal.body)
        return await self._step(self.steps.next_step(name), request, name, tree)

    async def _step(
        self, step: Step, request: Request, name: str, tree: Tree
    ) -> Answer | Silence:
        """Let a call come to what was written for it."""
        answer: Answer | Silence = Silence()
        match step:
            case Through() | NewsFirst():
                answer = await self._execute(request, name, tree)
            case Unheard():
                pass
            case Unanswered():
                await self._execute(request, name, tree)
            case Late():
                self._late.append(request)
            case Delayed(seconds=seconds):
                answer = await self._execute(request, name, tree, late=seconds)
            case Slow(seconds=seconds):
                answer = await self._execute(request, name, tree, seconds=seconds)
            case Repeated():
                await self._execute(request, name, tree)
                answer = await self._execute(request, name, tree)
            case Failing(status=status, done=done):
                if done:
                    await self._execute(request, name, tree)
                answer = browser.shared(status, broken(status).body)
                self._keep(request, answer)
            case Limited():
                answer = browser.shared(429, limited().body)
            case Hanging(done=done):
                later = FOREVER_SECONDS * (not done)
                await self._execute(request, name, tree, late=later)
                await asyncio.sleep(FOREVER_SECONDS)
        return answer

    def _keep(self, request: Request, answer: Answer) -> None:
        key = request.headers.get("idempotency-key")
        if key is not None:
            self._kept[key] = (_print(request), answer)

    async def _execute(
        self, request: Request, name: str, tree: Tree, *, seconds: float = 0, late: float = 0
    ) -> Answer:
        """Pass a call on, unless its key was answered before.

        It comes `late` (seconds), and is worked on for some more.
        """
        await asyncio.sleep(late)
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        if key is not None:
            known = self._kept.get(key)
            if known is not None:
                return _replayed(request, key, *known)
            self._kept[key] = (_print(request), None)
        await asyncio.sleep(seconds)
        answer = await self._passed(request, name, dict(tree))
        self._keep(request, answer)
        return answer

    async def _passed(self, request: Request, name: str, tree: Tree) -> Answer:
        """Send a call without what localstripe refuses, and complete its answer."""
        object_id = find(request.method, request.path)[1]
        self._strip(name, tree, self._refused.get(name, set()) & set(tree), object_id)
        self._supply(name, tree, object_id)
        if name == "charges.list" and len(tree.get("created", {})) > 1:
            # It takes one bound only.
            tree["created"] = {"gt": tree["created"]["gt"]}
            self.stripped.add((name, "created[lt]"))
        while True:
            told = await self._send(request, tree)
            names = _unexpected(told)
            if not names & set(tree):
                break
            self._refused.setdefault(name, set()).update(names)
            self._strip(name, tree, names & set(tree), object_id)
        return self._completed(request, name, told)

    async def _send(self, request: Request, tree: Tree) -> httpx.Response:
        form = _flat(tree)
        headers = {"authorization": f"Bearer {self.secret_key}"}
        if request.method == "POST":
            return await self._client.post(request.path, data=form, headers=headers)
        return await self._client.request(
            request.method, request.path, params=form, headers=headers
        )

    def _strip(self, name: str, tree: Tree, names: set[str], object_id: str) -> None:
        for param in names:
            value = tree.pop(param)
            self.stripped.add((name, param))
            if param == "return_url":
                self._return_urls[object_id] = value
            if (name, param) == ("setup_intents.create", "payment_method"):
                self._methods["new"] = value

    def _supply(self, name: str, tree: Tree, object_id: str) -> None:
        if name == "setup_intents.confirm" and object_id in self._methods:
            tree.setdefault("payment_method", self._methods[object_id])
            self.supplied.add((name, "payment_method"))

    def _completed(self, request: Request, name: str, told: httpx.Response) -> Answer:
        try:
            body: Json = told.json()
        except ValueError:
            body = {"error": {"type": "api_error", "message": told.text}}
        if name == "setup_intents.create" and "id" in body and "new" in self._methods:
            self._methods[body["id"]] = self._methods.pop("new")
        for intent in (body, *(body.get("data") or [])):
            return_url = self._return_urls.get(intent.get("id", ""))
            action = intent.get("next_action") or {}
            if return_url is not None and action.get("type") == "use_stripe_sdk":
                url = f"{self.api_base}/authenticate/{intent['id']}"
                redirect = {"return_url": return_url, "url": url}
                intent["next_action"] = {"type": "redirect_to_url", "redirect_to_url": redirect}
                self.supplied.add((name, "next_action"))
        answer = browser.shared(told.status_code, body)
        key = request.headers.get("idempotency-key")
        return answer if key is None else Answer(
            answer.status, answer.body, {**answer.headers, "idempotency-key": key}
        )  # fmt: skip

    async def _challenge(self, request: Request) -> Answer:
        intent_id = request.path.rsplit("/", 1)[1]
        kind = "setup_intent" if intent_id.startswith("seti_") else "payment_intent"
        intent = await self._upstream("GET", f"/v1/{kind}s/{intent_id}")
        if request.method == "GET" and intent["status"] == "requires_action":
            return browser.challenge(intent)
        if request.method == "POST":
            told = parse_qs(request.body.decode())
            await self.answer(intent_id, approve=told.get("answer") == ["approve"])
            intent = await self._upstream("GET", f"/v1/{kind}s/{intent_id}")
        return browser.sent_back(self._return_urls[intent_id], intent)


def _read(request: Request) -> tuple[str, Tree]:
    """What a request is called, and its parameters."""
    operation, _ = find(request.method, request.path)
    tree = tree_of(request.body.decode() if request.method == "POST" else request.query)
    tree.pop("key", None)
    return operation.name, tree


def _print(request: Request) -> str:
    return f"{request.path} {sorted(request.body.decode().split('&'))}"


def _replayed(request: Request, key: str, print_: str, answer: Answer | None) -> Answer:
    if print_ != _print(request):
        message = "Keys for idempotent requests can only be used with the same parameters."
        refusal = key_reused(message)
    elif answer is None:
        refusal = key_in_use(key)
    else:
        return Answer(
            answer.status, answer.body, {**answer.headers, "idempotent-replayed": "true"}
        )
    return browser.shared(refusal.status, refusal.body)


def _unexpected(told: httpx.Response) -> set[str]:
    """The parameters that localstripe says it refuses."""
    if told.status_code != 400:
        return set()
    message = str(told.json().get("error", {}).get("message", ""))
    if not message.startswith(UNEXPECTED):
        return set()
    return set(message.removeprefix(UNEXPECTED).split(", "))


def _flat(tree: Tree, path: str = "") -> dict[str, str]:
    """The tree as a form."""
    form: dict[str, str] = {}
    for name, value in tree.items():
        here = f"{path}[{name}]" if path else name
        form |= _flat(value, here) if isinstance(value, dict) else {here: str(value)}
    return form
