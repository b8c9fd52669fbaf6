"""The command line: each command is a module of this room, and this is the list of them."""

import os

import typer

from tallystick.cli.later import Later, commands_of
from tallystick.cli.terminal import configure_logging, settings_with

LOG_LEVEL = "TALLYSTICK_LOG_LEVEL"
"""Commands that end soon say what matters themselves; those that stay set their own level."""

COMMANDS = {
    "demo": Later(
        "demo:demo",
        "Start everything, with a shop to look at and a checkout that waits to be paid.",
    ),
    "serve": Later(
        "serve:serve",
        "Serve the API and the checkout pages, and do what is due, until Ctrl-C.",
    ),
    "serve-process": Later(
        "serve:serve_process",
        "Answer requests as one of several processes; `serve --workers` starts it.",
        is_hidden=True,
    ),
    "worker": Later(
        "worker:worker",
        "Do what is due, until Ctrl-C: jobs, payments left open, expiry, debits, webhooks.",
    ),
    "listen": Later(
        "listen:listen",
        "Show each event of a tenant as it comes, and forward it to a program of yours.",
    ),
    "doctor": Later(
        "doctor:doctor",
        "Check the database against everything that must hold of it.",
    ),
    "reconcile": Later(
        "reconcile:reconcile",
        "Compare what the providers took with the books, and mend what is missing there.",
    ),
    "give-back": Later(
        "give_back:give_back",
        "Give money back that nobody owed, and whose refund was refused or came back.",
    ),
    "explain": Later(
        "explain:explain",
        "Tell how every figure of an invoice came about.",
    ),
    "invoice": Later(
        "invoice:app",
        "Write the PDF of an invoice into a file.",
    ),
    "openapi": Later(
        "openapi:openapi",
        "Print the OpenAPI 3.1 document of the API. Needs no database.",
    ),
    "bench": Later(
        "bench.command:bench",
        "Measure what PostgreSQL can do at most, and what the product makes of it, in one run.",
    ),
    "bench-events": Later(
        "bench.events:bench_events",
        "Measure how fast usage events come in, against the bare COPY of the same rows.",
    ),
    "bench-billing": Later(
        "bench.billing:bench_billing",
        "Measure how fast subscriptions are renewed, against the bare COPY of the same rows.",
    ),
    "bench-lists": Later(
        "bench.lists:bench_lists",
        "Measure every list, search and lookup with a million of everything in the database.",
    ),
    "db": Later(
        "database:app",
        "Start, stop, look at and migrate the database.",
    ),
    "tenant": Later(
        "tenant:app",
        "Make, list and change tenants: the merchants that this installation bills for.",
    ),
    "entity": Later(
        "entity:app",
        "Show and change invoicing entities: the legal entities that a tenant sells through.",
    ),
    "provider": Later(
        "provider:app",
        "Connect invoicing entities to the accounts that they are paid through.",
    ),
    "key": Later(
        "key:app",
        "Make, list and revoke API keys. A key speaks for one tenant.",
    ),
    "import": Later(
        "importing:app",
        "Import CSV files of customers, subscriptions and events.",
    ),
    "clock": Later(
        "clock:app",
        "Show and move the clock of a test tenant: a year of billing in a second.",
    ),
}

app = typer.Typer(
    name="tallystick",
    help="A self-hosted billing platform: from one request to a paid subscription.",
    cls=commands_of(COMMANDS),
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def main(ctx: typer.Context) -> None:
    """A self-hosted billing platform: from one request to a paid subscription.

    Settings come from the environment (TALLYSTICK_*); an option of a command wins over them.
    Without DATABASE_URL, an embedded PostgreSQL runs under the data directory.
    """
    if ctx.obj is not None:
        # The command is loaded, and from here on ends in order.
        ctx.obj()
    configure_logging(settings_with(log_level=os.environ.get(LOG_LEVEL, "warning")))
