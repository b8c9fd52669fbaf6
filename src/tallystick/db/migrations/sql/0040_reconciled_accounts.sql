-- How far accounts are reconciled; what follows where a trial's end cannot be charged; lists of one customer.

-- The draft of a trial's end has a policy to come, too, once its last try has failed. Nothing was billed,
-- so it suspends nothing.
alter table invoices
    drop constraint only_final_ones_suspend,
    add constraint only_final_ones_suspend check (
        status <> 'DRAFT' or ((policy_at is null or charged_first) and not suspends));

-- How far what an account took was compared with the books. A connection that is made anew, or twice, to the
-- same account of a tenant goes on where the other one stands; the test bank has one account for each tenant.
create table reconciled_accounts (
    tenant_id uuid not null references tenants (id),
    provider text not null check (length(provider) between 1 and 255),
    account text not null check (length(account) <= 255),
    is_live boolean not null,
    reconciled_until timestamptz not null,  -- real time, like all of these
    piece_until timestamptz,                -- what is being compared ends there
    piece_mark text check (length(piece_mark) <= 1000),     -- the provider's, of the page before
    compared_at timestamptz,                -- when a page was last compared
    check_at timestamptz default now(),     -- when it goes on; null: it was closed long ago
    refused_at timestamptz,                 -- since when the provider does not let us look
    refusal text,
    primary key (tenant_id, provider, account, is_live),
    check (piece_until > reconciled_until),
    check (piece_mark is null or piece_until is not null),
    check ((refused_at is null) = (refusal is null))
);
create index accounts_to_reconcile on reconciled_accounts (check_at);
create index charges_by_time on sandbox.movements (tenant_id, created_at) where kind = 'CHARGE';

-- Lists of one customer: what is listed and counted is in the index, and so are the drafts that are not.
drop index invoices_of_customer;
create index invoices_of_customer on invoices (tenant_id, customer_id, invoice_date, id)
    include (status, finalize_at);
drop index drafts_of_nothing;
create index drafts_of_nothing on invoices (tenant_id, customer_id, id)
    where status = 'DRAFT' and finalize_at is not null and subtotal = 0 and total = 0;

-- Revoked tokens are found by themselves, and forgotten when their time is over.
drop index revoked_tokens_of_customer;
