-- The foundation: tenants, catalog, checkout, subscriptions, invoices, payments, events.
-- Every table is keyed by its tenant first, and every reference carries the tenant along, so that no
-- row can point into another tenant. Amounts are bigint in the currency's minor unit.

create domain currency_code as text check (value ~ '^[A-Z]{3}$');

-- Tenants and who may speak for them -------------------------------------------------------------

create table tenants (
    id uuid primary key,
    name text not null check (name <> ''),
    currency currency_code not null,
    is_test boolean not null,
    clock timestamptz,                      -- a frozen clock; null: real time
    time_zone text not null default 'UTC',
    places_per_plan integer not null default 1 check (places_per_plan between 1 and 1000),
    dunning_days integer[] not null default '{3,5,7}',
    link_secret bytea not null check (length(link_secret) = 32),
    created_at timestamptz not null default now(),
    check (is_test or clock is null)
);

create table api_keys (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    name text not null,
    hash bytea not null unique check (length(hash) = 32),
    hint text not null,                     -- the last characters, to tell keys apart in a list
    created_at timestamptz not null default now(),
    revoked_at timestamptz,
    primary key (tenant_id, id)
);

create table invoicing_entities (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    is_default boolean not null default false,
    legal_name text not null,
    address jsonb not null default '{}',    -- line1, line2, city, state, zip_code, country
    vat_number text,
    creditor_identifier text,
    logo_url text,
    brand_color text,
    email text,
    default_payment_config jsonb not null default '{"type": "online"}',
    tax_engine text not null default 'MANUAL' check (tax_engine in ('NONE', 'MANUAL', 'EU_VAT')),
    below_vat_threshold boolean not null default false,
    number_pattern text not null default 'INV-{number}'
        check (number_pattern like '%{number}%'),
    grace_period_hours integer not null default 12 check (grace_period_hours between 0 and 720),
    net_terms integer not null default 0 check (net_terms between 0 and 365),
    consolidate_recurring_invoices boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant_id, id)
);
create unique index one_default_entity on invoicing_entities (tenant_id) where is_default;

create table invoice_counters (
    tenant_id uuid not null,
    invoicing_entity_id uuid not null,
    last_number bigint not null default 0 check (last_number >= 0),
    primary key (tenant_id, invoicing_entity_id),
    foreign key (tenant_id, invoicing_entity_id) references invoicing_entities (tenant_id, id)
);

create table bank_accounts (
    tenant_id uuid not null,
    id uuid not null,
    invoicing_entity_id uuid not null,
    holder text not null,
    iban text,
    bic text,
    bank_name text,
    account_number text,
    currency currency_code,
    created_at timestamptz not null default now(),
    primary key (tenant_id, id),
    foreign key (tenant_id, invoicing_entity_id) references invoicing_entities (tenant_id, id)
);

-- Customers ---------------------------------------------------------------------------------------

create table customers (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    invoicing_entity_id uuid not null,
    alias text check (length(alias) between 1 and 255),
    name text not null,
    customer_type text not null default 'COMPANY' check (customer_type in ('COMPANY', 'INDIVIDUAL')),
    first_name text,
    last_name text,
    currency currency_code not null,
    billing_email text,
    invoicing_emails text[] not null default '{}',
    billing_address jsonb,
    shipping_address jsonb,
    phone text,
    vat_number text,
    legal_number text,
    buyer_reference text,
    is_tax_exempt boolean not null default false,
    exemption_reason text,
    custom_taxes jsonb not null default '[]',
    preferred_locales text[] not null default '{}',
    connected_account_id text,
    custom_properties jsonb not null default '{}',
    archived_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, invoicing_entity_id) references invoicing_entities (tenant_id, id)
);
create unique index customer_alias on customers (tenant_id, alias) where archived_at is null;
create index customers_by_created on customers (tenant_id, created_at, id);
create index customers_by_name on customers (tenant_id, lower(name), id);
create index customers_by_email on customers (tenant_id, billing_email, id);

create table customer_balances (
    tenant_id uuid not null,
    customer_id uuid not null,
    currency currency_code not null,
    balance bigint not null default 0 check (balance >= 0),
    held bigint not null default 0 check (held >= 0),
    check (held <= balance),
    primary key (tenant_id, customer_id, currency),
    foreign key (tenant_id, customer_id) references customers (tenant_id, id)
);

