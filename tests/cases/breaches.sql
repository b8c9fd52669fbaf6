-- What breaks each rule of the audit: one change behind the product's back after each name.

-- invoice-lines
update invoice_lines set amount = amount + 1, tax = tax - 1;

-- invoice-arithmetic
update invoices set total = total + 1;

-- invoice-arithmetic
update invoice_lines set amount_total = amount_total + 1;

-- invoice-amount-due
update invoices set amount_due = amount_due + 1;

-- invoice-amount-due
update invoices set payment_status = 'UNPAID';

-- invoice-settled
update transactions set amount = amount - 1 where status = 'SETTLED';

-- invoice-processing
update invoices set payment_status = 'UNPAID';

-- invoice-processing
update transactions set status = 'FAILED' where status = 'PENDING';

-- invoice-balance
update balance_entries set amount = -1 where amount < 0;

-- invoice-balance
delete from balance_entries where reason = 'INVOICE' and amount > 0;

-- invoice-amount-due
update invoices set amount_due = total where total < 0;

-- attempt-recorded
update checkout_sessions set changes = (select id from subscriptions where checkout_session_id is not null
    and plan_id <> checkout_sessions.plan_id limit 1) where checkout_type = 'PLAN_CHANGE';

-- invoice-numbers
update invoices set number = 77 where number = 2;

-- invoice-numbers
update invoices set number = 1 where number = 2;

-- invoice-numbers
update invoice_counters set last_number = last_number + 1;

-- invoice-finalized
update invoices set number = null where number = 1;

-- invoice-finalized
update invoices set due_date = due_date + 1;

-- invoice-once-per-period
update invoices set subscription_id = (select id from subscriptions limit 1);

-- invoice-unexplained
update invoice_lines set computation = jsonb_set(computation, '{computation,unit_price}', '"48.98"');

-- invoice-unexplained
update invoice_lines set computation = jsonb_set(computation, '{usage}', '{"amount": 1, "parts": []}');

-- invoice-unexplained
update invoice_lines set computation = jsonb_set(computation, '{quoted_discount}', '1');

-- invoice-unexplained
update invoice_lines set taxes = '[{"amount": 7, "rate": {"rate": "0.001"}}]';

-- balance-entries
update customer_balances set balance = balance + 1;

-- balance-entries
delete from balance_entries where amount > 0;

-- balance-holds
update customer_balances set held = 0 where held > 0;

-- balance-holds
update payment_attempts set balance_held = 3 where state = 'LIVE';

-- balance-range
update customer_balances set held = balance + 1;

-- coupon-taken
update coupons set taken = taken + 1;

-- coupon-taken
update coupons set redemption_limit = 1;

-- coupon-reservations
update coupon_redemptions set state = 'RESERVED';

-- coupon-reservations
update coupon_redemptions set state = 'REDEEMED';

-- coupon-once-per-customer
update coupon_redemptions set once_per_customer = true, customer_id = (select id from
    customers limit 1);

-- next-step
update subscriptions set next_step_on = null;

-- next-step
update subscriptions set status = 'SUPERSEDED';

-- trial-draft
update invoices set charged_first = true;

-- trials-together
update invoices set charged_first = true, subscription_id = null where number = 1;

-- trial-paid
insert into collections (tenant_id, id, invoice_id, customer_id, payment_method_id,
    transaction_id, provider, method, amount, currency, state, claimed_at, recorded_at,
    activates) select tenant_id, gen_random_uuid(), null, customer_id, gen_random_uuid(),
    gen_random_uuid(), 'sandbox', '{}', 1, currency, 'SUCCEEDED', now(), now(), id from
    subscriptions limit 1;

-- being-paid
update subscriptions set is_being_paid = true;

-- activation-session
update checkout_sessions set checkout_type = 'SUBSCRIPTION_ACTIVATION' where state = 'CREATED';

-- scheduled-change
update scheduled_changes set effective_on = effective_on + 1;

