"""The list of commands, which knows them before they are loaded."""

import subprocess
import sys

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

from tallystick.cli import COMMANDS, app

LOADED = """
import sys
from typer.testing import CliRunner
from tallystick.cli import app
said = CliRunner().invoke(app, sys.argv[1:])
print(said.exit_code, *{"fastapi", "alembic", "croniter"}.intersection(sys.modules))
"""


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_list_says_what_the_command_says(name: str) -> None:
    """The summary is the first paragraph of the command's own help."""
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)

    command = group.get_command(group.context_class(group), name)

    assert command is not None
    assert (command.name, command.hidden) == (name, COMMANDS[name].is_hidden)
    first = (command.help or "").partition("\n\n")[0]
    assert " ".join(first.split()) == COMMANDS[name].summary


def test_help_lists_every_command() -> None:
    """All but the hidden one, and of a command everything that it takes."""
    told = CliRunner().invoke(app, ["--help"])
    of_one = CliRunner().invoke(app, ["key", "create", "-h"])

    listed = {line.split()[1] for line in told.stdout.splitlines() if line.startswith("│ ")}
    assert {name for name, one in COMMANDS.items() if not one.is_hidden} <= listed
    assert "serve-process" not in listed
    assert (told.exit_code, of_one.exit_code) == (0, 0)
    assert "--tenant" in of_one.stdout


def test_a_wrong_word_is_told() -> None:
    """With the nearest right one."""
    told = CliRunner().invoke(app, ["tenants"])

    assert told.exit_code == 2
    assert "Did you mean 'tenant'?" in " ".join(told.stderr.replace("│", " ").split())


@pytest.mark.parametrize(("words", "code"), [(["--help"], 0), (["tenants"], 2)])
def test_help_loads_no_command(words: list[str], code: int) -> None:
    """Neither the web framework nor the migrations, which take a second."""
    ended = subprocess.run(
        [sys.executable, "-c", LOADED, *words], capture_output=True, text=True, check=True
    )

    assert ended.stdout.split() == [str(code)]
