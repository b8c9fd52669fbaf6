-- Changes at the end of a period: what is scheduled, and from where periods of another length count.

create table scheduled_changes (
    tenant_id uuid not null,
    subscription_id uuid not null,
    kind text not null check (kind in ('PLAN', 'AMENDMENT')),
    effective_on date not null,
    change jsonb not null,                  -- the frozen domain value
    primary key (tenant_id, subscription_id),
    foreign key (tenant_id, subscription_id) references subscriptions (tenant_id, id),
    constraint change_is_its_kind check (
        change ->> 'type' = kind and (change ->> 'effective_on')::date = effective_on)
);

alter table subscriptions
    add column counted_from date,
    add constraint counted_from_a_billed_day
        check (counted_from is null or counted_from > billing_start_date);
