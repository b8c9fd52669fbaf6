"""`tallystick invoice`: the PDF of an invoice, as a file."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from tallystick.cli.operator import id_of, operate
from tallystick.cli.terminal import DataDir, fail, out, settings_with
from tallystick.db import document_facts, kept_invoices, tenants
from tallystick.db.engine import Tx
from tallystick.documents.pdf import invoice_pdf
from tallystick.domain.document_facts import InvoiceDocument
from tallystick.domain.errors import NotFound
from tallystick.domain.ids import Prefix
from tallystick.services.context import App

app = typer.Typer(no_args_is_help=True)


@app.callback()
def main() -> None:
    """Write the PDF of an invoice into a file."""


@app.command("pdf")
def pdf(
    invoice: Annotated[
        str, typer.Argument(metavar="INVOICE", help="The invoice's id (inv_...).")
    ],
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The file to write; default: the number.pdf."),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Write the PDF of an invoice into a file, in its customer's language."""
    invoice_id = id_of(Prefix.INVOICE, invoice, "INVOICE")

    async def work(_app: App, tx: Tx) -> InvoiceDocument:
        owner = await kept_invoices.owner_of(tx, invoice_id)
        tenant = None if owner is None else await tenants.find(tx, owner)
        found = (
            None
            if owner is None or tenant is None
            else await document_facts.of_invoice(tx, owner, invoice_id, tenant.time_zone)
        )
        if found is None:
            raise NotFound(f"There is no invoice {invoice}.")
        return found

    document = operate(settings_with(data_dir=data_dir), work, only_looks=True)
    made = asyncio.run(invoice_pdf(document))
    file = output or Path(made.name)
    try:
        file.write_bytes(made.content)
    except OSError as reason:
        fail(f"{file} cannot be written: {reason.strerror}.")
    out.print(f"{file}: {len(made.content):,} bytes", highlight=False)
