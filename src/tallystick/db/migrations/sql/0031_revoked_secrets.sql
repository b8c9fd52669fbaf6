-- What lets somebody in, or proves who sent something, and is to do so no more: portal tokens that are
-- revoked, secrets of webhooks that are forgotten. Instants are real time.

create table portal_token_generations (
    tenant_id uuid not null,
    customer_id uuid not null,
    generation integer not null check (generation > 0),     -- tokens of an earlier one open nothing
    primary key (tenant_id, customer_id),
    foreign key (tenant_id, customer_id) references customers (tenant_id, id)
);

create table revoked_portal_tokens (
    tenant_id uuid not null,
    token_id uuid not null,
    customer_id uuid not null,
    expires_at timestamptz not null,        -- then it opens nothing by itself, and this row is deleted
    revoked_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, token_id),
    foreign key (tenant_id, customer_id) references customers (tenant_id, id)
);
create index ended_portal_tokens on revoked_portal_tokens (expires_at);
create index revoked_tokens_of_customer on revoked_portal_tokens (tenant_id, customer_id);

-- Secrets that sign no more are forgotten, and so are those of endpoints that were deleted.
create index replaced_webhook_secrets on webhook_secrets (valid_until) where valid_until is not null;
delete from webhook_secrets s using webhook_endpoints e
where e.tenant_id = s.tenant_id and e.id = s.endpoint_id
  and (e.archived_at is not null or s.valid_until <= clock_timestamp());