create table balance_entries (
    tenant_id uuid not null,
    id uuid not null,
    customer_id uuid not null,
    currency currency_code not null,
    amount bigint not null check (amount <> 0),  -- above zero adds to the balance
    balance_after bigint not null check (balance_after >= 0),
    reason text not null check (reason in ('MANUAL', 'INVOICE', 'VOID', 'CREDIT_NOTE', 'REFUND')),
    invoice_id uuid,
    note text,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, customer_id, currency)
        references customer_balances (tenant_id, customer_id, currency)
);
create index balance_entries_of_customer on balance_entries (tenant_id, customer_id, created_at);

-- Catalog -----------------------------------------------------------------------------------------

create table product_families (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    name text not null check (name <> ''),
    created_at timestamptz not null,
    primary key (tenant_id, id)
);
create index product_families_by_created on product_families (tenant_id, created_at, id);
create index product_families_by_name on product_families (tenant_id, lower(name), id);

create table metrics (
    tenant_id uuid not null,
    id uuid not null,
    product_family_id uuid not null,
    product_id uuid,
    code text not null check (code <> ''),
    name text not null check (name <> ''),
    description text,
    aggregation_type text not null,
    aggregation_key text,
    definition jsonb not null default '{}',  -- filters, segmentation matrix, unit conversion, group key
    archived_at timestamptz,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, product_family_id) references product_families (tenant_id, id)
);
create unique index metric_code on metrics (tenant_id, code) where archived_at is null;
create index metrics_by_name on metrics (tenant_id, lower(name), id);
create index metrics_by_created on metrics (tenant_id, created_at, id);

create table products (
    tenant_id uuid not null,
    id uuid not null,
    product_family_id uuid not null,
    name text not null check (name <> ''),
    description text,
    fee_type text not null
        check (fee_type in ('RATE', 'SLOT', 'CAPACITY', 'USAGE', 'EXTRA_RECURRING', 'ONE_TIME')),
    fee_structure jsonb not null,
    in_catalog boolean not null default true,
    taxes jsonb not null default '[]',       -- [{country, region, rate}]
    vat_class text not null default 'STANDARD'
        check (vat_class in ('STANDARD', 'REDUCED', 'REDUCED_ALT', 'ZERO')),
    archived_at timestamptz,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, product_family_id) references product_families (tenant_id, id),
    check (fee_structure ->> 'type' = fee_type)
);
alter table metrics add foreign key (tenant_id, product_id) references products (tenant_id, id);
create index products_by_name on products (tenant_id, lower(name), id);
create index products_by_created on products (tenant_id, created_at, id);

create table prices (
    tenant_id uuid not null,
    id uuid not null,
    product_id uuid not null,
    cadence text not null check (cadence in ('MONTHLY', 'QUARTERLY', 'SEMIANNUAL', 'ANNUAL')),
    currency currency_code not null,
    pricing jsonb not null,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, product_id) references products (tenant_id, id)
);
create index prices_of_product on prices (tenant_id, product_id, created_at);

create table plans (
    tenant_id uuid not null,
    id uuid not null,
    product_family_id uuid not null,
    name text not null check (name <> ''),
    description text,
    plan_type text not null check (plan_type in ('STANDARD', 'FREE', 'CUSTOM')),
    status text not null check (status in ('DRAFT', 'ACTIVE', 'INACTIVE', 'ARCHIVED')),
    self_service_rank integer,
    archived_at timestamptz,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, product_family_id) references product_families (tenant_id, id)
);
create index plans_by_created on plans (tenant_id, created_at, id);
create index plans_by_name on plans (tenant_id, lower(name), id);
create index plans_by_type on plans (tenant_id, plan_type, id);
create index plans_by_status on plans (tenant_id, status, id);

create table plan_versions (
    tenant_id uuid not null,
    id uuid not null,
    plan_id uuid not null,
    version integer not null check (version >= 1),
    currency currency_code not null,
    tax_inclusive boolean not null default false,
    net_terms integer check (net_terms between 0 and 365),  -- null: the invoicing entity's
    period_start_day integer check (period_start_day between 1 and 31),
    billing_cycles integer check (billing_cycles between 1 and 1200),
    trial_days integer check (trial_days between 0 and 730),
    trial_is_free boolean,
    trialing_plan_id uuid,
    published_at timestamptz,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, plan_id, version),
    foreign key (tenant_id, plan_id) references plans (tenant_id, id),
    foreign key (tenant_id, trialing_plan_id) references plans (tenant_id, id),
    check ((trial_days is null) = (trial_is_free is null))
);
create unique index one_draft_version on plan_versions (tenant_id, plan_id) where published_at is null;

