"""What pricing asks of an offer and of a subscription alike."""

from typing import Protocol

from tallystick.domain.charges import Item
from tallystick.domain.minimum_commitment import MinimumCommitment
from tallystick.domain.periods import Cadence


class Terms(Protocol):
    """Priced items in one currency, in the rhythm of the shortest fee."""

    @property
    def currency(self) -> str:
        """The currency of every price."""
        ...

    @property
    def cadence(self) -> Cadence:
        """The rhythm of the subscription's own periods."""
        ...

    @property
    def minimum(self) -> MinimumCommitment | None:
        """What each of the subscription's own periods costs at least."""
        ...

    @property
    def recurring(self) -> tuple[Item, ...]:
        """The items with a period."""
        ...

    @property
    def one_time(self) -> tuple[Item, ...]:
        """The items billed once, on the first invoice."""
        ...
