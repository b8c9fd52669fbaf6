-- Trials that are charged before they go on, and subscriptions that a checkout activates.

-- While somebody is being asked for its money, no step of it is taken, and it is not cancelled.
alter table subscriptions
    add column is_being_paid boolean not null default false,
    add column awaits_checkout boolean not null default false,
    drop constraint subscriptions_activation_check,
    add constraint subscriptions_activation_check
        check (activation in ('CHECKOUT', 'ON_START', 'ON_CHECKOUT', 'MANUAL')),
    add constraint awaits_its_checkout check (not awaits_checkout
        or (activation = 'ON_CHECKOUT' and checkout_session_id is not null));

-- A draft that is charged first is final once it is paid, and its subscription active.
alter table invoices
    add column charged_first boolean not null default false,
    add constraint charged_first_is_draft check (not charged_first
        or (status = 'DRAFT' and subscription_id is not null and finalize_at is null));

do $$
declare
    old text;
begin
    select conname into strict old from pg_constraint
    where conrelid = 'invoices'::regclass and contype = 'c'
      and pg_get_constraintdef(oid) like '%collect_at IS NULL%';
    execute format('alter table invoices drop constraint %I', old);
end $$;
alter table invoices add constraint collected_when_final
    check (collect_at is null or status = 'FINALIZED' or charged_first);
create unique index one_draft_charged_first on invoices (tenant_id, subscription_id)
    where charged_first;

-- A try at such a draft owns the balance that it holds; the draft may be dropped after it failed.
alter table collections
    add column activates uuid,              -- the subscription that its success makes active
    add column balance_held bigint not null default 0 check (balance_held >= 0),
    add foreign key (tenant_id, activates) references subscriptions (tenant_id, id),
    alter column invoice_id drop not null,
    add constraint keeps_its_invoice check (invoice_id is not null or state = 'FAILED'),
    add constraint holds_to_activate check (balance_held = 0 or activates is not null),
    drop constraint collections_tenant_id_invoice_id_fkey,
    add constraint collections_tenant_id_invoice_id_fkey
        foreign key (tenant_id, invoice_id) references invoices (tenant_id, id)
        on delete set null (invoice_id);