create table plan_components (
    tenant_id uuid not null,
    id uuid not null,
    plan_version_id uuid not null,
    product_id uuid not null,
    name text not null check (name <> ''),
    position integer not null,
    primary key (tenant_id, id),
    unique (tenant_id, plan_version_id, position),
    foreign key (tenant_id, plan_version_id) references plan_versions (tenant_id, id),
    foreign key (tenant_id, product_id) references products (tenant_id, id)
);

create table plan_component_prices (
    tenant_id uuid not null,
    component_id uuid not null,
    price_id uuid not null,
    position integer not null,
    primary key (tenant_id, component_id, price_id),
    foreign key (tenant_id, component_id) references plan_components (tenant_id, id),
    foreign key (tenant_id, price_id) references prices (tenant_id, id)
);

create table add_ons (
    tenant_id uuid not null,
    id uuid not null,
    product_id uuid not null,
    price_id uuid not null,
    name text not null check (name <> ''),
    description text,
    self_serviceable boolean not null default false,
    max_instances_per_subscription integer check (max_instances_per_subscription >= 1),
    archived_at timestamptz,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, product_id) references products (tenant_id, id),
    foreign key (tenant_id, price_id) references prices (tenant_id, id)
);
create index add_ons_by_created on add_ons (tenant_id, created_at, id);
create index add_ons_by_name on add_ons (tenant_id, lower(name), id);

create table plan_add_ons (
    tenant_id uuid not null,
    plan_version_id uuid not null,
    add_on_id uuid not null,
    price_id uuid,
    max_instances integer check (max_instances >= 1),
    self_serviceable boolean,
    primary key (tenant_id, plan_version_id, add_on_id),
    foreign key (tenant_id, plan_version_id) references plan_versions (tenant_id, id),
    foreign key (tenant_id, add_on_id) references add_ons (tenant_id, id),
    foreign key (tenant_id, price_id) references prices (tenant_id, id)
);

create table coupons (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    code text not null check (code <> ''),
    description text,
    discount jsonb not null,
    expires_at timestamptz,
    redemption_limit integer check (redemption_limit >= 1),
    recurring_value integer check (recurring_value >= 1),
    reusable boolean not null default false,
    disabled boolean not null default false,
    taken integer not null default 0 check (taken >= 0),
    archived_at timestamptz,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    constraint redemptions_within_limit check (taken <= redemption_limit)
);
create unique index coupon_code on coupons (tenant_id, code) where archived_at is null;
create index coupons_by_code on coupons (tenant_id, code, id);
create index coupons_by_created on coupons (tenant_id, created_at, id);
create index coupons_by_expiry on coupons (tenant_id, expires_at, id);

create table coupon_plans (
    tenant_id uuid not null,
    coupon_id uuid not null,
    plan_id uuid not null,
    primary key (tenant_id, coupon_id, plan_id),
    foreign key (tenant_id, coupon_id) references coupons (tenant_id, id),
    foreign key (tenant_id, plan_id) references plans (tenant_id, id)
);

-- Checkout ----------------------------------------------------------------------------------------

