-- Webhooks: endpoints, their secrets, and what is sent to them. All instants but those of the endpoint's
-- own record (created, updated, archived) are real time.

create table webhook_endpoints (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    url text not null,
    description text,
    event_types text[] not null,            -- empty: every type
    headers jsonb not null,
    needs_setup boolean not null,           -- a sensitive header waits for its value
    rate_limit_per_sec integer check (rate_limit_per_sec between 1 and 1000),
    max_in_flight integer not null check (max_in_flight > 0),
    disabled_reason text check (disabled_reason in ('MANUAL', 'AUTO_FAILURES', 'GONE')),
    relayed_to bigint not null check (relayed_to >= 0),     -- events up to this number have been looked at
    consecutive_failures integer not null default 0 check (consecutive_failures >= 0),
    unreached integer not null default 0 check (unreached between 0 and consecutive_failures),
    failing_since timestamptz,
    last_success_at timestamptz,
    last_failure_at timestamptz,
    paused_until timestamptz,
    taken_at timestamptz,                   -- when deliveries were last taken up: who waited longest is next
    created_at timestamptz not null,
    updated_at timestamptz not null,
    archived_at timestamptz,
    primary key (tenant_id, id),
    constraint failing_since_a_failure check ((consecutive_failures > 0) = (failing_since is not null)),
    constraint paused_while_unreached check (paused_until is null or unreached > 0),
    constraint not_enabled_before_its_setup check (not needs_setup or disabled_reason is not null)
);
create index webhook_endpoints_in_use on webhook_endpoints (tenant_id, created_at, id)
    where archived_at is null;

create table webhook_secrets (
    tenant_id uuid not null,
    id uuid not null,
    endpoint_id uuid not null,
    secret bytea not null check (length(secret) between 24 and 64),
    made_at timestamptz not null default clock_timestamp(),
    valid_until timestamptz,                -- null: the current one
    primary key (tenant_id, id),
    foreign key (tenant_id, endpoint_id) references webhook_endpoints (tenant_id, id)
);
create unique index one_current_webhook_secret on webhook_secrets (tenant_id, endpoint_id)
    where valid_until is null;
create index webhook_secrets_of_endpoint on webhook_secrets (tenant_id, endpoint_id);

create table webhook_deliveries (
    tenant_id uuid not null,
    id uuid not null,
    endpoint_id uuid not null,
    event_id uuid not null,
    event_type text not null,
    object_id uuid not null,
    sequence bigint not null,
    manual boolean not null,                -- sent again because somebody asked: keeps no order
    status text not null default 'PENDING'
        check (status in ('PENDING', 'IN_FLIGHT', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
    attempt_count integer not null default 0 check (attempt_count >= 0),
    next_attempt_at timestamptz,            -- null while an earlier event of the object is not done
    lease_until timestamptz,
    last_response_status integer,
    last_error text,
    created_at timestamptz not null,
    completed_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, endpoint_id) references webhook_endpoints (tenant_id, id),
    foreign key (tenant_id, event_id) references events (tenant_id, id),
    constraint delivery_is_due_while_pending check (next_attempt_at is null or status = 'PENDING'),
    constraint delivery_asked_for_is_due check (not manual or status <> 'PENDING' or next_attempt_at is not null),
    constraint delivery_is_leased_in_flight check ((status = 'IN_FLIGHT') = (lease_until is not null)),
    constraint delivery_ends_once check (
        (status in ('SUCCEEDED', 'FAILED', 'CANCELLED')) = (completed_at is not null)),
    constraint delivery_ends_after_an_attempt check (
        status not in ('IN_FLIGHT', 'SUCCEEDED', 'FAILED') or attempt_count > 0)
);
create unique index one_delivery_of_an_event on webhook_deliveries (tenant_id, endpoint_id, event_id)
    where not manual;
-- The order of an object's events: of those that are not done, one is due or under way.
create unique index one_delivery_of_an_object_at_a_time
    on webhook_deliveries (tenant_id, endpoint_id, object_id)
    where not manual and (next_attempt_at is not null or lease_until is not null);
create index deliveries_not_done on webhook_deliveries (tenant_id, endpoint_id, object_id, sequence)
    where status in ('PENDING', 'IN_FLIGHT');
create index due_deliveries on webhook_deliveries (tenant_id, endpoint_id, next_attempt_at, sequence)
    where next_attempt_at is not null;
create index leased_deliveries on webhook_deliveries (tenant_id, endpoint_id, lease_until)
    where lease_until is not null;
create index deliveries_of_endpoint on webhook_deliveries (tenant_id, endpoint_id, created_at, id);
create index deliveries_by_status on webhook_deliveries (tenant_id, endpoint_id, status, created_at, id);
create index ended_deliveries on webhook_deliveries (completed_at) where completed_at is not null;

create table webhook_attempts (
    tenant_id uuid not null,
    delivery_id uuid not null,
    number integer not null check (number > 0),
    endpoint_id uuid not null,
    started_at timestamptz not null,
    ended_at timestamptz,                   -- null: under way, or its worker was lost
    response_status integer,
    error text,
    response_excerpt text check (length(response_excerpt) <= 1000),
    primary key (tenant_id, delivery_id, number),
    foreign key (tenant_id, delivery_id) references webhook_deliveries (tenant_id, id) on delete cascade,
    foreign key (tenant_id, endpoint_id) references webhook_endpoints (tenant_id, id),
    constraint attempt_ends_with_an_outcome check (
        ended_at is null or response_status is not null or error is not null)
);
create index attempts_of_endpoint on webhook_attempts (tenant_id, endpoint_id, started_at);

-- What is done stays as it was done.
create trigger delivery_is_done before update on webhook_deliveries
    for each row when (old.completed_at is not null)
    execute function refuse_change('done');

-- Readers ask for events by type, after a number.
create index events_of_type on events (tenant_id, type, sequence) where sequence is not null;
