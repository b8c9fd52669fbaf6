"""The guards of the data: every trigger, constraint and index that the schema must have.

`guards.txt` lists them by name, one a line, as the migrations make them; a test compares it
with a database that was just migrated. Not-null columns are left out: PostgreSQL names their
constraints from version 18 on only.
"""

from pathlib import Path

_FOUND = """
    select case when tgisinternal then 'trigger of a foreign key' else 'trigger' end as kind,
           tgrelid as place, tgname as name,
           case when tgenabled not in ('O', 'A') then 'is disabled' end as fault
    from pg_trigger
    union all
    select case contype when 'c' then 'check' when 'f' then 'foreign key' else 'key' end,
           conrelid, conname, case when not convalidated then 'was never validated' end
    from pg_constraint where contype in ('c', 'f', 'p', 'u') and conrelid <> 0
    union all
    select 'index', i.indrelid, c.relname, case when not i.indisvalid then 'is not valid' end
    from pg_index i join pg_class c on c.oid = i.indexrelid
    where not exists (select from pg_constraint where conindid = i.indexrelid
                                                  and contype in ('p', 'u'))
"""

IN_PLACE = f"""
    select kind, case n.nspname when 'public' then '' else n.nspname || '.' end || c.relname
               as place, name::text, fault
    from ({_FOUND}) as found
    join pg_class c on c.oid = found.place join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('public', 'sandbox') and c.relname not like 'pgqueuer%'
      and c.relname <> 'alembic_version'
"""
"""What there is: `kind`, `place` (its table), `name`, and `fault` where it is not in force."""

REQUIRED = (Path(__file__).parent / "guards.txt").read_text(encoding="utf-8").strip()
"""What there must be: a line for each, of its table, kind and name with commas between."""
