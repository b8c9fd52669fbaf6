-- Drafts that fall due together are taken in the order of their ids: without them in the index, each
-- batch would sort everything that is due at that instant. What may be merged is taken with its
-- customer, and neither kind has to be passed over in search of the other.

drop index drafts_due;
create index drafts_due on invoices (tenant_id, finalize_at, id)
    where finalize_at is not null and billing_error is null and not may_merge;
create index drafts_to_merge_due on invoices (tenant_id, finalize_at, id)
    where finalize_at is not null and billing_error is null and may_merge;
