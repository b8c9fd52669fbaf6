"""Changing subscriptions over the wire: terms, cancellations, activation, what went wrong."""

from datetime import date
from typing import Any

import httpx
import pytest
from meteroid import AsyncMeteroid
from meteroid import models as m
from meteroid.errors import BadRequestError, ConflictError, NotFoundError

from tallystick.domain.ids import Prefix, decode, encode
from tallystick.domain.purchase import Activation
from tallystick.services.due_work import AGAIN_AFTER_SECONDS, bill_due
from tallystick.services.ids import new_id
from tests.subscribing import Merchant
from tests.world import World

TODAY = date(2026, 3, 10)


@pytest.fixture
def merchant(world: World) -> Merchant:
    """A merchant whose day is March 10."""
    return Merchant(world=world)


async def one(merchant: Merchant, **fields: Any) -> str:  # noqa: ANN401 - of the offer
    """The id of a new subscription on the wire."""
    world = merchant.world
    plan = await world.plan(net_terms=14)
    made = await merchant.subscribe(await world.customer(), plan, TODAY, **fields)
    return encode(Prefix.SUBSCRIPTION, made.subscription.id)


async def test_terms_are_changed_for_the_next_invoice(
    sdk: AsyncMeteroid, merchant: Merchant
) -> None:
    """What is said is changed and told, what is left out stays, what was billed stays."""
    made = await one(merchant, invoice_memo="Old", purchase_order="PO-1")

    told = await sdk.subscriptions.update(
        made, net_terms=7, invoice_memo="New", auto_advance_invoices=False
    )

    changed = told.subscription
    assert (changed.net_terms, changed.invoice_memo, changed.purchase_order) == (
        7,
        "New",
        "PO-1",
    )
    assert changed.auto_advance_invoices is False
    await merchant.travel(date(2026, 4, 11))
    first, second = await merchant.invoices()
    assert (first["memo"], first["net_terms"], first["status"]) == ("Old", 14, "FINALIZED")
    assert (second["memo"], second["net_terms"], second["status"]) == ("New", 7, "DRAFT")
    assert ("subscription.updated", "billing_configuration_updated") in await merchant.events()


async def test_null_goes_back_to_the_default(sdk: AsyncMeteroid, merchant: Merchant) -> None:
    """Memo and order are cleared; terms, payment and advance are the plan's and entity's."""
    made = await one(
        merchant,
        invoice_memo="Old",
        purchase_order="PO-1",
        net_terms=60,
        auto_advance_invoices=False,
        charge_automatically=False,
    )

    told = await sdk.subscriptions.update(
        made,
        net_terms=None,
        invoice_memo=None,
        purchase_order=None,
        auto_advance_invoices=None,
        charge_automatically=None,
        payment_methods_config=None,
    )

    changed = told.subscription
    assert (changed.invoice_memo, changed.purchase_order) == (None, None)
    assert (changed.net_terms, changed.auto_advance_invoices) == (14, True)
    assert changed.charge_automatically is True
    assert isinstance(changed.payment_methods_config, m.OnlinePaymentMethodConfig)


async def test_payment_that_cannot_be_charged(sdk: AsyncMeteroid, merchant: Merchant) -> None:
    """External payment turns charging off; asking for both is refused, and changes nothing."""
    made = await one(merchant)
    external = m.ExternalPaymentMethodConfig()
    with pytest.raises(BadRequestError, match="charge_automatically"):
        await sdk.subscriptions.update(
            made, payment_methods_config=external, charge_automatically=True
        )
    with pytest.raises(BadRequestError, match="payment_methods_config"):
        await sdk.subscriptions.update(
            made, payment_methods_config=m.BankTransferPaymentMethodConfig()
        )
    kept = await sdk.subscriptions.retrieve(made)
    assert isinstance(kept.payment_methods_config, m.OnlinePaymentMethodConfig)

    told = await sdk.subscriptions.update(made, payment_methods_config=external)

    assert told.subscription.charge_automatically is False


async def test_nothing_said_changes_nothing(sdk: AsyncMeteroid, merchant: Merchant) -> None:
    """An empty change is answered and leaves no event; a refused one neither."""
    made = await one(merchant)
    before = await merchant.events()

    await sdk.subscriptions.update(made)
    with pytest.raises(BadRequestError, match="is not a defined property"):
        await sdk.subscriptions.update(made, custom_properties={"tier": "gold"})

    assert await merchant.events() == before


async def test_what_has_ended_is_not_changed(sdk: AsyncMeteroid, merchant: Merchant) -> None:
    """A cancelled subscription keeps its terms."""
    made = await one(merchant)
    await sdk.subscriptions.cancel(made, effective_date=TODAY)

    with pytest.raises(ConflictError, match="it is CANCELLED"):
        await sdk.subscriptions.update(made, net_terms=1)
    with pytest.raises(ConflictError, match="it is CANCELLED"):
        await sdk.subscriptions.cancel(made)