-- scheduled-change
update subscriptions s set cancelled_on = s.current_period_end
from scheduled_changes c where c.subscription_id = s.id;

-- suspended-for
update subscriptions set status = 'SUSPENDED';

-- coupon-of-subscription
update coupon_redemptions set attempt_id = null, subscription_id = customer_id;

-- session-awaits-payment
update checkout_sessions set state = 'CREATED' where state = 'AWAITING_PAYMENT';

-- session-awaits-payment
update checkout_sessions set state = 'AWAITING_PAYMENT' where state = 'CREATED';

-- session-awaits-payment
update payment_attempts set session_id = (select session_id from payment_attempts where state
    = 'LIVE'), state = 'LIVE';

-- session-completed
update checkout_sessions set state = 'EXPIRED' where state = 'COMPLETED';

-- session-completed
update checkout_sessions set subscription_id = gen_random_uuid() where state = 'COMPLETED';

-- session-ending
update checkout_sessions set ending_requested = 'CANCEL';

-- orphan-payment
insert into orphan_payments (tenant_id, id, provider, reference, amount, currency, taken_at,
    found_at) select id, gen_random_uuid(), 'sandbox', 'x', 1, 'EUR', now(), now() from tenants
    limit 1;

-- attempt-taken-up
update payment_attempts set check_at = now() - interval '1 hour';

-- attempt-taken-up
update payment_attempts set check_at = null where state = 'LIVE';

-- attempt-ended
update payment_attempts set claimed_on = now() - interval '41 minutes';

-- attempt-recorded
delete from transactions;

-- attempt-recorded
update transactions set amount = amount + 1;

-- attempt-recorded
delete from invoices;

-- attempt-recorded
delete from subscriptions;

-- attempt-recorded
delete from payment_methods;

-- attempt-unrecorded
update payment_attempts set state = 'FAILED' where state = 'SUCCEEDED';

-- subscription-of-checkout
update checkout_sessions set subscription_id = null where state = 'COMPLETED';

-- place-holder
update subscriptions set status = 'CANCELLED';

-- place-holder
update plan_places set holder = gen_random_uuid();

-- place-holder
update plan_places set plan_id = gen_random_uuid();

-- place-holder
update plan_places set plan_id = gen_random_uuid() where held_by = 'ATTEMPT';

-- place-of-subscription
delete from plan_places where held_by = 'SUBSCRIPTION';

-- place-of-subscription
insert into plan_places select tenant_id, customer_id, plan_id, 1, holder, held_by from
    plan_places where held_by = 'SUBSCRIPTION';

-- place-of-subscription
update plan_places set plan_id = gen_random_uuid();

-- place-once
insert into plan_places select tenant_id, customer_id, plan_id, 1, holder, held_by from
    plan_places;

-- place-of-attempt
delete from plan_places;

-- bank-orphan-money
update payment_attempts set reference = 'other';

-- bank-orphan-money
update payment_attempts set late_money = null;

-- bank-unrecorded
insert into sandbox.movements (tenant_id, reference, kind, amount, currency, created_at) select
    tenant_id, reference, 'CHARGE', amount, currency, now() - interval '11 minutes' from
    payment_attempts where state = 'LIVE';

-- bank-charge
delete from sandbox.movements where kind = 'CHARGE';

-- bank-charge
update sandbox.movements set amount = amount + 1;

-- bank-charge
insert into sandbox.movements (tenant_id, reference, kind, amount, currency) select tenant_id,
    reference, kind, amount, currency from sandbox.movements;

-- bank-unsettled
update transactions set status = 'FAILED';

-- bank-decided
update sandbox.intents set acknowledged_at = now() where state = 'PENDING';

-- bank-decided
update sandbox.intents set settle_at = now() - interval '11 minutes' where state = 'PENDING';

-- bank-refund
delete from sandbox.movements where kind = 'REFUND';

-- bank-refund
update payment_attempts set late_money = 'RECORDED';

