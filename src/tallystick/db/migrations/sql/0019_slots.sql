-- Slots are counted by their ledger, and by nothing else.

-- An entry counts from its day on. One that adds slots may wait until an invoice is paid: it has no day
-- yet; where the invoice is voided, or paid too late, it is dropped and never has one. The first entry of
-- an item, which has its id, is what the item began with.
alter table slot_entries
    alter column effective_on drop not null,
    add column invoice_id uuid,
    add column dropped_at timestamptz,
    add foreign key (tenant_id, invoice_id) references invoices (tenant_id, id),
    add check (delta between -1000000000 and 1000000000),
    add check (case when id = item_id then delta >= 0 and invoice_id is null else delta <> 0 end),
    add check (effective_on is not null or (delta > 0 and invoice_id is not null)),
    add check (dropped_at is null or effective_on is null);
create index slot_entries_waiting on slot_entries (tenant_id, invoice_id)
    where effective_on is null and dropped_at is null;

update subscription_items set item = jsonb_set(item, '{slots}', 'null')
where item ->> 'slots' is not null;
alter table subscription_items add constraint slots_are_counted_by_entries check (
    item ->> 'slots' is null and coalesce(jsonb_array_length(item -> 'slot_changes'), 0) = 0);

-- What an entry says is fixed; it gets its day, or is dropped, once. The first one moves with the first
-- billed day.
create function refuse_change_of_slots() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE'
       or (old.tenant_id, old.id, old.item_id, old.delta, old.invoice_id, old.created_at)
          is distinct from
          (new.tenant_id, new.id, new.item_id, new.delta, new.invoice_id, new.created_at)
       or (old.id <> old.item_id and (old.effective_on is not null or old.dropped_at is not null))
    then
        raise exception 'tallystick: an entry of slots never changes once it counts'
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end $$;
create trigger slot_entry_is_fixed before update or delete on slot_entries
    for each row execute function refuse_change_of_slots();

-- On no day are there fewer slots than the price's least, or more than its most. The first entry counts
-- always.
create function check_slots() returns trigger language plpgsql as $$
declare
    broken record;
begin
    select d.day, s.slots into broken
    from subscription_items i
    cross join lateral (select distinct e.effective_on as day from slot_entries e
                        where e.tenant_id = i.tenant_id and e.item_id = i.id
                          and e.id <> e.item_id and e.effective_on is not null) d
    cross join lateral (
        select coalesce(sum(e.delta) filter (where e.id = e.item_id or e.effective_on <= d.day),
                        0) as slots
        from slot_entries e where e.tenant_id = i.tenant_id and e.item_id = i.id) s
    where i.tenant_id = new.tenant_id and i.id = new.item_id
      and s.slots not between coalesce((i.item #>> '{pricing,min_slots}')::bigint, 0)
          and coalesce((i.item #>> '{pricing,max_slots}')::bigint, 1000000000)
    limit 1;
    if found then
        raise exception 'tallystick: the item % would have % slots on %', new.item_id,
            broken.slots, broken.day using errcode = 'check_violation';
    end if;
    return null;
end $$;
create constraint trigger slots_in_bounds after insert or update on slot_entries
    deferrable initially deferred for each row when (new.id <> new.item_id)
    execute function check_slots();
