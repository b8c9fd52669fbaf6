-- The life of a subscription after its purchase: what is due next, and drafts that wait.

alter table subscriptions
    add column next_step_on date,           -- the tenant's day of the next step; null: none
    add column cancelled_on date,           -- a cancellation takes effect on this day
    add column billing_error text,          -- set aside: why its next step cannot be taken
    add column billing_tried_at timestamptz,
    add check (billing_error is null or billing_tried_at is not null);

update subscriptions set next_step_on = case
    when status = 'PENDING_ACTIVATION' then start_date
    when status = 'TRIAL_ACTIVE' and trial_is_free then trial_end
    when status = 'TRIAL_ACTIVE' then least(trial_end, current_period_end)
    when status in ('ACTIVE', 'SUSPENDED') then current_period_end
end;

create index subscriptions_due on subscriptions (tenant_id, next_step_on, id)
    where next_step_on is not null and billing_error is null;
create index subscriptions_set_aside on subscriptions (tenant_id, billing_tried_at)
    where billing_error is not null;

-- A draft that goes on by itself is finalized at this instant of business time.
alter table invoices
    add column finalize_at timestamptz check (finalize_at is null or status = 'DRAFT'),
    add column billing_error text,          -- set aside: why it cannot be finalized
    add column billing_tried_at timestamptz,
    add check (billing_error is null or (status = 'DRAFT' and billing_tried_at is not null));
create index drafts_due on invoices (tenant_id, finalize_at)
    where finalize_at is not null and billing_error is null;
create index drafts_set_aside on invoices (tenant_id, billing_tried_at)
    where billing_error is not null;

-- Collecting invoices from saved payment methods: claim, charge, record, as at the checkout.

alter table invoices
    add column collect_at timestamptz,      -- business time of the next try; null: not by itself
    add column collection_failures integer not null default 0 check (collection_failures >= 0),
    add check (collect_at is null or status = 'FINALIZED');
create index invoices_to_collect on invoices (tenant_id, collect_at) where collect_at is not null;

create table collections (
    tenant_id uuid not null,
    id uuid not null,
    invoice_id uuid not null,
    customer_id uuid not null,
    payment_method_id uuid not null,
    transaction_id uuid not null,           -- made when the money comes, or is promised
    provider text not null,
    reference text,
    method jsonb not null,
    amount bigint not null check (amount > 0),
    currency currency_code not null,
    state text not null default 'LIVE' check (state in ('LIVE', 'SUCCEEDED', 'FAILED')),
    failure text,
    check_at timestamptz,                   -- real time: when the sweeper takes it up
    claimed_at timestamptz not null,        -- business time
    claimed_on timestamptz not null default clock_timestamp(),
    recorded_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, invoice_id) references invoices (tenant_id, id),
    foreign key (tenant_id, customer_id) references customers (tenant_id, id),
    foreign key (tenant_id, payment_method_id) references payment_methods (tenant_id, id),
    check ((state = 'LIVE') = (recorded_at is null)),
    check ((state = 'LIVE') = (check_at is not null)),
    check ((state = 'FAILED') = (failure is not null))
);
create unique index one_live_collection on collections (tenant_id, invoice_id) where state = 'LIVE';
create unique index collection_reference on collections (tenant_id, provider, reference)
    where reference is not null;
create index collections_to_sweep on collections (check_at) where state = 'LIVE';

alter table transactions
    add column collection_id uuid,
    add foreign key (tenant_id, collection_id) references collections (tenant_id, id),
    add check (num_nonnulls(attempt_id, collection_id) <= 1);
create unique index one_transaction_per_collection on transactions (tenant_id, collection_id)
    where collection_id is not null;

-- What a draft that bills usage is made of: followed again before it is finalized.
alter table invoices add column recipe jsonb check (recipe is null or status = 'DRAFT');
