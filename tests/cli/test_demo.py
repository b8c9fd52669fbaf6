"""The demo, run as somebody would who has just cloned the repository."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tallystick.db.server import EmbeddedServer

RUN_SECONDS_MAX = 110
TALLYSTICK = Path(sys.executable).with_name("tallystick")


@pytest.fixture(name="data_dir")
def _data_dir() -> Iterator[Path]:
    """A data directory of one test, whose server ends with it."""
    folder = Path(tempfile.mkdtemp(prefix="tallystick-"))
    folder.chmod(0o755)
    yield folder / "data"
    EmbeddedServer(folder / "data").stop(immediately=True)
    shutil.rmtree(folder)


def once(data_dir: str, folder: Path) -> dict[str, Any]:
    """Run `tallystick demo --once` in a folder, and read its last line."""
    ended = subprocess.run(
        [TALLYSTICK, "demo", "--once", "--data-dir", data_dir, "--port", "0"],
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS_MAX,
        check=False,
        cwd=folder,
        env=environment(),
    )
    assert ended.returncode == 0, ended.stderr
    printed: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return printed


def environment() -> dict[str, str]:
    """The environment without what would lead the demo elsewhere."""
    return {
        name: value
        for name, value in os.environ.items()
        if name != "DATABASE_URL" and not name.startswith("TALLYSTICK_")
    }


@pytest.mark.timeout(2 * RUN_SECONDS_MAX)
def test_it_buys_once_and_finds_its_data_again(data_dir: Path) -> None:
    """With `--once` the full request is paid, one charge is taken, and everything ends; the
    next run sells the same catalog, to another customer, because the first has the plan.
    """
    first = once(str(data_dir), data_dir.parent)

    assert_is_a_purchase(first)
    assert first["subscription"]["customer_alias"] == "globex"
    assert not EmbeddedServer(data_dir).is_running()
    key = data_dir / "demo.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600

    key.unlink()
    second = once(data_dir.name, data_dir.parent)

    assert_is_a_purchase(second)
    assert second["session"]["plan_version_id"] == first["session"]["plan_version_id"]
    assert second["session"]["coupon_ids"] == first["session"]["coupon_ids"]
    assert second["subscription"]["customer_alias"] == "globex-2"
    assert not EmbeddedServer(data_dir).is_running()


def assert_is_a_purchase(printed: dict[str, Any]) -> None:
    """The session of the full request led to a subscription and one paid invoice."""
    session, subscription = printed["session"], printed["subscription"]
    assert session["status"] == "COMPLETED"
    assert session["subscription_id"] == subscription["id"]
    assert subscription["status"] == "ACTIVE"

    (invoice,) = printed["invoices"]
    (payment,) = invoice["transactions"]
    assert (invoice["invoice_type"], invoice["status"]) == ("RECURRING", "FINALIZED")
    assert (invoice["payment_status"], invoice["amount_due"]) == ("PAID", 0)
    assert payment["amount"] == invoice["total"] - invoice["applied_credits"] > 0
    assert sum(line["amount_total"] for line in invoice["line_items"]) == invoice["total"]


def test_it_serves_until_it_is_interrupted(data_dir: Path) -> None:
    """Without `--once` it takes the next free port, shows the link, sells every plan, and ends
    by Ctrl-C with everything that it started.
    """
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = subprocess.Popen(
            [TALLYSTICK, "demo", "--data-dir", data_dir, "--port", str(port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        try:
            link = link_of(process)
            page = httpx.get(link, trust_env=False)
            bought = [buy_in_the_shop(link, plan) for plan in ("Starter", "Team", "Scale")]
        finally:
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=RUN_SECONDS_MAX)

    assert f"Port {port} is taken" in told
    assert f":{port}/" not in link
    assert "Platform fee (negotiated)" in page.text
    assert [(answer.status_code, answer.url.path[:10]) for answer in bought] == [
        (200, "/checkout/")
    ] * 3
    assert process.returncode == 0
    assert told.endswith("Stopped.\n")
    assert "Traceback" not in told
    assert not EmbeddedServer(data_dir).is_running()


@pytest.mark.parametrize("seconds", [0.2, 1.0, 3.0])
def test_it_can_be_ended_at_any_time(data_dir: Path, seconds: float) -> None:
    """Ctrl-C while it loads or starts ends it without a trace, and leaves nothing running."""
    process = subprocess.Popen(
        [TALLYSTICK, "demo", "--data-dir", data_dir, "--port", "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        start_new_session=True,
    )
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=RUN_SECONDS_MAX)

    assert told.endswith("Stopped.\n")
    assert "Traceback" not in told
    assert process.returncode in {0, 130}
    assert not EmbeddedServer(data_dir).is_running()


def link_of(process: "subprocess.Popen[str]") -> str:
    """Wait until the demo shows the checkout link, alone on its line."""
    assert process.stdout is not None
    deadline = time.monotonic() + RUN_SECONDS_MAX
    while time.monotonic() < deadline:
        line = process.stdout.readline().strip()
        if line.startswith("http") and "/checkout/" in line:
            return line
    raise AssertionError("no link was shown")


def buy_in_the_shop(link: str, plan: str) -> httpx.Response:
    """Press a plan's button on the merchant's page; it leads to a checkout."""
    shop = f"{link.partition('/checkout/')[0]}/demo"
    return httpx.post(f"{shop}/buy/{plan}", follow_redirects=True, trust_env=False)
