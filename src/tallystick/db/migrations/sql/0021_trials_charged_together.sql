-- Ends of trials of one customer that are charged as one: a draft that carries theirs while it is charged,
-- and is final once it is paid. When it is not, it goes, and each draft stands by itself again.
alter table invoices
    drop constraint charged_first_is_draft,
    add constraint charged_first_is_draft check (not charged_first
        or (status = 'DRAFT' and finalize_at is null
            and (subscription_id is not null or (invoice_type = 'RECURRING' and collect_at is null)))),
    add constraint member_is_not_collected check (
        consolidated_into_invoice_id is null or collect_at is null);
create index drafts_charged_first on invoices (tenant_id, customer_id) where charged_first;

-- What is consolidated never changes; while it is still being paid for, it may stand by itself again.
drop trigger member_is_fixed on invoices;
create trigger member_is_fixed before update on invoices
    for each row when (
        old.consolidated_into_invoice_id is not null
        and to_jsonb(old) - array['custom_properties', 'updated_at']
            - case when old.charged_first then array['charged_first', 'consolidated_into_invoice_id']
                   else array[]::text[] end
            is distinct from
            to_jsonb(new) - array['custom_properties', 'updated_at']
            - case when old.charged_first then array['charged_first', 'consolidated_into_invoice_id']
                   else array[]::text[] end)
    execute function refuse_change('it is consolidated');

-- Members are charged first for exactly as long as their invoice is.
create or replace function check_members() returns trigger language plpgsql as $$
begin
    if not exists (
        select from invoices p
        where p.tenant_id = new.tenant_id and p.id = new.consolidated_into_invoice_id
          and p.invoice_type = 'RECURRING' and p.subscription_id is null
          and (p.customer_id, p.invoicing_entity_id, p.currency, p.tax_inclusive, p.invoice_date,
               p.net_terms)
            = (new.customer_id, new.invoicing_entity_id, new.currency, new.tax_inclusive,
               new.invoice_date, new.net_terms)
          and (p.subtotal, p.discount, p.tax_amount, p.total, true)
            = (select sum(m.subtotal), sum(m.discount), sum(m.tax_amount), sum(m.total),
                      bool_and(m.charged_first = p.charged_first)
               from invoices m
               where m.tenant_id = p.tenant_id and m.consolidated_into_invoice_id = p.id))
    then
        raise exception 'tallystick: invoice % is not the sum of its members',
            new.consolidated_into_invoice_id using errcode = 'check_violation';
    end if;
    return null;
end $$;
drop trigger members_sum_to_invoice on invoices;
create constraint trigger members_sum_to_invoice
    after insert or update of consolidated_into_invoice_id, charged_first on invoices
    deferrable initially deferred for each row
    when (new.consolidated_into_invoice_id is not null)
    execute function check_members();

-- Members stand by themselves again only all together: their invoice is gone by then.
create function check_parted() returns trigger language plpgsql as $$
begin
    if exists (select from invoices p
               where p.tenant_id = old.tenant_id and p.id = old.consolidated_into_invoice_id)
    then
        raise exception 'tallystick: invoice % is not the sum of its members',
            old.consolidated_into_invoice_id using errcode = 'check_violation';
    end if;
    return null;
end $$;
create constraint trigger members_part_together
    after update of consolidated_into_invoice_id on invoices
    deferrable initially deferred for each row
    when (old.consolidated_into_invoice_id is distinct from new.consolidated_into_invoice_id
          and old.consolidated_into_invoice_id is not null)
    execute function check_parted();

create function check_whole() returns trigger language plpgsql as $$
begin
    if exists (select from invoices p
               join invoices m on m.tenant_id = p.tenant_id
                   and m.consolidated_into_invoice_id = p.id
               where p.tenant_id = new.tenant_id and p.id = new.id
                 and m.charged_first <> p.charged_first)
    then
        raise exception 'tallystick: invoice % is not what its members are', new.id
            using errcode = 'check_violation';
    end if;
    return null;
end $$;
create constraint trigger members_follow_invoice after update of charged_first on invoices
    deferrable initially deferred for each row
    when (new.subscription_id is null and old.charged_first is distinct from new.charged_first)
    execute function check_whole();
