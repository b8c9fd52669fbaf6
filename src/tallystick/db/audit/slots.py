"""What must hold of the slots of subscriptions, which their ledger counts."""

from tallystick.db.audit.rule import Rule
from tallystick.domain.ids import Prefix
from tallystick.domain.pricing import COUNT_MAX

SLOT_RULES = (
    Rule(
        name="slot-ledger",
        holds="What has slots has one first entry, what has none has no entries, and no count "
        "is kept beside them",
        kind=Prefix.SUBSCRIPTION,
        query="""
            select i.tenant_id, i.subscription_id as id,
                   format('%s has %s entries, %s of them the first, and a count of %s', i.name,
                       ledger.entries, ledger.first, coalesce(i.item ->> 'slots', 'nothing'))
                       as about
            from subscription_items i
            cross join lateral (
                select count(*) as entries, count(*) filter (where e.id = e.item_id) as first
                from slot_entries e where e.tenant_id = i.tenant_id and e.item_id = i.id) ledger
            where case when i.item #>> '{pricing,type}' = 'SLOT' then ledger.first <> 1
                  else ledger.entries <> 0 end
               or i.item ->> 'slots' is not null
        """,
    ),
    Rule(
        name="slot-bounds",
        holds="On no day are there fewer slots than the least, or more than the most",
        kind=Prefix.SUBSCRIPTION,
        query=f"""
            select tenant_id, id, format('%s slots of %s on %s', slots, name, day) as about
            from (
                select i.tenant_id, i.subscription_id as id, i.name, i.item,
                       e.effective_on as day,
                       sum(e.delta) over (
                           partition by e.tenant_id, e.item_id
                           order by e.id <> e.item_id, e.effective_on) as slots
                from subscription_items i
                join slot_entries e on e.tenant_id = i.tenant_id and e.item_id = i.id
                where e.effective_on is not null) counted
            where slots not between coalesce((item #>> '{{pricing,min_slots}}')::bigint, 0)
                and coalesce((item #>> '{{pricing,max_slots}}')::bigint, {COUNT_MAX})
        """,
    ),
    Rule(
        name="slots-awaited",
        holds="Slots wait for an adjustment of their subscription that can still be paid",
        kind=Prefix.SUBSCRIPTION,
        query="""
            select i.tenant_id, i.subscription_id as id,
                   format('%s more slots of %s wait for %s, %s %s', e.delta, i.name,
                       coalesce(v.invoice_number, 'a draft'), v.status, v.payment_status)
                       as about
            from slot_entries e
            join subscription_items i on i.tenant_id = e.tenant_id and i.id = e.item_id
            left join invoices v on v.tenant_id = e.tenant_id and v.id = e.invoice_id
            where e.effective_on is null and e.dropped_at is null
              and (v.status is null or v.status = 'VOID' or v.payment_status = 'PAID'
                   or v.invoice_type <> 'ADJUSTMENT'
                   or v.subscription_id is distinct from i.subscription_id)
        """,
    ),
)
