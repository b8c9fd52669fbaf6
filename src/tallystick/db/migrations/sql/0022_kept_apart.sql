-- What came back to spare is kept apart from what the bank can still take; what was written off can be
-- credited, though nobody paid it; and what nobody activates ends on its day.

alter table reversals
    add column from_balance bigint not null default 0,  -- had come back to spare, and the balance had it still
    add constraint no_more_from_balance_than_taken check (from_balance between 0 and amount);

-- `reversed` is what the invoice does not keep of what was paid. Of that, `spare` came back when it was
-- not needed, and went to the customer's balance; the rest is with the provider.
alter table invoices
    add column spare bigint not null default 0 check (spare >= 0),
    drop constraint reversed_was_settled,
    add constraint reversed_was_settled check (reversed - spare between 0 and settled),
    drop constraint void_keeps_nothing,
    -- More is taken, where a void invoice had given the balance what came back, and that was spent.
    add constraint void_keeps_nothing check (status <> 'VOID' or reversed >= settled);

create or replace trigger reversal_is_fixed before update on reversals
    for each row when (
        (old.tenant_id, old.id, old.payment_id, old.invoice_id, old.provider,
         old.provider_reversal_id, old.amount, old.from_balance, old.reason, old.created_at)
        is distinct from
        (new.tenant_id, new.id, new.payment_id, new.invoice_id, new.provider,
         new.provider_reversal_id, new.amount, new.from_balance, new.reason, new.created_at)
        or old.kind <> new.kind and old.kind <> 'DISPUTE'
        or new.returned < old.returned or new.to_balance < old.to_balance)
    execute function refuse_change('written');

-- No more of a payment is with its provider than it was, and no more of what came back is taken from the
-- balance than was given to it.
create or replace function check_reversed(tenant uuid, invoice uuid) returns void language plpgsql as $$
declare
    said record;
    known record;
begin
    select reversed, spare into said from invoices
    where tenant_id = tenant and id = invoice for no key update;
    select coalesce(sum(amount - returned + to_balance - from_balance), 0) as reversed,
           coalesce(sum(to_balance - from_balance), 0) as spare
    into known from reversals where tenant_id = tenant and invoice_id = invoice;
    if said.reversed <> known.reversed or said.spare <> known.spare then
        raise exception 'tallystick: invoice % does not say what is reversed of it', invoice
            using errcode = 'check_violation';
    end if;
    if exists (
        select from reversals r
        left join transactions t on t.tenant_id = r.tenant_id and t.id = r.payment_id
            and t.invoice_id = r.invoice_id and t.payment_type = 'PAYMENT' and t.status = 'SETTLED'
        where r.tenant_id = tenant and r.invoice_id = invoice
        group by r.payment_id
        having sum(r.amount - r.returned) > coalesce(min(t.amount), -1)
            or sum(r.to_balance) < sum(r.from_balance))
    then
        raise exception 'tallystick: the reversals of a payment of invoice % exceed it', invoice
            using errcode = 'check_violation';
    end if;
end $$;

drop trigger reversed_is_of_reversals on invoices;
create constraint trigger reversed_is_of_reversals after update on invoices
    deferrable initially deferred for each row
    when ((old.reversed, old.spare) is distinct from (new.reversed, new.spare))
    execute function check_reversed_invoice();

-- A note on an invoice of which a rest was written off: of that nothing is given back.
do $$
declare
    adds_up text;
begin
    select conname into strict adds_up from pg_constraint
    where conrelid = 'credit_notes'::regclass and contype = 'c'
      and pg_get_constraintdef(oid) like '%from_balance + from_payments%';
    execute format('alter table credit_notes drop constraint %I', adds_up);
end $$;
alter table credit_notes
    add column from_write_off bigint not null default 0 check (from_write_off >= 0),
    add constraint what_a_note_takes_back check (
        from_balance + from_payments + from_write_off
        = case credit_type when 'DEBT_CANCELLATION' then 0 else total end);

