"""Whether what clients were told is what the database and the bank have."""

from typing import Any
from uuid import UUID

from tallystick.domain.ids import Prefix, decode
from tests.soak.told import Told
from tests.world import World

PURCHASES = """
    select s.id, s.state, s.subscription_id, a.amount, a.id as attempt,
        coalesce((select i.settles_as = 'DECLINED' and i.state = 'DECLINED'
           from sandbox.intents i
           where i.tenant_id = a.tenant_id and i.reference = a.reference), false) as bounced,
        (select count(*) from payment_attempts o where o.tenant_id = s.tenant_id
           and o.session_id = s.id and o.state = 'SUCCEEDED') as succeeded,
        coalesce((select sum(case m.kind when 'CHARGE' then m.amount else 0 end)
           from sandbox.movements m join payment_attempts o
             on o.tenant_id = m.tenant_id and o.reference = m.reference
           where o.tenant_id = s.tenant_id and o.session_id = s.id
             and coalesce(o.late_money, '') <> 'REFUNDED'), 0)::bigint as charged
    from checkout_sessions s
    left join payment_attempts a on a.tenant_id = s.tenant_id and a.session_id = s.id
        and a.state = 'SUCCEEDED'
    where s.tenant_id = $1
"""

MONEY = """
    select
        (select coalesce(sum(case kind when 'CHARGE' then amount else -amount end), 0)
         from sandbox.movements where tenant_id = $1)::bigint as at_the_bank,
        (select coalesce(sum(case payment_type when 'PAYMENT' then amount else -amount end), 0)
         from transactions where tenant_id = $1 and status = 'SETTLED')::bigint as in_payments,
        (select coalesce(sum(settled), 0) from invoices where tenant_id = $1)::bigint
            as in_invoices,
        (select coalesce(sum(amount), 0) from transactions where tenant_id = $1
           and payment_type = 'REFUND' and status = 'SETTLED')::bigint as refunded
"""

FIGURES = """
    select
        (select count(*) from checkout_sessions) as sessions,
        (select count(*) from checkout_sessions where state = 'COMPLETED') as bought,
        (select count(*) from subscriptions) as subscriptions,
        (select count(*) from invoices where status = 'FINALIZED') as invoices,
        (select count(*) from transactions where payment_type = 'PAYMENT'
           and status = 'SETTLED') as payments,
        (select count(*) from transactions where payment_type = 'REFUND'
           and status = 'SETTLED') as refunds,
        (select count(*) from transactions where payment_type = 'PAYMENT'
           and status = 'SETTLED' and method ->> 'kind' = 'DIRECT_DEBIT') as debits_settled,
        (select count(*) from sandbox.intents
           where settles_as = 'DECLINED' and state = 'DECLINED') as debits_failed,
        (select count(*) from slot_entries where id <> item_id) as slot_changes,
        (select count(*) from usage_events) as usage_events,
        (select count(*) from events) as events
"""


async def figures(world: World) -> dict[str, int]:
    """How much there is of everything."""
    return await world.one(FIGURES)


async def disagreements(world: World, told: Told) -> list[str]:
    """What was promised and is not there, or is there otherwise."""
    rows = await world.fetch(PURCHASES, world.tenant_id)
    there = {row["id"]: row for row in rows}
    wrong = [
        f"session {name} was created, and is not there"
        for name in told.sessions
        if _id(Prefix.CHECKOUT_SESSION, name) not in there
    ]
    if len(rows) != len(told.sessions):
        wrong.append(f"{len(told.sessions)} sessions were asked for, and {len(rows)} are there")
    customers = await world.one("select count(*) from customers")
    if customers["count"] != len(told.customers):
        wrong.append(f"{len(told.customers)} customers, and {customers['count']} are there")
    for name in told.bought:
        wrong += _of_purchase(name, told, there.get(_id(Prefix.CHECKOUT_SESSION, name)))
    wrong += [
        f"session {row['id']} is charged {row['charged']}, and is {row['state']}"
        for row in rows
        if row["state"] != "COMPLETED" and row["charged"]
    ]
    wrong += await _of_usage(world, told)
    wrong += await _of_refunds(world, told)
    wrong += await _of_slots(world, told)
    money = await world.one(MONEY, world.tenant_id)
    if not (
        money["at_the_bank"] == money["in_payments"] == money["in_invoices"] - money["refunded"]
    ):
        wrong.append(f"money is not where it should be: {money}")
    return wrong


def _of_purchase(name: str, told: Told, row: dict[str, Any] | None) -> list[str]:
    """A purchase is charged once, what a page showed when its button was pressed; a debit
    that failed afterwards not at all.
    """
    if row is None:
        return []
    shown = told.shown.get(name, [])
    stands = (row["state"], row["succeeded"], row["amount"] in shown)
    # A debit that was accepted and failed has moved nothing: its invoice is due again.
    charged = 0 if row["bounced"] else row["amount"]
    if stands != ("COMPLETED", 1, True) or row["charged"] != charged:
        return [f"session {name} was bought for one of {shown}, and is {row}"]
    if row["subscription_id"] != _id(Prefix.SUBSCRIPTION, told.bought[name]):
        return [f"session {name} was told of another subscription: {told.bought[name]}"]
    return []


async def _of_usage(world: World, told: Told) -> list[str]:
    rows = await world.fetch("select event_id, count(*) from usage_events group by event_id")
    kept = {row["event_id"]: row["count"] for row in rows}
    lost = [one for one in told.usage if kept.get(one) != 1]
    return [f"usage was taken in, and is not there once: {lost[:5]}"] if lost else []


async def _of_refunds(world: World, told: Told) -> list[str]:
    rows = await world.fetch("select id, total, status from credit_notes")
    kept = {row["id"]: row for row in rows}
    wrong = []
    for name, amount in told.refunded.items():
        row = kept.get(_id(Prefix.CREDIT_NOTE, name))
        if row is None or row["total"] != amount:
            wrong.append(f"credit note {name} of {amount} is {row}")
    return wrong


async def _of_slots(world: World, told: Told) -> list[str]:
    """What was changed is in the ledger, once each, and nothing besides."""
    rows = await world.fetch(
        "select i.subscription_id, array_agg(e.delta order by e.delta) as deltas"
        " from slot_entries e join subscription_items i"
        " on i.tenant_id = e.tenant_id and i.id = e.item_id"
        " where e.tenant_id = $1 and e.id <> e.item_id group by 1",
        world.tenant_id,
    )
    kept = {row["subscription_id"]: row["deltas"] for row in rows}
    asked = {
        _id(Prefix.SUBSCRIPTION, name): sorted(deltas) for name, deltas in told.slots.items()
    }
    return [
        f"slots of {one}: {asked.get(one)} were asked for, and {kept.get(one)} are there"
        for one in kept.keys() | asked.keys()
        if kept.get(one) != asked.get(one)
    ]


def _id(prefix: Prefix, name: str) -> UUID:
    return decode(prefix, name)