-- bank-refund
insert into sandbox.movements (tenant_id, reference, kind, amount, currency) select tenant_id,
    reference, 'REFUND', 1, currency from sandbox.movements;

-- bank-refund
insert into sandbox.movements (tenant_id, reference, kind, amount, currency, created_at)
select tenant_id, reference, 'REFUND_FAILED', amount, currency, now() - interval '11 minutes'
from sandbox.movements where kind = 'REFUND';

-- bank-refund-asked
delete from pgqueuer;
update payment_attempts set late_money = 'REFUNDING' where late_money is not null;

-- event-sequence
update events set sequence = 77 where sequence = 3;

-- event-sequence
update events set sequence = 2 where sequence = 3;

-- event-sequence
update event_counters set last_sequence = last_sequence + 1;

-- event-sequence
delete from event_counters;

-- event-order
update events set sequence = 1000 - sequence;

-- event-numbered
update events set sequence = null, stored_at = now() - interval '1 hour';

-- job-held
update pgqueuer set status = 'failed';

-- job-late
update pgqueuer set execute_after = now() - interval '1 hour';

-- job-late
update pgqueuer set status = 'picked', heartbeat = now() - interval '1 hour';

-- usage-event-customer
insert into usage_events (tenant_id, customer_id, event_id, code, happened_at, received_at)
select id, gen_random_uuid(), 'e1', 'api_calls', now(), now() from tenants;

-- schema-guards
alter table invoices disable trigger finalized_invoice_is_fixed;

-- schema-guards
alter table invoices add constraint later check (total >= 0) not valid;

-- schema-guards
drop trigger published_version_is_fixed on plan_versions;

-- schema-guards
drop index one_live_attempt;

-- schema-guards
alter table coupons drop constraint redemptions_within_limit;

-- schema-guards
alter table invoice_lines drop constraint invoice_lines_tenant_id_invoice_id_fkey;

-- schema-guards
drop index sandbox.one_charge;

-- schema-guards
alter table invoices enable replica trigger invoice_is_kept;

-- set-aside
update subscriptions set billing_error = 'AmountTooLarge', billing_tried_at = now();

-- draft-set-aside
update invoices set billing_error = 'AmountTooLarge', billing_tried_at = now();

-- collection-payment
insert into collections (tenant_id, id, invoice_id, customer_id, payment_method_id, transaction_id,
    provider, method, amount, currency, state, claimed_at, recorded_at)
select i.tenant_id, uuidv7(), i.id, i.customer_id, m.id, uuidv7(), 'sandbox', '{}', 100, i.currency,
    'SUCCEEDED', now(), now()
from invoices i join payment_methods m on m.tenant_id = i.tenant_id and m.customer_id = i.customer_id
limit 1;

-- collection-taken-up
insert into collections (tenant_id, id, invoice_id, customer_id, payment_method_id, transaction_id,
    provider, method, amount, currency, check_at, claimed_at, claimed_on)
select i.tenant_id, uuidv7(), i.id, i.customer_id, m.id, uuidv7(), 'sandbox', '{}', 100, i.currency,
    now(), now(), now() - interval '2 hours'
from invoices i join payment_methods m on m.tenant_id = i.tenant_id and m.customer_id = i.customer_id
limit 1;

-- credit-note-lines
update credit_note_lines set amount_total = amount_total + 1;

-- credit-note-lines
update credit_notes set subtotal = subtotal + 1, total = total + 1;

-- credit-note-line
update credit_note_lines set amount = amount + 100000;

-- credit-note-invoice
update invoices set cancelled = cancelled + 1;

-- credit-note-invoice
update credit_notes set total = total + 100000;

-- credit-note-invoice
update credit_notes set from_write_off = 1;

-- credit-note-invoice
update invoices set applied_balance = 0;

-- credit-note-numbers
update credit_notes set number = 77 where number = 1;

-- credit-note-numbers
update credit_note_counters set last_number = last_number + 1;