create or replace trigger credit_note_is_fixed before update on credit_notes
    for each row when (
        (old.tenant_id, old.id, old.invoice_id, old.customer_id, old.invoicing_entity_id,
         old.credit_type, old.currency, old.subtotal, old.discount, old.tax_amount, old.total,
         old.from_balance, old.from_payments, old.from_write_off, old.tax_breakdown, old.reason,
         old.memo, old.created_at)
        is distinct from
        (new.tenant_id, new.id, new.invoice_id, new.customer_id, new.invoicing_entity_id,
         new.credit_type, new.currency, new.subtotal, new.discount, new.tax_amount, new.total,
         new.from_balance, new.from_payments, new.from_write_off, new.tax_breakdown, new.reason,
         new.memo, new.created_at)
        or old.number is not null
           and (old.number, old.credit_note_number, old.finalized_at)
               is distinct from (new.number, new.credit_note_number, new.finalized_at)
        or old.status = 'FINALIZED' and new.status = 'DRAFT'
        or old.status = 'VOIDED' and new.status <> 'VOIDED')
    execute function refuse_change('written');

create or replace function check_credit_note() returns trigger language plpgsql as $$
declare
    billed invoices;
    taken record;
begin
    select * into billed from invoices
    where tenant_id = new.tenant_id and id = new.invoice_id for no key update;
    if new.total <> (select coalesce(sum(amount_total), 0) from credit_note_lines
                     where tenant_id = new.tenant_id and credit_note_id = new.id)
    then
        raise exception 'tallystick: the lines of credit note % differ from its total', new.id
            using errcode = 'check_violation';
    end if;
    select coalesce(sum(total), 0) as total, coalesce(sum(from_balance), 0) as from_balance,
           coalesce(sum(from_payments), 0) as from_payments,
           coalesce(sum(from_write_off), 0) as from_write_off,
           coalesce(sum(total) filter (where credit_type = 'DEBT_CANCELLATION'), 0) as cancelled
    into taken from credit_notes
    where tenant_id = new.tenant_id and invoice_id = new.invoice_id and status <> 'VOIDED';
    if taken.total > billed.total or taken.cancelled <> billed.cancelled
       or taken.from_balance > billed.applied_balance
       or taken.from_payments > billed.total - billed.applied_balance
       or taken.from_write_off > billed.written_off
    then
        raise exception 'tallystick: the credit notes of invoice % exceed it', new.invoice_id
            using errcode = 'check_violation';
    end if;
    if exists (
        select from invoice_lines l
        join lateral (
            select sum(c.amount) as amount, sum(c.tax) as tax, sum(c.amount_total) as total
            from credit_note_lines c
            join credit_notes n on n.tenant_id = c.tenant_id and n.id = c.credit_note_id
            where c.tenant_id = l.tenant_id and c.invoice_line_id = l.id
              and n.status <> 'VOIDED') as c on true
        where l.tenant_id = new.tenant_id and l.invoice_id = new.invoice_id
          and (c.amount not between least(l.amount, 0) and greatest(l.amount, 0)
               or c.tax not between least(l.tax, 0) and greatest(l.tax, 0)
               or c.total not between least(l.amount_total, 0) and greatest(l.amount_total, 0)))
    then
        raise exception 'tallystick: the credit notes of invoice % exceed one of its lines',
            new.invoice_id using errcode = 'check_violation';
    end if;
    return null;
end $$;

-- What waits for its activation until its end has come is over.
do $$
declare
    waits text;
begin
    select conname into strict waits from pg_constraint
    where conrelid = 'subscriptions'::regclass and contype = 'c'
      and pg_get_constraintdef(oid) like '%NOT awaits_activation%CANCELLED%';
    execute format('alter table subscriptions drop constraint %I', waits);
end $$;
alter table subscriptions add constraint what_awaits_activation_has_not_begun check (
    not awaits_activation or status in ('PENDING_ACTIVATION', 'CANCELLED', 'COMPLETED'));
update subscriptions set next_step_on = least(next_step_on, end_date)
where awaits_activation and status = 'PENDING_ACTIVATION' and end_date is not null
  and billing_cycles is null;

-- What came back to spare before now.
update invoices i set spare = r.spare
from (select tenant_id, invoice_id, sum(to_balance) as spare from reversals
      where to_balance > 0 group by tenant_id, invoice_id) r
where i.tenant_id = r.tenant_id and i.id = r.invoice_id;
