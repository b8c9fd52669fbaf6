"""The ids in addresses."""

from uuid import UUID

from tallystick.domain.errors import NotFound
from tallystick.domain.ids import MalformedId, Prefix, decode


def id_of(prefix: Prefix, name: str) -> UUID:
    """The id in an address; raises `NotFound` where it is none."""
    try:
        return decode(prefix, name)
    except MalformedId:
        raise NotFound("There is no such page.") from None
