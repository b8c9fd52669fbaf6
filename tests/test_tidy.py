"""The habits of the house that no linter knows, each with its exceptions and their reasons.

The lists of exceptions may only shrink: one that is not needed any more fails its test.
"""

import ast
import gc
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "tallystick"
DECISIONS = ROOT / "docs" / "decisions"

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60

LONG_FILES: dict[str, str] = {}
"""File -> why it must be longer."""

LONG_FUNCTIONS: dict[str, str] = {}
"""File:function -> why it must be longer."""

LATE_IMPORTS: dict[str, str] = {}
"""File:function -> why it imports when it runs."""

OPENS_TRANSACTIONS = {
    "db/engine.py": "the one place that commits",
}

DATABASE_TOOLS = {
    "db/codec.py": "turns values into JSON and back; speaks to no database",
    "db/engine.py": "is what gives out transactions",
    "db/migrate.py": "works on a whole database",
    "db/refusals.py": "names what the database may answer",
    "db/server.py": "runs the server itself",
    "db/server_programs.py": "runs PostgreSQL's own programs",
    "db/server_watch.py": "watches over the server itself",
}
"""Modules of db whose functions are not about one tenant's rows."""

ABOUT_NO_TENANT: dict[str, str] = {
    "db/provider_connections.py:owner_of": "a message names its connection, which has a tenant",
    "db/provider_connections.py:lock_sealed": "seals the secrets of all tenants again",
    "db/saved_methods.py:lease_to_forget": "the methods that all tenants have removed",
    "db/provider_customers.py:lease_due": "tells accounts of the customers of all tenants",
    "db/method_setups.py:lease_due": "the sweeper ends the setups of all tenants",
    "db/reconciled_accounts.py:begin": "the accounts of all tenants are compared",
    "db/reconciled_accounts.py:lease_due": "goes on with the accounts of all tenants",
    "db/reconciled_accounts.py:taking": "the operator compares the accounts of all tenants",
    "db/reconciled_accounts.py:go_on": "an account names its tenant",
    "db/reconciled_accounts.py:check_again": "an account names its tenant",
    "db/reconciled_accounts.py:refused": "an account names its tenant",
    "db/provider_connections.py:lease_due": "looks after the connections of all tenants",
    "db/provider_events.py:forget_old": "forgets what all tenants' providers told long ago",
    "db/api_keys.py:find": "a key is all that a request brings; it names the tenant",
    "db/api_keys.py:owner_of": "the operator names a key, and works for every tenant",
    "db/api_keys.py:watch": "hears of the keys of all tenants",
    "db/attempts.py:lease_due": "the sweeper takes up the attempts of all tenants",
    "db/batch_chunks.py:lock_due": "takes the next part of the files of all tenants",
    "db/batch_jobs.py:cut_off": "looks for the files of all tenants that stopped coming in",
    "db/checkout_sessions.py:find_tenant": "a link names its session only",
    "db/collections.py:lease_due": "the sweeper takes up the tries of all tenants",
    "db/customer_renamings.py:pass_on": "passes on the names of all tenants' customers",
    "db/customer_renamings.py:real_time": "asks for the time",
    "db/due_deliveries.py:behind": "looks for the endpoints of all tenants that have news",
    "db/due_deliveries.py:endpoints_due": "looks for the due deliveries of all tenants",
    "db/due_deliveries.py:news": "reads what the endpoints of several tenants want",
    "db/due_deliveries.py:real_time": "asks for the time",
    "db/due_deliveries.py:relay": "writes the deliveries of several tenants in one statement",
    "db/due_moments.py:tenants_with_due_work": "looks for the tenants with anything due",
    "db/due_sessions.py:due_to_expire": "looks for the due sessions of all tenants",
    "db/event_sequence.py:number": "numbers the events of all tenants in one statement",
    "db/idempotency.py:purge": "forgets the old keys of all tenants",
    "db/invoicing_entities.py:owner_of": "the operator names an entity alone",
    "db/job_queue.py:enqueue": "the queue is everybody's; the payload names the tenant",
    "db/job_queue.py:held": "a person looks at the jobs of all tenants",
    "db/key_paces.py:exchange": "a process tells of the keys of all tenants in one statement",
    "db/kept_invoices.py:owner_of": "the operator names an invoice alone",
    "db/list_counts.py:compact": "sums up the lists of all tenants",
    "db/orphans.py:owner_of": "the operator names a payment alone",
    "db/paging.py:fetch_page": "runs the statement of another query",
    "db/paging.py:pick": "runs the statement of another query",
    "db/periodic_work.py:add": "periodic work is for all tenants",
    "db/periodic_work.py:take_due": "periodic work is for all tenants",
    "db/portal_tokens.py:forget_ended": "forgets the revoked tokens of all tenants",
    "db/refunds.py:lease_due": "the sweeper takes up the refunds of all tenants",
    "db/sandbox_bank.py:current_month": "asks for the time",
    "db/sandbox_bank.py:debits_to_tell": "the bank settles the debits of all tenants",
    "db/sandbox_bank.py:lock_due_debits": "the bank settles the debits of all tenants",
    "db/sandbox_refunds.py:failed": "the bank tells what came back of all tenants",
    "db/sandbox_reversals.py:to_tell": "the bank tells what it took back of all tenants",
    "db/tenants.py:every": "lists the tenants",
    "db/webhook_deliveries.py:forget_ended": "forgets the old deliveries of all tenants",
    "db/webhook_endpoints.py:forget_replaced_secrets": "forgets the secrets of all tenants",
}
"""File:function -> why it takes a transaction and no tenant."""

