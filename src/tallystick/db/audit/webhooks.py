"""What must hold of webhooks: whom they go to, in which order, and what is noted of it."""

from tallystick.db.audit.rule import Rule
from tallystick.domain.ids import Prefix

LATE = "interval '10 minutes'"
FORGOTTEN = "interval '1 day'"
"""Secrets are purged with what else is over, every hour where the settings do not say."""

WEBHOOK_RULES = (
    Rule(
        name="webhook-order",
        holds="Of an object's deliveries that are not done, the first is due or under way, and "
        "no other",
        kind=Prefix.WEBHOOK_DELIVERY,
        query="""
            select tenant_id, id, format(
                '%s, number %s of its object, is %s', event_type, place,
                case when is_next then 'due before its turn' else 'never due' end) as about
            from (
                select tenant_id, id, event_type,
                       next_attempt_at is not null or lease_until is not null as is_next,
                       row_number() over (partition by tenant_id, endpoint_id, object_id
                                          order by sequence) as place
                from webhook_deliveries
                where status in ('PENDING', 'IN_FLIGHT') and not manual) d
            where is_next <> (place = 1)
        """,
    ),
    Rule(
        name="webhook-event",
        holds="A delivery is of its event: type, object and number agree",
        kind=Prefix.WEBHOOK_DELIVERY,
        query="""
            select d.tenant_id, d.id, format('%s %s of %s, the event is %s %s of %s',
                d.event_type, d.sequence, d.object_id, e.type, e.sequence, e.object_id) as about
            from webhook_deliveries d
            left join events e on e.tenant_id = d.tenant_id and e.id = d.event_id
            where (d.event_type, d.sequence, d.object_id)
                is distinct from (e.type, e.sequence, e.object_id)
        """,
    ),
    Rule(
        name="webhook-attempts",
        holds="A delivery counts its attempts",
        kind=Prefix.WEBHOOK_DELIVERY,
        query="""
            select d.tenant_id, d.id, format('counts %s, there are %s', d.attempt_count,
                                             count(a.number)) as about
            from webhook_deliveries d
            left join webhook_attempts a on a.tenant_id = d.tenant_id and a.delivery_id = d.id
            group by d.tenant_id, d.id
            having d.attempt_count <> count(a.number)
                or d.attempt_count <> coalesce(max(a.number), 0)
        """,
    ),
    Rule(
        name="webhook-once",
        holds="An endpoint has one delivery of an event, beside those that were asked for",
        kind=Prefix.WEBHOOK_ENDPOINT,
        query="""
            select tenant_id, endpoint_id as id, format('%s of %s', count(*), event_id) as about
            from webhook_deliveries where not manual
            group by tenant_id, endpoint_id, event_id having count(*) > 1
        """,
    ),
    Rule(
        name="webhook-secret",
        holds="An endpoint has one current secret until it is deleted",
        kind=Prefix.WEBHOOK_ENDPOINT,
        query="""
            select e.tenant_id, e.id, format('has %s', count(s.id)) as about
            from webhook_endpoints e
            left join webhook_secrets s on s.tenant_id = e.tenant_id and s.endpoint_id = e.id
                and s.valid_until is null
            group by e.tenant_id, e.id
            having count(s.id) <> case when e.archived_at is null then 1 else 0 end
        """,
    ),
    Rule(
        name="webhook-secret-forgotten",
        holds="A secret that was replaced is forgotten within a day after it has signed for "
        "the last time, and at once where its endpoint is deleted",
        kind=Prefix.WEBHOOK_ENDPOINT,
        query=f"""
            select e.tenant_id, e.id, format(
                'keeps %s, the oldest until %s; does a worker run?', count(*),
                min(s.valid_until)) as about
            from webhook_secrets s
            join webhook_endpoints e on e.tenant_id = s.tenant_id and e.id = s.endpoint_id
            where s.valid_until < now() - {FORGOTTEN}
               or s.valid_until is not null and e.archived_at is not null
            group by e.tenant_id, e.id
        """,
    ),
    Rule(
        name="webhook-lease",
        holds="What an attempt came to is noted within ten minutes, or it is taken for lost",
        kind=Prefix.WEBHOOK_DELIVERY,
        query=f"""
            select tenant_id, id, format('attempt %s was to end at %s; does a worker run?',
                                         attempt_count, lease_until) as about
            from webhook_deliveries where lease_until < now() - {LATE}
        """,
    ),
    Rule(
        name="webhook-relayed",
        holds="Events are passed on to endpoints up to the last number at most, and within ten "
        "minutes",
        kind=Prefix.WEBHOOK_ENDPOINT,
        query=f"""
            select e.tenant_id, e.id, format('is at %s of %s; does a worker run?', e.relayed_to,
                                             coalesce(c.last_sequence, 0)) as about
            from webhook_endpoints e left join event_counters c using (tenant_id)
            where e.relayed_to > coalesce(c.last_sequence, 0)
               or e.disabled_reason is null and e.archived_at is null and exists (
                   select from events v where v.tenant_id = e.tenant_id
                   and v.sequence = e.relayed_to + 1 and v.stored_at < now() - {LATE})
        """,
    ),
    Rule(
        name="webhook-setup",
        holds="An endpoint is enabled only when each of its headers has a value",
        kind=Prefix.WEBHOOK_ENDPOINT,
        query="""
            select tenant_id, id, format('needs setup: %s, disabled: %s', needs_setup,
                                         coalesce(disabled_reason, 'no')) as about
            from webhook_endpoints
            where needs_setup <> exists (
                select from jsonb_array_elements(headers) h where h ->> 'value' is null)
               or needs_setup and disabled_reason is null
        """,
    ),
    Rule(
        name="webhook-health",
        holds="An endpoint fails since its first failure, rests only when it was not reached, "
        "and a delivery that has an end is not due",
        kind=Prefix.WEBHOOK_ENDPOINT,
        query="""
            select tenant_id, id, format('%s failures since %s, %s unreached, rests until %s',
                consecutive_failures, failing_since, unreached, paused_until) as about
            from webhook_endpoints
            where (consecutive_failures > 0) <> (failing_since is not null)
               or unreached > consecutive_failures or paused_until is not null and unreached = 0
            union all
            select tenant_id, endpoint_id, format('%s is %s, due at %s, leased until %s, ended '
                'at %s', id, status, next_attempt_at, lease_until, completed_at)
            from webhook_deliveries
            where (status = 'IN_FLIGHT') <> (lease_until is not null)
               or next_attempt_at is not null and status <> 'PENDING'
               or (status in ('SUCCEEDED', 'FAILED', 'CANCELLED'))
                   <> (completed_at is not null)
        """,
    ),
)
