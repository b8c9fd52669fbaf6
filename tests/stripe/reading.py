"""Reading objects: one, lists, searches, and what is expanded in them."""

import copy
import re
from collections.abc import Callable
from typing import Any

from tests.stripe.account import Account
from tests.stripe.refusals import Json, invalid

Run = Callable[[Account, Json, str], Json]

_TERM = re.compile(
    r"""(?:metadata\[['"](?P<key>.+?)['"]\]|(?P<field>\w+)):['"](?P<is>.*?)['"]"""
)
_PAGING = {"limit", "starting_after", "ending_before", "created", "expand", "types"}


def one(kind: str) -> Run:
    """Answer one object of a kind."""

    def run(account: Account, _: Json, object_id: str) -> Json:
        return account.get(kind, object_id)

    return run


def listed(kind: str, url: str, of: str | None = None) -> Run:
    """Answer a page of the objects of a kind, newest first; `of` names the object above."""

    def run(account: Account, params: Json, object_id: str) -> Json:
        wanted = {name: value for name, value in params.items() if name not in _PAGING}
        if of is not None:
            account.get(of, object_id)
            wanted[of] = object_id
        found = [
            made
            for made in reversed(account.objects[kind].values())
            if all(made.get(name) == value for name, value in wanted.items())
            and _in_time(made, params.get("created"))
            and made.get("type") in params.get("types", [made.get("type")])
        ]
        return _page(found, params, url)

    return run


def searched(kind: str, url: str) -> Run:
    """Answer the objects of a kind that a query of `AND`s finds."""

    def run(account: Account, params: Json, _: str) -> Json:
        terms = [
            (term["key"], term["field"], term["is"]) for term in _TERM.finditer(params["query"])
        ]
        if not terms or " OR " in params["query"]:
            raise invalid("We were unable to parse your search query.", param="query")
        found = [
            made
            for made in reversed(account.objects[kind].values())
            if not account.deaf_search
            and all(
                (made["metadata"].get(key) if key else made.get(field)) == value
                for key, field, value in terms
            )
        ]
        page = _page(found, {"limit": params.get("limit", 10)}, url)
        return {**page, "object": "search_result", "next_page": None}

    return run


def _in_time(made: Json, asked: object) -> bool:
    created: int = made["created"]
    if asked is None:
        return True
    if not isinstance(asked, dict):
        return created == asked
    early = created < asked.get("gte", created) or created <= asked.get("gt", created - 1)
    late = created > asked.get("lte", created) or created >= asked.get("lt", created + 1)
    return not early and not late


def _page(found: list[Json], params: Json, url: str) -> Json:
    limit: int = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise invalid("Limit must be between 1 and 100.", param="limit", kept=False)
    if "starting_after" in params:
        ids = [made["id"] for made in found]
        if params["starting_after"] not in ids:
            raise invalid("No such object", code="resource_missing", param="starting_after")
        found = found[ids.index(params["starting_after"]) + 1 :]
    return {
        "object": "list",
        "data": found[:limit],
        "has_more": len(found) > limit,
        "url": url,
    }


def expanded(account: Account, told: Json, paths: list[str]) -> Json:
    """A copy, in which the ids at these paths are the objects that they name."""
    copied = copy.deepcopy(told)
    for path in paths:
        _expand(account, copied, path.split("."), path)
    return copied


def _expand(account: Account, here: Any, parts: list[str], path: str) -> None:  # noqa: ANN401
    if isinstance(here, list):
        for item in here:
            _expand(account, item, parts, path)
        return
    first, *rest = parts
    if not isinstance(here, dict) or first not in here:
        raise invalid(f"This property cannot be expanded ({path}).", param="expand", kept=False)
    if isinstance(here[first], str):
        found = [objects[here[first]] for objects in account.objects.values()
                 if here[first] in objects]  # fmt: skip
        if not found:
            message = f"This property cannot be expanded ({path})."
            raise invalid(message, param="expand", kept=False)
        here[first] = copy.deepcopy(found[0])
    if rest and here[first] is not None:
        _expand(account, here[first], rest, path)
