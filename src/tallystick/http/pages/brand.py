"""The merchant's colour: as it is on the button, mended where it would be too faint to read.

WCAG 2.2 asks for a contrast of 4.5 between a text and its ground. The ink on the button is
black or white, whichever is stronger (one of them always reaches 4.58); where the colour
itself is text or an outline it is moved towards black or white until it is readable on the
page's ground.
"""

import re
from fractions import Fraction

DEFAULT = "2f4bd8"
"""Our own accent, for a merchant that names none."""

_HEX = re.compile(r"#?([0-9a-fA-F]{6})")
_ENOUGH = 4.5
_LIGHT_GROUNDS = ("ffffff", "f6f7f9")
_DARK_GROUNDS = ("16181d", "0e1014")
_STEPS = 20
_LINEAR_UP_TO = 0.04045


def parse(color: str | None) -> str:
    """Six hex digits in lower case; our own accent for anything else."""
    match = _HEX.fullmatch(color or "")
    return match[1].lower() if match else DEFAULT


def stylesheet(color: str) -> str:
    """The custom properties that a page in this colour (six hex digits) needs."""
    ink = "ffffff" if contrast(color, "ffffff") >= _ENOUGH else "000000"
    pressed = _mixed(color, "000000" if ink == "ffffff" else "ffffff", Fraction(3, 20))
    light = _readable(color, _LIGHT_GROUNDS, "000000")
    dark = _readable(color, _DARK_GROUNDS, "ffffff")
    return (
        f":root{{--brand:#{color};--brand-ink:#{ink};--brand-pressed:#{pressed};"
        f"--accent:#{light}}}"
        f"@media(prefers-color-scheme:dark){{:root{{--accent:#{dark}}}}}"
    )


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def _readable(color: str, grounds: tuple[str, ...], towards: str) -> str:
    for step in range(_STEPS + 1):
        candidate = _mixed(color, towards, Fraction(step, _STEPS))
        if min(contrast(candidate, ground) for ground in grounds) >= _ENOUGH:
            return candidate
    return towards


def _mixed(color: str, towards: str, share: Fraction) -> str:
    pairs = zip(_channels(color), _channels(towards), strict=True)
    return "".join(f"{int(a + (b - a) * share):02x}" for a, b in pairs)


def _luminance(color: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    if channel <= _LINEAR_UP_TO:
        return channel / 12.92
    return float(((channel + 0.055) / 1.055) ** 2.4)


def _channels(color: str) -> tuple[int, int, int]:
    return int(color[0:2], 16), int(color[2:4], 16), int(color[4:6], 16)
