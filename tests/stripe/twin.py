"""A twin of Stripe's REST on loopback, written from Stripe's public documentation.

It is started once for a run of the tests, and gives each test a merchant of its own:

    async def test_something(twin: Twin) -> None:          # tests/stripe/fixtures.py
        shop = twin.merchant()                             # keys, objects, money, script
        stripe = Stripe(StripeKeys(shop.secret_key, shop.publishable_key, ()),
                        api_base=twin.api_base, script_url=twin.script_url)
        shop.script("payment_intents.confirm", Unanswered())
        ...
        assert shop.moved() == [5412]                      # what the merchant has got

Calls are named as the SDK names them (`operations.py`); what can become of one stands in
`script.py`. Parameters that Stripe does not know are refused (`forms.py`), and the rules of
keys (`executing.py`), amounts (`money.py`), methods (`methods.py`) and intents (`intents.py`,
`setups.py`) are Stripe's. What its outer world does is done by command:

    approve(shop, intent_id), refuse(shop, intent_id)      # the buyer, at the challenge
    settle(shop, intent_id), bounce(shop, intent_id)       # a debit is decided
    dispute(shop, intent_id, amount), decide_dispute(...)  # the payer's bank
    refund_by_hand(shop, intent_id, amount)                # somebody at Stripe's dashboard
    await news.deliver(shop)                               # webhooks, in any order or never
    twin.arrive_late(shop)                                 # calls that were `Late()`

A buyer in a browser answers the challenge on its page, and types into the frames of
`stripe.js` (`browser.py`).
"""

import asyncio
import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from tallystick.providers.stripe_client import SCRIPT_URL
from tests.stripe import browser, intents, methods, money, setups
from tests.stripe.account import Account
from tests.stripe.executing import Arrived
from tests.stripe.news import deliver
from tests.stripe.operations import find
from tests.stripe.refusals import Json, Refused, limited, unauthorized
from tests.stripe.script import (
    Delayed,
    Failing,
    Hanging,
    Late,
    Limited,
    NewsFirst,
    Repeated,
    Slow,
    Step,
    Through,
    Unanswered,
    Unheard,
)
from tests.stripe.wire import Answer, Request, Silence, Wires

FOREVER_SECONDS = 3600


def real_seconds() -> int:
    """The time as Stripe has it: signatures are compared with the real one."""
    return int(time.time())  # noqa: TID251


class Twin:
    """The servers, and the accounts at them."""

    def __init__(self, wires: Wires, clock: Callable[[], int] = real_seconds) -> None:
        self.wires = wires
        self.clock = clock
        self.accounts: dict[str, Account] = {}
        self.api_base = wires.serve(self.answered)
        self.script_origin = wires.serve(self._pages)
        """Where script, frames and challenges come from: as `js.` and `hooks.stripe.com`."""
        self.script_url = f"{self.script_origin}{urlsplit(SCRIPT_URL).path}"

    def merchant(self, country: str = "FR", currency: str = "eur") -> Account:
        """A new account, with keys for testing."""
        number = len(self.accounts) // 2 + 1
        account = Account(
            number=number,
            secret_key=f"sk_test_twin{number:020d}",
            publishable_key=f"pk_test_twin{number:020d}",
            country=country,
            default_currency=currency,
            clock=self.clock,
            challenge_origin=self.script_origin,
        )
        self.accounts[account.secret_key] = account
        self.accounts[account.publishable_key] = account
        return account

    def arrive_late(self, account: Account) -> list[Answer]:
        """Let what was `Late()` arrive now; the answers reach nobody."""
        with account.lock:
            waiting, account.late = account.late, []
            return [self._execute(self._arrived(request)) for request in waiting]

    async def answered(self, request: Request) -> Answer | Silence:
        """What a call that arrives comes to; `AtHand` brings some without a socket."""
        if request.method == "OPTIONS":
            return browser.allowed()
        try:
            call = self._arrived(request)
        except Refused as refusal:
            return browser.shared(refusal.status, refusal.body)
        account = call.account
        with account.lock:
            step = account.steps.next_step(call.operation.name)
        if isinstance(step, Limited):
            return browser.shared(429, limited().body)
        return await self._step(step, call, request)

    async def _step(self, step: Step, call: Arrived, request: Request) -> Answer | Silence:
        """Let a call come to what was written for it."""
        answer: Answer | Silence = Silence()
        match step:
            case Through():
                answer = self._execute(call)
            case Unheard() | Limited():
                pass
            case Unanswered():
                self._execute(call)
            case Late():
                call.account.late.append(request)
            case Delayed(seconds=seconds):
                await asyncio.sleep(seconds)
                answer = self._execute(call)
            case Slow(seconds=seconds):
                known = call.begin()
                await asyncio.sleep(seconds)
                answer = known or call.finish()
            case Repeated():
                self._execute(call)
                answer = self._execute(self._arrived(request))
            case Failing(status=status, done=done):
                answer = self._fail(call, status, done=done)
            case Hanging(done=done):
                if done:
                    self._execute(call)
                await asyncio.sleep(FOREVER_SECONDS)
            case NewsFirst():
                answer = self._execute(call)
                await deliver(call.account)
        return answer

    def _arrived(self, request: Request) -> Arrived:
        _, _, key = request.headers.get("authorization", "").partition(" ")
        form = parse_qs(request.body.decode() or request.query)
        key = key or form.get("key", [""])[0]
        account = self.accounts.get(key)
        if account is None:
            raise unauthorized(key)
        operation, object_id = find(request.method, request.path)
        told = bool(form.get("client_secret", [""])[0])
        if key == account.publishable_key and not (
            operation.public or (operation.by_secret and told)
        ):
            raise unauthorized(key)
        return Arrived(account, operation, object_id, request)

    def _execute(self, call: Arrived) -> Answer:
        return call.begin() or call.finish()

    def _fail(self, call: Arrived, status: int, *, done: bool) -> Answer:
        known = call.begin()
        if known is not None:
            return known
        if done:
            call.finish()
        return call.fail(status)

    async def _pages(self, request: Request) -> Answer | Silence:
        """The script, its frames, and the bank's challenge."""
        _, first, *rest = request.path.split("/")
        if first == "authenticate" and len(rest) == 2:
            return self._challenge(request, *rest)
        return browser.served(request.path, api_base=self.api_base)

    def _challenge(self, request: Request, account_id: str, intent_id: str) -> Answer:
        account = next(one for one in self.accounts.values() if one.id == account_id)
        with account.lock:
            kind = "payment_intent" if intent_id.startswith("pi_") else "setup_intent"
            intent = account.get(kind, intent_id)
            if request.method == "GET" and intent["status"] == "requires_action":
                return browser.challenge(intent)
            told = parse_qs(request.body.decode())
            if request.method == "POST":
                _answer(account, intent, approve=told.get("answer") == ["approve"])
            return browser.sent_back(account.hidden[intent_id]["return_url"], intent)


