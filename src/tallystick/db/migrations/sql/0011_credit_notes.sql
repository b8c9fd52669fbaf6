-- Credit notes: what of a final invoice is taken back, and the refunds that they ask for.

-- What debt cancellations took off what is due.
alter table invoices add column cancelled bigint not null default 0 check (cancelled >= 0);
do $$
declare
    adds_up text;
begin
    select conname into strict adds_up from pg_constraint
    where conrelid = 'invoices'::regclass and contype = 'c'
      and pg_get_constraintdef(oid) like '%amount_due = (%settled%';
    execute format('alter table invoices drop constraint %I', adds_up);
end $$;
alter table invoices add constraint invoice_due_adds_up check (
    status = 'VOID' or amount_due = total - applied_balance - written_off - cancelled - settled);

create table credit_note_counters (
    tenant_id uuid not null,
    invoicing_entity_id uuid not null,
    last_number bigint not null,
    primary key (tenant_id, invoicing_entity_id),
    foreign key (tenant_id, invoicing_entity_id) references invoicing_entities (tenant_id, id)
);

create table credit_notes (
    tenant_id uuid not null,
    id uuid not null,
    invoice_id uuid not null,
    customer_id uuid not null,
    invoicing_entity_id uuid not null,
    credit_type text not null
        check (credit_type in ('CREDIT_TO_BALANCE', 'REFUND', 'DEBT_CANCELLATION')),
    status text not null check (status in ('DRAFT', 'FINALIZED', 'VOIDED')),
    number bigint,
    credit_note_number text,
    currency currency_code not null,
    subtotal bigint not null,               -- above zero: in the customer's favour
    discount bigint not null,
    tax_amount bigint not null,
    total bigint not null check (total > 0),
    from_balance bigint not null check (from_balance >= 0),     -- the balance had paid it
    from_payments bigint not null check (from_payments >= 0),   -- payments had paid it
    tax_breakdown jsonb not null,
    reason text,
    memo text,
    custom_properties jsonb not null default '{}',
    created_at timestamptz not null,
    finalized_at timestamptz,
    voided_at timestamptz,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, invoice_id) references invoices (tenant_id, id),
    foreign key (tenant_id, customer_id) references customers (tenant_id, id),
    foreign key (tenant_id, invoicing_entity_id) references invoicing_entities (tenant_id, id),
    check (subtotal - discount + tax_amount = total),
    check (from_balance + from_payments
           = case credit_type when 'DEBT_CANCELLATION' then 0 else total end),
    check (status <> 'DRAFT' or credit_type = 'REFUND'),
    check ((number is null) = (finalized_at is null)),
    check ((number is null) = (credit_note_number is null)),
    check (status <> 'DRAFT' or number is null),
    check (status <> 'FINALIZED' or number is not null),
    check ((status = 'VOIDED') = (voided_at is not null))
);
create unique index credit_note_number_once
    on credit_notes (tenant_id, invoicing_entity_id, number) where number is not null;
create index credit_notes_by_created on credit_notes (tenant_id, created_at, id);
create index credit_notes_by_number on credit_notes (tenant_id, number, id);
create index credit_notes_by_total on credit_notes (tenant_id, total, id);
create index credit_notes_by_status on credit_notes (tenant_id, status, id);
create index credit_notes_of_invoice on credit_notes (tenant_id, invoice_id);
create index credit_notes_of_customer on credit_notes (tenant_id, customer_id, created_at, id);

create table credit_note_lines (
    tenant_id uuid not null,
    id uuid not null,
    credit_note_id uuid not null,
    invoice_line_id uuid not null,
    position integer not null,
    quantity numeric check (quantity > 0),  -- null: cut by amount, or all that was left
    amount bigint not null,
    discount bigint not null,
    tax bigint not null,
    amount_total bigint not null,
    taxes jsonb not null,
    primary key (tenant_id, id),
    unique (tenant_id, credit_note_id, invoice_line_id),
    foreign key (tenant_id, credit_note_id) references credit_notes (tenant_id, id)
        deferrable initially deferred,
    foreign key (tenant_id, invoice_line_id) references invoice_lines (tenant_id, id),
    check (amount - discount + tax = amount_total)
);
create index credits_of_line on credit_note_lines (tenant_id, invoice_line_id);

-- Money on its way back: asked of the provider under its id, until there is an answer.
create table refunds (
    tenant_id uuid not null,
    id uuid not null,
    customer_id uuid not null,
    credit_note_id uuid,                    -- of a note, and of the payment that it refunds;
    payment_id uuid,
    collection_id uuid,                     -- or of a try whose money came when nobody owed it
    provider text not null,
    reference text not null,
    amount bigint not null check (amount > 0),
    currency currency_code not null,
    state text not null default 'LIVE' check (state in ('LIVE', 'SUCCEEDED', 'FAILED')),
    failure text,
    check_at timestamptz,                   -- real time: when the sweeper takes it up
    claimed_at timestamptz not null,        -- business time
    claimed_on timestamptz not null default clock_timestamp(),
    recorded_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, customer_id) references customers (tenant_id, id),
    foreign key (tenant_id, credit_note_id) references credit_notes (tenant_id, id),
    foreign key (tenant_id, payment_id) references transactions (tenant_id, id),
    foreign key (tenant_id, collection_id) references collections (tenant_id, id),
    check (num_nonnulls(credit_note_id, collection_id) = 1),
    check ((credit_note_id is null) = (payment_id is null)),
    check ((state = 'LIVE') = (recorded_at is null)),
    check ((state = 'LIVE') = (check_at is not null)),
    check ((state = 'FAILED') = (failure is not null))
);
create unique index one_refund_per_note on refunds (tenant_id, credit_note_id)
    where credit_note_id is not null;
