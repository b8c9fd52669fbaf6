-- Connections: the accounts at payment providers that invoicing entities are paid through, whom these
-- accounts know, and what they tell us by themselves.
--
-- Whatever was asked of a connection keeps its name as its provider: 'stripe:' and the connection's id.
-- So a connection is never deleted, and never becomes another entity's; one that was disconnected still
-- looks after what it began.

create table provider_connections (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    invoicing_entity_id uuid not null,
    provider text not null check (provider = 'stripe'),
    is_live boolean not null,
    account text not null check (length(account) between 1 and 255),
    account_name text,
    publishable_key text not null,
    secret_key text not null,               -- sealed, like the next two: see services/secret_box.py
    webhook_secret text,
    old_webhook_secret text,                -- still good for a while after it was replaced
    old_webhook_secret_until timestamptz,
    webhook_endpoint text,                  -- the provider's name for what it sends to, if we made it
    check_at timestamptz not null default now(),  -- real time: when to look for what nobody told us
    connected_at timestamptz not null default now(),
    disconnected_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, invoicing_entity_id) references invoicing_entities (tenant_id, id),
    constraint secrets_are_sealed check (
        secret_key like 'sealed.%'
        and coalesce(webhook_secret like 'sealed.%', true)
        and coalesce(old_webhook_secret like 'sealed.%', true)),
    constraint old_secret_ends check (
        (old_webhook_secret is null) = (old_webhook_secret_until is null))
);
create unique index one_connection on provider_connections (tenant_id, invoicing_entity_id)
    where disconnected_at is null;
create unique index connection_is_one_tenants on provider_connections (id);
create index connections_to_check on provider_connections (check_at);

create function check_connection() returns trigger language plpgsql as $$
begin
    if new.is_live = (select is_test from tenants where id = new.tenant_id) then
        raise exception 'tallystick: connection % is of the other kind of money than its tenant', new.id
            using errcode = 'check_violation';
    end if;
    if tg_op = 'UPDATE' and (old.tenant_id, old.id, old.invoicing_entity_id, old.provider, old.is_live,
            old.account, old.connected_at)
        is distinct from (new.tenant_id, new.id, new.invoicing_entity_id, new.provider, new.is_live,
            new.account, new.connected_at)
    then
        raise exception 'tallystick: connection % is of one entity and one account for ever', new.id
            using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger connection_is_kept before insert or update on provider_connections
    for each row execute function check_connection();

-- What names a connection as its provider names one of its tenant's.
create function check_provider_name() returns trigger language plpgsql as $$
begin
    if not exists (
        select from provider_connections c
        where c.tenant_id = new.tenant_id and c.provider || ':' || c.id = new.provider)
    then
        raise exception 'tallystick: % is no connection of tenant %', new.provider, new.tenant_id
            using errcode = 'foreign_key_violation';
    end if;
    return new;
end $$;
create trigger provider_is_known before insert or update of provider on payment_attempts
    for each row when (new.provider like '%:%') execute function check_provider_name();
create trigger provider_is_known before insert or update of provider on payment_methods
    for each row when (new.provider like '%:%') execute function check_provider_name();
create trigger provider_is_known before insert or update of provider on transactions
    for each row when (new.provider like '%:%') execute function check_provider_name();
create trigger provider_is_known before insert or update of provider on collections
    for each row when (new.provider like '%:%') execute function check_provider_name();
create trigger provider_is_known before insert or update of provider on refunds
    for each row when (new.provider like '%:%') execute function check_provider_name();
create trigger provider_is_known before insert or update of provider on reversals
    for each row when (new.provider like '%:%') execute function check_provider_name();

-- Customers as a connection's account knows them.
create table provider_customers (
    tenant_id uuid not null,
    provider text not null check (provider like '%:%'),
    customer_id uuid not null,
    reference text not null check (length(reference) between 1 and 255),
    created_at timestamptz not null default now(),
    primary key (tenant_id, provider, customer_id),
    foreign key (tenant_id, customer_id) references customers (tenant_id, id)
);
create unique index provider_customer_reference on provider_customers (tenant_id, provider, reference);
create trigger provider_is_known before insert or update of provider on provider_customers
    for each row execute function check_provider_name();

-- What a provider tells us: kept once, answered at once, and looked into by the worker.
create table provider_events (
    tenant_id uuid not null,
    id uuid not null,
    connection_id uuid not null,
    event_id text not null check (length(event_id) between 1 and 255),
    kind text not null check (length(kind) between 1 and 255),
    news jsonb not null check (jsonb_typeof(news) = 'object'),
    received_at timestamptz not null default now(),
    looked_into_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, connection_id) references provider_connections (tenant_id, id)
);
create unique index provider_event_once on provider_events (tenant_id, connection_id, event_id);
create index provider_events_received on provider_events (received_at);

-- A refund that the provider gave and could not deliver: a person decides what becomes of it.
alter table refunds add column came_back_at timestamptz;
alter table refunds add column came_back_because text;
alter table refunds add constraint came_back_after_it_was_given check (
    came_back_at is null or state = 'SUCCEEDED' and came_back_because is not null);

create index payment_methods_of_token on payment_methods (tenant_id, provider, token);
create index transactions_pending on transactions (tenant_id, provider, created_at, id)
    where status = 'PENDING' and payment_type = 'PAYMENT';
