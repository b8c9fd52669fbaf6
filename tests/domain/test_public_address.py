"""Which addresses webhooks may go to."""

import pytest

from tallystick.domain.public_address import is_public, names_something_private


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "93.184.215.14",
        "2606:4700:4700::1111",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2002:808:808::1",
    ],
)
def test_public(address: str) -> None:
    """Anybody's, in either family."""
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104 - an address to refuse
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "192.168.1.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:a9fe:a9fe",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a00:1",
        "2002:7f00:1::",
        "2001:db8::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "::127.0.0.1",
        "not an address",
        "",
    ],
)
def test_not_public(address: str) -> None:
    """Loopback, private, link-local, shared, reserved, and IPv4 in the clothes of IPv6."""
    assert not is_public(address)


@pytest.mark.parametrize(
    ("host", "is_private"),
    [
        ("hooks.example", False),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("a.localhost", True),
        ("printer.local", True),
        ("db.internal", True),
        ("internal.example", False),
        ("10.0.0.1", True),
        ("[::1]", True),
        ("8.8.8.8", False),
    ],
)
def test_names(host: str, is_private: bool) -> None:
    """What is known without asking anybody."""
    assert names_something_private(host) is is_private