-- credit-note-balance
update balance_entries set amount = amount - 1 where reason in ('CREDIT_NOTE', 'REFUND');

-- refund-recorded
update refunds set state = 'LIVE';

-- refund-recorded
delete from transactions where payment_type = 'REFUND';

-- refund-of-payment
update refunds set amount = amount + 100000;

-- refund-taken-up
update refunds set state = 'LIVE', claimed_on = now() - interval '61 minutes';

-- billed-ahead
update invoice_lines
set computation = computation || '{"before": {"amount": 5, "quantity": "1"}, "usage": {"amount": 5}}';

-- true-up
update invoice_lines
set computation = computation || '{"shortfall": {"least": 5000, "cost": 4000}, "quoted_amount": 999}';

-- usage-set-aside
insert into usage_marks (tenant_id, customer_id, error, tried_at)
select tenant_id, id, 'AmountTooLarge', now() from customers limit 1;

-- mrr-movements
update subscriptions set mrr = mrr + 1;

-- mrr-movements
delete from mrr_movements;

-- mrr-movements
update mrr_movements set position = position + 100, mrr_before = 100, mrr_after = mrr_after + 100;

-- consolidated-lines
update invoices set consolidated_into_invoice_id = (select id from invoices where number = 1)
where number = 2;

-- consolidated-members
update invoices set consolidated_into_invoice_id = id;

-- slot-ledger
insert into slot_entries (tenant_id, id, item_id, delta, effective_on, created_at)
select tenant_id, id, id, 1, '2026-03-10', now() from subscription_items limit 1;

-- slot-ledger
update subscription_items set item = item || '{"slots": 3}';

-- slot-ledger
update subscription_items set item = jsonb_set(item, '{pricing,type}', '"SLOT"');

-- slot-bounds
insert into slot_entries (tenant_id, id, item_id, delta, effective_on, created_at)
select tenant_id, gen_random_uuid(), id, -1, '2026-03-10', now() from subscription_items limit 1;

-- slots-awaited
insert into slot_entries (tenant_id, id, item_id, delta, invoice_id, created_at)
select i.tenant_id, gen_random_uuid(), i.id, 2, v.id, now()
from subscription_items i
join invoices v on v.subscription_id = i.subscription_id and v.payment_status = 'PAID' limit 1;

-- slots-awaited
insert into slot_entries (tenant_id, id, item_id, delta, created_at)
select tenant_id, gen_random_uuid(), id, 2, now() from subscription_items limit 1;

-- invoice-reversed
update invoices set reversed = reversed + 1 where reversed > 0;

-- invoice-reversed
update invoices set awaits_person = true where reversed = 0;

-- invoice-reversed
update reversals set returned = amount where returned = 0;

-- invoice-reversed
update invoices set spare = spare + 1 where reversed > 0;

-- invoice-lost
update reversals set amount = amount + 100000;

-- invoice-lost
update invoices set lost = lost + 1;

-- reversal-of-payment
update reversals set from_balance = to_balance + 1;

-- reversal-of-payment
update reversals set invoice_id = gen_random_uuid();

-- reversal-of-payment
update transactions set status = 'PENDING' where id in (select payment_id from reversals);

-- reversal-balance
update reversals set to_balance = 0;

-- reversal-balance
update reversals set from_balance = to_balance;

-- reversal-balance
update balance_entries set amount = amount - 1 where reason = 'REVERSAL';

-- bank-reversal
update sandbox.reversals set returned = amount where returned = 0;

-- bank-reversal
delete from sandbox.reversals;

-- bank-reversal
delete from reversals;

-- bank-reversal
update reversals set kind = 'OTHER';

-- bank-reversal
insert into sandbox.reversals (tenant_id, id, reference, kind, amount, stands_since)
select tenant_id, 'unheard', reference, 'REFUND', 1, now() - interval '11 minutes'
from sandbox.intents where state = 'SUCCEEDED' limit 1;

-- invoice-amount-due
update invoices set reversed = reversed + 1;

