-- Lists of a million rows: how many there are is known without counting, and an index leads to each page.

-- How many rows a list has, as the sum of differences. Whoever changes a list writes one, and waits for
-- nobody; what many transactions wrote is summed up by periodic work. No reference to the tenant: a check
-- of it would lock the tenant's row in every purchase.
create table list_counts (
    tenant_id uuid not null,
    list text not null
        check (list in ('customers', 'subscriptions', 'invoices', 'checkout_sessions')),
    id bigint generated always as identity,
    facet text not null,                    -- the state by which the list can be filtered
    plan_id uuid,                           -- of subscriptions
    difference bigint not null,
    primary key (tenant_id, list, id)
);

create function count_customer() returns trigger language plpgsql as $$
begin
    if tg_op <> 'INSERT' then
        insert into list_counts (tenant_id, list, facet, difference) values (old.tenant_id, 'customers',
            case when old.archived_at is null then 'ACTIVE' else 'ARCHIVED' end, -1);
    end if;
    if tg_op <> 'DELETE' then
        insert into list_counts (tenant_id, list, facet, difference) values (new.tenant_id, 'customers',
            case when new.archived_at is null then 'ACTIVE' else 'ARCHIVED' end, 1);
    end if;
    return null;
end $$;
create trigger customer_counts after insert or delete on customers
    for each row execute function count_customer();
create trigger customer_counts_again after update on customers
    for each row when ((old.archived_at is null) <> (new.archived_at is null))
    execute function count_customer();

create function count_session() returns trigger language plpgsql as $$
begin
    if tg_op <> 'INSERT' then
        insert into list_counts (tenant_id, list, facet, difference)
        values (old.tenant_id, 'checkout_sessions', old.state, -1);
    end if;
    if tg_op <> 'DELETE' then
        insert into list_counts (tenant_id, list, facet, difference)
        values (new.tenant_id, 'checkout_sessions', new.state, 1);
    end if;
    return null;
end $$;
create trigger session_counts after insert or delete on checkout_sessions
    for each row execute function count_session();
create trigger session_counts_again after update on checkout_sessions
    for each row when (old.state <> new.state) execute function count_session();

-- Subscriptions and invoices are made and finalized many at once: one difference for all of them.
create function count_subscriptions() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        insert into list_counts (tenant_id, list, facet, plan_id, difference)
        select tenant_id, 'subscriptions', status, plan_id, count(*) from come
        group by tenant_id, status, plan_id;
    else
        insert into list_counts (tenant_id, list, facet, plan_id, difference)
        select tenant_id, 'subscriptions', status, plan_id, -count(*) from gone
        group by tenant_id, status, plan_id;
    end if;
    return null;
end $$;
create function count_subscription() returns trigger language plpgsql as $$
begin
    insert into list_counts (tenant_id, list, facet, plan_id, difference)
    values (old.tenant_id, 'subscriptions', old.status, old.plan_id, -1),
           (new.tenant_id, 'subscriptions', new.status, new.plan_id, 1);
    return null;
end $$;
create trigger subscription_counts after insert on subscriptions
    referencing new table as come for each statement execute function count_subscriptions();
create trigger subscription_counts_less after delete on subscriptions
    referencing old table as gone for each statement execute function count_subscriptions();
create trigger subscription_counts_again after update on subscriptions
    for each row when (old.status <> new.status or old.plan_id <> new.plan_id)
    execute function count_subscription();

create function count_invoices() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        insert into list_counts (tenant_id, list, facet, difference)
        select tenant_id, 'invoices', status, count(*) from come group by tenant_id, status;
    elsif tg_op = 'DELETE' then
        insert into list_counts (tenant_id, list, facet, difference)
        select tenant_id, 'invoices', status, -count(*) from gone group by tenant_id, status;
    else
        insert into list_counts (tenant_id, list, facet, difference)
        select tenant_id, 'invoices', status, sum(n)
        from (select tenant_id, status, -1 as n from gone
              union all select tenant_id, status, 1 from come) changed
        group by tenant_id, status having sum(n) <> 0;
    end if;
    return null;
end $$;
create trigger invoice_counts after insert on invoices
    referencing new table as come for each statement execute function count_invoices();
create trigger invoice_counts_less after delete on invoices
    referencing old table as gone for each statement execute function count_invoices();
create trigger invoice_counts_again after update on invoices
    referencing old table as gone new table as come
    for each statement execute function count_invoices();

