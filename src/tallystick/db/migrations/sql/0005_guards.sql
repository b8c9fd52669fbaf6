-- Guards: what the schema did not refuse, and what could not be seen from it.

-- How long a payment has been under way, in real time. Those that are under way now count from now.
alter table payment_attempts add column claimed_on timestamptz not null default now();
alter table payment_attempts alter column claimed_on set default clock_timestamp();
