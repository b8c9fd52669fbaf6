"""The demo's customers: companies and a person, at home in several countries and languages."""

from collections.abc import Mapping

from tallystick.cli.demo_api import CONFLICT, Api, Refused

Body = Mapping[str, object]

GLOBEX: Body = {
    "name": "Globex",
    "alias": "globex",
    "currency": "EUR",
    "billing_email": "dana@globex.example",
    "billing_address": {
        "line1": "48 quai de la Rapée",
        "zip_code": "75012",
        "city": "Paris",
        "country": "FR",
    },
    "preferred_locales": ["en"],
}
"""Who buys: its seller's country, so that its invoices carry tax."""

CUSTOMERS: tuple[Body, ...] = (
    GLOBEX,
    {
        "name": "Initech GmbH",
        "alias": "initech",
        "currency": "EUR",
        "billing_email": "rechnung@initech.example",
        "billing_address": {
            "line1": "Karl-Marx-Allee 34",
            "zip_code": "10178",
            "city": "Berlin",
            "country": "DE",
        },
        "vat_number": "DE812345673",
        "preferred_locales": ["de"],
    },
    {
        "name": "Hooli SL",
        "alias": "hooli",
        "currency": "EUR",
        "billing_email": "facturas@hooli.example",
        "billing_address": {
            "line1": "Calle de Alcalá 45",
            "zip_code": "28014",
            "city": "Madrid",
            "country": "ES",
        },
        "vat_number": "ESB12345674",
        "preferred_locales": ["es"],
    },
    {
        "name": "Vandelay Inc",
        "alias": "vandelay",
        "currency": "EUR",
        "billing_email": "ap@vandelay.example",
        "billing_address": {
            "line1": "129 West 81st Street",
            "zip_code": "10024",
            "city": "New York",
            "state": "NY",
            "country": "US",
        },
        "preferred_locales": ["en"],
    },
    {
        "customer_type": "INDIVIDUAL",
        "first_name": "Marie",
        "last_name": "Duval",
        "alias": "marie",
        "currency": "EUR",
        "billing_email": "marie@duval.example",
        "billing_address": {
            "line1": "3 place Bellecour",
            "zip_code": "69002",
            "city": "Lyon",
            "country": "FR",
        },
        "preferred_locales": ["fr"],
    },
)


async def newest_sibling(api: Api) -> str | None:
    """The alias of the customer made last because Globex held the plan; None without one."""
    found = await api.get("/customers", search="globex-", order_by="created_at.desc")
    for customer in found["data"]:
        alias = str(customer["alias"])
        if _number(alias) is not None:
            return alias
    return None


async def make_sibling(api: Api, before: str | None) -> str:
    """Make another customer like Globex, numbered after the one before; return its alias."""
    number = (before and _number(before)) or 1
    while True:
        number += 1
        alias = f"globex-{number}"
        body = {
            **GLOBEX,
            "name": f"Globex {number}",
            "alias": alias,
            "billing_email": f"dana@{alias}.example",
        }
        try:
            await api.post("/customers", body)
        except Refused as refused:
            if refused.status != CONFLICT:
                raise
        else:
            return alias


def _number(alias: str) -> int | None:
    rest = alias.removeprefix("globex-")
    return int(rest) if rest != alias and rest.isdecimal() else None
