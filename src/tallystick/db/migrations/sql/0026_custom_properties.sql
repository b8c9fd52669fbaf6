-- Custom properties: what merchants keep with their objects, each value held to its definition.

create table custom_property_definitions (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    entity_type text not null
        check (entity_type in ('CUSTOMER', 'SUBSCRIPTION', 'INVOICE', 'CREDIT_NOTE', 'QUOTE')),
    key text not null check (key ~ '^[A-Za-z0-9_]{1,64}$'),
    name text not null check (length(name) between 1 and 255),
    description text,
    property_type text not null check (property_type in (
        'TEXT', 'NUMBER', 'BOOLEAN', 'DATE', 'DATETIME', 'SINGLE_SELECT', 'MULTI_SELECT', 'JSON', 'URL',
        'EMAIL')),
    config jsonb not null check (jsonb_typeof(config) = 'object'),
    required boolean not null,
    default_value jsonb check (jsonb_typeof(default_value) <> 'null'),
    display_order integer not null,
    archived_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    constraint select_has_options check (
        property_type not in ('SINGLE_SELECT', 'MULTI_SELECT')
        or jsonb_array_length(config -> 'options') > 0)
);
create unique index custom_property_key on custom_property_definitions (tenant_id, entity_type, key)
    where archived_at is null;
create index custom_properties_in_order on custom_property_definitions (tenant_id, display_order, id);

alter table customers add constraint properties_are_an_object
    check (jsonb_typeof(custom_properties) = 'object');
alter table subscriptions add constraint properties_are_an_object
    check (jsonb_typeof(custom_properties) = 'object');
alter table invoices add constraint properties_are_an_object
    check (jsonb_typeof(custom_properties) = 'object');
alter table credit_notes add constraint properties_are_an_object
    check (jsonb_typeof(custom_properties) = 'object');

-- What billing makes by itself begins with the defaults of its properties, whichever statement writes it.
create function fill_in_property_defaults() returns trigger language plpgsql as $$
begin
    select coalesce(jsonb_object_agg(d.key, d.default_value), '{}') || new.custom_properties
    into new.custom_properties
    from custom_property_definitions d
    where d.tenant_id = new.tenant_id and d.entity_type = tg_argv[0]
      and d.archived_at is null and d.default_value is not null;
    return new;
end $$;
create trigger property_defaults before insert on subscriptions
    for each row execute function fill_in_property_defaults('SUBSCRIPTION');
create trigger property_defaults before insert on invoices
    for each row execute function fill_in_property_defaults('INVOICE');
create trigger property_defaults before insert on credit_notes
    for each row execute function fill_in_property_defaults('CREDIT_NOTE');

-- Archived customers have nothing that goes on.
create function check_archived_customer() returns trigger language plpgsql as $$
begin
    if exists (
        select from subscriptions s
        where s.tenant_id = new.tenant_id and s.customer_id = new.id
          and s.status not in ('CANCELLED', 'COMPLETED', 'SUPERSEDED')
          -- A trial that has ended goes on once its first invoice is paid, which is tried for days.
          and (s.status <> 'TRIAL_EXPIRED' or exists (
              select from invoices i where i.tenant_id = s.tenant_id
                and i.subscription_id = s.id and i.charged_first)))
    then
        raise exception 'tallystick: customer % is archived and has a live subscription', new.id
            using errcode = 'check_violation';
    end if;
    return null;
end $$;
create constraint trigger archived_has_nothing_live after update of archived_at on customers
    deferrable initially deferred for each row
    when (old.archived_at is null and new.archived_at is not null)
    execute function check_archived_customer();

create index customers_archived on customers (tenant_id, created_at, id) where archived_at is not null;
