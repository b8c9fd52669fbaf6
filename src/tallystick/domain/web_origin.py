"""The origin of a web address, as a browser's policy can name it.

An address that no policy can express is none: browsers would refuse to follow it after a form
was sent, when the money has been taken.
"""

import re
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import SplitResult, urlsplit

_NEVER = re.compile(r"[\s\\\x00-\x1f\x7f-\x9f]")
"""What is in no address: blanks, backslashes, control characters (C0, DEL and C1)."""

_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:@]+)(:[0-9]*)?")
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_NUMERIC = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)")
_AMBIGUOUS = re.compile("[\N{LATIN SMALL LETTER SHARP S}\N{GREEK SMALL LETTER FINAL SIGMA}]")
"""Letters that the two versions of IDNA spell differently: they name another host here."""

_JOINERS = re.compile("[\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}]")


def origin(url: str | None) -> str | None:
    """Scheme, host and port of an http(s) address in ASCII; None for anything else.

    Refused: credentials, a host with a character that could end a policy's directive, one
    that ends with a dot, a port that is none.
    """
    if url is None or _NEVER.search(url):
        return None
    try:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not _AUTHORITY.fullmatch(parts.netloc):
            return None
        host, port = _host(parts), parts.port
    except ValueError:
        return None
    if host is None:
        return None
    return f"{parts.scheme}://{host}" + ("" if port is None else f":{port}")


def _host(parts: SplitResult) -> str | None:
    """The host as browsers write it; raises `ValueError` for some that are none."""
    name = parts.hostname or ""
    if parts.netloc.startswith("["):
        return f"[{IPv6Address(name).compressed}]"
    if _AMBIGUOUS.search(name) or _JOINERS.search(name):
        return None
    host = name.encode("idna").decode("ascii").lower()
    if _NUMERIC.fullmatch(host):
        return str(IPv4Address(host))
    return host if _HOST.fullmatch(host) else None
