"""What must hold of a shop's books whatever happened to it, said apart from the product.

Each rule is a query that finds what breaks it; the bank's own ledger is compared with ours.
"""

from tallystick.db.engine import Tx
from tallystick.services.event_body import event_body
from tallystick.services.examine import examine
from tests.told import misfits
from tests.world import World

RULES = {
    "the bank's charges are our settled payments, and late money on its way back": """
        select m.reference, m.amount from sandbox.movements m
        where m.tenant_id = $1 and m.kind = 'CHARGE' and not exists (
            select from transactions t
            where t.tenant_id = $1 and t.reference = m.reference and t.amount = m.amount
              and t.currency = m.currency and t.payment_type = 'PAYMENT'
              and t.status in ('SETTLED', 'PENDING'))
          and not exists (
            select from payment_attempts a
            where a.tenant_id = $1 and a.reference = m.reference and a.amount = m.amount
              and (a.state = 'LIVE' or a.late_money in ('REFUNDING', 'REFUNDED')))
    """,
    "a settled payment was charged by the bank": """
        select t.reference from transactions t
        where t.tenant_id = $1 and t.status = 'SETTLED' and not exists (
            select from sandbox.movements m
            where m.tenant_id = $1 and m.reference = t.reference and m.kind = 'CHARGE'
              and m.amount = t.amount)
    """,
    "only late money goes back": """
        select m.reference from sandbox.movements m
        where m.tenant_id = $1 and m.kind = 'REFUND' and not exists (
            select from payment_attempts a
            where a.tenant_id = $1 and a.reference = m.reference and a.state = 'FAILED'
              and a.late_money is not null and a.amount = m.amount)
    """,
    "a successful payment has one transaction of its amount, any other attempt none": """
        select a.id from payment_attempts a
        where a.tenant_id = $1
          and (a.state = 'SUCCEEDED' and a.kind = 'PAYMENT')
              <> ((select count(*) from transactions t
                   where t.tenant_id = $1 and t.attempt_id = a.id) = 1)
           or exists (select from transactions t
                      where t.tenant_id = $1 and t.attempt_id = a.id and t.amount <> a.amount)
    """,
    "what is held of a balance is what live attempts and tries hold": """
        select b.customer_id, b.held from customer_balances b
        where b.tenant_id = $1 and b.held - coalesce((
            select sum(a.balance_held) from payment_attempts a
            where a.tenant_id = $1 and a.customer_id = b.customer_id
              and a.currency = b.currency and a.state = 'LIVE'), 0) - coalesce((
            select sum(c.balance_held) from collections c
            where c.tenant_id = $1 and c.customer_id = b.customer_id
              and c.currency = b.currency and c.state = 'LIVE'), 0) <> 0
    """,
    "a balance is the sum of its entries": """
        select b.customer_id, b.balance from customer_balances b
        where b.tenant_id = $1 and b.balance <> coalesce((
            select sum(e.amount) from balance_entries e
            where e.tenant_id = $1 and e.customer_id = b.customer_id
              and e.currency = b.currency), 0)
    """,
    "what is taken of a coupon is its redemptions": """
        select c.code, c.taken from coupons c
        where c.tenant_id = $1 and c.taken <> (
            select count(*) from coupon_redemptions r
            where r.tenant_id = $1 and r.coupon_id = c.id)
    """,
    "reservations are of live attempts, redemptions of successful ones": """
        select r.id, r.state, a.state from coupon_redemptions r
        join payment_attempts a on a.tenant_id = r.tenant_id and a.id = r.attempt_id
        where r.tenant_id = $1 and (r.state, a.state)
            not in (('RESERVED', 'LIVE'), ('REDEEMED', 'SUCCEEDED'))
    """,
    "a live attempt has one place": """
        select a.id from payment_attempts a
        where a.tenant_id = $1 and a.state = 'LIVE' and 1 <> (
            select count(*) from plan_places p
            where p.tenant_id = $1 and p.holder = a.id and p.held_by = 'ATTEMPT')
    """,
    "a live subscription has one place, an ended one none": """
        select s.id, s.status from subscriptions s
        where s.tenant_id = $1
          and case when s.status in ('TRIAL_EXPIRED', 'CANCELLED', 'COMPLETED', 'SUPERSEDED')
                   then 0 else 1 end <> (
            select count(*) from plan_places p
            where p.tenant_id = $1 and p.holder = s.id and p.held_by = 'SUBSCRIPTION')
    """,
    "a place has a living holder": """
        select p.place, p.holder from plan_places p
        where p.tenant_id = $1
          and not exists (select from payment_attempts a where a.tenant_id = $1
                          and a.id = p.holder and a.state = 'LIVE' and p.held_by = 'ATTEMPT')
          and not exists (select from subscriptions s where s.tenant_id = $1
                          and s.id = p.holder and s.plan_id = p.plan_id
                          and p.held_by = 'SUBSCRIPTION')
    """,
    "a session awaits payment while an attempt lives, and then only": """
        select s.id, s.state from checkout_sessions s
        where s.tenant_id = $1 and (s.state = 'AWAITING_PAYMENT') <> exists (
            select from payment_attempts a
            where a.tenant_id = $1 and a.session_id = s.id and a.state = 'LIVE')
    """,
    "an ending is asked for only of a session that is being paid": """
        select s.id, s.state from checkout_sessions s
        where s.tenant_id = $1 and s.state <> 'AWAITING_PAYMENT'
          and s.ending_requested is not null
    """,
    "a session is completed by its one successful attempt": """
        select s.id, s.state from checkout_sessions s
        where s.tenant_id = $1 and (s.state = 'COMPLETED') <> exists (
            select from payment_attempts a
            where a.tenant_id = $1 and a.session_id = s.id and a.state = 'SUCCEEDED'
              and a.subscription_id = s.subscription_id)
    """,
    "a subscription is made by its session's successful attempt": """
        select s.id from subscriptions s
        where s.tenant_id = $1 and not exists (
            select from payment_attempts a
            where a.tenant_id = $1 and a.session_id = s.checkout_session_id
              and a.state = 'SUCCEEDED' and a.subscription_id = s.id)
    """,
    "a purchase has the invoice that was claimed": """
        select a.id from payment_attempts a
        where a.tenant_id = $1 and (a.state = 'SUCCEEDED' and a.invoice_id is not null)
            <> exists (select from invoices i where i.tenant_id = $1 and i.id = a.invoice_id
                       and i.subscription_id = a.subscription_id
                       and i.applied_balance = a.balance_held)
    """,
    "an invoice is settled by its settled payments": """
        select i.id from invoices i
        where i.tenant_id = $1 and i.settled <> coalesce((
            select sum(t.amount) from transactions t
            where t.tenant_id = $1 and t.invoice_id = i.id and t.status = 'SETTLED'
              and t.payment_type = 'PAYMENT'), 0)
    """,
    "numbers have no gap": """
        select c.last_number from invoice_counters c
        where c.tenant_id = $1 and c.last_number <> (
            select count(*) from invoices i where i.tenant_id = $1
              and i.invoicing_entity_id = c.invoicing_entity_id and i.number is not null
              and i.number between 1 and c.last_number)
    """,
    "a method is saved by a purchase that asked for it": """
        select a.id from payment_attempts a
        where a.tenant_id = $1 and a.payment_method_id is not null
          and (a.state = 'SUCCEEDED') <> exists (
            select from payment_methods m where m.tenant_id = $1 and m.id = a.payment_method_id)
    """,
    "a session's end is told once": """
        select s.id, s.state, told.count from checkout_sessions s
        cross join lateral (
            select count(*) from events e where e.tenant_id = $1 and e.object_id = s.id
              and e.type in ('checkout_session.completed', 'checkout_session.expired',
                             'checkout_session.cancelled')) told
        cross join lateral (
            select count(*) from events e where e.tenant_id = $1 and e.object_id = s.id
              and e.type = 'checkout_session.' || lower(s.state)) right_one
        where s.tenant_id = $1
          and (told.count, right_one.count) is distinct from
              case when s.state in ('CREATED', 'AWAITING_PAYMENT') then (0::bigint,
                   case when s.state = 'CREATED' then 1::bigint else 0::bigint end)
                   else (1::bigint, 1::bigint) end
    """,
    "a failure is told once": """
        select s.id from checkout_sessions s
        where s.tenant_id = $1
          and (select count(*) from events e where e.tenant_id = $1 and e.object_id = s.id
                 and e.type = 'checkout_session.payment_failed')
           <> (select count(*) from payment_attempts a where a.tenant_id = $1
                 and a.session_id = s.id
                 and (a.state = 'FAILED' or a.late_money = 'RECORDED'))
    """,
    "a paid invoice is told once, an unpaid one never": """
        select i.id, i.payment_status from invoices i
        where i.tenant_id = $1
          and (select count(*) from events e where e.tenant_id = $1 and e.object_id = i.id
                 and e.type = 'invoice.paid')
           <> case when i.payment_status = 'PAID' then 1 else 0 end
    """,
    "money that went back is told once": """
        select a.id from payment_attempts a
        where a.tenant_id = $1
          and (select count(*) from events e where e.tenant_id = $1 and e.object_id = a.id
                 and e.type = 'payment.orphan_refunded')
           <> case when a.late_money = 'REFUNDED' then 1 else 0 end
    """,
}