create unique index one_refund_per_collection on refunds (tenant_id, collection_id)
    where collection_id is not null;
create index refunds_of_payment on refunds (tenant_id, payment_id);
create index refunds_of_reference on refunds (tenant_id, provider, reference);
create index refunds_to_sweep on refunds (check_at) where state = 'LIVE';

alter table transactions
    add column parent_id uuid,              -- of a refund: the payment
    add column credit_note_id uuid,
    add column refund_mode text check (refund_mode in ('ONLINE', 'OFFLINE')),
    add foreign key (tenant_id, parent_id) references transactions (tenant_id, id),
    add foreign key (tenant_id, credit_note_id) references credit_notes (tenant_id, id),
    add check ((payment_type = 'REFUND') = (parent_id is not null)),
    add check ((payment_type = 'REFUND') = (refund_mode is not null));
create index refunds_of_transaction on transactions (tenant_id, parent_id)
    where parent_id is not null;
create unique index one_transaction_per_note on transactions (tenant_id, credit_note_id)
    where credit_note_id is not null;

alter table balance_entries
    add column credit_note_id uuid,
    add foreign key (tenant_id, credit_note_id) references credit_notes (tenant_id, id);
create index balance_entries_of_note on balance_entries (tenant_id, credit_note_id)
    where credit_note_id is not null;

-- A note is fixed when it is written, refund under way or not; what changes is how far it is.
create trigger credit_note_is_fixed before update on credit_notes
    for each row when (
        (old.tenant_id, old.id, old.invoice_id, old.customer_id, old.invoicing_entity_id,
         old.credit_type, old.currency, old.subtotal, old.discount, old.tax_amount, old.total,
         old.from_balance, old.from_payments, old.tax_breakdown, old.reason, old.memo,
         old.created_at)
        is distinct from
        (new.tenant_id, new.id, new.invoice_id, new.customer_id, new.invoicing_entity_id,
         new.credit_type, new.currency, new.subtotal, new.discount, new.tax_amount, new.total,
         new.from_balance, new.from_payments, new.tax_breakdown, new.reason, new.memo,
         new.created_at)
        or old.number is not null
           and (old.number, old.credit_note_number, old.finalized_at)
               is distinct from (new.number, new.credit_note_number, new.finalized_at)
        or old.status = 'FINALIZED' and new.status = 'DRAFT'
        or old.status = 'VOIDED' and new.status <> 'VOIDED')
    execute function refuse_change('written');
create trigger credit_note_is_kept before delete on credit_notes
    for each row execute function refuse_change('written');
create trigger credit_note_line_is_fixed before update or delete on credit_note_lines
    for each row execute function refuse_change('written');

-- Lines go before their note, so that none can join one that stands.
create function refuse_line_of_note() returns trigger language plpgsql as $$
begin
    if exists (select from credit_notes
               where tenant_id = new.tenant_id and id = new.credit_note_id)
    then
        raise exception 'tallystick: no line joins a credit note that stands'
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end $$;
create trigger credit_note_line_comes_first before insert on credit_note_lines
    for each row execute function refuse_line_of_note();

-- The notes of an invoice never exceed it, nor any of its lines, nor what was paid: checked when the
-- transaction commits, with the invoice locked, so that two notes cannot pass each other.
create function check_credit_note() returns trigger language plpgsql as $$
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
           coalesce(sum(total) filter (where credit_type = 'DEBT_CANCELLATION'), 0) as cancelled
    into taken from credit_notes
    where tenant_id = new.tenant_id and invoice_id = new.invoice_id and status <> 'VOIDED';
    if taken.total > billed.total or taken.cancelled <> billed.cancelled
       or taken.from_balance > billed.applied_balance
       or taken.from_payments > billed.total - billed.applied_balance
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
create constraint trigger credit_notes_are_within_their_invoice
    after insert or update of status on credit_notes
    deferrable initially deferred for each row execute function check_credit_note();

-- No more goes back than a payment was.
create function check_refund() returns trigger language plpgsql as $$
declare
    paid bigint;
begin
    select amount into paid from transactions
    where tenant_id = new.tenant_id and id = new.payment_id for no key update;
    if paid < (select sum(amount) from refunds
               where tenant_id = new.tenant_id and payment_id = new.payment_id
                 and state <> 'FAILED')
    then
        raise exception 'tallystick: the refunds of payment % exceed it', new.payment_id
            using errcode = 'check_violation';
    end if;
    return null;
end $$;
create trigger refunds_are_within_their_payment
    after insert or update of amount, state, payment_id on refunds
    for each row when (new.payment_id is not null) execute function check_refund();
