"""What must hold of the event log, the queue, and the schema that guards all this."""

from tallystick.db.audit.guards import IN_PLACE, REQUIRED
from tallystick.db.audit.rule import Rule
from tallystick.domain.ids import Prefix

LATE = "interval '10 minutes'"

MACHINERY_RULES = (
    Rule(
        name="event-sequence",
        holds="A tenant's events are numbered from 1 without gap, and its counter agrees",
        kind=Prefix.TENANT,
        query="""
            select tenant_id, tenant_id as id, format(
                '%s numbers from %s to %s, the counter says %s', coalesce(e.numbers, 0),
                coalesce(e.first, 0), coalesce(e.last, 0), coalesce(c.last_sequence, 0))
                as about
            from (
                select tenant_id, count(sequence) as numbers,
                       count(distinct sequence) as different,
                       min(sequence) as first, max(sequence) as last
                from events where sequence is not null group by tenant_id) e
            full join event_counters c using (tenant_id)
            where coalesce(e.numbers, 0) <> coalesce(c.last_sequence, 0)
               or e.numbers <> e.different or e.first <> 1 or e.last <> c.last_sequence
        """,
    ),
    Rule(
        name="event-order",
        holds="The events of an object are numbered in the order in which they happened",
        kind=Prefix.EVENT,
        query="""
            select tenant_id, id, format('%s of %s: number %s after %s', type, object_id,
                                         sequence, before) as about
            from (
                select tenant_id, id, type, object_id, sequence, lag(sequence) over (
                    partition by tenant_id, object_id order by position) as before
                from events where sequence is not null) e
            where sequence < before
        """,
    ),
    Rule(
        name="event-numbered",
        holds="An event has its number within ten minutes",
        kind=Prefix.EVENT,
        query=f"""
            select tenant_id, id,
                   format('%s, stored at %s; does a worker run?', type, stored_at) as about
            from events where sequence is null and stored_at < now() - {LATE}
        """,
    ),
    Rule(
        name="job-held",
        holds="No job was given up (`pgq requeue ID` tries it again)",
        kind=None,
        query="""
            select null::uuid as tenant_id, null::uuid as id, format(
                'job %s: %s %s', id, entrypoint,
                encode(coalesce(payload, ''), 'escape')) as about
            from pgqueuer where status = 'failed'
        """,
    ),
    Rule(
        name="job-late",
        holds="A job is done within ten minutes of its time",
        kind=None,
        query=f"""
            select null::uuid as tenant_id, null::uuid as id, format(
                'job %s: %s %s, due at %s; does a worker run?', id, entrypoint,
                encode(coalesce(payload, ''), 'escape'), execute_after) as about
            from pgqueuer
            where status = 'queued' and execute_after < now() - {LATE}
               or status = 'picked' and heartbeat < now() - {LATE}
        """,
    ),
    Rule(
        name="schema-guards",
        holds="Every trigger, constraint and index that guards the data is in force",
        kind=None,
        query=f"""
            with required as (
                select split_part(line, ', ', 1) as place, split_part(line, ', ', 2) as kind,
                       split_part(line, ', ', 3) as name
                from string_to_table('{REQUIRED}', E'\\n') as line)
            select null::uuid as tenant_id, null::uuid as id, format('the %s %s of %s %s', kind,
                name, place, coalesce(f.fault, 'is missing')) as about
            from required full join ({IN_PLACE}) f using (kind, place, name)
            where f.fault is not null or f.name is null
        """,
    ),
)
