"""Which addresses a page may lead to, and what a policy calls them."""

import pytest

from tallystick.domain.web_origin import origin


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://acme.example/done?x=1#y", "https://acme.example"),
        ("http://Acme.example:8080", "http://acme.example:8080"),
        ("HTTPS://a", "https://a"),
        ("https://a.example:/x", "https://a.example"),
        ("https://my_shop.example/ok", "https://my_shop.example"),
        ("http://127.0.0.1:3000/", "http://127.0.0.1:3000"),
        ("http://[::1]:3000/", "http://[::1]:3000"),
        ("https://[2001:DB8:0::1]/", "https://[2001:db8::1]"),
        ("https://münchen.example/", "https://xn--mnchen-3ya.example"),
        ("https://a.example/\N{SNOWMAN}?q=\N{SNOWMAN}", "https://a.example"),
    ],
)
def test_a_web_address_has_an_origin(url: str, expected: str) -> None:
    """Scheme, host and port in ASCII and small letters, as browsers compare them."""
    assert origin(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "/done",
        "//acme.example",
        "https:/acme.example",
        "https://",
        "https:///done",
        "javascript:alert(1)",
        "data:image/png;base64,AA",
        "ftp://acme.example",
        "https://user:pass@acme.example/",
        "https://user@acme.example/",
        "https://acme.example;script-src *",
        "https://a;b.com/",
        "https://a,b.com/",
        "https://a b.example/",
        "https://a.example/a b",
        "https://a.example\\@b.example/",
        "https://a.example/\\",
        "https://a.example/\x00",
        "https://a.example/\x7f",
        "https://a.example/\x85",
        "https://a.example/\x9f",
        "\thttps://a.example/",
        "https://EX.com./",
        "https://a..b/",
        "https://.a/",
        "https://*.a.example/",
        "https://a%2fb.example/",
        "https://[",
        "https://[::1",
        "https://[::1]x/",
        "https://[v1.x]/",
        "https://[::g]/",
        "https://[::1%25eth0]/",
        "https://ex\N{ACCOUNT OF}.example/",
        "https://fa\N{LATIN SMALL LETTER SHARP S}.example/",
        "https://FA\N{LATIN CAPITAL LETTER SHARP S}.example/",
        "https://a\N{ZERO WIDTH JOINER}b.example/",
        "https://a.example:abc/",
        "https://a.example:99999/",
        "https://a.example:\N{FULLWIDTH DIGIT ONE}/",
        "https://a.example:80:80/",
        "https://256.1.1.1/",
        "https://1.2.3/",
        "https://0x7f.0.0.1/",
        "https://2130706433/",
        "https://" + "a" * 64 + ".example/",
    ],
)
def test_what_no_policy_can_name_has_none(url: str | None) -> None:
    """Malformed addresses, and hosts that browsers would read in another way, are refused."""
    assert origin(url) is None
