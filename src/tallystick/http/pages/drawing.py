"""How every page of ours is drawn from its template."""

from functools import cache

from jinja2 import BaseLoader, ChoiceLoader, Environment, PackageLoader, StrictUndefined


def environment(loader: BaseLoader) -> Environment:
    """Templates of a loader: what they show is escaped, and a name that is missing is a
    defect.
    """
    return Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def templates_of(door: str | None = None) -> Environment:
    """The templates of a door (its package), and those that all pages share."""
    rooms = (__package__,) if door is None else (door, __package__)
    return environment(ChoiceLoader([PackageLoader(room) for room in rooms]))
