"""From a document's paper to its PDF: typst, inside the process, with fonts of our own.

What stands on the paper travels as JSON and is drawn as text: nothing of it is ever read as
markup. The PDF is archivable and accessible (PDF/A-3a, PDF/UA-1), and for one paper and one
moment always the same, byte by byte.
"""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Literal, TypeAlias

import typst

from tallystick.documents.paper import Paper
from tallystick.documents.printable import printable
from tallystick.domain.errors import Busy

LIMIT_SECONDS = 10
"""How long anybody waits for a document."""
AGAIN_SECONDS = 5
"""When to ask again for one that was not made in time."""
AT_ONCE = 2
"""How many are made at the same time in a process; the others wait for their turn."""

Standard: TypeAlias = Literal["a-3a", "ua-1"]
_STANDARDS: tuple[Standard, ...] = ("a-3a", "ua-1")


async def typeset(paper: Paper, at: datetime) -> bytes:
    """The PDF of a paper, made beside the event loop; `at` is the moment that it names.

    Raises:
        Busy: It was not made in time.
    """
    loop = asyncio.get_running_loop()
    try:
        making = loop.run_in_executor(_workers(), compiled, paper, at)
        return await asyncio.wait_for(making, LIMIT_SECONDS)
    except TimeoutError:
        raise Busy("The document is not ready yet; ask again.", AGAIN_SECONDS) from None


def compiled(paper: Paper, at: datetime) -> bytes:
    """The PDF of a paper.

    What cannot be drawn is done without, because neither a logo nor a name may keep an invoice
    from its reader: a broken picture, and the archive, which refuses a few combinations of
    characters, such as a lone accent that a line begins with.
    """
    bare = replace(paper, logo=None)
    for tried in (paper, bare):
        try:
            return _compiled(as_json(tried), at, [*_STANDARDS])
        except typst.TypstError:
            continue
    return _compiled(as_json(bare), at, [])


def _compiled(data: str, at: datetime, standards: list[Standard]) -> bytes:
    return typst.compile(
        _template(),
        font_paths=_fonts(),
        sys_inputs={"paper": data},
        pdf_standards=[*standards],
        timestamp=int(at.timestamp()),
    )


def pictures(paper: Paper, at: datetime, pixels_per_inch: int) -> list[bytes]:
    """The pages of a paper as PNG, for whoever wants to look at them."""
    made = typst.Compiler(
        _template(), font_paths=_fonts(), sys_inputs={"paper": as_json(paper)}
    ).compile(format="png", ppi=float(pixels_per_inch), timestamp=int(at.timestamp()))
    if made is None:
        return []
    return [made] if isinstance(made, bytes) else made


def as_json(paper: Paper) -> str:
    """A paper as the template reads it, every text printable."""
    texts = _printable(asdict(replace(paper, logo=None)))
    assert isinstance(texts, dict), "a paper has fields"
    return json.dumps({**texts, "logo": paper.logo}, ensure_ascii=False)


def _printable(value: object) -> object:
    match value:
        case str():
            return printable(value)
        case dict():
            return {key: _printable(one) for key, one in value.items()}
        case list() | tuple():
            return [_printable(one) for one in value]
        case _:
            return value


@cache
def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="documents")


@cache
def _template() -> bytes:
    return (resources.files(__package__) / "templates" / "document.typ").read_bytes()


@cache
def _fonts() -> typst.Fonts:
    with resources.as_file(resources.files(__package__) / "fonts") as folder:
        return typst.Fonts(
            include_system_fonts=False,
            include_embedded_fonts=False,
            font_paths=[str(folder)],
        )
