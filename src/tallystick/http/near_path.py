"""The address that somebody may have meant who asked for one where there is nothing."""

from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

API = "/api/"
PATH_CHARS_MAX = 150
"""Longer addresses are not compared: nobody mistypes them, and comparing costs time."""
NEAR = 0.85


def near_path(app: FastAPI, path: str) -> str | None:
    """The nearest address of the API; what stands for an id in it is kept as it was asked for.

    None where nothing is near, or where it is no address of the API at all.
    """
    if not path.startswith(API) or len(path) > PATH_CHARS_MAX or not path.isascii():
        return None
    asked = path.rstrip("/").split("/")
    known = {
        "/".join(
            theirs if ours.startswith("{") else ours
            for ours, theirs in zip(template, asked, strict=True)
        )
        for template in _templates(app)
        if len(template) == len(asked)
    }
    near = get_close_matches("/".join(asked), known, n=1, cutoff=NEAR)
    return near[0] if near else None


@cache
def _templates(app: FastAPI) -> Sequence[tuple[str, ...]]:
    """The addresses of the API, cut at their slashes."""
    paths = {one.path for one in iter_route_contexts(app.routes)}
    return [
        tuple(path.split("/")) for path in sorted(p for p in paths if p and p.startswith(API))
    ]
