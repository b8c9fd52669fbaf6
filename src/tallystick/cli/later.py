"""Commands that are loaded when they are called: help and a wrong word are told at once.

Loading all of them takes two seconds, and none of them needs the others.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import typer
from typer.core import TyperCommand, TyperGroup
from typing_extensions import override


@dataclass(frozen=True, slots=True)
class Later:
    """Where a command is, and what the list of commands says of it.

    Attributes:
        place: Its module below this room and its name there, such as `key:app`: a function, or
            the Typer of several commands.
        summary: The first paragraph of its help.
        is_hidden: Whether it is left out of the list.
    """

    place: str
    summary: str
    is_hidden: bool = False

    def load(self, name: str) -> TyperCommand | TyperGroup:
        """The command itself."""
        module, _, attribute = self.place.partition(":")
        found = getattr(importlib.import_module(f"tallystick.cli.{module}"), attribute)
        whole = typer.Typer(add_completion=False, rich_markup_mode="rich")
        whole.callback()(_nothing)
        if isinstance(found, typer.Typer):
            whole.add_typer(found, name=name)
        else:
            whole.command(name, hidden=self.is_hidden)(found)
        group = cast("TyperGroup", typer.main.get_command(whole))
        return cast("TyperCommand | TyperGroup", group.commands[name])


class Commands(TyperGroup):
    """The commands of a program, each loaded when it is called."""

    later: Mapping[str, Later] = {}

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - of the group
        super().__init__(**attributes)
        self.commands = {
            name: TyperCommand(name, help=one.summary, hidden=one.is_hidden)
            for name, one in self.later.items()
        }

    @override
    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.later:
            return None
        return self.later[cmd_name].load(cmd_name)

    @override
    def format_help(self, ctx: Any, formatter: Any) -> None:
        listed = TyperGroup(
            name=self.name,
            commands=dict(self.commands),
            params=self.params,
            help=self.help,
            rich_markup_mode=self.rich_markup_mode,
        )
        listed.format_help(ctx, formatter)


def commands_of(later: Mapping[str, Later]) -> type[Commands]:
    """The class of a group with these commands, for `typer.Typer(cls=...)`."""
    return type("Commands", (Commands,), {"later": later})


def _nothing() -> None:
    """Nothing is done before a command; a group of one command is still a group."""