AT_REST = {
    "nothing is under way": "select id from payment_attempts "
    "where tenant_id = $1 and state = 'LIVE'",
    "the bank has nothing open that could still take money": """
        select i.reference from sandbox.intents i
        where i.tenant_id = $1 and i.state in ('OPEN', 'CHALLENGED')
    """,
}
"""Rules that hold once no attempt lives any more."""


async def breaches(tx: Tx, world: World, *, at_rest: bool) -> list[str]:
    """Each rule that does not hold, with the first row that breaks it."""
    found = []
    for rule, query in {**RULES, **(AT_REST if at_rest else {})}.items():
        row = await tx.fetchrow(query, world.tenant_id)
        if row is not None:
            found.append(f"{rule}: {dict(row)}")
    return found


async def assert_sound(world: World, *, at_rest: bool = True) -> None:
    """Every invariant holds; `at_rest` says that nothing is to be under way any more.

    What `tallystick doctor` looks at is asked too: it finds nothing either. And the reference's
    SDK reads every event that was written.
    """
    async with world.database.connection() as tx:
        found = await breaches(tx, world, at_rest=at_rest)
    found += await unreadable(world)
    found += [str(breach) for breach in (await examine(world.database)).breaches]
    assert found == [], "\n".join(found)


async def unreadable(world: World) -> list[str]:
    """The events of a shop that the reference's SDK cannot read."""
    told = await world.fetch(
        "select id, type, data, happened_at, coalesce(sequence, 0) as sequence from events "
        "where tenant_id = $1",
        world.tenant_id,
    )
    return misfits(
        event_body(row["id"], row["type"], row["happened_at"], row["sequence"], row["data"])
        for row in told
    )