async def test_cancel_and_reactivate(
    sdk: AsyncMeteroid, api: httpx.AsyncClient, merchant: Merchant
) -> None:
    """As the SDK cancels: at the end of the period, with a reason; ours takes it back."""
    made = await one(merchant)

    told = await sdk.subscriptions.cancel(made, reason="moved away")
    shown = (await api.get(f"/api/v1/subscriptions/{made}")).json()
    preview = await api.post(f"/api/v1/subscriptions/{made}/reactivate", json={"preview": True})
    still = (await api.get(f"/api/v1/subscriptions/{made}")).json()
    back = await api.post(f"/api/v1/subscriptions/{made}/reactivate")
    again = await api.post(f"/api/v1/subscriptions/{made}/reactivate")

    assert told.subscription.status == "ACTIVE"
    assert (shown["cancelled_on"], shown["cancellation_reason"]) == (
        "2026-04-10",
        "moved away",
    )
    assert preview.status_code == back.status_code == 200
    assert still == shown
    for told_of in (preview.json(), back.json()):
        assert told_of["subscription"]["cancelled_on"] is None
        assert told_of["invoice"] is None
    assert again.status_code == 409


async def test_a_cancellation_needs_no_body(api: httpx.AsyncClient, merchant: Merchant) -> None:
    """Without a body, and without a type of it, the end of the period is meant."""
    made = await one(merchant)

    told = await api.post(f"/api/v1/subscriptions/{made}/cancel")
    wrong = await api.post(
        f"/api/v1/subscriptions/{made}/cancel",
        json={"effective_day": "2026-03-11", "reason": "x" * 1001},
    )

    assert told.json()["subscription"]["cancelled_on"] == "2026-04-10"
    faults = {one["field"]: one["message"] for one in wrong.json()["errors"]}
    assert faults.keys() == {"effective_day", "reason"}
    assert "effective_date" in faults["effective_day"]


async def test_days_that_cannot_be(sdk: AsyncMeteroid, merchant: Merchant) -> None:
    """Yesterday, and a day more than ten years away, by the field's name."""
    made = await one(merchant)

    for day in (date(2026, 3, 9), date(2036, 3, 18)):
        with pytest.raises(BadRequestError, match="effective_date: must be between"):
            await sdk.subscriptions.cancel(made, effective_date=day)


async def test_activation_over_the_wire(api: httpx.AsyncClient, merchant: Merchant) -> None:
    """A preview has no number and stores nothing; then it is activated with INV-1, once."""
    world = merchant.world
    made = await merchant.subscribe(
        await world.customer(), await world.plan(), TODAY, Activation.MANUAL
    )
    path = f"/api/v1/subscriptions/{encode(Prefix.SUBSCRIPTION, made.subscription.id)}/activate"

    preview = (await api.post(path, json={"preview": True})).json()
    real = (await api.post(path)).json()
    again = await api.post(path)

    assert (preview["invoice"]["invoice_number"], preview["invoice"]["total"]) == (
        "draft",
        4900,
    )
    assert (real["invoice"]["invoice_number"], real["invoice"]["total"]) == ("INV-1", 4900)
    assert preview["subscription"]["status"] == real["subscription"]["status"] == "ACTIVE"
    assert again.status_code == 409


@pytest.mark.parametrize("verb", ["cancel", "reactivate", "activate"])
async def test_unknown_subscriptions(api: httpx.AsyncClient, verb: str) -> None:
    """404 for what this tenant does not have."""
    missing = encode(Prefix.SUBSCRIPTION, new_id())

    assert (await api.post(f"/api/v1/subscriptions/{missing}/{verb}")).status_code == 404


async def test_an_unknown_subscription_is_not_changed(sdk: AsyncMeteroid) -> None:
    """404 for a change as well."""
    with pytest.raises(NotFoundError):
        await sdk.subscriptions.update(encode(Prefix.SUBSCRIPTION, new_id()), net_terms=1)


async def test_what_was_set_aside_says_why_and_is_tried_again(
    api: httpx.AsyncClient, merchant: Merchant
) -> None:
    """A renewal that cannot be billed is shown with its reason, and taken up after an hour."""
    world = merchant.world
    broken, sound = await one(merchant), await one(merchant)
    await _price(world, broken, "900000000000000")
    await merchant.stand_at(world.ctx.now.replace(month=4))

    await bill_due(world.app, world.ctx.now)

    shown = (await api.get(f"/api/v1/subscriptions/{broken}")).json()
    assert shown["billing_error"].startswith("AmountTooLarge")
    assert shown["status"] == "ACTIVE"
    fine = (await api.get(f"/api/v1/subscriptions/{sound}")).json()
    assert (fine["billing_error"], fine["current_period_start"]) == (None, "2026-04-10")
    assert await bill_due(world.app, world.ctx.now) == 0

    await _price(world, broken, "49.00")
    assert await bill_due(world.app, world.ctx.now) == 0
    await world.execute(
        "update subscriptions set billing_tried_at = now() - make_interval(secs => $1)",
        AGAIN_AFTER_SECONDS,
    )
    assert await bill_due(world.app, world.ctx.now) > 0

    shown = (await api.get(f"/api/v1/subscriptions/{broken}")).json()
    assert (shown["billing_error"], shown["current_period_start"]) == (None, "2026-04-10")


async def _price(world: World, subscription: str, rate: str) -> None:
    """Change what a subscription costs behind the product's back."""
    await world.execute(
        """
        update subscription_items
        set item = jsonb_set(item, '{pricing,rate}', to_jsonb($2::text))
        where subscription_id = $1
        """,
        decode(Prefix.SUBSCRIPTION, subscription),
        rate,
    )
