"""Where a buyer goes after success: the merchant's own page, told which checkout it was."""

from urllib.parse import quote, urlsplit, urlunsplit

PARAMETER = "checkout_session_id"


def with_session(success_url: str, session_name: str) -> str:
    """`success_url` with the session's id in its query; all else of it stays as it is.

    A parameter of that name which the merchant wrote is replaced.
    """
    parts = urlsplit(success_url)
    others = [
        one for one in parts.query.split("&") if one and one.partition("=")[0] != PARAMETER
    ]
    query = "&".join([*others, f"{PARAMETER}={quote(session_name)}"])
    return urlunsplit(parts._replace(query=query))
