"""The test servers have tests of their own."""

from tests.stripe.fixtures import merchant, twin, wires

__all__ = ["merchant", "twin", "wires"]
