"""Which addresses of the internet anybody may reach, and which are somebody's own.

A webhook goes where a merchant says. It must not become a way into the network that the server
stands in: loopback, private and link-local addresses (a cloud's metadata among them) are
refused, also in the disguises that IPv6 has for addresses of IPv4.
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_TRANSLATED = IPv6Network("64:ff9b::/96")
"""NAT64: the last 32 bits are an address of IPv4 (RFC 6052)."""

_LOCAL_NAMES = (".localhost", ".local", ".internal")


def is_public(address: str) -> bool:
    """Whether an IP address may be reached for anybody; a text that is none may not."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv4Address):
        return _is_open(found)
    spelt = found.ipv4_mapped
    if found in _TRANSLATED:
        spelt = IPv4Address(int(found) & 0xFFFFFFFF)
    if spelt is not None:
        return _is_open(spelt)
    tunnelled = [found.sixtofour, *(found.teredo or ())]
    # Site-local addresses (RFC 3879) are old, and still somebody's own.
    is_open = _is_open(found) and not found.is_site_local
    return is_open and all(_is_open(one) for one in tunnelled if one is not None)


def names_something_private(host: str) -> bool:
    """Whether a host, as it stands in an address, is known to be private without asking.

    What its name leads to is looked at when it is connected to, each time.
    """
    bare = host.strip("[]").rstrip(".").lower()
    try:
        ip_address(bare)
    except ValueError:
        return f".{bare}".endswith(_LOCAL_NAMES)
    return not is_public(bare)


def _is_open(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not address.is_multicast and not address.is_reserved
