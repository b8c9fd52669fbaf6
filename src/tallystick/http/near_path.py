"""The address that somebody may have meant who asked for one where there is nothing."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from functools import cache

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

API = "/api/"
NEAR = 0.85
LENGTHS_APART = 4
"""What is longer or shorter by more is no mistyped address, and comparing it costs time."""


def near_path(app: FastAPI, path: str) -> str | None:
    """The nearest address of the API; what stands for an id in it is kept as it was asked for.

    None where nothing is near, or where it is no address of the API at all. Anybody may ask:
    only words of about the length of ours are compared, and ids never are.
    """
    if not path.startswith(API) or not path.isascii():
        return None
    asked = path.rstrip("/").split("/")
    near = max(_compared(app, asked), default=None)
    return near[1] if near is not None and near[0] >= NEAR else None


def _compared(app: FastAPI, asked: Sequence[str]) -> Iterator[tuple[float, str]]:
    """How near the words of an address are to those of ours, and what would be meant then."""
    for template in _templates(app):
        if len(template) != len(asked):
            continue
        pairs = list(zip(template, asked, strict=True))
        words = [(ours, theirs) for ours, theirs in pairs if not _is_id(ours)]
        ours, theirs = ("/".join(side) for side in zip(*words, strict=True))
        if abs(len(ours) - len(theirs)) > LENGTHS_APART:
            continue
        matcher = SequenceMatcher(None, theirs, ours)
        if matcher.quick_ratio() >= NEAR:
            meant = "/".join(theirs if _is_id(ours) else ours for ours, theirs in pairs)
            yield matcher.ratio(), meant


def _is_id(part: str) -> bool:
    return part.startswith("{")


@cache
def _templates(app: FastAPI) -> Sequence[tuple[str, ...]]:
    """The addresses of the API, cut at their slashes."""
    paths = {one.path for one in iter_route_contexts(app.routes)}
    return [
        tuple(path.split("/")) for path in sorted(p for p in paths if p and p.startswith(API))
    ]
