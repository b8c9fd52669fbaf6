"""Stripe's HTTP as a test writes it: what is asked is kept, what is answered is scripted.

stub = Stub()
stub.on("POST", "/v1/payment_intents", intent("pi_1"))
bank = stub.provider()
"""

import json
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx
import stripe

from tallystick.providers.stripe import Stripe, StripeKeys

SECRET = "whsec_first"
NEXT_SECRET = "whsec_next"
KEYS = StripeKeys(
    secret_key="sk_test_1", publishable_key="pk_test_1", webhook_secrets=(SECRET, NEXT_SECRET)
)
LIVE_KEYS = StripeKeys(
    secret_key="sk_live_1", publishable_key="pk_live_1", webhook_secrets=(SECRET,)
)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request: its parameters as Stripe reads them, and its idempotency key."""

    call: str
    params: dict[str, str]
    key: str | None
    version: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer; `lost` says that the request arrives and its answer does not."""

    body: dict[str, Any]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    lost: bool = False


LOST = Answer(body={}, lost=True)


class Stub:
    """A Stripe that answers what was written for each call, the last answer for ever."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._script: dict[str, deque[Answer]] = defaultdict(deque)

    def on(self, method: str, path: str, *answers: Answer | dict[str, Any]) -> None:
        """What a call is answered, first to last."""
        for one in answers:
            answer = one if isinstance(one, Answer) else Answer(body=one)
            self._script[f"{method} {path}"].append(answer)

    def provider(self, keys: StripeKeys = KEYS) -> Stripe:
        """The adapter, speaking to this stub."""
        made = Stripe(keys, api_base="http://127.0.0.1:1")
        transport = httpx.MockTransport(self._answer)
        client = made._api._requestor._client
        assert isinstance(client, stripe.HTTPXClient)
        client._client_async = httpx.AsyncClient(transport=transport, verify=False)  # noqa: S501
        return made

    def calls(self) -> list[str]:
        """What was asked, in order."""
        return [one.call for one in self.asked]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        call = f"{request.method} {request.url.path}"
        self.asked.append(
            Asked(
                call=call,
                params=dict(
                    parse_qsl(request.content.decode()) or parse_qsl(request.url.query.decode())
                ),
                key=request.headers.get("idempotency-key"),
                version=request.headers["stripe-version"],
            )
        )
        script = self._script[call]
        assert script, f"nobody expected {call}"
        answer = script.popleft() if len(script) > 1 else script[0]
        if answer.lost:
            raise httpx.ReadTimeout("lost", request=request)
        return httpx.Response(
            answer.status, content=json.dumps(answer.body), headers=answer.headers
        )


def intent(reference: str = "pi_1", status: str = "requires_confirmation", **more: Any) -> Any:  # noqa: ANN401
    """A PaymentIntent, or by its id a SetupIntent."""
    kind = "setup_intent" if reference.startswith("seti_") else "payment_intent"
    return {
        "id": reference,
        "object": kind,
        "status": status,
        "amount": 5412,
        "currency": "eur",
        "payment_method_types": ["card"],
        "cancellation_reason": None,
        "metadata": {},
        **more,
    }


def declined(code: str = "card_declined", decline_code: str | None = None) -> dict[str, Any]:
    """The body of a refused card."""
    return {
        "error": {
            "type": "card_error",
            "code": code,
            "decline_code": decline_code,
            "message": "No.",
            "payment_method": {"id": "pm_1", "object": "payment_method", "type": "card"},
        }
    }


def refused(code: str = "payment_intent_unexpected_state", status: int = 400) -> Answer:
    """An answer to what cannot be asked."""
    body = {"error": {"type": "invalid_request_error", "code": code, "message": "No."}}
    return Answer(status=status, body=body)


def fault(status: int = 500, *, kept: bool = False) -> Answer:
    """Stripe's own fault, perhaps one that it keeps under the key."""
    headers = {"Idempotent-Replayed": "true"} if kept else {}
    body = {"error": {"type": "api_error", "message": "Sorry."}}
    return Answer(status=status, body=body, headers=headers)
