"""Which outcomes a provider may make of a story."""

from collections.abc import Sequence

from tests.faults import wire
from tests.faults.banks import SANDBOX
from tests.faults.by_the_clock import CHARGES, ByTheClock
from tests.faults.giving_back import LateMoneyAfterAll, LateMoneyForNothing, Refunds
from tests.faults.late_tries import LateTryAfterAll
from tests.faults.outcomes import NOBODY, SUCCESS, Outcome
from tests.faults.story import Story


def outcomes_of(story: Story, provider: str) -> Sequence[Outcome]:
    """What a provider may make of a story; one behind a wire has more to it."""
    if provider == SANDBOX:
        return story.outcomes
    if NOBODY in story.outcomes:
        return ()
    if isinstance(story, Refunds | LateMoneyAfterAll | LateMoneyForNothing | LateTryAfterAll):
        return (*story.outcomes, *wire.REFUNDS)
    if isinstance(story, ByTheClock):
        # The charge itself has all of them in the stories that begin with it.
        return (*CHARGES, *wire.CHARGES[:2])
    return (*story.outcomes, *(wire.CHARGES if SUCCESS in story.outcomes else ()))


def outcome_named(story: Story, provider: str, name: str) -> Outcome:
    """One of them by its name."""
    return next(one for one in outcomes_of(story, provider) if one.name == name)