-- customer-archived
update customers set archived_at = now();

-- customer-archived
update customers set archived_at = now() where id in (
    select customer_id from checkout_sessions where state = 'AWAITING_PAYMENT');

-- custom-properties
update customers set custom_properties = '[]';

-- custom-properties
update invoices set custom_properties = '{"tier": null}';

-- list-length
update list_counts set difference = difference + 1 where list = 'customers';

-- list-length
delete from list_counts where list = 'subscriptions';

-- list-names
update invoices set customer_sort_name = 'another';

-- list-names
update subscriptions set customer_sort_name = 'another';

-- plan-status
update plans set status = 'DRAFT' where status = 'ACTIVE';

-- price-of-product
update prices set pricing = '{"type": "ONE_TIME", "unit_price": "1", "quantity": 1}'
where id = (select min(id::text)::uuid from prices where pricing ->> 'type' = 'RATE');

-- metric-of-product
update products set fee_type = 'CAPACITY',
    fee_structure = jsonb_build_object('type', 'CAPACITY', 'metric_id', gen_random_uuid());

-- entitlement-of-its-feature
insert into features (tenant_id, id, code, name, feature_type, value_type, options, created_at, updated_at)
select id, '00000000-0000-0000-0000-0000000000f1', 'tier', 'Tier', 'CONFIG', 'SELECT', '{gold}', now(), now()
from tenants limit 1;
insert into entitlements (tenant_id, id, feature_id, feature_type, value, created_at, updated_at)
select tenant_id, gen_random_uuid(), id, 'CONFIG',
    '{"type": "CONFIG", "value": {"kind": "TEXT", "value": "lead"}}', now(), now() from features;

-- entitlement-of-its-feature
insert into features (tenant_id, id, code, name, feature_type, created_at, updated_at)
select id, '00000000-0000-0000-0000-0000000000f2', 'sso', 'Sign-on', 'BOOLEAN', now(), now() from tenants limit 1;
insert into entitlements (tenant_id, id, feature_id, feature_type, value, created_at, updated_at)
select tenant_id, gen_random_uuid(), id, 'METERED', '{"type": "METERED", "limit": "5"}', now(), now() from features;

-- entitlement-limit
insert into features (tenant_id, id, code, name, feature_type, metric_id, created_at, updated_at)
select id, '00000000-0000-0000-0000-0000000000f3', 'calls', 'Calls', 'METERED', id, now(), now() from tenants limit 1;
insert into entitlements (tenant_id, id, feature_id, feature_type, value, created_at, updated_at)
select tenant_id, gen_random_uuid(), id, 'METERED', '{"type": "METERED", "limit": "-1"}', now(), now() from features;

-- import-counts
update batch_jobs set processed_items = processed_items - 1;

-- import-counts
delete from batch_job_failures;

-- import-counts
update batch_jobs set chunks_left = 1;

-- import-chunks
update batch_job_chunks set state = 'DUE', done = 0;

-- import-chunks
update batch_job_chunks set state = 'STOPPED';

-- import-chunks
update batch_jobs set status = 'CHUNKING', completed_at = null;

-- import-failures
update batch_job_failures set item_index = item_index + 1000;

-- import-taken-up
update batch_jobs set status = 'PROCESSING', touched_at = now() - interval '2 hours';

-- webhook-order
update webhook_deliveries set next_attempt_at = null where next_attempt_at is not null;

-- webhook-order
update webhook_deliveries set next_attempt_at = now()
where next_attempt_at is null and status = 'PENDING';

-- webhook-event
update webhook_deliveries set sequence = sequence + 1;

-- webhook-event
update webhook_deliveries set object_id = gen_random_uuid();

-- webhook-attempts
delete from webhook_attempts;

-- webhook-attempts
update webhook_deliveries set attempt_count = attempt_count + 1;

-- webhook-once
insert into webhook_deliveries (tenant_id, id, endpoint_id, event_id, event_type, object_id,
    sequence, manual, status, created_at, completed_at)
