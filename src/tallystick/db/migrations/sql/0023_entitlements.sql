-- Features, and what is granted of them by default, by versions of plans, by add-ons and to single
-- subscriptions.

create table features (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    product_id uuid,                        -- null: it belongs to no product
    code text not null check (length(code) between 1 and 255),
    name text not null check (name <> ''),
    description text,
    feature_type text not null check (feature_type in ('BOOLEAN', 'METERED', 'CONFIG')),
    metric_id uuid,
    value_type text check (value_type in ('NUMBER', 'BOOLEAN', 'TEXT', 'MAP', 'JSON', 'SELECT')),
    options text[] not null default '{}',   -- what a SELECT chooses from
    archived_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, id, feature_type),
    constraint feature_code unique (tenant_id, code),
    foreign key (tenant_id, product_id) references products (tenant_id, id),
    foreign key (tenant_id, metric_id) references metrics (tenant_id, id),
    constraint metered_by_a_metric check ((feature_type = 'METERED') = (metric_id is not null)),
    constraint setting_has_a_type check ((feature_type = 'CONFIG') = (value_type is not null)),
    constraint selected_from_options
        check ((coalesce(value_type, '') = 'SELECT') = (cardinality(options) > 0))
);
create index features_by_created on features (tenant_id, created_at, id);
create index features_by_name on features (tenant_id, lower(name), id);
create index features_of_product on features (tenant_id, product_id, created_at);

create trigger feature_is_fixed before update on features for each row
    when ((old.tenant_id, old.id, old.product_id, old.code, old.feature_type, old.metric_id,
           old.value_type, old.options, old.created_at)
          is distinct from
          (new.tenant_id, new.id, new.product_id, new.code, new.feature_type, new.metric_id,
           new.value_type, new.options, new.created_at))
    execute function refuse_change('it is made, but for its name, description and archive');

-- One value of a feature for each thing that it is attached to; attached to nothing, it is the
-- feature's default. The type is the feature's, held by the foreign key.
create table entitlements (
    tenant_id uuid not null,
    id uuid not null,
    feature_id uuid not null,
    feature_type text not null,
    plan_version_id uuid,
    add_on_id uuid,
    subscription_id uuid,
    value jsonb not null,                   -- the frozen domain value
    position integer not null default 0,    -- among those of one request
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    constraint one_value_each unique nulls not distinct
        (tenant_id, feature_id, plan_version_id, add_on_id, subscription_id),
    foreign key (tenant_id, feature_id, feature_type)
        references features (tenant_id, id, feature_type),
    foreign key (tenant_id, plan_version_id) references plan_versions (tenant_id, id),
    foreign key (tenant_id, add_on_id) references add_ons (tenant_id, id),
    foreign key (tenant_id, subscription_id) references subscriptions (tenant_id, id),
    constraint value_of_its_type check (value ->> 'type' = feature_type),
    constraint attached_to_one_thing
        check (num_nonnulls(plan_version_id, add_on_id, subscription_id) <= 1)
);
create index entitlements_of_version on entitlements (tenant_id, plan_version_id)
    where plan_version_id is not null;
create index entitlements_of_add_on on entitlements (tenant_id, add_on_id)
    where add_on_id is not null;
create index entitlements_of_subscription on entitlements (tenant_id, subscription_id)
    where subscription_id is not null;

create trigger entitlement_stays_attached before update on entitlements for each row
    when ((old.tenant_id, old.id, old.feature_id, old.plan_version_id, old.add_on_id,
           old.subscription_id, old.position, old.created_at)
          is distinct from
          (new.tenant_id, new.id, new.feature_id, new.plan_version_id, new.add_on_id,
           new.subscription_id, new.position, new.created_at))
    execute function refuse_change('it is attached, but for its value');
