"""Whatever is written can be listened to."""

import re

from tallystick.domain.event_types import EVENT_TYPES
from tests.test_tidy import SOURCE, strings

NOUNS = "|".join(sorted({name.partition(".")[0] for name in EVENT_TYPES}))
TYPE = re.compile(rf"({NOUNS})\.[a-z_]+")


def test_every_type_that_is_written_is_known() -> None:
    """The list of types has each one that a verb names."""
    written = {
        text
        for file in (SOURCE / "services").rglob("*.py")
        for text in strings(file)
        if TYPE.fullmatch(text)
    }

    assert written - EVENT_TYPES == set()
    assert len(written) > 25
