"""`tallystick explain`: how an invoice came to its figures, line by line."""

import textwrap
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from tallystick.cli.operator import Json, id_of, operate
from tallystick.cli.terminal import DataDir, out, settings_with
from tallystick.db import kept_invoices
from tallystick.db.engine import Tx
from tallystick.domain.errors import NotFound
from tallystick.domain.explain_debt import Due
from tallystick.domain.explain_invoice import InvoiceExplanation, explain_invoice
from tallystick.domain.explanation import Step, Totaled
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.plain_english import PLAIN_ENGLISH, tell
from tallystick.http.v1.explanation_schemas import show_explanation
from tallystick.services.context import App

_WEIGHTY = (Totaled, Due)
"""The steps that the eye looks for."""
_INDENT = "  "
_NARROW = 20
"""Columns below which nothing is wrapped any narrower."""


def explain(
    invoice: Annotated[
        str, typer.Argument(metavar="INVOICE", help="The invoice's id (inv_...).")
    ],
    *,
    as_json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Tell how every figure of an invoice came about.

    Everything is computed once more, from quantities and prices to what is due. An invoice
    whose stored figures are not what that comes to ends the command with exit code 1.
    """
    invoice_id = id_of(Prefix.INVOICE, invoice, "INVOICE")

    async def work(_app: App, tx: Tx) -> InvoiceExplanation:
        owner = await kept_invoices.owner_of(tx, invoice_id)
        kept = None if owner is None else await kept_invoices.load(tx, owner, invoice_id)
        if kept is None:
            raise NotFound(f"There is no invoice {invoice}.")
        return explain_invoice(kept)

    made = operate(settings_with(data_dir=data_dir), work, only_looks=True)
    if as_json:
        typer.echo(show_explanation(made).model_dump_json())
        return
    _show(made)


def _show(made: InvoiceExplanation) -> None:
    kept, money = made.invoice, PLAIN_ENGLISH.money
    number = kept.number or "draft"
    out.print(
        f"[bold]Invoice {escape(number)}[/] of {kept.invoice_date} for"
        f" {escape(kept.customer_name)}, {kept.status.value}",
        f"[dim]{encode(Prefix.INVOICE, kept.id)}[/]",
        sep="\n",
    )
    for one in made.lines:
        out.print()
        out.print(_row(one.line.name, money(one.line.amount_total, kept.currency)))
        out.print(*(_told(step, kept.currency) for step in one.steps), sep="\n", soft_wrap=True)
    out.print()
    out.print(_row("Invoice", money(kept.total, kept.currency)))
    out.print(*(_told(step, kept.currency) for step in made.steps), sep="\n", soft_wrap=True)


def _told(step: Step, currency: str) -> Text:
    """A step's sentence in the terminal's width; no amount is torn from its currency."""
    words = tell(step, currency).replace(f"{currency} ", f"{currency}\N{NO-BREAK SPACE}")
    told = textwrap.fill(
        words,
        max(out.width, _NARROW),
        initial_indent=_INDENT,
        subsequent_indent=_INDENT * 2,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return Text(told, style="bold" if isinstance(step, _WEIGHTY) else "")


def _row(name: str, amount: str) -> Table:
    """A name on the left and its amount on the right, a name that is too long folded."""
    table = Table.grid(expand=True, padding=(0, 2, 0, 0))
    table.add_column(overflow="fold", ratio=1, style="bold cyan")
    table.add_column(justify="right", no_wrap=True, style="bold")
    table.add_row(Text(name), amount)
    return table