create table checkout_sessions (
    tenant_id uuid not null,
    id uuid not null,
    customer_id uuid not null,
    plan_id uuid not null,
    plan_version_id uuid not null,
    checkout_type text not null default 'SELF_SERVE'
        check (checkout_type in ('SELF_SERVE', 'SUBSCRIPTION_ACTIVATION', 'PLAN_CHANGE')),
    state text not null default 'CREATED'
        check (state in ('CREATED', 'AWAITING_PAYMENT', 'COMPLETED', 'EXPIRED', 'CANCELLED')),
    ending_requested text check (ending_requested in ('CANCEL', 'EXPIRE')),
    request jsonb not null,                 -- what the merchant asked for, as it is returned
    offer jsonb not null,                   -- what was promised, resolved and frozen
    metadata jsonb,
    success_url text,
    cancel_url text,
    buyer_details jsonb,                    -- what the buyer typed; the customer's after the purchase
    page_coupon jsonb,                      -- the terms of the code typed on the page
    last_payment_error jsonb,
    quote_id text not null,                 -- as last quoted
    amount_total bigint not null,
    amount_due bigint not null,
    attempt_count integer not null default 0,
    subscription_id uuid,
    expires_at timestamptz,                 -- business time; null: never
    completed_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, customer_id) references customers (tenant_id, id),
    foreign key (tenant_id, plan_id) references plans (tenant_id, id),
    foreign key (tenant_id, plan_version_id) references plan_versions (tenant_id, id),
    check ((state = 'COMPLETED') = (subscription_id is not null)),
    check ((state = 'COMPLETED') = (completed_at is not null))
);
create unique index session_by_id on checkout_sessions (id);   -- a link names nothing else
create index sessions_by_created on checkout_sessions (tenant_id, created_at desc, id desc);
create index sessions_of_customer on checkout_sessions (tenant_id, customer_id, created_at desc);
create index sessions_by_state on checkout_sessions (tenant_id, state, created_at desc);
create index sessions_to_expire on checkout_sessions (tenant_id, expires_at)
    where state in ('CREATED', 'AWAITING_PAYMENT') and expires_at is not null;

create table payment_attempts (
    tenant_id uuid not null,
    id uuid not null,
    session_id uuid not null,
    customer_id uuid not null,
    kind text not null check (kind in ('PAYMENT', 'SETUP', 'NONE')),
    state text not null default 'LIVE' check (state in ('LIVE', 'SUCCEEDED', 'FAILED')),
    step text not null default 'CLAIMED'
        check (step in ('CLAIMED', 'OPENED', 'CHALLENGED', 'PENDING', 'RECORDED')),
    provider text,
    reference text,
    challenge_url text,
    obligation jsonb not null,              -- everything `record` needs: quote, offer, ids, buyer
    method jsonb,                           -- the provider's token and what may be shown of it
    amount bigint not null check (amount >= 0),
    currency currency_code not null,
    balance_held bigint not null default 0 check (balance_held >= 0),
    business_date date not null,
    subscription_id uuid not null,
    invoice_id uuid,
    transaction_id uuid,
    payment_method_id uuid,
    consent jsonb,
    failure jsonb,
    late_money text check (late_money in ('RECORDED', 'REFUNDING', 'REFUNDED')),
    check_at timestamptz,                   -- real time: when the sweeper takes it up
    challenge_until timestamptz,            -- real time: when an unanswered challenge is cancelled
    claimed_at timestamptz not null,        -- business time
    recorded_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, session_id) references checkout_sessions (tenant_id, id),
    foreign key (tenant_id, customer_id) references customers (tenant_id, id),
    check ((state = 'LIVE') = (recorded_at is null)),
    check ((state = 'LIVE') = (check_at is not null)),
    check (kind <> 'PAYMENT' or (amount > 0 and transaction_id is not null and invoice_id is not null)),
    check (kind = 'PAYMENT' or amount = 0)
);
create unique index one_live_attempt on payment_attempts (tenant_id, session_id) where state = 'LIVE';
create unique index one_success on payment_attempts (tenant_id, session_id) where state = 'SUCCEEDED';
create unique index attempt_reference on payment_attempts (tenant_id, provider, reference)
    where reference is not null;
create index live_attempts_of_customer on payment_attempts (tenant_id, customer_id)
    where state = 'LIVE';
create index attempts_to_sweep on payment_attempts (check_at) where state = 'LIVE';

create table plan_places (
    tenant_id uuid not null,
    customer_id uuid not null,
    plan_id uuid not null,
    place integer not null check (place >= 0),
    holder uuid not null,                   -- the attempt, then the subscription
    held_by text not null check (held_by in ('ATTEMPT', 'SUBSCRIPTION')),
    primary key (tenant_id, customer_id, plan_id, place),
    foreign key (tenant_id, customer_id) references customers (tenant_id, id),
    foreign key (tenant_id, plan_id) references plans (tenant_id, id)
);
create index places_of_holder on plan_places (tenant_id, holder);

-- Subscriptions -----------------------------------------------------------------------------------