select tenant_id, gen_random_uuid(), endpoint_id, event_id, event_type, object_id, sequence,
    false, 'CANCELLED', now(), now()
from webhook_deliveries limit 1;

-- webhook-secret
delete from webhook_secrets;

-- webhook-secret
insert into webhook_secrets (tenant_id, id, endpoint_id, secret)
select tenant_id, gen_random_uuid(), endpoint_id, secret from webhook_secrets;

-- webhook-secret
update webhook_endpoints set archived_at = now();

-- webhook-secret-forgotten
insert into webhook_secrets (tenant_id, id, endpoint_id, secret, valid_until)
select tenant_id, gen_random_uuid(), endpoint_id, secret, now() - interval '2 days'
from webhook_secrets;

-- webhook-secret-forgotten
update webhook_endpoints set archived_at = now();
update webhook_secrets set valid_until = now() + interval '1 hour';

-- webhook-lease
update webhook_deliveries set lease_until = now() - interval '11 minutes'
where lease_until is not null;

-- webhook-relayed
update webhook_endpoints set relayed_to = relayed_to + 1;

-- webhook-relayed
alter table events disable trigger event_is_fixed;
update events set stored_at = now() - interval '1 hour';
update webhook_endpoints set relayed_to = 0;

-- webhook-setup
update webhook_endpoints set headers = '[{"name": "x", "value": null, "sensitive": true}]';

-- webhook-setup
update webhook_endpoints set needs_setup = true;

-- webhook-health
update webhook_endpoints set consecutive_failures = 1;

-- webhook-health
update webhook_endpoints set paused_until = now();

-- webhook-health
update webhook_deliveries set lease_until = null;

-- webhook-health
update webhook_deliveries set status = 'SUCCEEDED' where status = 'PENDING';

-- provider-connection
alter table payment_methods disable trigger provider_is_known;
update payment_methods set provider = 'stripe:' || gen_random_uuid();

-- provider-live
update tenants set is_test = false;

-- provider-live
insert into provider_connections (tenant_id, id, invoicing_entity_id, provider, is_live, account,
    publishable_key, secret_key)
select tenant_id, gen_random_uuid(), id, 'stripe', false, 'acct_1', 'pk_test_1', 'sealed.1.1'
from invoicing_entities;
alter table provider_connections disable trigger connection_is_kept;
update provider_connections set is_live = true;

-- provider-reconciled
insert into provider_connections (tenant_id, id, invoicing_entity_id, provider, is_live, account,
    publishable_key, secret_key, connected_at)
select tenant_id, gen_random_uuid(), id, 'stripe', false, 'acct_1', 'pk_test_1', 'sealed.1.1',
    now() - interval '2 days'
from invoicing_entities;

-- provider-heard
insert into provider_connections (tenant_id, id, invoicing_entity_id, provider, is_live, account,
    publishable_key, secret_key)
select tenant_id, gen_random_uuid(), id, 'stripe', false, 'acct_1', 'pk_test_1', 'sealed.1.1'
from invoicing_entities;
insert into provider_events (tenant_id, id, connection_id, event_id, kind, news, received_at)
select tenant_id, gen_random_uuid(), id, 'evt_1', 'charge.refunded', '{"about": "NOTHING"}',
    now() - interval '2 days'
from provider_connections;

-- setup-saved
insert into method_setups (tenant_id, id, customer_id, provider, method, currency, return_url, consent,
    state, failure, saved, created_at, ended_at, check_at)
select tenant_id, id, (select id from customers c where c.id <> payment_methods.customer_id limit 1), provider, jsonb_build_object('token', token), 'EUR', 'https://x.example',
    '{}', 'SUCCEEDED', null, id, now(), now(), null
from payment_methods limit 1;

-- setup-saved
insert into method_setups (tenant_id, id, customer_id, provider, method, currency, return_url, consent,
    state, failure, saved, created_at, ended_at, check_at)
