"""Golden cases that are stories: the shop of a case, its steps, and what it should find."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from tallystick.domain.coupons import Discount, Fixed, Percentage
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import (
    FeeStructure,
    Pricing,
    RateFee,
    RatePricing,
)
from tallystick.domain.purchase import Activation
from tallystick.services.collect_invoice import collect_due
from tallystick.services.confirm_result import Completed, ConfirmResult
from tallystick.services.due_work import do_due_work
from tallystick.services.finalize_due import finalize_due
from tallystick.services.renew_due import renew_due
from tests.cases.golden import plan_fixture
from tests.subscribing import Merchant
from tests.world import SoldPlan, World

GRACE = timedelta(hours=12)
Json = Mapping[str, Any]


@dataclass(kw_only=True)
class Life:
    """One subscription of a case."""

    merchant: Merchant
    case: Json
    subscription_id: UUID
    outcome: ConfirmResult | None = None

    async def take(self, step: Json) -> None:
        """Take a step that comes after the creation."""
        match step["do"]:
            case "cancel":
                await self.merchant.cancel(self.subscription_id, day(step["at"]))
            case "cycle" if "today" in self.case["input"]:
                await do_due_work(self.merchant.world.ctx)
            case "complete_checkout":
                await self._check_out(step)
            case "payment_pipeline":
                await collect_due(self.merchant.world.ctx)
            case "finalize_pending":
                await do_due_work(self.merchant.world.ctx)
            case "cycle" if self._is_paid_later(step):
                await self.merchant.stand_at(at(step["transition_date"]) + GRACE)
                await renew_due(self.merchant.world.ctx)
                await finalize_due(self.merchant.world.ctx)
            case "cycle":
                boundary = step.get("transition_date") or await self._next_boundary()
                if boundary is not None:
                    await self.merchant.travel(at(boundary) + GRACE)
            case other:
                raise AssertionError(f"no such step: {other}")

    def _is_paid_later(self, step: Json) -> bool:
        """Whether the case looks at the books between a step and its payment."""
        steps = self.case["steps"]
        place = next(i for i, one in enumerate(steps) if one is step)
        return steps[place + 1 :][:1] == [{"do": "payment_pipeline"}] and (
            "transition_date" in step
        )

    async def _check_out(self, step: Json) -> None:
        """Confirm the subscription's own checkout, and find what it charges."""
        world = self.merchant.world
        session = (await self.merchant.stands(self.subscription_id))["checkout_session_id"]
        before = await world.charges()
        told = self.case["input"].get("payment_method") or "card"
        method = await world.debit() if told.startswith("SEPA") else None
        if "customer action" in told:
            method = await world.card("4000002500003155")
        self.outcome = await world.confirm(session, method=method)
        charged = (await world.charges())[len(before) :]
        paid = isinstance(self.outcome, Completed) and not told.startswith("SEPA")
        assert charged == ([step["amount"]] if step["amount"] and paid else [])
        await self.merchant.is_sound()

    async def _next_boundary(self) -> date | None:
        found: date | None = (await self.merchant.stands(self.subscription_id))["next_step_on"]
        return found

    async def told(self) -> dict[str, Any]:
        """The subscription in the words of the cases."""
        row = await self.merchant.stands(self.subscription_id)
        return {
            "status": row["status"].lower(),
            "period_start": row["current_period_start"].isoformat(),
            "period_end": _text(row["current_period_end"]),
            "next_action": _next_action(row),
            "mrr": row["mrr"],
            "cycle_index": row["cycle_index"],
            "trial_days": row["trial_duration"] or 0,
            "imported": row["imported_on"] is not None,
            "pending_checkout": row["awaits_checkout"],
            "billing_day_anchor": row["billing_day_anchor"],
        }

    async def invoices(self) -> list[dict[str, Any]]:
        """The invoices in the words of the cases."""
        return [_invoice(row) for row in await self.merchant.invoices()]


async def begin(world: World, case: Json) -> Life:
    """The shop of a case, and its subscription after the first step."""
    merchant, asked = Merchant(world=world), case["input"]
    start = day(asked["start_date"])
    await merchant.stand_at(at(asked.get("today") or start))
    plan = await sold(world, asked["plan"])
    codes = []
    for coupon in asked.get("coupons") or ():
        if coupon["code"] not in codes:
            await world.coupon(
                coupon["code"],
                discount_of(coupon),
                reusable=coupon["reusable"],
                recurring_value=coupon["recurring_value"],
            )
        codes.append(coupon["code"])
    end = asked.get("end_date")
    made = await merchant.subscribe(
        await world.customer(),
        plan,
        start,
        Activation(asked.get("activation", "on_start").upper()),
        skips_past=asked.get("skip_past_invoices", False),
        trial_duration_days=asked.get("trial_days"),
        billing_day_anchor=asked.get("billing_day_anchor"),
        end_date=None if end is None else day(end),
        charge_automatically=asked.get("charge_automatically", False),
        coupon_codes=tuple(codes),
    )
    return Life(merchant=merchant, case=case, subscription_id=made.subscription.id)


async def sold(world: World, name: str) -> SoldPlan:
    """A published plan of the cases' fixtures, which here have rates only, or nothing."""
    fixture = plan_fixture(name)
    parts: list[tuple[str, FeeStructure, list[tuple[Cadence, Pricing]]]] = [
        (
            one["name"],
            RateFee(),
            [
                (
                    Cadence(one["cadence"].upper()),
                    RatePricing(rate=Decimal(one["unit_price_minor"]) / 100),
                )
            ],
        )
        for one in fixture["components"]
    ]
    version: dict[str, Any] = {"net_terms": 0}
    if fixture["trial"] is not None:
        version["trial_days"] = fixture["trial"]["days"]
        version["trial_is_free"] = fixture["trial"]["free"]
    return await world.plan(*parts, name=name, is_free=not parts, **version)


def discount_of(coupon: Json) -> Discount:
    """The discount of a case's coupon."""
    if coupon["type"] == "percentage":
        return Percentage(percentage=Decimal(coupon["value"]))
    return Fixed(amount=Decimal(coupon["amount_minor"]) / 100, currency=coupon["currency"])


def day(text: str) -> date:
    """A date from its ISO form."""
    return date.fromisoformat(text)


def at(when: date | str) -> datetime:
    """The beginning of a day."""
    return datetime.combine(day(when) if isinstance(when, str) else when, time(), UTC)


def _text(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


def _next_action(row: Json) -> str | None:
    if row["next_step_on"] is None:
        return None
    if row["status"] == "TRIAL_ACTIVE":
        return "end_trial" if row["trial_is_free"] else "renew"
    ends = [one for one in (row["end_date"], row["cancelled_on"]) if one is not None]
    return "end" if row["next_step_on"] in ends else "renew"


def _invoice(row: Json) -> dict[str, Any]:
    lines = json.loads(row["lines"] or "[]")
    return {
        "invoice_date": row["invoice_date"].isoformat(),
        "status": row["status"].lower(),
        "payment_status": row["payment_status"].lower(),
        "subtotal": row["subtotal"],
        "discount": row["discount"],
        "tax": row["tax_amount"],
        "total": row["total"],
        "amount_due": row["amount_due"],
        "coupon_count": row["coupon_count"],
        "line_period": [lines[0]["start"], lines[0]["end"]] if lines else None,
        "prorated": any(_is_prorated(one) for one in lines),
    }


def _is_prorated(line: Json) -> bool:
    return bool(line["days"] != line["full_days"])