create table subscriptions (
    tenant_id uuid not null,
    id uuid not null,
    customer_id uuid not null,
    plan_id uuid not null,
    plan_version_id uuid not null,
    invoicing_entity_id uuid not null,
    status text not null check (status in (
        'PENDING_ACTIVATION', 'TRIAL_ACTIVE', 'ACTIVE', 'TRIAL_EXPIRED', 'SUSPENDED', 'CANCELLED',
        'COMPLETED', 'SUPERSEDED')),
    currency currency_code not null,
    tax_inclusive boolean not null,
    cadence text not null check (cadence in ('MONTHLY', 'QUARTERLY', 'SEMIANNUAL', 'ANNUAL')),
    start_date date not null,
    billing_start_date date not null,       -- the first billed day, after a free trial
    billing_day_anchor integer not null check (billing_day_anchor between 1 and 31),
    trial_duration integer check (trial_duration between 0 and 730),
    trial_is_free boolean,
    trial_end date,
    trialing_plan_id uuid,
    end_date date,                          -- the first day not covered
    current_period_start date not null,
    current_period_end date,
    cycle_index integer not null default 0 check (cycle_index >= 0),
    net_terms integer not null check (net_terms between 0 and 365),
    auto_advance_invoices boolean not null,
    charge_automatically boolean not null,
    payment_methods_config jsonb not null,
    payment_method_id uuid,
    invoice_memo text,
    purchase_order text,
    invoice_threshold numeric,
    metadata jsonb,
    custom_properties jsonb not null default '{}',
    mrr bigint not null,
    checkout_session_id uuid,
    activated_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, customer_id) references customers (tenant_id, id),
    foreign key (tenant_id, plan_id) references plans (tenant_id, id),
    foreign key (tenant_id, plan_version_id) references plan_versions (tenant_id, id),
    foreign key (tenant_id, invoicing_entity_id) references invoicing_entities (tenant_id, id),
    foreign key (tenant_id, checkout_session_id) references checkout_sessions (tenant_id, id),
    check (billing_start_date >= start_date),
    check (end_date is null or end_date > billing_start_date)
);
create unique index one_subscription_per_checkout
    on subscriptions (tenant_id, checkout_session_id) where checkout_session_id is not null;
create index subscriptions_by_created on subscriptions (tenant_id, created_at, id);
create index subscriptions_of_customer on subscriptions (tenant_id, customer_id, created_at);
create index subscriptions_of_plan on subscriptions (tenant_id, plan_id, created_at);
create index subscriptions_by_status on subscriptions (tenant_id, status, created_at);
create index subscriptions_by_mrr on subscriptions (tenant_id, mrr, id);
create index subscriptions_by_billing_start on subscriptions (tenant_id, billing_start_date, id);
create index subscriptions_by_end on subscriptions (tenant_id, end_date, id);

create table subscription_items (
    tenant_id uuid not null,
    id uuid not null,
    subscription_id uuid not null,
    kind text not null check (kind in ('COMPONENT', 'ADD_ON')),
    position integer not null,
    name text not null,
    product_id uuid not null,
    price_id uuid not null,
    component_id uuid,
    add_on_id uuid,
    instances integer not null check (instances >= 1),
    item jsonb not null,                    -- the frozen domain value
    primary key (tenant_id, id),
    unique (tenant_id, subscription_id, position),
    foreign key (tenant_id, subscription_id) references subscriptions (tenant_id, id),
    foreign key (tenant_id, product_id) references products (tenant_id, id),
    foreign key (tenant_id, price_id) references prices (tenant_id, id),
    foreign key (tenant_id, component_id) references plan_components (tenant_id, id),
    foreign key (tenant_id, add_on_id) references add_ons (tenant_id, id),
    check ((kind = 'ADD_ON') = (add_on_id is not null))
);

create table slot_entries (
    tenant_id uuid not null,
    id uuid not null,
    item_id uuid not null,
    delta integer not null,
    effective_on date not null,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, item_id) references subscription_items (tenant_id, id)
);
create index slot_entries_of_item on slot_entries (tenant_id, item_id, effective_on);

