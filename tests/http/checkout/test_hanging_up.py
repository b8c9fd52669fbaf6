"""Browsers that leave in the middle of what they send."""

import pytest

from tallystick.http.app import create_app
from tests.http.checkout.conftest import Visit
from tests.world import World


async def test_who_hangs_up_is_no_defect(
    visit: Visit, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """An update that another one replaces, or a tab that is closed, is no defect of ours."""
    buyer = await visit()
    path = f"{buyer.link}/quote"
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [
            (b"content-type", b"application/x-www-form-urlencoded"),
            (b"content-length", b"99"),
        ],
    }
    sent: list[object] = []

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        sent.append(message)

    await create_app(world.app)(scope, receive, send)

    assert sent == []
    assert "http.defect" not in "".join(capsys.readouterr())
