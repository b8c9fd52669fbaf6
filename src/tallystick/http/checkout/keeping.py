"""What was typed, kept on the session; codes that are tried are counted."""

from tallystick.domain.errors import Fault
from tallystick.http.checkout.visit import Visit
from tallystick.http.pages.submitted import Submitted
from tallystick.services.edit_checkout import edit_checkout


async def keep(visit: Visit, submitted: Submitted) -> tuple[Fault, ...]:
    """Keep what the form says and return what is wrong with it.

    Raises:
        RateLimited: too many wrong codes were tried with this link.
    """
    code = submitted.code
    is_guess = code is not None and visit.pace.guess(visit.session_name, code)
    faults = await edit_checkout(visit.context, visit.session_id, submitted.buyer, code)
    if is_guess and not any(fault.field == "code" for fault in faults):
        visit.pace.was_right(visit.session_name)
    return faults
