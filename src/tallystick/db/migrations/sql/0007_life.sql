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
alter table invoices add column finalize_at timestamptz check (finalize_at is null or status = 'DRAFT');
create index drafts_due on invoices (tenant_id, finalize_at) where finalize_at is not null;
