"""The demo as a client of its own REST API: what a merchant's server does, over HTTP."""

from collections.abc import Mapping
from typing import Any

import httpx

SECONDS_MAX = 60.0
PER_PAGE = 100

NOT_FOUND = 404
CONFLICT = 409
UNAUTHORIZED = 401


class DemoFailed(Exception):
    """The demo cannot go on; the message says why."""


class Refused(DemoFailed):
    """The API said no; `status` is the HTTP status, the message what it said and about what."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """Requests with one tenant's API key."""

    def __init__(self, server_url: str, key: str) -> None:
        """Speak to a server.

        Args:
            server_url: Where it is reached, without a slash at the end.
            key: The API key.
        """
        self.key = key
        self._client = httpx.AsyncClient(
            base_url=f"{server_url}/api/v1",
            headers={"Authorization": f"Bearer {key}"},
            timeout=SECONDS_MAX,
            # The server is ours and near: no proxy of the machine stands in between.
            trust_env=False,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def get(self, path: str, **query: str | int) -> dict[str, Any]:
        """Read something.

        Raises:
            Refused: It was not answered with success.
        """
        return _body(await self._client.get(path, params=query))

    async def post(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        """Create something.

        Raises:
            Refused: It was not answered with success.
        """
        return _body(await self._client.post(path, json=body))

    async def patch(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        """Change something.

        Raises:
            Refused: It was not answered with success.
        """
        return _body(await self._client.patch(path, json=body))

    async def find(self, path: str, field: str, value: str) -> dict[str, Any] | None:
        """The oldest entry of a list whose field has this value, None when there is none."""
        page = 0
        while True:
            found = await self.get(
                path,
                search=value,
                page=page,
                per_page=PER_PAGE,
                order_by="created_at.asc",
            )
            for entry in found["data"]:
                if entry[field] == value:
                    return dict(entry)
            page += 1
            if page >= found["pagination_meta"]["total_pages"]:
                return None

    async def find_or_create(
        self, path: str, field: str, body: Mapping[str, object]
    ) -> dict[str, Any]:
        """The entry whose field is the body's, made when there is none."""
        return await self.find(path, field, str(body[field])) or await self.post(path, body)


def _body(response: httpx.Response) -> dict[str, Any]:
    try:
        body: dict[str, Any] = response.json()
    except ValueError:
        raise DemoFailed(
            f"{response.request.method} {response.request.url.path} was answered with "
            f"{response.status_code} and no JSON."
        ) from None
    if response.is_success:
        return body
    request = response.request
    sentences = [body.get("message", "no message")]
    sentences += [f"  {one['field']}: {one['message']}" for one in body.get("errors") or ()]
    raise Refused(
        response.status_code,
        f"{request.method} {request.url.path} was answered with {response.status_code}: "
        + "\n".join(sentences),
    )
