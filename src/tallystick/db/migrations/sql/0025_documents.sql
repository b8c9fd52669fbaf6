-- Documents name where a seller is registered, and as what.

alter table invoicing_entities add column registration text
    check (length(registration) between 1 and 500);
