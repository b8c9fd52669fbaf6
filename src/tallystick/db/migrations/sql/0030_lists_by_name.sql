-- Lists in the order of names that are in other tables: an index leads to their pages, too.

-- What is consolidated never changes; how a list orders it may.
drop trigger member_is_fixed on invoices;

-- The name by which lists order a subscription or an invoice: its customer's of today. An invoice was billed
-- to `customer_details`, which stay.
alter table subscriptions add column customer_sort_name text;
alter table invoices add column customer_sort_name text;

alter table subscriptions disable trigger user;
update subscriptions s set customer_sort_name = lower(c.name)
from customers c where c.tenant_id = s.tenant_id and c.id = s.customer_id;
alter table subscriptions enable trigger user;
alter table invoices disable trigger user;
update invoices i set customer_sort_name = lower(c.name)
from customers c where c.tenant_id = i.tenant_id and c.id = i.customer_id;
alter table invoices enable trigger user;

alter table subscriptions alter column customer_sort_name set not null;
alter table invoices alter column customer_sort_name set not null;

create trigger member_is_fixed before update on invoices
    for each row when (
        old.consolidated_into_invoice_id is not null
        and to_jsonb(old) - array['custom_properties', 'updated_at', 'customer_sort_name']
            - case when old.charged_first then array['charged_first', 'consolidated_into_invoice_id']
                   else array[]::text[] end
            is distinct from
            to_jsonb(new) - array['custom_properties', 'updated_at', 'customer_sort_name']
            - case when old.charged_first then array['charged_first', 'consolidated_into_invoice_id']
                   else array[]::text[] end)
    execute function refuse_change('it is consolidated');

-- A customer's former names that may still be in these columns. Whoever writes an invoice takes the name as
-- it stands, and waits for nobody; whoever renames a customer leaves a row here, and waits for nobody either.
-- It goes when nobody is left who may have read the former name, and no row has it any more.
create table customer_renamings (
    tenant_id uuid not null,
    customer_id uuid not null,
    sort_name text not null,                -- the former name
    settles_at xid8,                        -- transactions before this one may have read it; null: not known yet
    looked_at timestamptz not null default clock_timestamp(),   -- real time
    primary key (tenant_id, customer_id, sort_name),
    foreign key (tenant_id, customer_id) references customers (tenant_id, id)
);

create function take_customer_sort_name() returns trigger language plpgsql as $$
declare
    -- Before the name is read: whoever has read a former one is then known to be under way.
    reader xid8 := pg_current_xact_id();
begin
    select lower(c.name) into new.customer_sort_name
    from customers c where c.tenant_id = new.tenant_id and c.id = new.customer_id;
    if not found then
        new.customer_sort_name := '';       -- refused by the reference to the customer
    end if;
    return new;
end $$;
create trigger customer_sort_name before insert or update of customer_id on subscriptions
    for each row execute function take_customer_sort_name();
create trigger customer_sort_name before insert or update of customer_id on invoices
    for each row execute function take_customer_sort_name();

-- Gives rows with a former name of a customer the present one, `most` of each table; those that somebody has
-- locked are left for later. What became of it: DONE, HELD (some are left, locked) or MORE.
create function pass_on_customer_name(tenant uuid, customer uuid, former text, most integer)
returns text language plpgsql as $$
declare
    present text;
    subscriptions_moved integer;
    invoices_moved integer;
begin
    select lower(c.name) into present from customers c where c.tenant_id = tenant and c.id = customer;
    if present = former then
        return 'DONE';
    end if;
    with moved as materialized (
        select s.id from subscriptions s
        where s.tenant_id = tenant and s.customer_id = customer and s.customer_sort_name = former
        limit most for no key update skip locked)
    update subscriptions s set customer_sort_name = present
    from moved where s.tenant_id = tenant and s.id = moved.id;
    get diagnostics subscriptions_moved = row_count;
    with moved as materialized (
        select i.id from invoices i
        where i.tenant_id = tenant and i.customer_id = customer and i.customer_sort_name = former
        limit most for no key update skip locked)
    update invoices i set customer_sort_name = present
    from moved where i.tenant_id = tenant and i.id = moved.id;
    get diagnostics invoices_moved = row_count;
    return case
        when greatest(subscriptions_moved, invoices_moved) >= most then 'MORE'
        when exists (select from subscriptions s where s.tenant_id = tenant and s.customer_id = customer
                       and s.customer_sort_name = former)
            or exists (select from invoices i where i.tenant_id = tenant and i.customer_id = customer
                         and i.customer_sort_name = former) then 'HELD'
        else 'DONE' end;
end $$;

-- At the end of its transaction, so that nobody who waits for these rows is waited for.
create function pass_on_renaming() returns trigger language plpgsql as $$
begin
    insert into customer_renamings (tenant_id, customer_id, sort_name)
    values (old.tenant_id, old.id, lower(old.name))
    on conflict (tenant_id, customer_id, sort_name) do update set settles_at = null;
    -- A thousand take a tenth of a second; periodic work passes it on to the others.
    perform pass_on_customer_name(old.tenant_id, old.id, lower(old.name), 1000);
    return null;
end $$;
create constraint trigger name_is_passed_on after update on customers
    deferrable initially deferred for each row
    when (lower(old.name) <> lower(new.name)) execute function pass_on_renaming();

-- With what decides whether a row is listed.
create index subscriptions_by_customer_name on subscriptions (tenant_id, customer_sort_name, id)
    include (status, plan_id);
create index invoices_by_customer_name on invoices (tenant_id, customer_sort_name, id)
    include (status, finalize_at);
drop index subscriptions_by_plan;
create index subscriptions_by_plan on subscriptions (tenant_id, plan_id, id) include (status);
