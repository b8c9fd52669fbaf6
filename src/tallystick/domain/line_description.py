"""What a line is for, in a few words of English: what its name and its figures do not say."""

from tallystick.domain.charges import Computation


def describe(computation: Computation | None) -> str | None:
    """How many instances of how many units, what a unit is, and which part of a period.

    None where the line's name says it all. The documents say it in the customer's language.
    """
    if computation is None:
        return None
    said = []
    if computation.instances > 1 and computation.units > 1:
        said.append(f"{computation.instances} times {computation.units}")
    if computation.unit_name is not None:
        said.append(f"per {computation.unit_name}")
    if computation.days != computation.full_days:
        said.append(f"{computation.days} of {computation.full_days} days")
    return ", ".join(said) or None
