"""The test servers have tests of their own."""

from tests.stripe.fixtures import local, local_server, merchant, twin, wires

__all__ = ["local", "local_server", "merchant", "twin", "wires"]