insert into list_counts (tenant_id, list, facet, difference)
select tenant_id, 'customers', case when archived_at is null then 'ACTIVE' else 'ARCHIVED' end, count(*)
from customers group by 1, 3
union all
select tenant_id, 'checkout_sessions', state, count(*) from checkout_sessions group by 1, 3
union all
select tenant_id, 'invoices', status, count(*) from invoices group by 1, 3;
insert into list_counts (tenant_id, list, facet, plan_id, difference)
select tenant_id, 'subscriptions', status, plan_id, count(*) from subscriptions group by 1, 3, 4;

-- Indexes in the order of each list, with its id for ties; what decides whether a row is listed, or
-- what an ordered expression is made of, is in the index as well, so that a page far down is found
-- without visiting the rows before it.
drop index customers_by_created;
drop index customers_by_name;
drop index customers_by_email;
create index customers_by_created on customers (tenant_id, created_at, id) include (archived_at);
create index customers_by_name on customers (tenant_id, lower(name), id) include (archived_at, name);
create index customers_by_email on customers (tenant_id, billing_email, id) include (archived_at);
create index customers_by_alias on customers (tenant_id, alias, id) include (archived_at);

drop index subscriptions_of_customer;
drop index subscriptions_of_plan;
drop index subscriptions_by_status;
create index subscriptions_of_customer on subscriptions (tenant_id, customer_id, created_at, id);
create index subscriptions_of_plan on subscriptions (tenant_id, plan_id, created_at, id);
create index subscriptions_by_plan on subscriptions (tenant_id, plan_id, id);
create index subscriptions_of_status on subscriptions (tenant_id, status, created_at, id);
create index subscriptions_by_status on subscriptions (tenant_id, status, id);

drop index invoices_by_date;
drop index invoices_of_customer;
drop index invoices_of_subscription;
drop index invoices_by_status;
drop index invoices_by_payment_status;
drop index invoices_by_number;
drop index invoices_by_amount;
create index invoices_by_date on invoices (tenant_id, invoice_date, id) include (status, finalize_at);
create index invoices_of_customer on invoices (tenant_id, customer_id, invoice_date, id);
create index invoices_of_subscription on invoices (tenant_id, subscription_id, invoice_date, id);
create index invoices_of_status on invoices (tenant_id, status, invoice_date, id) include (finalize_at);
create index invoices_by_status on invoices (tenant_id, status, id) include (finalize_at);
create index invoices_by_payment_status on invoices (tenant_id, payment_status, id)
    include (status, finalize_at);
create index invoices_by_number on invoices (tenant_id, number, id) include (status, finalize_at);
create index invoices_by_amount on invoices (tenant_id, total, id) include (status, finalize_at);
-- Drafts that may have no line, and are not listed then.
create index drafts_of_nothing on invoices (tenant_id, id)
    where status = 'DRAFT' and finalize_at is not null and subtotal = 0 and total = 0;

drop index sessions_by_created;
drop index sessions_of_customer;
drop index sessions_by_state;
create index sessions_by_created on checkout_sessions (tenant_id, created_at, id);
create index sessions_of_customer on checkout_sessions (tenant_id, customer_id, created_at, id);
create index sessions_by_state on checkout_sessions (tenant_id, state, created_at, id)
    include (expires_at);

-- Looking for a part of a text: the text's groups of three characters, each hashed with its tenant,
-- so that one index serves all tenants and looks at nobody else's customers.
create function search_keys(tenant uuid, said text) returns integer[]
immutable strict parallel safe language sql
return (
    select array_agg(distinct (hashtextextended(tenant::text || substr(said, n, 3), 0) & 2147483647)::integer)
    from generate_series(1, length(said) - 2) as n);

-- What a text is looked for by: few of its groups, those with a digit first, because these are rare and
-- `example` is in every address. The text itself is compared afterwards.
create function sought_keys(tenant uuid, said text) returns integer[]
immutable strict parallel safe language sql
return (
    select array_agg(key) from (
        select (hashtextextended(tenant::text || substr(said, n, 3), 0) & 2147483647)::integer as key
        from generate_series(1, length(said) - 2) as n
        order by substr(said, n, 3) ~ '[0-9]' desc, n % 3 = 1 desc, n
        limit 6) chosen);

create function customer_text(name text, alias text, email text) returns text
immutable parallel safe language sql
return lower(name || e'\n' || coalesce(alias, '') || e'\n' || coalesce(email, ''));

create index customers_by_text on customers
    using gin (search_keys(tenant_id, customer_text(name, alias, billing_email)));
-- Beginnings, whatever the collation of the database is.
create index customers_by_name_text on customers (tenant_id, (lower(name) collate "C"));
create index customers_by_alias_text on customers (tenant_id, (lower(alias) collate "C"));
create index customers_by_email_text on customers (tenant_id, (lower(billing_email) collate "C"));
