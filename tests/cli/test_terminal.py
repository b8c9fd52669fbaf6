"""How commands talk, where nobody listens."""

import subprocess
import sys
from pathlib import Path

FULL = Path("/dev/full")
"""A file to which nothing can be written: there is no room."""

TELLS = """
import structlog
from tallystick.cli.terminal import configure_logging
from tallystick.settings import Settings

configure_logging(Settings())
structlog.get_logger().error("told", exc_info=ValueError("a defect"))
print("went on")
"""


def test_a_log_without_room_ends_nothing() -> None:
    """A line that cannot be written is lost; whatever told it goes on."""
    with FULL.open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-c", TELLS],
            stdout=subprocess.PIPE,
            stderr=full,
            check=False,
            text=True,
        )

    assert done.stdout == "went on\n"
