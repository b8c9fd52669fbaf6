"""Marks the routes that write what somebody reads with afterwards."""

from fastapi import Depends


async def _reads_too() -> None:
    """Nothing: the door asks only whether a route names it."""


READS_TOO = Depends(_reads_too)
"""Among the `dependencies` of a route: its key needs the scope `read`, too."""
