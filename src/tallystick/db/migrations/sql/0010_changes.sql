-- Changes of a running subscription: of an invoice below zero nothing is due, its amount goes to
-- the customer's balance.

do $$
declare found text;
begin
    select conname into strict found from pg_constraint
    where conrelid = 'invoices'::regclass and contype = 'c'
      and pg_get_constraintdef(oid) like '%amount_due = %total - applied_balance%';
    execute format('alter table invoices drop constraint %I', found);
end $$;

alter table invoices add constraint invoice_amount_due check (
    status = 'VOID' or amount_due = greatest(total, 0) - applied_balance - written_off - settled);

-- Only an adjustment may owe its customer; what it owes is never paid by anything else.
alter table invoices add constraint only_adjustments_below_zero check (
    total >= 0 or (invoice_type = 'ADJUSTMENT' and amount_due = 0));
