-- The sandbox: a bank for test tenants, with a memory of its own.
-- Nothing here points at the product's tables and nothing there points here: what a bank knows, it was
-- told through the payment port. No column can hold a card number or an IBAN in full.

create schema sandbox;

create table sandbox.methods (
    tenant_id uuid not null,
    token text not null,
    kind text not null check (kind in ('CARD', 'DIRECT_DEBIT')),
    behaviour text not null check (behaviour in (
        'SUCCEEDS', 'DECLINES', 'LACKS_FUNDS', 'EXPIRED', 'ASKS', 'FAILS_WHEN_CHARGED',
        'LOSES_QUESTION', 'LOSES_ANSWER', 'SETTLES_LATER', 'FAILS_LATER')),
    card_brand text,
    card_last4 text check (card_last4 ~ '^[0-9]{4}$'),
    card_expiry text check (card_expiry ~ '^(0[1-9]|1[0-2])/[0-9]{4}$'),
    account_hint text check (account_hint ~ '^[0-9]{4}$'),
    mandate_reference text check (mandate_reference ~ '^TEST-[0-9A-F]{16}$'),
    customer_id uuid,                       -- whose it is, once it was saved
    created_at timestamptz not null default now(),
    primary key (tenant_id, token),
    check ((kind = 'CARD') = (num_nonnulls(card_brand, card_last4, card_expiry) = 3)),
    check ((kind = 'DIRECT_DEBIT') = (num_nonnulls(account_hint, mandate_reference) = 2))
);

create table sandbox.intents (
    tenant_id uuid not null,
    reference text not null,                -- unguessable: it is also the challenge page's address
    kind text not null check (kind in ('PAYMENT', 'SETUP')),
    customer_id uuid not null,
    token text not null,
    amount bigint not null,
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    save boolean not null,
    return_url text not null check (return_url ~ '^https?://'),
    state text not null default 'OPEN' check (state in
        ('OPEN', 'CHALLENGED', 'PENDING', 'SUCCEEDED', 'DECLINED', 'CANCELLED')),
    failure text,                           -- why it was declined
    form_token text,                        -- challenged: what the page's form must bring back
    settle_at timestamptz,                  -- real time: when an accepted debit is decided
    settles_as text check (settles_as in ('SUCCEEDED', 'DECLINED')),
    told_at timestamptz,                    -- when the caller was last told of a decided debit
    acknowledged_at timestamptz,            -- when the caller had recorded a decided debit
    refunded bigint not null default 0,
    created_at timestamptz not null default now(),
    primary key (tenant_id, reference),
    foreign key (tenant_id, token) references sandbox.methods (tenant_id, token),
    check (case kind when 'PAYMENT' then amount > 0 else amount = 0 and save end),
    check ((state = 'DECLINED') = (failure is not null)),
    check (state <> 'CHALLENGED' or form_token is not null),
    check ((settle_at is null) = (settles_as is null)),
    check (state <> 'PENDING' or settle_at is not null),
    check (settle_at is null or state = 'PENDING' or state = settles_as),
    check (acknowledged_at is null or (settle_at is not null and state <> 'PENDING')),
    check (refunded between 0 and amount),
    check (refunded = 0 or state = 'SUCCEEDED')
);
create index debits_to_decide on sandbox.intents (settle_at) where state = 'PENDING';
create index debits_to_tell on sandbox.intents (told_at nulls first, settle_at)
    where settle_at is not null and state <> 'PENDING' and acknowledged_at is null;

-- What was answered under which idempotency key. Only answers are kept: a question that never arrived
-- left nothing behind, as with any bank.
create table sandbox.calls (
    tenant_id uuid not null,
    key text not null,
    operation text not null check (operation in ('OPEN', 'SAVE', 'CONFIRM', 'CANCEL', 'REFUND')),
    parameters bytea not null check (length(parameters) = 32),
    answer jsonb not null,
    created_at timestamptz not null default now(),
    primary key (tenant_id, key)
);

-- The ledger: one row for each movement of money, never changed.
create table sandbox.movements (
    tenant_id uuid not null,
    id bigint generated always as identity,
    reference text not null,
    kind text not null check (kind in ('CHARGE', 'REFUND')),
    amount bigint not null check (amount > 0),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    created_at timestamptz not null default now(),
    primary key (tenant_id, id),
    foreign key (tenant_id, reference) references sandbox.intents (tenant_id, reference)
);
create unique index one_charge on sandbox.movements (tenant_id, reference) where kind = 'CHARGE';
create index movements_of_intent on sandbox.movements (tenant_id, reference);
