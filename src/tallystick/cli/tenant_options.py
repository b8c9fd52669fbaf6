"""The options of `tallystick tenant set`."""

from typing import Annotated

import typer

MerchantName = Annotated[
    str | None, typer.Option("--name", help="The merchant's name.", show_default=False)
]

TimeZone = Annotated[
    str | None,
    typer.Option("--time-zone", help="Where its days begin: Europe/Paris.", show_default=False),
]

PlacesPerPlan = Annotated[
    int | None,
    typer.Option(
        "--places-per-plan",
        help="How many live subscriptions of one plan a customer may have.",
        show_default=False,
    ),
]

DunningDays = Annotated[
    str | None,
    typer.Option(
        "--dunning-days",
        help="Days before each next try to collect: 3,5,7. Empty for none.",
        show_default=False,
    ),
]

ReminderDaysBefore = Annotated[
    int | None,
    typer.Option(
        "--reminder-days-before",
        help="Days before an invoice that is paid by hand is due: 3. 0 for none.",
        show_default=False,
    ),
]

ReminderDaysAfter = Annotated[
    str | None,
    typer.Option(
        "--reminder-days-after",
        help="Days after it was due: 1,7,14; the last is the final notice. Empty for none.",
        show_default=False,
    ),
]

CardNoticeDays = Annotated[
    int | None,
    typer.Option(
        "--card-notice-days",
        help="Days before a card that will be charged expires: 30.",
        show_default=False,
    ),
]

OrphanPolicy = Annotated[
    str | None,
    typer.Option(
        "--orphan-policy",
        help="What is done with a provider's money that nobody knew of: ATTACH_OR_REFUND "
        "or REPORT.",
        show_default=False,
    ),
]
