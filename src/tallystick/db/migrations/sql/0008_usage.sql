-- Usage events: what customers used, kept as it was reported.

-- Partitioned by customer, so that an event's id can be unique for its customer, and so that tables
-- and indexes stay small while there is more and more usage. A customer's events lie in one partition;
-- the index finds those of one metric and one window in it, however many others there are.
--
-- There is no foreign key to customers: it would look the customer up for every event and lock its row
-- in every call. The statement that writes events joins customers instead, nothing deletes a customer,
-- and `tallystick doctor` looks for strangers.
create table usage_events (
    tenant_id uuid not null,
    customer_id uuid not null,
    event_id text not null check (event_id <> ''),  -- the sender's own; a second one changes nothing
    code text not null check (code <> ''),          -- of the metrics that it counts for
    happened_at timestamptz not null,
    received_at timestamptz not null,               -- in business time, like everything about usage
    properties jsonb not null default '{}',         -- property -> text
    primary key (tenant_id, customer_id, event_id)
) partition by hash (tenant_id, customer_id);

create index usage_events_by_metric on usage_events (tenant_id, customer_id, code, happened_at);

do $$
begin
    for remainder in 0..15 loop
        execute format('create table usage_events_%s partition of usage_events'
            ' for values with (modulus 16, remainder %s)', remainder, remainder);
    end loop;
end $$;
