"""An event as it is told: the same text to those who read the log and to those who listen."""

import json
from datetime import datetime
from uuid import UUID

from tallystick.domain.ids import Prefix, encode
from tallystick.services.events import instant_text


def event_body(
    event_id: UUID, event_type: str, happened_at: datetime, sequence: int, data: str
) -> str:
    """The JSON text of an event, as the reference's `<Noun>Event` of its type decodes it.

    Args:
        event_id: Its id.
        event_type: Its type, `noun.verb`.
        happened_at: Business time.
        sequence: The tenant's gapless number of it.
        data: What was stored when it happened: a JSON object, which is put in as it stands.
    """
    head = json.dumps(
        {
            "id": encode(Prefix.EVENT, event_id),
            "type": event_type,
            "timestamp": instant_text(happened_at),
            "sequence": sequence,
        }
    )
    rest = data.strip().removeprefix("{").lstrip()
    return head[:-1] + (rest if rest.startswith("}") else f", {rest}")
