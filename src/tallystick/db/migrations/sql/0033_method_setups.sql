-- Methods that customers add by themselves: what was asked of the provider, how it ended, and
-- what was agreed to. No money moves with them.
create table method_setups (
    tenant_id uuid not null,
    id uuid not null,
    customer_id uuid not null,
    provider text not null,
    method jsonb not null check (jsonb_typeof(method) = 'object'),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    return_url text not null,
    consent jsonb not null check (jsonb_typeof(consent) = 'object'),
    reference text,
    challenge_url text,
    state text not null default 'LIVE' check (state in ('LIVE', 'SUCCEEDED', 'FAILED')),
    failure text,
    saved uuid,                             -- the method that came of it; its id is the setup's
    created_at timestamptz not null,
    ended_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, customer_id) references customers (tenant_id, id),
    foreign key (tenant_id, saved) references payment_methods (tenant_id, id),
    check (saved = id),
    check ((state = 'SUCCEEDED') = (saved is not null)),
    check ((state = 'FAILED') = (failure is not null)),
    check ((state = 'LIVE') = (ended_at is null))
);
create index method_setups_of_customer on method_setups (tenant_id, customer_id, created_at);
create trigger provider_is_known before insert or update of provider on method_setups
    for each row when (new.provider like '%:%') execute function check_provider_name();
