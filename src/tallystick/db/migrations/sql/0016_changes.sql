-- Changes of a running subscription: of an invoice below zero nothing is due, its amount goes to
-- the customer's balance.

alter table invoices drop constraint invoice_due_adds_up;
alter table invoices add constraint invoice_due_adds_up check (
    status = 'VOID'
    or amount_due = greatest(total, 0) - applied_balance - written_off - cancelled - settled);

-- Only an adjustment may owe its customer; what it owes is never paid by anything else.
alter table invoices add constraint only_adjustments_below_zero check (
    total >= 0 or (invoice_type = 'ADJUSTMENT' and amount_due = 0));
