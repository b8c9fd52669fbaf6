-- Files that are imported row by row, in chunks that workers share, and how fast API keys ask.

create table batch_jobs (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    job_type text not null check (job_type in (
        'EVENT_CSV_IMPORT', 'CUSTOMER_CSV_IMPORT', 'SUBSCRIPTION_CSV_IMPORT',
        'SUBSCRIPTION_PLAN_MIGRATION', 'TAX_REPORT_EXPORT')),
    -- CHUNKING while the file comes in.
    status text not null check (status in (
        'PENDING', 'CHUNKING', 'PROCESSING', 'COMPLETED', 'COMPLETED_WITH_ERRORS', 'FAILED',
        'CANCELLED')),
    created_by uuid not null,               -- the API key, or the tenant itself at the command line
    file_name text check (length(file_name) between 1 and 255),
    separator text not null check (length(separator) = 1),
    header text not null,                   -- up to and including the line of names, as it was sent
    allow_backfilling boolean not null default false,
    input_bytes bigint check (input_bytes > 0),
    total_items integer check (total_items > 0),
    chunks_left integer check (chunks_left >= 0),
    processed_items integer not null default 0 check (processed_items >= 0),
    failed_items integer not null default 0 check (failed_items between 0 and processed_items),
    error text,
    created_at timestamptz not null,
    completed_at timestamptz,
    -- Real time: when a piece of the file last came in, or rows of it were dealt with.
    touched_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, id),
    check (status in ('CHUNKING', 'FAILED', 'CANCELLED') or
           (total_items is not null and input_bytes is not null and chunks_left is not null)),
    check (total_items is null or processed_items <= total_items),
    check ((completed_at is not null) =
           (status in ('COMPLETED', 'COMPLETED_WITH_ERRORS', 'FAILED', 'CANCELLED'))),
    check ((error is not null) = (status = 'FAILED')),
    constraint batch_job_is_done check (
        status not in ('COMPLETED', 'COMPLETED_WITH_ERRORS') or
        (processed_items = total_items and chunks_left = 0
         and (failed_items = 0) = (status = 'COMPLETED')))
);
create index batch_jobs_by_created on batch_jobs (tenant_id, created_at, id);
create index batch_jobs_by_type on batch_jobs (tenant_id, job_type, created_at, id);
create index batch_jobs_by_status on batch_jobs (tenant_id, status, created_at, id);
create index batch_jobs_coming_in on batch_jobs (touched_at) where status = 'CHUNKING';

-- A part of the file: whole rows, as they were sent. `done` of its items have been dealt with.
create table batch_job_chunks (
    tenant_id uuid not null,
    id uuid not null,
    batch_job_id uuid not null,
    position integer not null check (position >= 0),
    first_row integer not null check (first_row >= 1),   -- as a spreadsheet counts, the header included
    first_item integer not null check (first_item >= 0), -- of the job, blank rows not counted
    items integer not null check (items > 0),
    done integer not null default 0 check (done between 0 and items),
    state text not null check (state in ('WAITING', 'DUE', 'DONE', 'STOPPED')),
    content text not null,
    output text not null default '',        -- the lines of the result: row, identifier, id
    tries integer not null default 0 check (tries >= 0),
    due_at timestamptz not null default now(),           -- real time
    primary key (tenant_id, id),
    unique (tenant_id, batch_job_id, position),
    foreign key (tenant_id, batch_job_id) references batch_jobs (tenant_id, id) on delete cascade,
    check ((state = 'DONE') = (done = items))
);
-- By position first: the files of all tenants go on side by side, however long one of them is.
create index batch_job_chunks_due on batch_job_chunks (position, due_at) where state = 'DUE';

create table batch_job_failures (
    tenant_id uuid not null,
    id uuid not null,
    batch_job_id uuid not null,
    chunk_id uuid not null,
    item_index integer not null check (item_index >= 0),
    row_number integer not null check (row_number >= 1),
    item_identifier text,
    reason text not null check (reason <> ''),
    faults jsonb not null,                  -- column, code, message
    record text not null,                   -- the row, as it was sent
    primary key (tenant_id, id),
    unique (tenant_id, batch_job_id, item_index),
    foreign key (tenant_id, batch_job_id) references batch_jobs (tenant_id, id) on delete cascade,
    foreign key (tenant_id, chunk_id) references batch_job_chunks (tenant_id, id) on delete cascade
);
create index batch_job_failures_by_chunk on batch_job_failures (tenant_id, chunk_id, item_index);

-- What each process has counted of a key that asks often, so that the others can leave room for it.
-- Written once a second at most, for keys near their limit only, and of no worth after a crash.
create unlogged table api_key_paces (
    tenant_id uuid not null,
    api_key_id uuid not null,
    process_id uuid not null,
    requests_per_second real not null check (requests_per_second >= 0),
    counted_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, api_key_id, process_id)
);
create index api_key_paces_by_time on api_key_paces (counted_at);
