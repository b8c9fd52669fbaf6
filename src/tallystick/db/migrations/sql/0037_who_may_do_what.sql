-- What an API key may do, when it was last used, and who has tried to pay.

alter table api_keys
    add column scopes text[] not null default '{read,write}'
        check (cardinality(scopes) between 1 and 2 and scopes <@ '{read,write}'),
    add column last_used_at timestamptz;    -- real time, to the minute

-- That a key was used is no news to anybody: telling it would empty what processes remember of it.
drop trigger key_change on api_keys;
create trigger key_change after update of revoked_at, scopes on api_keys
    for each row execute function announce_key_change();

-- The buyer's network address as a MAC under the tenant's secret: enough to count tries, and no address.
alter table payment_attempts
    add column payer bytea check (length(payer) = 32);
create index attempts_of_payer on payment_attempts (tenant_id, payer, claimed_on) where payer is not null;
create index attempts_of_customer on payment_attempts (tenant_id, customer_id, claimed_on);
