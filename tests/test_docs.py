"""The documentation holds: its examples run, its links lead somewhere, its lists are whole."""

import doctest
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.core import TyperGroup

from tallystick.cli import app
from tallystick.http.v1.checkout_schemas import CreateCheckoutSession
from tallystick.settings import Settings

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
# What speaks to a server is followed in tests/http/test_api_pages.py.
SPOKEN = ROOT / "docs" / "api"
EXAMPLES = [
    page
    for page in PAGES
    if SPOKEN not in page.parents and ">>> " in page.read_text(encoding="utf-8")
]

MAP_LINES_MAX = 200

LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*$", re.MULTILINE)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
BLOCK = re.compile(r"^```(?:sh|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
COMMAND = re.compile(r"(?:^|[\s$(])(make|tallystick)((?: +[a-z][a-z-]*)*)")


def name_of(page: Path) -> str:
    """A page by its path in the repository."""
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", EXAMPLES, ids=name_of)
def test_examples_run(page: Path) -> None:
    """Every example of a page gives what the page says."""
    # The fence after an answer would be taken for a part of it.
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    examples = doctest.DocTestParser().get_doctest(text, {}, name_of(page), str(page), 0)

    told: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(examples, out=told.append)

    assert result.failed == 0, "".join(told)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    """Links inside the repository name files that exist, and headings that stand in them."""
    broken = [
        link
        for link in LINK.findall(page.read_text(encoding="utf-8"))
        if "://" not in link and not leads_somewhere(page, link)
    ]

    assert broken == []


def leads_somewhere(page: Path, link: str) -> bool:
    """Whether a link from a page finds its file, and its heading if it names one."""
    path, _, heading = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists():
        return False
    return not heading or heading in anchors(target)


def anchors(page: Path) -> set[str]:
    """The headings of a page as links name them."""
    return {
        re.sub(r"[^\w\- ]", "", heading.replace("`", "")).strip().lower().replace(" ", "-")
        for heading in HEADING.findall(page.read_text(encoding="utf-8"))
    }


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_exist(page: Path) -> None:
    """Every `make` target and every `tallystick` command that a page names exists."""
    text = page.read_text(encoding="utf-8")
    unknown = [
        f"{program}{words}"
        for written in [*BLOCK.findall(text), *SPAN.findall(text)]
        for line in written.splitlines()
        if not line.lstrip().startswith("#")
        for program, words in COMMAND.findall(line)
        if words and not exists(program, words.split())
    ]

    assert unknown == []


def exists(program: str, words: list[str]) -> bool:
    """Whether these words begin a command of the program."""
    if program == "make":
        return words[0] in set(targets())
    command: Any = typer.main.get_command(app)
    for word in words:
        if not isinstance(command, TyperGroup):
            # What follows a whole command are its arguments.
            return True
        command = command.get_command(command.context_class(command), word)
        if command is None:
            return False
    return True


def targets() -> Iterator[str]:
    """The targets of the Makefile."""
    for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines():
        if found := re.match(r"([a-z-]+):", line):
            yield found[1]


def rows_of(page: Path, heading: str) -> dict[str, list[str]]:
    """The rows of the table below a heading, by their first cell without backquotes."""
    text = page.read_text(encoding="utf-8")
    section = text.partition(f"\n{heading}\n")[2].split("\n#")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in section.splitlines()
        if line.startswith("|") and not line.startswith("|---")
    ]
    return {row[0].strip("`| "): row[1:] for row in rows[1:]}


def test_every_setting_is_described() -> None:
    """The table of settings has every one, with its default, and no other."""
    described = rows_of(ROOT / "docs" / "running.md", "## Settings")

    assert {name: row[0].strip("`") for name, row in described.items()} == {
        f"TALLYSTICK_{name.upper()}": shown_default(name) for name in Settings.model_fields
    }


def shown_default(name: str) -> str:
    """A setting's default as a person would write it."""
    default = Settings.model_fields[name].default
    match default:
        case None:
            return "-"
        case bool():
            return str(default).lower()
        case float() if default.is_integer():
            return str(int(default))
        case _:
            return str(default)


def test_every_field_of_the_request_is_described() -> None:
    """The guide to the checkout has every field of the request, and no other."""
    described = rows_of(ROOT / "docs" / "checkout.md", "## The request, field by field")

    assert set(described) == set(CreateCheckoutSession.model_fields)


def test_the_map_stays_a_map() -> None:
    """ARCHITECTURE.md fits on a few screens."""
    lines = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()

    assert len(lines) <= MAP_LINES_MAX


def test_the_map_shows_every_room() -> None:
    """ARCHITECTURE.md names every room of the house."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    house = ROOT / "src" / "tallystick"
    rooms = [
        room.name
        for room in house.iterdir()
        if (room / "__init__.py").exists() or room.suffix == ".py"
    ]

    assert [
        room
        for room in rooms
        if not room.startswith("__") and f"`{room.removesuffix('.py')}" not in text
    ] == []


NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_promises_name_tests_that_exist() -> None:
    """Every test that docs/security.md names is there, and every promise names one."""
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = NAMED_TEST.findall(text)
    gone = [
        f"{path}::{name}"
        for path, name in named
        if f"def {name}(" not in (ROOT / path).read_text(encoding="utf-8")
    ]
    promises = [line for line in text.splitlines() if line.startswith("| ")]

    assert gone == []
    assert len(named) == len([one for one in promises if not one.startswith("| promise")])
