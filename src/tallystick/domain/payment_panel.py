"""What the page shows for a buyer to give a payment method, as a provider describes it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TypedPanel:
    """The page draws the fields itself, and posts what was typed: test numbers only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MountedPanel:
    """The provider's own script draws the fields in frames of its own; what is posted is a
    token.

    `script_url` is the provider's script. `module` is our script that mounts it: the bytes of
    a file that the page's host serves from its own origin. `settings` is what the module is
    told (publishable key, account), all of it public. The sources are what the page's policy
    must allow.
    """

    script_url: str
    module: bytes
    settings: Mapping[str, str]
    script_sources: tuple[str, ...]
    frame_sources: tuple[str, ...]
    connect_sources: tuple[str, ...]


PaymentPanel = TypedPanel | MountedPanel
