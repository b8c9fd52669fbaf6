"""Processor time of a process and everything below it, from /proc; unknown elsewhere."""

import os
from pathlib import Path

PROC = Path("/proc")
_PPID, _UTIME, _STIME, _CUTIME, _CSTIME = 1, 11, 12, 13, 14
"""Fields of /proc/PID/stat after the name in brackets."""


def cpu_seconds(root: int) -> float | None:
    """Seconds of processor time that a process, its living and its ended children have used.

    None where the system has no /proc.
    """
    if not (PROC / "self" / "stat").exists():
        return None
    stats = _stats()
    if root not in stats:
        return None
    children: dict[int, list[int]] = {}
    for pid, fields in stats.items():
        children.setdefault(fields[_PPID], []).append(pid)
    ticks = 0
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        waiting.extend(children.get(pid, ()))
        ticks += sum(stats[pid][field] for field in (_UTIME, _STIME, _CUTIME, _CSTIME))
    return ticks / os.sysconf("SC_CLK_TCK")


def _stats() -> dict[int, list[int]]:
    found = {}
    for entry in PROC.iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            text = (entry / "stat").read_text()
        except OSError:
            # It ended between the listing and now.
            continue
        state, *numbers = text.rpartition(")")[2].split()
        found[int(entry.name)] = [ord(state), *map(int, numbers)]
    return found
