"""The command line: each command is a module of this room, and this is the list of them."""

import os

import typer

from tallystick.cli import (
    clock,
    database,
    doctor,
    entity,
    explain,
    key,
    openapi,
    serve,
    tenant,
    worker,
)
from tallystick.cli.bench.billing import bench_billing
from tallystick.cli.bench.command import bench
from tallystick.cli.bench.events import bench_events
from tallystick.cli.demo import demo
from tallystick.cli.terminal import configure_logging, settings_with

LOG_LEVEL = "TALLYSTICK_LOG_LEVEL"
"""Commands that end soon say what matters themselves; those that stay set their own level."""

app = typer.Typer(
    name="tallystick",
    help="A self-hosted billing platform: from one request to a paid subscription.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("demo")(demo)
app.command("serve")(serve.serve)
app.command("serve-process", hidden=True)(serve.serve_process)
app.command("worker")(worker.worker)
app.command("doctor")(doctor.doctor)
app.command("explain")(explain.explain)
app.add_typer(database.app, name="db")
app.add_typer(tenant.app, name="tenant")
app.add_typer(entity.app, name="entity")
app.add_typer(key.app, name="key")
app.add_typer(clock.app, name="clock")
app.command("openapi")(openapi.openapi)
app.command("bench")(bench)
app.command("bench-events")(bench_events)
app.command("bench-billing")(bench_billing)


@app.callback()
def main() -> None:
    """A self-hosted billing platform: from one request to a paid subscription.

    Settings come from the environment (TALLYSTICK_*); an option of a command wins over them.
    Without DATABASE_URL, an embedded PostgreSQL runs under the data directory.
    """
    configure_logging(settings_with(log_level=os.environ.get(LOG_LEVEL, "warning")))
