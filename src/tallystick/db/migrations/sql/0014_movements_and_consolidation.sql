-- Movements of recurring revenue, and recurring invoices of one customer made one.

-- How the monthly value of a subscription came to be what it is: a chain of its changes, each of which
-- begins where the one before has ended, so that their sum is the value itself. A trigger writes it,
-- because whoever changes the value must not be able to forget it.
create table mrr_movements (
    tenant_id uuid not null,
    subscription_id uuid not null,
    position integer not null check (position >= 1),
    previous integer generated always as (nullif(position - 1, 0)) stored,
    day date not null,                      -- the tenant's day on which it took effect
    currency currency_code not null,
    mrr_before bigint not null,
    mrr_after bigint not null,
    amount bigint generated always as (mrr_after - mrr_before) stored,
    created_at timestamptz not null,
    primary key (tenant_id, subscription_id, position),
    unique (tenant_id, subscription_id, position, mrr_after),
    foreign key (tenant_id, subscription_id) references subscriptions (tenant_id, id),
    foreign key (tenant_id, subscription_id, previous, mrr_before)
        references mrr_movements (tenant_id, subscription_id, position, mrr_after),
    check (mrr_before <> mrr_after),
    check (mrr_before >= 0 and mrr_after >= 0),
    check (position > 1 or mrr_before = 0)
);

-- A subscription counts from its start, or from the day on which it was made where that comes first. A
-- step moves it on its own day, however late it is taken; anything else on the day on which it is done.
create function follow_mrr() returns trigger language plpgsql as $$
declare
    last mrr_movements;
    due date;
begin
    select * into last from mrr_movements
    where tenant_id = new.tenant_id and subscription_id = new.id
    order by position desc limit 1;
    if tg_op = 'INSERT' then due := new.start_date; else due := old.next_step_on; end if;
    insert into mrr_movements (tenant_id, subscription_id, position, day, currency, mrr_before,
                               mrr_after, created_at)
    select new.tenant_id, new.id, coalesce(last.position, 0) + 1,
           greatest(last.day, least(due, (new.updated_at at time zone t.time_zone)::date)),
           new.currency, coalesce(last.mrr_after, 0), new.mrr, new.updated_at
    from tenants t where t.id = new.tenant_id;
    return null;
end $$;
create trigger first_movement after insert on subscriptions
    for each row when (new.mrr <> 0) execute function follow_mrr();
create trigger next_movement after update on subscriptions
    for each row when (old.mrr <> new.mrr) execute function follow_mrr();

insert into mrr_movements (tenant_id, subscription_id, position, day, currency, mrr_before, mrr_after,
                           created_at)
select s.tenant_id, s.id, 1, least(s.start_date, (s.created_at at time zone t.time_zone)::date),
       s.currency, 0, s.mrr, s.created_at
from subscriptions s join tenants t on t.id = s.tenant_id where s.mrr <> 0;

create trigger movement_is_fixed before update or delete on mrr_movements
    for each row execute function refuse_change('written');

-- Nobody adds a movement that the subscription did not make.
create function check_movement() returns trigger language plpgsql as $$
begin
    if exists (
        select from subscriptions s
        where s.tenant_id = new.tenant_id and s.id = new.subscription_id
          and s.mrr <> (select sum(m.amount) from mrr_movements m
                        where m.tenant_id = s.tenant_id and m.subscription_id = s.id))
    then
        raise exception 'tallystick: the movements of subscription % do not sum to its value',
            new.subscription_id using errcode = 'check_violation';
    end if;
    return null;
end $$;
create constraint trigger movements_sum_to_mrr after insert on mrr_movements
    deferrable initially deferred for each row execute function check_movement();

-- Consolidation: drafts of renewals and trial ends of one customer become members of one invoice, which
-- carries their lines and has no subscription. A member stays a draft for good: it is never numbered,
-- paid or changed again.
alter table invoices
    add column may_merge boolean not null default false,    -- a renewal's draft, or a trial end's
    add column consolidated_into_invoice_id uuid,
    add foreign key (tenant_id, consolidated_into_invoice_id) references invoices (tenant_id, id),
    add check (not may_merge or (invoice_type = 'RECURRING' and subscription_id is not null)),
    add check (consolidated_into_invoice_id is null or (
        may_merge and status = 'DRAFT' and payment_status = 'UNPAID' and finalize_at is null
        and recipe is null and billing_error is null and applied_balance = 0 and settled = 0
        and written_off = 0));
create index drafts_to_merge on invoices (tenant_id, customer_id)
    where may_merge and finalize_at is not null;
create index members_of_invoice on invoices (tenant_id, consolidated_into_invoice_id)
    where consolidated_into_invoice_id is not null;

create trigger member_is_fixed before update on invoices
    for each row when (
        old.consolidated_into_invoice_id is not null
        and to_jsonb(old) - 'custom_properties' - 'updated_at'
            is distinct from to_jsonb(new) - 'custom_properties' - 'updated_at')
    execute function refuse_change('it is consolidated');
create trigger member_is_kept before delete on invoices
    for each row when (old.consolidated_into_invoice_id is not null)
    execute function refuse_change('it is consolidated');

create or replace function refuse_if_finalized(tenant uuid, invoice uuid) returns void
language plpgsql as $$
declare
    found record;
begin
    select status, consolidated_into_invoice_id into found from invoices
    where tenant_id = tenant and id = invoice for share;
    if found.status <> 'DRAFT' or found.consolidated_into_invoice_id is not null then
        raise exception 'tallystick: invoice_lines never change once their invoice is finalized'
            using errcode = 'integrity_constraint_violation';
    end if;
end $$;

-- An invoice is the sum of its members, and theirs in everything that they have in common.
create function check_members() returns trigger language plpgsql as $$
begin
    if not exists (
        select from invoices p
        where p.tenant_id = new.tenant_id and p.id = new.consolidated_into_invoice_id
          and p.invoice_type = 'RECURRING' and p.subscription_id is null
          and (p.customer_id, p.invoicing_entity_id, p.currency, p.tax_inclusive, p.invoice_date,
               p.net_terms)
            = (new.customer_id, new.invoicing_entity_id, new.currency, new.tax_inclusive,
               new.invoice_date, new.net_terms)
          and (p.subtotal, p.discount, p.tax_amount, p.total)
            = (select sum(m.subtotal), sum(m.discount), sum(m.tax_amount), sum(m.total)
               from invoices m
               where m.tenant_id = p.tenant_id and m.consolidated_into_invoice_id = p.id))
    then
        raise exception 'tallystick: invoice % is not the sum of its members',
            new.consolidated_into_invoice_id using errcode = 'check_violation';
    end if;
    return null;
end $$;
create constraint trigger members_sum_to_invoice
    after insert or update of consolidated_into_invoice_id on invoices
    deferrable initially deferred for each row
    when (new.consolidated_into_invoice_id is not null)
    execute function check_members();