create table coupon_redemptions (
    tenant_id uuid not null,
    id uuid not null,                       -- the applied coupon
    coupon_id uuid not null,
    customer_id uuid not null,
    attempt_id uuid not null,
    subscription_id uuid not null,          -- made by the attempt when it succeeds
    state text not null check (state in ('RESERVED', 'REDEEMED')),
    once_per_customer boolean not null,
    terms jsonb not null,
    applied_count integer not null default 0 check (applied_count >= 0),
    applied_amount bigint not null default 0,
    last_applied_at timestamptz,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, attempt_id, coupon_id),
    foreign key (tenant_id, coupon_id) references coupons (tenant_id, id),
    foreign key (tenant_id, customer_id) references customers (tenant_id, id),
    foreign key (tenant_id, attempt_id) references payment_attempts (tenant_id, id)
);
create unique index once_per_customer
    on coupon_redemptions (tenant_id, coupon_id, customer_id) where once_per_customer;
create index redemptions_of_subscription on coupon_redemptions (tenant_id, subscription_id);

-- Payment methods, invoices, transactions --------------------------------------------------------

create table payment_methods (
    tenant_id uuid not null,
    id uuid not null,
    customer_id uuid not null,
    provider text not null,
    token text not null,                    -- the provider's name for it; never a number
    kind text not null check (kind in ('CARD', 'DIRECT_DEBIT')),
    card_brand text,
    card_last4 text check (card_last4 ~ '^[0-9]{4}$'),
    card_expiry text,
    account_number_hint text,
    mandate_reference text,
    archived_at timestamptz,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, customer_id) references customers (tenant_id, id)
);
create index methods_of_customer on payment_methods (tenant_id, customer_id, created_at);

create table invoices (
    tenant_id uuid not null,
    id uuid not null,
    customer_id uuid not null,
    subscription_id uuid,
    invoicing_entity_id uuid not null,
    invoice_type text not null
        check (invoice_type in ('RECURRING', 'ONE_OFF', 'ADJUSTMENT', 'USAGE_THRESHOLD')),
    status text not null check (status in ('DRAFT', 'FINALIZED', 'VOID', 'UNCOLLECTIBLE')),
    payment_status text not null
        check (payment_status in ('UNPAID', 'PARTIALLY_PAID', 'PROCESSING', 'PAID', 'ERRORED')),
    number bigint,
    invoice_number text,
    invoice_date date not null,
    due_date date not null,
    billing_period_start date not null,
    billing_period_end date,
    net_terms integer not null,
    currency currency_code not null,
    tax_inclusive boolean not null,
    subtotal bigint not null,
    subtotal_recurring bigint not null,
    discount bigint not null,
    tax_amount bigint not null,
    total bigint not null,
    applied_balance bigint not null default 0 check (applied_balance >= 0),
    written_off bigint not null default 0 check (written_off >= 0),
    write_off_reason text check (write_off_reason in ('BELOW_MINIMUM_CHARGE')),
    settled bigint not null default 0 check (settled >= 0),
    amount_due bigint not null check (amount_due >= 0),
    coupons jsonb not null default '[]',
    tax_breakdown jsonb not null default '[]',
    customer_details jsonb not null,
    seller_details jsonb not null,
    memo text,
    purchase_order text,
    custom_properties jsonb not null default '{}',
    finalized_at timestamptz,
    paid_at timestamptz,
    voided_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, customer_id) references customers (tenant_id, id),
    foreign key (tenant_id, subscription_id) references subscriptions (tenant_id, id),
    foreign key (tenant_id, invoicing_entity_id) references invoicing_entities (tenant_id, id),
    check (subtotal - discount + tax_amount = total),
    check ((status = 'DRAFT') = (number is null)),
    check ((number is null) = (invoice_number is null)),
    check ((status = 'DRAFT') = (finalized_at is null)),
    check ((payment_status = 'PAID') = (paid_at is not null)),
    check (due_date = invoice_date + net_terms),
    check (status = 'VOID' or amount_due = total - applied_balance - written_off - settled),
    check ((written_off > 0) = (write_off_reason is not null))
);
create unique index invoice_number_once
    on invoices (tenant_id, invoicing_entity_id, number) where number is not null;
create unique index one_recurring_invoice_per_period
    on invoices (tenant_id, subscription_id, billing_period_start)
    where invoice_type = 'RECURRING' and status <> 'VOID';
create index invoices_by_date on invoices (tenant_id, invoice_date desc, id desc);
create index invoices_of_customer on invoices (tenant_id, customer_id, invoice_date desc);
create index invoices_of_subscription on invoices (tenant_id, subscription_id, invoice_date desc);
create index invoices_by_status on invoices (tenant_id, status, invoice_date desc);
create index invoices_by_payment_status on invoices (tenant_id, payment_status, id);
create index invoices_by_number on invoices (tenant_id, number, id);
create index invoices_by_amount on invoices (tenant_id, total, id);