def _answer(account: Account, intent: Json, *, approve: bool) -> None:
    answered = intents.answer if intent["object"] == "payment_intent" else setups.answer
    answered(account, intent, approve=approve)


def approve(account: Account, intent_id: str) -> None:
    """The buyer authenticates: the attempt goes on, and may still be declined."""
    with account.lock:
        _answer(account, _intent(account, intent_id), approve=True)


def refuse(account: Account, intent_id: str) -> None:
    """The buyer fails to authenticate."""
    with account.lock:
        _answer(account, _intent(account, intent_id), approve=False)


def _intent(account: Account, intent_id: str) -> Json:
    kind = "payment_intent" if intent_id.startswith("pi_") else "setup_intent"
    return account.get(kind, intent_id)


def settle(account: Account, intent_id: str) -> None:
    """A debit is decided as its account number says."""
    with account.lock:
        intent = account.get("payment_intent", intent_id)
        method = account.get("payment_method", intent["payment_method"])
        failure = methods.behaviour_of(account, method).failure
        intents.decide(account, intent_id, failure=failure)


def made_ago(account: Account, intent_id: str, *, days: int) -> None:
    """A payment was made so many days ago; what it has told of itself was told then."""
    with account.lock:
        intent = account.get("payment_intent", intent_id)
        charge = account.get("charge", intent["latest_charge"])
        for one in (intent, charge):
            one["created"] -= days * 86_400


def bounce(account: Account, intent_id: str, code: str = "insufficient_funds") -> None:
    """A debit fails, whatever its account number says."""
    with account.lock:
        intents.decide(account, intent_id, failure=code)


def dispute(
    account: Account,
    intent_id: str,
    amount: int | None = None,
    reason: str = "fraudulent",
    said: tuple[int, str] | None = None,
) -> str:
    """The payer's bank takes money back; returns the dispute's id."""
    with account.lock:
        return str(money.open_dispute(account, intent_id, amount, reason, said)["id"])


def decide_dispute(
    account: Account, dispute_id: str, *, won: bool, part: int | None = None
) -> None:
    """The dispute is decided, for the merchant or against; then a part may come back."""
    with account.lock:
        money.close_dispute(account, dispute_id, won=won, part=part)


def refund_by_hand(account: Account, intent_id: str, amount: int | None = None) -> str:
    """Somebody refunds at the dashboard; returns the refund's id."""
    with account.lock:
        asked: Json = {"payment_intent": intent_id}
        if amount is not None:
            asked["amount"] = amount
        return str(money.refund(account, asked, "")["id"])


def fail_refund(account: Account, refund_id: str) -> None:
    """The customer's bank sends a refund back."""
    with account.lock:
        money.fail_refund(account, refund_id)
