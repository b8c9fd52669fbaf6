"""Change a tenant: its name, its day, how often a plan can be held, when it is dunned."""

from dataclasses import dataclass, fields
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tallystick.db import tenants
from tallystick.db.tenants import TenantRow
from tallystick.domain.errors import Fault, NotFound, fail_if
from tallystick.domain.orphan import OrphanPolicy
from tallystick.services.context import Context

PLACES_MAX = 1000
DUNNING_STEPS_MAX = 10
DUNNING_DAYS_MAX = 90
REMINDER_DAYS_MAX = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantChanges:
    """What is to become of a tenant; None leaves a thing as it is.

    Attributes:
        name: The merchant's name.
        time_zone: Where its days begin: a name of the IANA database.
        places_per_plan: How many live subscriptions of one plan a customer may have.
        dunning_days: Days to wait before each next try to collect.
        reminder_days_before: Days before an invoice is due on which its customer is
            reminded, where it is to be paid by hand; 0 for not at all.
        reminder_days_after: Days after it was due for the same, in rising order; the last is
            the final notice.
        card_notice_days: Days before a card that will be charged expires.
        orphan_policy: What is done with money that a provider took and nobody knew of.
    """

    name: str | None = None
    time_zone: str | None = None
    places_per_plan: int | None = None
    dunning_days: tuple[int, ...] | None = None
    reminder_days_before: int | None = None
    reminder_days_after: tuple[int, ...] | None = None
    card_notice_days: int | None = None
    orphan_policy: str | None = None


async def edit_tenant(ctx: Context, changes: TenantChanges) -> TenantRow:
    """Change the context's tenant, for every process at once, and return what it is then.

    Raises:
        InvalidInput: It cannot be so; every fault together.
    """
    fail_if(_faults(changes))
    wanted = {field.name: getattr(changes, field.name) for field in fields(changes)}
    columns = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in wanted.items()
        if value is not None
    }
    await tenants.update(ctx.transaction, ctx.tenant.id, columns)
    row = await tenants.find(ctx.transaction, ctx.tenant.id)
    if row is None:
        raise NotFound("There is no such tenant.")
    return row


def _faults(changes: TenantChanges) -> list[Fault]:
    faults = []
    if changes.name is not None and not changes.name.strip():
        faults.append(Fault("name", "too_short", "must not be empty"))
    if changes.time_zone is not None and not _is_time_zone(changes.time_zone):
        message = "must be a time zone of the IANA database, such as Europe/Paris"
        faults.append(Fault("time_zone", "unknown_value", message))
    if changes.places_per_plan is not None and not (1 <= changes.places_per_plan <= PLACES_MAX):
        message = f"must be 1 to {PLACES_MAX}"
        faults.append(Fault("places_per_plan", "out_of_range", message))
    if changes.dunning_days is not None and not _are_dunning_days(changes.dunning_days):
        message = (
            f"must be up to {DUNNING_STEPS_MAX} numbers of days from 1 to {DUNNING_DAYS_MAX}"
        )
        faults.append(Fault("dunning_days", "out_of_range", message))
    return [*faults, *_reminder_faults(changes)]


def _reminder_faults(changes: TenantChanges) -> list[Fault]:
    faults = []
    for name in ("reminder_days_before", "card_notice_days"):
        days = getattr(changes, name)
        if days is not None and not 0 <= days <= REMINDER_DAYS_MAX:
            faults.append(Fault(name, "out_of_range", f"must be 0 to {REMINDER_DAYS_MAX}"))
    policies = [one.value for one in OrphanPolicy]
    if changes.orphan_policy is not None and changes.orphan_policy not in policies:
        message = f"must be {' or '.join(policies)}"
        faults.append(Fault("orphan_policy", "unknown_value", message))
    after = changes.reminder_days_after
    if after is not None and not _are_reminder_days(after):
        message = (
            f"must be up to {DUNNING_STEPS_MAX} numbers of days from 1 to {REMINDER_DAYS_MAX},"
            " each larger than the one before"
        )
        faults.append(Fault("reminder_days_after", "out_of_range", message))
    return faults


def _are_reminder_days(days: tuple[int, ...]) -> bool:
    rises = all(one < next_one for one, next_one in pairwise(days))
    bounded = all(1 <= one <= REMINDER_DAYS_MAX for one in days)
    return rises and bounded and len(days) <= DUNNING_STEPS_MAX


def _is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _are_dunning_days(days: tuple[int, ...]) -> bool:
    return len(days) <= DUNNING_STEPS_MAX and all(1 <= n <= DUNNING_DAYS_MAX for n in days)