SQL = re.compile(
    r"\b(select\s.+\sfrom|insert\s+into|update\s+\w+\s+set|delete\s+from|"
    r"create\s+(table|index|database)|alter\s+table|begin;|for\s+update)\b",
    re.IGNORECASE | re.DOTALL,
)
SQL_ELSEWHERE: dict[str, str] = {
    "cli/bench/long_lists.py": "copies rows, as no product does, to have a million",
    "cli/bench/looked_up.py": "draws customers from all over the list",
    "cli/bench/many_subscriptions.py": "copies rows, as no product does, to have many",
    "cli/bench/renewals.py": "writes out and copies the rows of the product, for its limit",
}
"""File -> why it speaks SQL although it does not belong to db."""

BANNED_WORDS = re.compile(r"\b(FIXME|HACK)\b")
MACHINE_PATHS = re.compile(r"/(?:work|root|home)/\w")
VAGUE_NAMES = {"common", "helper", "helpers", "manager", "misc", "service", "util", "utils"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def parsed(file: Path) -> ast.Module:
    """Read one Python file."""
    # A collection of garbage while the tree is made can fail it: Python 3.11 then counts the
    # depth of its own recursion wrongly ("AST constructor recursion depth mismatch").
    gc.disable()
    try:
        return ast.parse(file.read_text(encoding="utf-8"), str(file))
    finally:
        gc.enable()


def name_of(file: Path) -> str:
    """Name a file in the words of the lists above."""
    base = SOURCE if file.is_relative_to(SOURCE) else ROOT
    return file.relative_to(base).as_posix()


def sources() -> list[Path]:
    """Every Python file of the program."""
    return sorted(SOURCE.rglob("*.py"))


def python_files() -> list[Path]:
    """Every Python file of the program and of its tests."""
    return [*sources(), *sorted((ROOT / "tests").rglob("*.py"))]


def functions(file: Path) -> Iterator[Function]:
    """Every function of a file, methods and inner ones included."""
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def strings(file: Path) -> Iterator[str]:
    """Every text in a file's code; docstrings are not code."""
    tree = parsed(file)
    documentation = {
        id(statement.value) for statement in ast.walk(tree) if isinstance(statement, ast.Expr)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in documentation
        ):
            yield node.value


def written_files() -> Iterator[Path]:
    """Every text that people write in this repository."""
    kinds = {".py", ".sql", ".md", ".toml", ".html", ".css", ".js", ".json", ".lock", ""}
    folders = ("src", "tests", "docs", "scripts", ".ci")
    for file in chain(ROOT.glob("*"), *((ROOT / folder).rglob("*") for folder in folders)):
        if file.is_file() and file.suffix in kinds and "__pycache__" not in file.parts:
            yield file


def test_files_are_short() -> None:
    """A file has at most 400 lines, unless it is listed with its reason."""
    long = {
        name_of(file)
        for file in python_files()
        if len(file.read_text(encoding="utf-8").splitlines()) > FILE_LINES_MAX
    }

    assert long == set(LONG_FILES)


def test_functions_are_short() -> None:
    """A function has at most 60 lines, unless it is listed with its reason."""
    long = {
        f"{name_of(file)}:{function.name}"
        for file in python_files()
        for function in functions(file)
        if (function.end_lineno or 0) - function.lineno + 1 > FUNCTION_LINES_MAX
    }

    assert long == set(LONG_FUNCTIONS)


def test_imports_stand_at_the_top() -> None:
    """No function imports, unless it is listed with its reason."""
    late = {
        f"{name_of(file)}:{function.name}"
        for file in python_files()
        for function in functions(file)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }

    assert late == set(LATE_IMPORTS)


def test_the_domain_needs_nothing() -> None:
    """The domain imports the standard library and itself."""
    foreign = {
        f"{name_of(file)} imports {module}"
        for file in (SOURCE / "domain").rglob("*.py")
        for node in ast.walk(parsed(file))
        for module in imported(node)
        if module.split(".")[0] not in sys.stdlib_module_names
        and not module.startswith("tallystick.domain")
    }

    assert foreign == set()


def imported(node: ast.AST) -> list[str]:
    """The modules that a statement imports."""
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=str(module)):
            return [module]
        case _:
            return []


