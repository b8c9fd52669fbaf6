-- Changes at the end of a period: what is scheduled, and from where periods of another length count.
-- Changes by a checkout.

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

-- A session that changes the plan of a subscription, and the components whose slots it names.
alter table checkout_sessions
    add column changes uuid,
    add column chosen_slots uuid[],
    add foreign key (tenant_id, changes) references subscriptions (tenant_id, id),
    add constraint changes_a_plan check (
        (checkout_type = 'PLAN_CHANGE') = (changes is not null)
        and (changes is null) = (chosen_slots is null));
