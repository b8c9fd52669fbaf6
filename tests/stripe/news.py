"""Webhooks: endpoints, signatures, and deliveries that happen when a test says so.

    sent = await deliver(account)                       # what was not delivered yet, in order
    await deliver(account, events[0], events[0])        # twice
    await deliver(account, *reversed(events))           # out of order
    headers, body = signed(event, secret, at=now)       # without a network

What is never delivered was dropped.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass

import httpx

from tests.stripe.account import Account
from tests.stripe.refusals import Json
from tests.stripe.wire import NO_TLS


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message to one endpoint, and how it was answered; 0 when it was not."""

    event: str
    kind: str
    endpoint: str
    status: int


def signed(event: Json, secret: str, at: int) -> tuple[dict[str, str], bytes]:
    """Headers and body of a message, signed at this second (since 1970)."""
    body = json.dumps(event, indent=2).encode()
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": signature(body, secret, at),
    }
    return headers, body


def signature(body: bytes, secret: str, at: int) -> str:
    """The value of `Stripe-Signature` for a body."""
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={mac},v0={'0' * 64}"


def secret_of(account: Account, endpoint: Json) -> str:
    """The signing secret of an endpoint."""
    return str(account.hidden[endpoint["id"]]["secret"])


async def deliver(account: Account, *events: Json) -> list[Delivery]:
    """Send these events, or all that were not sent yet, to every endpoint that wants them."""
    with account.lock:
        told: Json = account.hidden["delivered"]
        chosen = list(events) or [one for one in account.events if one["id"] not in told]
        told |= {one["id"]: True for one in chosen}
        endpoints = list(account.objects["webhook_endpoint"].values())
    sent = []
    async with httpx.AsyncClient(timeout=10, verify=NO_TLS) as client:
        for event in chosen:
            for endpoint in endpoints:
                wanted = endpoint["enabled_events"]
                if "*" not in wanted and event["type"] not in wanted:
                    continue
                headers, body = signed(event, secret_of(account, endpoint), account.clock())
                try:
                    answer = await client.post(endpoint["url"], content=body, headers=headers)
                    status = answer.status_code
                except httpx.HTTPError:
                    status = 0
                sent.append(
                    Delivery(
                        event=event["id"],
                        kind=event["type"],
                        endpoint=endpoint["id"],
                        status=status,
                    )
                )
    return sent


def create_endpoint(account: Account, params: Json, _: str) -> Json:
    """Listen at a URL; the signing secret is told this once."""
    made = account.add(
        "webhook_endpoint",
        {
            "api_version": params.get("api_version"),
            "application": None,
            "description": params.get("description"),
            "enabled_events": params["enabled_events"],
            "metadata": params.get("metadata") or {},
            "status": "enabled",
            "url": params["url"],
        },
    )
    secret = f"whsec_{hashlib.sha256(made['id'].encode()).hexdigest()[:32]}"
    account.hidden[made["id"]]["secret"] = secret
    return {**made, "secret": secret}


def update_endpoint(account: Account, params: Json, object_id: str) -> Json:
    """Listen to something else, or somewhere else."""
    endpoint = account.get("webhook_endpoint", object_id)
    endpoint |= {name: params[name] for name in ("enabled_events", "url") if name in params}
    if "disabled" in params:
        endpoint["status"] = "disabled" if params["disabled"] else "enabled"
    return endpoint


def delete_endpoint(account: Account, _: Json, object_id: str) -> Json:
    """Listen no more."""
    account.get("webhook_endpoint", object_id)
    del account.objects["webhook_endpoint"][object_id]
    return {"id": object_id, "object": "webhook_endpoint", "deleted": True}