create table invoice_lines (
    tenant_id uuid not null,
    id uuid not null,
    invoice_id uuid not null,
    position integer not null,
    item_id uuid,
    product_id uuid,
    name text not null,
    start_date date not null,
    end_date date not null,
    quantity numeric,
    unit_price numeric,
    quoted_unit_price numeric,
    amount bigint not null,                 -- its part of the subtotal, before discount
    discount bigint not null,
    tax bigint not null,
    amount_total bigint not null,
    tax_rate numeric not null,
    taxes jsonb not null,
    computation jsonb not null,             -- how it came about: the data of its explanation
    primary key (tenant_id, id),
    unique (tenant_id, invoice_id, position),
    foreign key (tenant_id, invoice_id) references invoices (tenant_id, id)
        deferrable initially deferred,
    foreign key (tenant_id, product_id) references products (tenant_id, id),
    check (amount - discount + tax = amount_total),
    check (start_date <= end_date)
);

create table transactions (
    tenant_id uuid not null,
    id uuid not null,
    invoice_id uuid not null,
    customer_id uuid not null,
    attempt_id uuid,
    payment_method_id uuid,
    payment_type text not null check (payment_type in ('PAYMENT', 'REFUND')),
    status text not null check (status in
        ('READY', 'PENDING', 'SETTLED', 'CANCELLED', 'FAILED', 'REFUNDED')),
    provider text not null,
    reference text not null,
    amount bigint not null check (amount > 0),
    currency currency_code not null,
    method jsonb,
    error jsonb,
    created_at timestamptz not null,
    processed_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, invoice_id) references invoices (tenant_id, id),
    foreign key (tenant_id, customer_id) references customers (tenant_id, id),
    foreign key (tenant_id, attempt_id) references payment_attempts (tenant_id, id),
    foreign key (tenant_id, payment_method_id) references payment_methods (tenant_id, id)
);
create index transactions_of_invoice on transactions (tenant_id, invoice_id);
create unique index transaction_reference on transactions (tenant_id, provider, reference, payment_type);

-- Events and idempotency -------------------------------------------------------------------------

create table events (
    tenant_id uuid not null,
    id uuid not null,
    position bigint generated always as identity,
    writer xid8 not null default pg_current_xact_id(),
    sequence bigint,                        -- the tenant's gapless number, given by the sequencer
    type text not null,
    object_id uuid not null,
    data jsonb not null,
    happened_at timestamptz not null,       -- business time
    stored_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, id)
);
create unique index event_sequence on events (tenant_id, sequence) where sequence is not null;
create index events_to_sequence on events (position) where sequence is null;
create index events_of_object on events (tenant_id, object_id, position);

create table event_counters (
    tenant_id uuid not null references tenants (id),
    last_sequence bigint not null default 0,
    primary key (tenant_id)
);

create table idempotency_keys (
    tenant_id uuid not null,
    operation text not null,                -- method and path
    key text not null check (length(key) between 1 and 255),
    request_hash bytea not null,
    state text not null check (state in ('IN_PROGRESS', 'DONE')),
    subject_id uuid,                        -- the object a repeat resumes
    status integer,
    answer text,
    created_at timestamptz not null default now(),
    primary key (tenant_id, operation, key),
    check ((state = 'DONE') = (status is not null))
);
create index idempotency_keys_by_age on idempotency_keys (created_at);

-- What never changes -----------------------------------------------------------------------------

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'tallystick: % never changes once %', tg_table_name, tg_argv[0]
        using errcode = 'integrity_constraint_violation';
end $$;

create trigger published_version_is_fixed before update or delete on plan_versions
    for each row when (old.published_at is not null)
    execute function refuse_change('its version is published');

create function refuse_change_of_published() returns trigger language plpgsql as $$
declare
    owner uuid;
    tenant uuid;
    published boolean;