select tenant_id, gen_random_uuid(), customer_id, provider, jsonb_build_object('token', token), 'EUR', 'https://x.example',
    '{}', 'SUCCEEDED', null, null, now(), now(), null
from payment_methods limit 1;

-- setup-saved
insert into method_setups (tenant_id, id, customer_id, provider, method, currency, return_url, consent,
    state, failure, saved, created_at, ended_at, check_at)
select tenant_id, id, customer_id, provider, jsonb_build_object('token', token), 'EUR', 'https://x.example',
    '{}', 'FAILED', 'DECLINED', null, now(), now(), null
from payment_methods limit 1;

-- setup-swept
insert into method_setups (tenant_id, id, customer_id, provider, method, currency, return_url, consent,
    state, failure, saved, created_at, ended_at, check_at)
select tenant_id, gen_random_uuid(), customer_id, provider, jsonb_build_object('token', token), 'EUR', 'https://x.example',
    '{}', 'LIVE', null, null, now(), null, now() - interval '11 minutes'
from payment_methods limit 1;

-- setup-swept
insert into method_setups (tenant_id, id, customer_id, provider, method, currency, return_url, consent,
    state, failure, saved, created_at, ended_at, check_at)
select tenant_id, gen_random_uuid(), customer_id, provider, jsonb_build_object('token', token), 'EUR', 'https://x.example',
    '{}', 'LIVE', null, null, now(), null, now()
from payment_methods limit 1;
update method_setups set claimed_on = now() - interval '25 hours';

-- method-removed
update payment_methods set archived_at = now(), forgotten_at = now();

-- method-removed
update subscriptions set payment_method_id = gen_random_uuid() where payment_method_id is not null;

-- method-removed
update payment_methods set customer_id = (select id from customers c
    where c.id <> payment_methods.customer_id limit 1);

-- method-forgotten
update payment_methods set archived_at = now();

-- method-forgotten
update payment_methods set archived_at = now(), forget_at = now() - interval '11 minutes';

-- method-forgotten
update payment_methods set archived_at = now(), forget_at = now(), forget_tries = 31;

-- customer-told
insert into provider_connections (tenant_id, id, invoicing_entity_id, provider, is_live, account,
    publishable_key, secret_key)
select tenant_id, gen_random_uuid(), id, 'stripe', false, 'acct_1', 'pk_test_1', 'sealed.1.1'
from invoicing_entities;
insert into provider_customers (tenant_id, provider, customer_id, reference, told_name, told_email, tell_at)
select c.tenant_id, 'stripe:' || k.id, c.id, 'cus_' || c.id, c.name, 'before@globex.example', null
from customers c join provider_connections k on k.tenant_id = c.tenant_id;

-- customer-told
insert into provider_connections (tenant_id, id, invoicing_entity_id, provider, is_live, account,
    publishable_key, secret_key)
select tenant_id, gen_random_uuid(), id, 'stripe', false, 'acct_1', 'pk_test_1', 'sealed.1.1'
from invoicing_entities;
insert into provider_customers (tenant_id, provider, customer_id, reference, told_name, told_email, tell_at)
select c.tenant_id, 'stripe:' || k.id, c.id, 'cus_' || c.id, c.name, c.billing_email, now() - interval '11 minutes'
from customers c join provider_connections k on k.tenant_id = c.tenant_id;

-- customer-told
insert into provider_connections (tenant_id, id, invoicing_entity_id, provider, is_live, account,
    publishable_key, secret_key)
select tenant_id, gen_random_uuid(), id, 'stripe', false, 'acct_1', 'pk_test_1', 'sealed.1.1'
from invoicing_entities;
insert into provider_customers (tenant_id, provider, customer_id, reference, told_name, told_email, tell_at)
select c.tenant_id, 'stripe:' || k.id, c.id, 'cus_' || c.id, c.name, c.billing_email, now()
from customers c join provider_connections k on k.tenant_id = c.tenant_id;
update provider_customers set tell_tries = 31;
