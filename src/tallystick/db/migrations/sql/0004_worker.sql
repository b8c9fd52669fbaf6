-- The worker's own books: how often a job was begun, and when periodic work is due next.

-- PgQueuer counts the failures of a job, not its starts: a job that kills its process would be begun
-- again for ever. The row is written before the job runs and goes when it has ended.
create table job_starts (
    tenant_id uuid not null references tenants (id),
    job_id bigint not null,                 -- PgQueuer's
    starts integer not null check (starts >= 1),
    primary key (tenant_id, job_id)
);

-- One row per kind of periodic work of the whole installation. Whichever worker moves `due_at` on
-- does the work this time; all of this is real time.
create table periodic_work (
    name text primary key,
    due_at timestamptz not null default now()
);
