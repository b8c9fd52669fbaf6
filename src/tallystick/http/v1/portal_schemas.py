"""Portal tokens on the wire."""

from typing import Annotated

from pydantic import Field

from tallystick.http.v1.scalars import (
    AnswerModel,
    Instant,
    RequestModel,
    Text,
    WholeNumber,
)
from tallystick.services.portal_token import (
    SECONDS_MAX,
    SECONDS_MIN,
    PortalScope,
    PortalToken,
    portal_link,
    portal_url,
)


class CustomerPortalTokenRequest(RequestModel):
    """How long a token opens the portal, and what it is good for; may be left out."""

    expires_in_seconds: Annotated[
        WholeNumber | None,
        Field(
            ge=SECONDS_MIN,
            le=SECONDS_MAX,
            description="In real time, also where the tenant has a clock of its own; default "
            "86400, a day.",
        ),
    ] = None
    scopes: Annotated[
        list[PortalScope] | None,
        Field(
            min_length=1,
            max_length=len(PortalScope),
            description="`read` to look, `manage` to change, too; default both.",
        ),
    ] = None


class PortalTokenRevocation(RequestModel):
    """Which tokens of a customer's open nothing any more; may be left out for all of them."""

    token: Annotated[
        Annotated[str, Text(2048)] | None,
        Field(
            description="One token, as it was answered; null: every token that this customer "
            "has been given until now."
        ),
    ] = None


class CustomerPortalTokenResponse(AnswerModel):
    """A token, and where it is good for something."""

    token: Annotated[str, Field(description="A JWT; whoever has it is let in as the customer.")]
    expires_at: Annotated[
        Instant, Field(description="When it opens nothing any more, in real time.")
    ]
    portal_link: Annotated[
        str, Field(description="Send the customer there: it opens the portal by itself.")
    ]
    portal_url: Annotated[str, Field(description="Where the portal is, without the token.")]
    api_url: Annotated[str, Field(description="Where this API is.")]


def show_portal_token(public_url: str, made: PortalToken) -> CustomerPortalTokenResponse:
    """A token as it is answered."""
    return CustomerPortalTokenResponse(
        token=made.token,
        expires_at=made.expires_at,
        portal_link=portal_link(public_url, made.token),
        portal_url=portal_url(public_url),
        api_url=public_url,
    )
