-- After the sale: what follows the last try, invoices that are given up, reminders, expiring cards.

-- What becomes of a subscription whose invoice could not be collected.
alter table invoicing_entities
    add column dunning_policy text not null default 'LEAVE'
        check (dunning_policy in ('LEAVE', 'SUSPEND', 'CANCEL')),
    add column dunning_marks_uncollectible boolean not null default false;

alter table invoices
    add column policy_at timestamptz,       -- business time: the last try has failed, decide then
    add column suspends boolean not null default false,     -- what it owes suspends its subscription
    add column marked_as_uncollectible_at timestamptz,      -- kept where it was paid after all
    add constraint given_up_while_due check (status <> 'UNCOLLECTIBLE'
        or (marked_as_uncollectible_at is not null and amount_due > 0)),
    add constraint only_final_ones_are_given_up check (
        status <> 'DRAFT' or marked_as_uncollectible_at is null),
    add constraint only_final_ones_suspend check (
        status <> 'DRAFT' or (policy_at is null and not suspends)),
    drop constraint collected_when_final,
    add constraint collected_when_final check (
        collect_at is null or status in ('FINALIZED', 'UNCOLLECTIBLE') or charged_first);
create index invoices_with_policy on invoices (tenant_id, policy_at) where policy_at is not null;
create index invoices_that_suspend on invoices (tenant_id, subscription_id) where suspends;

-- The first day on which a card cannot be charged any more.
alter table payment_methods
    add column expires_on date generated always as (
        case when card_expiry ~ '^(0[1-9]|1[0-2])/[0-9]{4}$'
             then (make_date(substr(card_expiry, 4)::integer, substr(card_expiry, 1, 2)::integer, 1)
                   + interval '1 month')::date end) stored,
    add column expiry_told_at timestamptz;  -- business time: its customer was told, or needed not be

-- A try that the buyer makes on the invoice's own page: with a method of its own, which is not kept.
alter table collections
    alter column payment_method_id drop not null,
    add column by_buyer boolean not null default false,
    add column return_url text,
    add column challenge_url text,
    add column consent jsonb,               -- the mandate that was agreed to, as it was worded
    add column payer bytea check (length(payer) = 32),      -- as of attempts at the checkout
    add constraint buyers_bring_their_method check (by_buyer = (payment_method_id is null)),
    add constraint only_buyers_are_asked check (
        by_buyer = (return_url is not null) and (by_buyer or (challenge_url is null and consent is null)));
create index tries_of_customer on collections (tenant_id, customer_id, claimed_on) where by_buyer;
create index tries_of_payer on collections (tenant_id, payer, claimed_on) where payer is not null;
create index tries_of_invoice on collections (tenant_id, invoice_id, claimed_on) where by_buyer;

create index cards_that_expire on payment_methods (tenant_id, expires_on)
    where expiry_told_at is null and archived_at is null and expires_on is not null;

-- When customers are reminded, in days; what a reminder tells is an event, each once.
alter table tenants
    add column reminder_days_before integer not null default 3
        check (reminder_days_before between 0 and 90),
    add column reminder_days_after integer[] not null default '{1,7,14}',
    add column card_notice_days integer not null default 30 check (card_notice_days between 0 and 90);
alter table invoices
    add column reminders integer not null default 0 check (reminders >= 0);    -- dealt with so far
create index invoices_to_remind on invoices (tenant_id, reminders, due_date, id)
    where status = 'FINALIZED' and amount_due > 0 and collect_at is null
      and collection_failures = 0 and not awaits_person and payment_status <> 'PROCESSING';

-- Money that a provider took and nobody here knew of: found, and what became of it.
alter table tenants add column orphan_policy text not null default 'ATTACH_OR_REFUND'
    check (orphan_policy in ('ATTACH_OR_REFUND', 'REPORT'));
create table orphan_payments (
    tenant_id uuid not null,
    id uuid not null,
    provider text not null,
    reference text not null,
    customer_id uuid,                       -- as the provider says
    amount bigint not null check (amount > 0),
    currency currency_code not null,
    taken_at timestamptz not null,          -- real time, the provider's
    state text not null default 'FOUND' check (state in (
        'FOUND', 'ATTACHED', 'RETURNED', 'REFUNDING', 'REFUNDED', 'REFUSED')),
    failure text,
    found_at timestamptz not null,          -- business time
    primary key (tenant_id, id),
    check ((state = 'REFUSED') = (failure is not null))
);
create unique index orphan_once on orphan_payments (tenant_id, provider, reference);
create index orphans_open on orphan_payments (tenant_id, found_at) where state in ('FOUND', 'REFUNDING', 'REFUSED');

-- Methods that customers add: who tried, in real time, and when the provider is asked about one that nobody
-- came back to. What was left before is taken up now.
alter table method_setups
    add column payer bytea check (length(payer) = 32),
    add column claimed_on timestamptz not null default clock_timestamp(),
    add column check_at timestamptz;
update method_setups set check_at = now() where state = 'LIVE';
alter table method_setups
    alter column check_at set default clock_timestamp() + interval '30 minutes',
    add constraint live_setups_are_checked check (state <> 'LIVE' or check_at is not null);
create index method_setups_to_check on method_setups (check_at) where state = 'LIVE';
create index setups_of_customer on method_setups (tenant_id, customer_id, claimed_on);
create index setups_of_payer on method_setups (tenant_id, payer, claimed_on) where payer is not null;

-- Invoices whose day is over when reminders begin are told of no more: not of all days at once.
update invoices i set reminders = (
    select count(*) from tenants t,
        unnest(array_prepend(-t.reminder_days_before, t.reminder_days_after)) as o (days)
    where t.id = i.tenant_id and i.due_date + o.days <= (coalesce(t.clock, now()) at time zone t.time_zone)::date)
where i.status = 'FINALIZED' and i.amount_due > 0;
