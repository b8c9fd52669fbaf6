-- Reversals: money that a provider took back of a payment without a note of ours. It is due again, and
-- nobody collects it until a person has said so.

alter table invoices
    add column reversed bigint not null default 0,
    add column awaits_person boolean not null default false,    -- not collected by itself
    drop constraint invoice_due_adds_up,
    add constraint invoice_due_adds_up check (
        status = 'VOID'
        or amount_due = greatest(total, 0) - applied_balance - written_off - cancelled - settled
                        + reversed),
    add constraint reversed_was_settled check (reversed between 0 and settled),
    add constraint awaits_person_while_reversed check (
        not awaits_person or (reversed > 0 and amount_due > 0 and status <> 'VOID')),
    add constraint void_keeps_nothing check (status <> 'VOID' or settled = reversed);

create table reversals (
    tenant_id uuid not null,
    id uuid not null,
    payment_id uuid not null,
    invoice_id uuid not null,
    provider text not null,
    provider_reversal_id text not null,     -- the provider's own: a report that comes again is known by it
    kind text not null check (kind in ('REFUND', 'CHARGEBACK', 'DEBTOR_RECALL', 'INSUFFICIENT_FUNDS',
                                       'MANDATE_INVALID', 'RETURNED', 'DISPUTE', 'OTHER')),
    amount bigint not null check (amount > 0),
    returned bigint not null check (returned between 0 and amount),     -- came back since
    to_balance bigint not null check (to_balance between 0 and returned),   -- the invoice did not need it
    reason text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, payment_id) references transactions (tenant_id, id),
    foreign key (tenant_id, invoice_id) references invoices (tenant_id, id)
);
create unique index reversal_once on reversals (tenant_id, provider, provider_reversal_id);
create index reversals_of_payment on reversals (tenant_id, payment_id);
create index reversals_of_invoice on reversals (tenant_id, invoice_id);

alter table balance_entries drop constraint balance_entries_reason_check;
alter table balance_entries add constraint balance_entries_reason_check check (
    reason in ('MANUAL', 'INVOICE', 'VOID', 'CREDIT_NOTE', 'REFUND', 'REVERSAL'));

-- What was taken is fixed, and what has come back has come.
create trigger reversal_is_fixed before update on reversals
    for each row when (
        (old.tenant_id, old.id, old.payment_id, old.invoice_id, old.provider,
         old.provider_reversal_id, old.amount, old.reason, old.created_at)
        is distinct from
        (new.tenant_id, new.id, new.payment_id, new.invoice_id, new.provider,
         new.provider_reversal_id, new.amount, new.reason, new.created_at)
        or old.kind <> new.kind and old.kind <> 'DISPUTE'
        or new.returned < old.returned or new.to_balance < old.to_balance)
    execute function refuse_change('written');
create trigger reversal_is_kept before delete on reversals
    for each row execute function refuse_change('written');

-- No more is taken of a payment than it was, and the invoice says what is taken of all of them: checked
-- when the transaction commits, with the invoice locked, so that two reversals cannot pass each other.
create function check_reversed(tenant uuid, invoice uuid) returns void language plpgsql as $$
declare
    said bigint;
begin
    select reversed into said from invoices
    where tenant_id = tenant and id = invoice for no key update;
    if said <> (select coalesce(sum(amount - returned + to_balance), 0) from reversals
                where tenant_id = tenant and invoice_id = invoice)
    then
        raise exception 'tallystick: invoice % does not say what is reversed of it', invoice
            using errcode = 'check_violation';
    end if;
    if exists (
        select from reversals r
        left join transactions t on t.tenant_id = r.tenant_id and t.id = r.payment_id
            and t.invoice_id = r.invoice_id and t.payment_type = 'PAYMENT' and t.status = 'SETTLED'
        where r.tenant_id = tenant and r.invoice_id = invoice
        group by r.payment_id
        having sum(r.amount - r.returned + r.to_balance) > coalesce(min(t.amount), -1))
    then
        raise exception 'tallystick: the reversals of a payment of invoice % exceed it', invoice
            using errcode = 'check_violation';
    end if;
end $$;

create function check_reversal() returns trigger language plpgsql as $$
begin
    perform check_reversed(new.tenant_id, new.invoice_id);
    return null;
end $$;
create constraint trigger reversals_are_within_their_payment after insert or update on reversals
    deferrable initially deferred for each row execute function check_reversal();

create function check_reversed_invoice() returns trigger language plpgsql as $$
begin
    perform check_reversed(new.tenant_id, new.id);
    return null;
end $$;
create constraint trigger reversed_is_of_reversals after update on invoices
    deferrable initially deferred for each row when (old.reversed <> new.reversed)
    execute function check_reversed_invoice();
create constraint trigger new_invoice_has_no_reversal after insert on invoices
    deferrable initially deferred for each row when (new.reversed <> 0)
    execute function check_reversed_invoice();

-- The test bank takes money back, too, and tells of it until it hears that it was recorded.
alter table sandbox.intents
    add column reversed bigint not null default 0,
    add constraint no_more_is_taken_back check (reversed >= 0 and refunded + reversed <= amount),
    add constraint what_was_taken_is_taken_back check (reversed = 0 or state = 'SUCCEEDED');

create table sandbox.reversals (
    tenant_id uuid not null,
    id text not null,
    reference text not null,
    kind text not null check (kind in ('REFUND', 'DISPUTE', 'CHARGEBACK')),
    amount bigint not null check (amount > 0),
    returned bigint not null default 0 check (returned in (0, amount)),
    reason text,
    told_at timestamptz,                    -- when the caller was last told how it stands
    acknowledged_at timestamptz,            -- when the caller had recorded how it stands
    stands_since timestamptz not null default now(),
    primary key (tenant_id, id),
    foreign key (tenant_id, reference) references sandbox.intents (tenant_id, reference),
    check (returned = 0 or kind = 'DISPUTE')
);
create unique index one_open_dispute on sandbox.reversals (tenant_id, reference)
    where kind = 'DISPUTE' and returned = 0;
create index reversals_of_intent on sandbox.reversals (tenant_id, reference);
create index reversals_to_tell on sandbox.reversals (told_at nulls first, stands_since)
    where acknowledged_at is null;

alter table sandbox.movements drop constraint movements_kind_check;
alter table sandbox.movements add constraint movements_kind_check check (
    kind in ('CHARGE', 'REFUND', 'REVERSAL', 'REINSTATEMENT'));
