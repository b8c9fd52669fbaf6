-- What providers have yet to be told: methods that were removed, and customers whose name or address changed.
-- All instants here are real time; what is due is found by its column, whoever has caused it.

-- A method that was removed is let go by its provider; one that the provider has let go itself is already.
alter table payment_methods
    add column forget_at timestamptz,       -- when the provider is asked next
    add column forget_tries integer not null default 0,
    add column forgotten_at timestamptz;    -- it keeps the method no more
update payment_methods set forget_at = clock_timestamp() where archived_at is not null;
alter table payment_methods
    add constraint removed_methods_are_forgotten check (
        (archived_at is not null) = (num_nonnulls(forget_at, forgotten_at) = 1)
        and num_nonnulls(forget_at, forgotten_at) < 2);
create index methods_to_forget on payment_methods (forget_at) where forget_at is not null;

create function forget_removed_method() returns trigger language plpgsql as $$
begin
    if new.forgotten_at is null then
        new.forget_at := coalesce(new.forget_at, clock_timestamp());
    end if;
    return new;
end $$;
create trigger removed_is_forgotten before insert or update of archived_at on payment_methods
    for each row when (new.archived_at is not null) execute function forget_removed_method();

-- A removed method is nobody's own: what had it is charged to its customer's newest.
update subscriptions s set payment_method_id = null
from payment_methods m
where m.tenant_id = s.tenant_id and m.id = s.payment_method_id and m.archived_at is not null;

-- What an account was told of a customer last, which is unknown of those that it was told of before.
alter table provider_customers
    add column told_name text,
    add column told_email text,
    add column version integer not null default 0,          -- how often what it is told has changed
    add column tell_at timestamptz default clock_timestamp(),   -- when it is told next; null: it knows
    add column tell_tries integer not null default 0,
    add constraint told_or_to_tell check (told_name is not null or tell_at is not null);
create index provider_customers_to_tell on provider_customers (tell_at) where tell_at is not null;
create index provider_customers_of_customer on provider_customers (tenant_id, customer_id);

-- One that is being told meanwhile is told again afterwards, so that two calls do not overtake each other.
create function tell_providers() returns trigger language plpgsql as $$
begin
    update provider_customers
    set version = version + 1, tell_tries = 0, tell_at = coalesce(tell_at, clock_timestamp())
    where tenant_id = new.tenant_id and customer_id = new.id;
    return null;
end $$;
create trigger providers_are_told after update of name, billing_email on customers
    for each row when ((old.name, old.billing_email) is distinct from (new.name, new.billing_email))
    execute function tell_providers();

-- The test bank notes what it was asked to let go.
alter table sandbox.methods add column forgotten_at timestamptz;
