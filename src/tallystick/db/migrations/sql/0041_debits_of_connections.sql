-- Which direct debits an account takes, as its provider said when it was connected or last checked. What was
-- connected before keeps what it has offered so far.
alter table provider_connections
    add column debits text[] not null default '{SEPA}'
        constraint debits_are_schemes check (debits <@ '{SEPA,BACS,BECS}');
