"""`tallystick openapi`: the API's document on standard output."""

import json
from typing import Annotated

import typer

from tallystick.http.app import api_router
from tallystick.http.openapi import document

SERVER_URL = "http://127.0.0.1:8484"


def openapi(
    server_url: Annotated[
        str, typer.Option("--server-url", help="Where the API is reached.")
    ] = SERVER_URL,
) -> None:
    """Print the OpenAPI 3.1 document of the API. Needs no database.

    tallystick openapi > openapi.json
    """
    found = document(api_router(), server_url)
    typer.echo(json.dumps(found, indent=2, ensure_ascii=False, sort_keys=True))
