"""What must hold of files that are imported."""

from tallystick.db.audit.rule import Rule
from tallystick.domain.ids import Prefix

STUCK = "interval '1 hour'"
"""So long nothing of a file was dealt with: workers look every second."""

IMPORT_RULES = (
    Rule(
        name="import-counts",
        holds="A batch job has counted what its chunks and its failures say",
        kind=Prefix.BATCH_JOB,
        query="""
            select j.tenant_id, j.id, format(
                '%s: %s of %s done, %s failed, %s chunks left; its chunks: %s of %s done, '
                '%s failed, %s left', j.status, j.processed_items, j.total_items,
                j.failed_items, j.chunks_left, c.done, c.items, f.failed, c.unfinished) as about
            from batch_jobs j
            cross join lateral (
                select coalesce(sum(done), 0) as done, coalesce(sum(items), 0) as items,
                       count(*) filter (where state <> 'DONE') as unfinished
                from batch_job_chunks c
                where c.tenant_id = j.tenant_id and c.batch_job_id = j.id) c
            cross join lateral (
                select count(*) as failed from batch_job_failures f
                where f.tenant_id = j.tenant_id and f.batch_job_id = j.id) f
            where j.total_items is not null
              and (j.processed_items <> c.done or j.total_items <> c.items
                   or j.failed_items <> f.failed or j.chunks_left <> c.unfinished)
        """,
    ),
    Rule(
        name="import-chunks",
        holds="The chunks of a batch job wait while its file comes in, are due while it is "
        "imported, and only then",
        kind=Prefix.BATCH_JOB,
        query="""
            select j.tenant_id, j.id, format('%s, with a chunk that is %s', j.status, c.state)
                as about
            from batch_jobs j
            join batch_job_chunks c on c.tenant_id = j.tenant_id and c.batch_job_id = j.id
            where (c.state = 'WAITING') <> (j.status = 'CHUNKING')
               or (c.state = 'DUE' and j.status not in ('PENDING', 'PROCESSING'))
               or (c.state = 'STOPPED' and j.status not in ('CANCELLED', 'FAILED'))
        """,
    ),
    Rule(
        name="import-failures",
        holds="A failure is of a row of its own chunk that was dealt with",
        kind=Prefix.BATCH_JOB,
        query="""
            select f.tenant_id, f.batch_job_id as id,
                   format('item %s failed in a chunk of %s from %s on, %s done', f.item_index,
                          c.items, c.first_item, c.done) as about
            from batch_job_failures f
            join batch_job_chunks c on c.tenant_id = f.tenant_id and c.id = f.chunk_id
            where c.batch_job_id <> f.batch_job_id
               or f.item_index not between c.first_item and c.first_item + c.done - 1
        """,
    ),
    Rule(
        name="import-taken-up",
        holds="A file that is imported goes on within an hour",
        kind=Prefix.BATCH_JOB,
        query=f"""
            select tenant_id, id, format(
                '%s of %s rows, the last at %s; does a worker run?', processed_items,
                total_items, touched_at) as about
            from batch_jobs
            where status in ('CHUNKING', 'PENDING', 'PROCESSING')
              and touched_at < now() - {STUCK}
        """,
    ),
)
