-- How far accounts are reconciled; what follows where a trial's end cannot be charged; lists of one customer.

-- The draft of a trial's end has a policy to come, too, once its last try has failed. Nothing was billed,
-- so it suspends nothing.
alter table invoices
    drop constraint only_final_ones_suspend,
    add constraint only_final_ones_suspend check (
        status <> 'DRAFT' or ((policy_at is null or charged_first) and not suspends));
