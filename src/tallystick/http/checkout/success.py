"""Where a buyer goes after success: the merchant's own page, told which checkout it was."""

from urllib.parse import quote, urlsplit, urlunsplit

from tallystick.domain.web_origin import origin

PARAMETER = "checkout_session_id"

_AS_IT_IS = ":/%#?=@[]!$&'()*+,;"
"""What has a meaning in an address, or is encoded already."""


def with_session(success_url: str, session_name: str) -> str | None:
    """`success_url` with the session's id in its query, in ASCII; all else stays as it is.

    A parameter of that name which the merchant wrote is replaced. None where it is no address
    that a page may lead to.
    """
    found = origin(success_url)
    if found is None:
        return None
    parts = urlsplit(success_url)
    others = [
        one for one in parts.query.split("&") if one and one.partition("=")[0] != PARAMETER
    ]
    query = "&".join([*others, f"{PARAMETER}={quote(session_name)}"])
    host = found.partition("://")[2]
    return quote(urlunsplit(parts._replace(netloc=host, query=query)), safe=_AS_IT_IS)
