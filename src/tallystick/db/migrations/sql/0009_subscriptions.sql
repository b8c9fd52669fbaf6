-- Subscriptions that no checkout made: how they began, what moves their dates, how they end.

alter table subscriptions
    add column activation text not null default 'CHECKOUT'
        check (activation in ('CHECKOUT', 'ON_START', 'MANUAL')),
    add column awaits_activation boolean not null default false,
    add column fixed_anchor integer check (fixed_anchor between 1 and 31),
    add column billing_cycles integer check (billing_cycles > 0),
    add column imported_on date,            -- what lies before it was billed elsewhere
    add column cancellation_reason text,
    add check (not awaits_activation or status in ('PENDING_ACTIVATION', 'CANCELLED')),
    add check (cancellation_reason is null or cancelled_on is not null);

-- A coupon of such a subscription is redeemed at once, by no attempt.
alter table coupon_redemptions
    alter column attempt_id drop not null,
    add check (attempt_id is not null or state = 'REDEEMED');
create unique index once_per_subscription
    on coupon_redemptions (tenant_id, subscription_id, coupon_id) where attempt_id is null;
