"""Secrets at rest: sealed to their place; every key that is set opens, the first one seals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.services.secret_box import CannotOpen, SecretBox

OLD, NEW = bytes(range(32)), bytes(range(32, 64))


@given(st.text())
def test_what_is_sealed_can_be_opened(secret: str) -> None:
    """At its place, and it does not show."""
    sealed = SecretBox([NEW]).seal(secret, "here")

    assert SecretBox([NEW]).open(sealed, "here") == secret
    assert len(secret) < 4 or secret not in sealed


def test_two_seals_of_one_secret_differ() -> None:
    """Nobody sees that two accounts have the same key."""
    box = SecretBox([NEW])
    assert box.seal("sk_test_1", "here") != box.seal("sk_test_1", "here")


def test_every_key_opens_and_the_first_one_seals() -> None:
    """So keys are replaced: the new one first, the old one behind it."""
    old, both = SecretBox([OLD]).seal("secret", "here"), SecretBox([NEW, OLD])

    assert both.open(old, "here") == "secret"
    assert not both.is_current(old)
    assert both.is_current(both.seal("secret", "here"))
    assert SecretBox([NEW]).open(both.seal("secret", "here"), "here") == "secret"


@pytest.mark.parametrize("place", ["there", ""])
def test_what_is_copied_elsewhere_stays_closed(place: str) -> None:
    """Whoever can write to the database cannot give one tenant another's account."""
    sealed = SecretBox([NEW]).seal("secret", "here")
    with pytest.raises(CannotOpen, match="another place"):
        SecretBox([NEW]).open(sealed, place)


def test_what_was_changed_stays_closed() -> None:
    """A flipped bit, a missing end, another key's name, and no seal at all."""
    box = SecretBox([NEW])
    mark, name, text = box.seal("secret", "here").split(".")
    flipped = text[:20] + ("A" if text[20] != "A" else "B") + text[21:]
    for wrong in (
        f"{mark}.{name}.{flipped}",
        f"{mark}.{name}.{text[:12]}",
        f"{mark}.{name}.!",
        f"{mark}.00000000.{text}",
        f"open.{name}.{text}",
        "",
    ):
        with pytest.raises(CannotOpen):
            box.open(wrong, "here")


def test_a_lost_key_is_named_by_its_setting() -> None:
    """What to do is said; the key is not."""
    sealed = SecretBox([OLD]).seal("secret", "here")
    with pytest.raises(CannotOpen, match="TALLYSTICK_ENCRYPTION_KEYS"):
        SecretBox([NEW]).open(sealed, "here")
