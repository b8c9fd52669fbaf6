"""Edit what a merchant keeps with a credit note of its own."""

import json
from collections.abc import Mapping
from uuid import UUID

from tallystick.db import credit_note_writes, credit_notes
from tallystick.domain.credit_note_entry import CreditNoteEntry
from tallystick.domain.errors import Fault, InvalidInput, NotFound
from tallystick.services.context import Context
from tallystick.services.credit_note_events import loaded

BYTES_MAX = 16 * 1024


async def edit_credit_note(
    ctx: Context, note_id: UUID, properties: Mapping[str, object]
) -> CreditNoteEntry:
    """Merge properties into those of a note, whatever its status; null removes one.

    Raises:
        NotFound: There is no such note.
        InvalidInput: Together with those that are there, they are too many.
    """
    await credit_note_writes.lock(ctx.transaction, ctx.tenant.id, note_id)
    note = await credit_notes.load(ctx.transaction, ctx.tenant.id, note_id)
    if note is None:
        raise NotFound("There is no such credit note.")
    merged = {**note.custom_properties, **properties}
    kept = {name: value for name, value in merged.items() if value is not None}
    text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) > BYTES_MAX:
        message = f"must have at most {BYTES_MAX} bytes as JSON, with those that are kept"
        fault = Fault("custom_properties", "too_long", message)
        raise InvalidInput(f"custom_properties {message}.", (fault,))
    await credit_note_writes.merge_properties(
        ctx.transaction, ctx.tenant.id, note_id, text, ctx.now
    )
    return await loaded(ctx, note_id)
