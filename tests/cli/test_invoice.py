"""`tallystick invoice pdf`: an invoice as a file."""

import io
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from pypdf import PdfReader
from typer.testing import CliRunner, Result

from tallystick.cli import app
from tallystick.db.engine import Database
from tallystick.domain.ids import Prefix, encode
from tests.database import in_own_loop
from tests.world import open_world

Tallystick = Callable[..., Result]


@pytest.fixture
def tallystick(database_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Tallystick:
    """Runs a command against a database of this test."""
    monkeypatch.setenv("DATABASE_URL", database_dsn)
    return lambda *words: CliRunner().invoke(app, list(words))


@pytest.fixture
def bought(database_dsn: str) -> str:
    """EUR 49, paid by card."""

    async def buy() -> str:
        database = await Database.open(database_dsn)
        world = await open_world(database)
        await world.confirm(await world.session(await world.customer(), await world.plan()))
        invoice = await world.one("select id from invoices")
        await database.close()
        return encode(Prefix.INVOICE, invoice["id"])

    return in_own_loop(buy())


def test_an_invoice_is_written(bought: str, tallystick: Tallystick, tmp_path: Path) -> None:
    """Into the file that is named; how long it is is told."""
    file = tmp_path / "paper.pdf"
    told = tallystick("invoice", "pdf", bought, "-o", str(file))

    assert told.exit_code == 0, told.stderr
    assert told.stdout.replace("\n", "").endswith(f"{file.stat().st_size:,} bytes")
    text = PdfReader(io.BytesIO(file.read_bytes())).pages[0].extract_text()
    assert "INV-1" in text


def test_a_file_that_cannot_be_written(
    bought: str, tallystick: Tallystick, tmp_path: Path
) -> None:
    """A sentence, and no trace of the program."""
    told = tallystick("invoice", "pdf", bought, "-o", str(tmp_path / "no" / "paper.pdf"))

    assert told.exit_code == 1
    assert "cannot be written: No such file or directory." in told.stderr.replace("\n", " ")


def test_without_a_name_it_has_its_number(
    bought: str, tallystick: Tallystick, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the folder that one is in."""
    monkeypatch.chdir(tmp_path)

    assert tallystick("invoice", "pdf", bought).exit_code == 0
    assert (tmp_path / "INV-1.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("name", ["inv_nobody", encode(Prefix.INVOICE, UUID(int=7))])
def test_an_invoice_that_is_not_there(bought: str, tallystick: Tallystick, name: str) -> None:
    """The command ends with what is wrong."""
    assert bought
    told = tallystick("invoice", "pdf", name)

    assert told.exit_code == 1
    assert f"There is no invoice {name}" in told.stderr
