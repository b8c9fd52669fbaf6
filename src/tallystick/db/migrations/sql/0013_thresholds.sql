-- Usage that is billed when it reaches a threshold, and minimum commitments.

-- Customers of whom something has changed that may reach a threshold: written with its cause, one row
-- each time, and deleted by whoever looks, in the transaction in which they look. There is no foreign
-- key to customers: it would lock a customer's row in every call of ingestion, and the statement that
-- writes a mark selects it from subscriptions.
create table usage_marks (
    tenant_id uuid not null,
    id bigint generated always as identity,
    customer_id uuid not null,
    marked_on timestamptz not null default clock_timestamp(),
    error text,                             -- set aside: why the customer cannot be looked at
    tried_at timestamptz,
    primary key (tenant_id, id),
    check (error is null or tried_at is not null)
);
create index usage_marks_of_customer on usage_marks (tenant_id, customer_id);

create index subscriptions_with_threshold on subscriptions (tenant_id, customer_id)
    where invoice_threshold is not null and status not in ('CANCELLED', 'COMPLETED', 'SUPERSEDED');
-- What has been used by now may have reached a threshold already.
insert into usage_marks (tenant_id, customer_id)
select distinct tenant_id, customer_id from subscriptions
where invoice_threshold is not null and status not in ('CANCELLED', 'COMPLETED', 'SUPERSEDED');

create index threshold_invoices on invoices (tenant_id, subscription_id, invoice_date)
    where invoice_type = 'USAGE_THRESHOLD';
alter table invoices add constraint threshold_of_subscription
    check (invoice_type <> 'USAGE_THRESHOLD' or (subscription_id is not null and total >= 0));

-- What a coupon gave on threshold invoices of the period that began on that day.
alter table coupon_redemptions
    add column ahead_amount bigint not null default 0,
    add column ahead_since date,
    add constraint ahead_of_a_period check (ahead_amount >= 0
        and (ahead_amount = 0 or ahead_since is not null));

-- What each period costs at least: {amount, product_ids}.
alter table plan_versions add column minimum jsonb
    constraint minimum_is_an_amount check ((minimum ->> 'amount')::numeric > 0);
alter table subscriptions add column minimum jsonb
    constraint minimum_is_an_amount check ((minimum ->> 'amount')::numeric > 0);
