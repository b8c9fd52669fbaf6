-- Guards: what the schema did not refuse, and what could not be seen from it.

-- How long a payment has been under way, in real time. Those that are under way now count from now.
alter table payment_attempts add column claimed_on timestamptz not null default now();
alter table payment_attempts alter column claimed_on set default clock_timestamp();
-- Which browser pays: a hash of the token of its forms. Null where none does.
alter table payment_attempts add column browser text;

-- What is published or finalized has its parts: a change of a part looks at where it comes from and at
-- where it goes, and holds both as they are until it is committed. Whoever publishes or finalizes waits
-- for it, and it for them.
create function refuse_if_published(tenant uuid, owner uuid, place text) returns void
language plpgsql as $$
declare
    published boolean;
begin
    select published_at is not null into published from plan_versions
    where tenant_id = tenant and id = owner for share;
    if published then
        raise exception 'tallystick: % never changes once its version is published', place
            using errcode = 'integrity_constraint_violation';
    end if;
end $$;

create function version_of_component(tenant uuid, component uuid) returns uuid
language plpgsql as $$
declare
    owner uuid;
begin
    select plan_version_id into owner from plan_components
    where tenant_id = tenant and id = component for share;
    return owner;
end $$;

create or replace function refuse_change_of_published() returns trigger language plpgsql as $$
begin
    if tg_table_name = 'plan_component_prices' then
        if tg_op <> 'INSERT' then
            perform refuse_if_published(old.tenant_id,
                version_of_component(old.tenant_id, old.component_id), tg_table_name);
        end if;
        if tg_op <> 'DELETE' then
            perform refuse_if_published(new.tenant_id,
                version_of_component(new.tenant_id, new.component_id), tg_table_name);
        end if;
    else
        if tg_op <> 'INSERT' then
            perform refuse_if_published(old.tenant_id, old.plan_version_id, tg_table_name);
        end if;
        if tg_op <> 'DELETE' then
            perform refuse_if_published(new.tenant_id, new.plan_version_id, tg_table_name);
        end if;
    end if;
    return case when tg_op = 'DELETE' then old else new end;
end $$;

create function refuse_if_finalized(tenant uuid, invoice uuid) returns void
language plpgsql as $$
declare
    standing text;
begin
    select status into standing from invoices
    where tenant_id = tenant and id = invoice for share;
    if standing <> 'DRAFT' then
        raise exception 'tallystick: invoice_lines never change once their invoice is finalized'
            using errcode = 'integrity_constraint_violation';
    end if;
end $$;

create or replace function refuse_change_of_finalized_line() returns trigger language plpgsql as $$
begin
    if tg_op <> 'INSERT' then
        perform refuse_if_finalized(old.tenant_id, old.invoice_id);
    end if;
    if tg_op <> 'DELETE' then
        perform refuse_if_finalized(new.tenant_id, new.invoice_id);
    end if;
    return case when tg_op = 'DELETE' then old else new end;
end $$;

-- Lines sum to their total, too, when they change without their invoice: checked at the commit.
create function check_sum_of_lines(tenant uuid, invoice uuid) returns void language plpgsql as $$
declare
    difference bigint;
begin
    select i.total - coalesce((select sum(l.amount_total) from invoice_lines l
                               where l.tenant_id = i.tenant_id and l.invoice_id = i.id), 0)
    into difference from invoices i where i.tenant_id = tenant and i.id = invoice;
    if difference <> 0 then
        raise exception 'tallystick: the lines of invoice % differ from its total by %',
            invoice, difference using errcode = 'check_violation';
    end if;
end $$;

create or replace function check_invoice_lines() returns trigger language plpgsql as $$
begin
    perform check_sum_of_lines(new.tenant_id, new.id);
    return null;
end $$;

-- An invoice that this transaction has written is checked by its own trigger, once for all its lines.
create function check_invoice_of_line() returns trigger language plpgsql as $$
begin
    if tg_op <> 'INSERT' then
        perform check_sum_of_lines(tenant_id, id) from invoices
        where tenant_id = old.tenant_id and id = old.invoice_id
          and xmin <> pg_current_xact_id()::xid;
    end if;
    if tg_op <> 'DELETE' then
        perform check_sum_of_lines(tenant_id, id) from invoices
        where tenant_id = new.tenant_id and id = new.invoice_id
          and xmin <> pg_current_xact_id()::xid;
    end if;
    return null;
end $$;
create constraint trigger line_is_in_the_total after insert or update or delete on invoice_lines
    deferrable initially deferred for each row execute function check_invoice_of_line();

-- Of a finalized invoice nothing changes but whether and how it is paid.
create or replace trigger finalized_invoice_is_fixed before update on invoices
    for each row when (
        old.status <> 'DRAFT' and (
            new.status = 'DRAFT'
            or (old.tenant_id, old.id, old.customer_id, old.subscription_id,
                old.invoicing_entity_id, old.invoice_type, old.number, old.invoice_number,
                old.invoice_date, old.due_date, old.billing_period_start,
                old.billing_period_end, old.net_terms, old.currency, old.tax_inclusive,
                old.subtotal, old.subtotal_recurring, old.discount, old.tax_amount, old.total,
                old.written_off, old.write_off_reason, old.coupons, old.tax_breakdown,
                old.customer_details, old.seller_details, old.memo, old.purchase_order,
                old.finalized_at, old.created_at)
            is distinct from
               (new.tenant_id, new.id, new.customer_id, new.subscription_id,
                new.invoicing_entity_id, new.invoice_type, new.number, new.invoice_number,
                new.invoice_date, new.due_date, new.billing_period_start,
                new.billing_period_end, new.net_terms, new.currency, new.tax_inclusive,
                new.subtotal, new.subtotal_recurring, new.discount, new.tax_amount, new.total,
                new.written_off, new.write_off_reason, new.coupons, new.tax_breakdown,
                new.customer_details, new.seller_details, new.memo, new.purchase_order,
                new.finalized_at, new.created_at)))
    execute function refuse_change('it is finalized');

-- A payment is made once under a provider's reference, and may be refunded in several parts.
drop index transaction_reference;
create unique index transaction_reference on transactions (tenant_id, provider, reference)
    where payment_type = 'PAYMENT';

comment on column events.writer is
    'For diagnosis only: which events one transaction wrote. Numbering goes by position.';
