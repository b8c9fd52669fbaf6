"""What an API key may do."""

from enum import StrEnum


class KeyScope(StrEnum):
    """One thing that a key may do: look at everything of its tenant, or change it.

    Attributes:
        READ: Every GET.
        WRITE: Everything else. A request that only asks what would come of a change, a preview,
            is sent like the change and needs this too.
    """

    READ = "read"
    WRITE = "write"


ALL_SCOPES = frozenset(KeyScope)
"""What a key may do unless told otherwise."""