def test_one_place_commits() -> None:
    """Only the engine begins, commits and rolls back on a connection."""
    openers = {
        name_of(file)
        for file in sources()
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and (
            node.func.attr in {"commit", "rollback"}
            or (
                node.func.attr == "transaction"
                and ast.unparse(node.func.value).split(".")[-1]
                in {"connection", "conn", "tx", "pool"}
            )
        )
    }

    assert openers == set(OPENS_TRANSACTIONS)


def test_queries_take_the_transaction_and_the_tenant() -> None:
    """Public functions of db take `tx` and `tenant_id` first, unless listed with a reason."""
    other = {
        f"{name_of(file)}:{function.name}"
        for file in (SOURCE / "db").glob("*.py")
        if name_of(file) not in DATABASE_TOOLS
        for function in parsed(file).body
        if isinstance(function, ast.AsyncFunctionDef) and not function.name.startswith("_")
        if [a.arg for a in chain(function.args.posonlyargs, function.args.args)][:2]
        != ["tx", "tenant_id"]
    }

    assert other == set(ABOUT_NO_TENANT)


def test_database_tools_exist() -> None:
    """The list of the database's tools names no file that is gone."""
    assert {name for name in DATABASE_TOOLS if not (SOURCE / name).exists()} == set()


def test_every_door_is_kept_apart() -> None:
    """The contract of import-linter names every folder of http that holds code."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = told["tool"]["importlinter"]["contracts"]
    [doors] = [one for one in contracts if one["id"] == "doors"]
    named = {room for floor in doors["layers"] for room in floor.split(" | ")}
    folders = {file.parent.name for file in (SOURCE / "http").glob("*/__init__.py")}

    assert folders == named - {"app"}


def test_only_db_speaks_sql() -> None:
    """No text outside db looks like SQL, unless its file is listed with its reason."""
    speaking = {
        name_of(file)
        for file in sources()
        if not file.is_relative_to(SOURCE / "db")
        if any(SQL.search(text) for text in strings(file))
    }

    assert speaking == set(SQL_ELSEWHERE)


def test_files_are_named_after_what_they_do() -> None:
    """No file or folder has a name that anything would fit."""
    parts = {
        part for file in sources() for part in file.relative_to(SOURCE).with_suffix("").parts
    }

    assert parts & VAGUE_NAMES == set()


@pytest.mark.parametrize(
    ("pattern", "meaning"),
    [(BANNED_WORDS, "unfinished work"), (MACHINE_PATHS, "a path of one machine")],
    ids=["unfinished", "machine"],
)
def test_nothing_of_this_is_written(pattern: re.Pattern[str], meaning: str) -> None:
    """No file of the repository contains what the pattern looks for."""
    here = Path(__file__)
    found = {
        f"{name_of(file)}: {match.group()} ({meaning})"
        for file in written_files()
        if file != here
        for match in pattern.finditer(file.read_text(encoding="utf-8"))
    }

    assert found == set()


def test_decisions_are_indexed() -> None:
    """The index lists every decision record, and no other."""
    records = {file.name for file in DECISIONS.glob("[0-9][0-9][0-9][0-9]-*.md")}
    listed = re.findall(r"\]\((\d{4}-[a-z0-9-]+\.md)\)", (DECISIONS / "README.md").read_text())

    assert sorted(listed) == sorted(records)


def test_decisions_have_their_parts() -> None:
    """Each record says its context, decision, consequences and alternatives."""
    parts = ["## Context", "## Decision", "## Consequences", "## Alternatives"]
    incomplete = {
        file.name
        for file in DECISIONS.glob("[0-9][0-9][0-9][0-9]-*.md")
        if [line for line in file.read_text().splitlines() if line in parts] != parts
    }

    assert incomplete == set()
