-- Money that a provider takes beyond what a payment had brought is lost, and counted; and refunds that did
-- not reach their account are known, whatever they were for.

-- `lost` is no part of what is due or reversed: nobody had paid it, and nobody owes it.
alter table invoices add column lost bigint not null default 0 check (lost >= 0);

-- A provider may find later that it has taken more; never that it has taken less: that came back.
create or replace trigger reversal_is_fixed before update on reversals
    for each row when (
        (old.tenant_id, old.id, old.payment_id, old.invoice_id, old.provider,
         old.provider_reversal_id, old.reason, old.created_at)
        is distinct from
        (new.tenant_id, new.id, new.payment_id, new.invoice_id, new.provider,
         new.provider_reversal_id, new.reason, new.created_at)
        or old.kind <> new.kind and old.kind <> 'DISPUTE'
        or new.amount < old.amount
        or new.from_balance - old.from_balance not between 0 and new.amount - old.amount
        or new.returned < old.returned or new.to_balance < old.to_balance)
    execute function refuse_change('written');

-- What the provider of a payment has of it is reversed up to the payment, and lost beyond that; and no more
-- of what came back is taken from the balance than was given to it.
create or replace function check_reversed(tenant uuid, invoice uuid) returns void language plpgsql as $$
declare
    said record;
    known record;
begin
    select reversed, spare, lost into said from invoices
    where tenant_id = tenant and id = invoice for no key update;
    select coalesce(sum(least(taken, paid) + spare), 0) as reversed,
           coalesce(sum(spare), 0) as spare, coalesce(sum(greatest(taken - paid, 0)), 0) as lost,
           coalesce(bool_or(paid is null), false) as of_nothing,
           coalesce(bool_or(spare < 0), false) as overdrawn
    into known from (
        select sum(r.amount - r.returned) as taken, sum(r.to_balance - r.from_balance) as spare,
               min(t.amount) as paid
        from reversals r
        left join transactions t on t.tenant_id = r.tenant_id and t.id = r.payment_id
            and t.invoice_id = r.invoice_id and t.payment_type = 'PAYMENT' and t.status = 'SETTLED'
        where r.tenant_id = tenant and r.invoice_id = invoice
        group by r.payment_id) payment;
    if known.of_nothing or known.overdrawn then
        raise exception 'tallystick: the reversals of invoice % are of none of its payments, or took'
            ' more from the balance than it was given', invoice using errcode = 'check_violation';
    end if;
    if (said.reversed, said.spare, said.lost)
       is distinct from (known.reversed, known.spare, known.lost)
    then
        raise exception 'tallystick: invoice % does not say what is reversed of it', invoice
            using errcode = 'check_violation';
    end if;
end $$;

drop trigger reversed_is_of_reversals on invoices;
create constraint trigger reversed_is_of_reversals after update on invoices
    deferrable initially deferred for each row
    when ((old.reversed, old.spare, old.lost) is distinct from (new.reversed, new.spare, new.lost))
    execute function check_reversed_invoice();
drop trigger new_invoice_has_no_reversal on invoices;
create constraint trigger new_invoice_has_no_reversal after insert on invoices
    deferrable initially deferred for each row
    when (new.reversed <> 0 or new.spare <> 0 or new.lost <> 0)
    execute function check_reversed_invoice();

-- Money that nobody had owed, and whose refund came back: which refund of it is the last, each with a key
-- of its own.
alter table orphan_payments
    add column tries integer not null default 1 check (tries >= 1),
    add column came_back_of uuid;           -- the attempt or refund that had given it back

-- The test bank disputes more than is left of a payment, as banks do; and refunds may come back to it.
alter table sandbox.intents
    drop constraint no_more_is_taken_back,
    add constraint what_is_taken_back_is_counted check (reversed >= 0);
create table sandbox.refunds (
    tenant_id uuid not null,
    key text not null,                      -- the caller's
    reference text not null,
    amount bigint not null check (amount > 0),
    failure text,                           -- why it did not reach its account
    failed_at timestamptz,
    created_at timestamptz not null default now(),
    primary key (tenant_id, key),
    foreign key (tenant_id, reference) references sandbox.intents (tenant_id, reference),
    check ((failure is null) = (failed_at is null))
);
create index refunds_of_intent on sandbox.refunds (tenant_id, reference);
create index refunds_that_failed on sandbox.refunds (failed_at) where failed_at is not null;
alter table sandbox.movements drop constraint movements_kind_check;
alter table sandbox.movements add constraint movements_kind_check check (
    kind in ('CHARGE', 'REFUND', 'REFUND_FAILED', 'REVERSAL', 'REINSTATEMENT'));
