"""A page of `docs/api`, followed as a reader would: commands in a shell, examples in Python.

Blocks of `console` are commands after `$ ` and what of their answer the page shows: a field
that it leaves out may be anything, `...` in a text stands for any text, and the rest is exact.
Blocks of `pycon` are doctests. All of them share their names, shells know those in capitals.
What a reader does outside of both stands in a comment, `<!-- run: ... -->`, as Python.
"""

import doctest
import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PART = re.compile(
    r"^```(console|pycon)\n(.*?)^```$|<!-- (run): (.*?) -->", re.MULTILINE | re.DOTALL
)
_STATUS = re.compile(r"[0-9]{3}( \w+)?\n*")
_COMMAND = re.compile(r"^\$ ", re.MULTILINE)


@dataclass(frozen=True)
class Walkthrough:
    """Somebody who reads: `names` is all that is known so far, by its name in Python."""

    names: dict[str, Any]

    def follow(self, page: Path) -> int:
        """Do what a page says; return how many steps that were."""
        steps = 0
        for found in _PART.finditer(page.read_text(encoding="utf-8")):
            match found[1] or found[3]:
                case "console":
                    for command, told in commands(found[2]):
                        self._send(command, told)
                case "pycon":
                    self._compute(found[2], page.name)
                case _:
                    exec(found[4], self.names)  # noqa: S102 - our own documentation
            steps += 1
        return steps

    def _send(self, command: str, told: str) -> None:
        known = {
            name: value
            for name, value in self.names.items()
            if name.isupper() and isinstance(value, str)
        }
        environment = os.environ | known | {"NO_PROXY": "*"}
        done = subprocess.run(
            ["sh", "-ec", command.replace("curl ", "curl --silent --show-error ", 1)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        if not told.startswith("{"):
            assert done.stdout.strip() == told, command
            return
        self.names["answer"] = json.loads(done.stdout)
        differing = [*differences(json.loads(told), self.names["answer"], "answer")]
        assert differing == [], f"{command}\n{done.stdout}"

    def _compute(self, block: str, name: str) -> None:
        test = doctest.DocTestParser().get_doctest(block, self.names, name, name, 0)
        told: list[str] = []
        runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
        result = runner.run(test, out=told.append, clear_globs=False)
        assert result.failed == 0, "".join(told)
        self.names.update(test.globs)


def commands(block: str) -> Iterator[tuple[str, str]]:
    """The commands of a block, each with what the page shows of its answer."""
    for part in _COMMAND.split(block)[1:]:
        lines = part.splitlines(keepends=True)
        # The last lines that are an answer are one; a body stands inside the command.
        ends = next(
            (
                number
                for number in range(len(lines), 0, -1)
                if _is_answer("".join(lines[number:]))
            ),
            len(lines),
        )
        yield "".join(lines[:ends]), "".join(lines[ends:]).strip()


def _is_answer(text: str) -> bool:
    if _STATUS.fullmatch(text):
        return True
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def differences(told: object, found: object, where: str) -> Iterator[str]:
    """Where an answer is not what the page says."""
    match told, found:
        case dict(), dict():
            for name, part in told.items():
                if name not in found:
                    yield f"{where}.{name} is missing"
                else:
                    yield from differences(part, found[name], f"{where}.{name}")
        case list(), list() if len(told) == len(found):
            for number, (one, other) in enumerate(zip(told, found, strict=True)):
                yield from differences(one, other, f"{where}[{number}]")
        case str(), str() if "..." in told:
            shape = ".*".join(map(re.escape, told.split("...")))
            if not re.fullmatch(shape, found, re.DOTALL):
                yield f"{where} is {found!r} and not {told!r}"
        case _ if told != found:
            yield f"{where} is {found!r} and not {told!r}"
        case _:
            return
