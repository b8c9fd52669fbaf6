"""Identifiers: UUIDs inside, prefixed base 62 outside, one for one."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.domain.ids import MalformedId, Prefix, decode, encode, is_prefixed, malformed

LARGEST = UUID(int=2**128 - 1)
SAMPLE = UUID("0190d5f2-6c5b-7a31-8b7e-3f1f6f9d2c4a")


@given(st.uuids(), st.sampled_from(Prefix))
def test_decoding_inverts_encoding(value: UUID, prefix: Prefix) -> None:
    """What leaves as an id comes back as the same UUID, in at most 22 characters."""
    text = encode(prefix, value)
    assert decode(prefix, text) == value
    assert is_prefixed(prefix, text)
    assert len(text) <= len(prefix.value) + 1 + 22


@given(st.uuids(), st.uuids())
def test_different_objects_have_different_ids(one: UUID, other: UUID) -> None:
    """No two UUIDs share an id."""
    assert (encode(Prefix.CUSTOMER, one) == encode(Prefix.CUSTOMER, other)) == (one == other)


def test_the_largest_id() -> None:
    """The published upper end of the range, and nothing above it."""
    assert encode(Prefix.CUSTOMER, LARGEST) == "cus_7n42DGM5Tflk9n8mt7Fhc7"
    with pytest.raises(MalformedId):
        decode(Prefix.CUSTOMER, "cus_7n42DGM5Tflk9n8mt7Fhc8")


def test_the_smallest_id() -> None:
    """Zero is a digit, not an empty text."""
    assert encode(Prefix.CUSTOMER, UUID(int=0)) == "cus_0"
    assert decode(Prefix.CUSTOMER, "cus_0") == UUID(int=0)


def test_neighbours_look_different() -> None:
    """Ids of the same millisecond begin with their random part, not with the time."""
    one = encode(Prefix.INVOICE, SAMPLE)
    following = encode(Prefix.INVOICE, UUID("0190d5f2-6c5b-7a31-9c02-a4d05e7713b6"))
    assert one[4] != following[4]


@pytest.mark.parametrize("text", [str(SAMPLE), str(SAMPLE).upper()])
def test_a_bare_uuid_is_accepted(text: str) -> None:
    """Inputs may name the UUID itself, but that is not a prefixed id."""
    assert decode(Prefix.PLAN, text) == SAMPLE
    assert not is_prefixed(Prefix.PLAN, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cus_",
        "cus",
        "plan_1",
        "cus_1234567890123456789012345",
        "cus_-1",
        "cus_ä",
        "CUS_1",
        "SUMMER",
        "{0190d5f2-6c5b-7a31-8b7e-3f1f6f9d2c4a}",
        "0190d5f26c5b7a318b7e3f1f6f9d2c4a",
    ],
)
def test_anything_else_is_malformed(text: str) -> None:
    """Another kind's id, a stray character, braces or a missing dash are refused."""
    with pytest.raises(MalformedId):
        decode(Prefix.CUSTOMER, text)
    assert not is_prefixed(Prefix.CUSTOMER, text)


def test_kinds_are_not_mixed_up() -> None:
    """An id of a subscription's component is not one of a subscription."""
    text = encode(Prefix.SUBSCRIPTION_COMPONENT, SAMPLE)
    with pytest.raises(MalformedId):
        decode(Prefix.SUBSCRIPTION, text)


def test_the_fault_names_the_prefix() -> None:
    """Who sent a malformed id learns how it should begin."""
    fault = malformed(Prefix.CUSTOMER, "customer_id")
    assert fault.field == "customer_id"
    assert fault.code == "malformed_id"
    assert "cus_" in fault.message
