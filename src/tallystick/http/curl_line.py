"""A request as a command line that can be copied into a shell."""

import json
from collections.abc import Mapping
from urllib.parse import urlencode


def curl_line(
    method: str,
    address: str,
    query: Mapping[str, str],
    body: object | None = None,
    *,
    file_type: str = "",
) -> str:
    """The command that sends a request with the key in `$API_KEY`.

    Args:
        method: In small letters.
        address: Without its query.
        query: The parameters of the query.
        body: What is sent as JSON; None for nothing.
        file_type: The content type of a file that is sent instead; empty for none.
    """
    # What is asked for may hold `&`, which the shell would take for its own.
    where = f"'{address}?{urlencode(query)}'" if query else address
    by_itself = "get" if body is None and not file_type else "post"
    asked = "" if method == by_itself else f"--request {method.upper()} "
    words = [f"curl {asked}{where}", '--header "Authorization: Bearer $API_KEY"']
    if body is not None:
        written = json.dumps(body, indent=2, ensure_ascii=False).replace("'", "'\\''")
        words += ["--header 'Content-Type: application/json'", f"--data '{written}'"]
    if file_type:
        words += [f"--header 'Content-Type: {file_type}'", '--data-binary "@$FILE"']
    return " \\\n  ".join(words)