begin
    if tg_op = 'DELETE' then
        tenant := old.tenant_id;
    else
        tenant := new.tenant_id;
    end if;
    if tg_table_name = 'plan_component_prices' then
        select c.plan_version_id into owner from plan_components c
        where c.tenant_id = tenant
          and c.id = case when tg_op = 'DELETE' then old.component_id else new.component_id end;
    elsif tg_op = 'DELETE' then
        owner := old.plan_version_id;
    else
        owner := new.plan_version_id;
    end if;
    select published_at is not null into published from plan_versions
    where tenant_id = tenant and id = owner;
    if published then
        raise exception 'tallystick: % never changes once its version is published', tg_table_name
            using errcode = 'integrity_constraint_violation';
    end if;
    return case when tg_op = 'DELETE' then old else new end;
end $$;

create trigger published_components_are_fixed before insert or update or delete on plan_components
    for each row execute function refuse_change_of_published();
create trigger published_add_ons_are_fixed before insert or update or delete on plan_add_ons
    for each row execute function refuse_change_of_published();
create trigger published_prices_are_fixed before insert or update or delete on plan_component_prices
    for each row execute function refuse_change_of_published();

create trigger price_is_fixed before update on prices
    for each row execute function refuse_change('made');

create trigger finalized_invoice_is_fixed before update on invoices
    for each row when (
        old.status <> 'DRAFT' and (
            new.status = 'DRAFT'
            or (old.number, old.invoice_number, old.invoice_date, old.due_date, old.net_terms,
                old.billing_period_start, old.customer_id, old.invoicing_entity_id, old.currency,
                old.tax_inclusive, old.subtotal, old.discount, old.tax_amount, old.total,
                old.coupons, old.tax_breakdown, old.customer_details, old.seller_details,
                old.invoice_type, old.finalized_at)
            is distinct from
               (new.number, new.invoice_number, new.invoice_date, new.due_date, new.net_terms,
                new.billing_period_start, new.customer_id, new.invoicing_entity_id, new.currency,
                new.tax_inclusive, new.subtotal, new.discount, new.tax_amount, new.total,
                new.coupons, new.tax_breakdown, new.customer_details, new.seller_details,
                new.invoice_type, new.finalized_at)))
    execute function refuse_change('it is finalized');
create trigger invoice_is_kept before delete on invoices
    for each row when (old.status <> 'DRAFT')
    execute function refuse_change('it is finalized');

-- Lines are written before their invoice (their reference to it is deferred), so that a line can
-- never join an invoice that stands finalized.
create function refuse_change_of_finalized_line() returns trigger language plpgsql as $$
declare
    line invoice_lines;
begin
    if tg_op = 'DELETE' then line := old; else line := new; end if;
    if exists (select from invoices where tenant_id = line.tenant_id and id = line.invoice_id
               and status <> 'DRAFT')
    then
        raise exception 'tallystick: invoice_lines never change once their invoice is finalized'
            using errcode = 'integrity_constraint_violation';
    end if;
    return line;
end $$;
create trigger finalized_line_is_fixed before insert or update or delete on invoice_lines
    for each row execute function refuse_change_of_finalized_line();

-- An invoice's lines sum to its total: checked when the transaction commits, once per invoice.
create function check_invoice_lines() returns trigger language plpgsql as $$
declare
    difference bigint;
begin
    select i.total - coalesce((select sum(l.amount_total) from invoice_lines l
                               where l.tenant_id = i.tenant_id and l.invoice_id = i.id), 0)
    into difference from invoices i where i.tenant_id = new.tenant_id and i.id = new.id;
    if difference <> 0 then
        raise exception 'tallystick: the lines of invoice % differ from its total by %',
            new.id, difference using errcode = 'check_violation';
    end if;
    return null;
end $$;
create constraint trigger invoice_total_is_its_lines after insert or update on invoices
    deferrable initially deferred for each row execute function check_invoice_lines();

create trigger events_are_kept before delete on events
    for each row execute function refuse_change('written');
create trigger event_is_fixed before update on events
    for each row when (
        (old.tenant_id, old.id, old.type, old.object_id, old.data, old.happened_at)
        is distinct from (new.tenant_id, new.id, new.type, new.object_id, new.data, new.happened_at)
        or old.sequence is not null)
    execute function refuse_change('written');

-- A revoked key must stop working in every process at once.
create function announce_key_change() returns trigger language plpgsql as $$
begin
    perform pg_notify('tallystick_api_keys', encode(new.hash, 'hex'));
    return null;
end $$;
create trigger key_change after update on api_keys
    for each row execute function announce_key_change();
