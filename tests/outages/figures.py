"""Where what was measured goes: a line of JSON for each outage."""

import json
import os
from pathlib import Path

ROUNDS = int(os.environ.get("TALLYSTICK_OUTAGES_ROUNDS", "1"))
"""How often the database goes away in each test."""
EVERY_WAY = "TALLYSTICK_OUTAGES_ROUNDS" in os.environ
"""Whether it goes away in every way: each needs a server of its own, which takes seconds."""
SECONDS = float(os.environ.get("TALLYSTICK_OUTAGES_SECONDS", "1"))
"""How long everything works between two of them."""
BUYERS = int(os.environ.get("TALLYSTICK_OUTAGES_BUYERS", "4"))
FIGURES = os.environ.get("TALLYSTICK_OUTAGES_FIGURES")
"""A file to which each outage adds what was measured."""


def note(name: str, **figures: object) -> None:
    """Add what was measured, where that is asked."""
    if FIGURES:
        with Path(FIGURES).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"outage": name, **figures}) + "\n")
