"""The history of the schema: Alembic's order, PostgreSQL's language.

A revision is a file in `sql/` and a module in `versions/` that names it. Each runs in one
transaction, waits for no lock longer than two seconds, and must suit the code before it and the
code after it, because both run while it does. There is no way back: what was wrong is put right
by the next revision.
"""
