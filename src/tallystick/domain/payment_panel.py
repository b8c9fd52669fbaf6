"""What the page shows for a buyer to give a payment method, as a provider describes it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tallystick.domain.debit_scheme import SEPA_ALONE, DebitAgent, DebitScheme

_SOURCE = re.compile(r"https?://[^\s;,'\"]+")
"""One source of a browser's policy: nothing in it ends it, or begins another."""


@dataclass(frozen=True, slots=True)
class TypedPanel:
    """The page draws the fields itself, and posts what was typed: test numbers only."""

    @property
    def debits(self) -> frozenset[DebitScheme]:
        """The schemes that there are fields for."""
        return SEPA_ALONE


@dataclass(frozen=True, slots=True, kw_only=True)
class MountedPanel:
    """The provider's own script draws the fields in frames of its own; what is posted is a
    token.

    `script_url` is the provider's script. `module` is our script that mounts it: the bytes of
    a file that the page's host serves from its own origin. `settings` is what the module is
    told (publishable key, account), all of it public. The sources are what the page's policy
    must allow. `debit_agents` are the payment service providers that mandates must name beside
    the creditor, by the schemes whose debits the provider collects; no other scheme's are.
    """

    script_url: str
    module: bytes
    settings: Mapping[str, str]
    script_sources: tuple[str, ...]
    frame_sources: tuple[str, ...]
    connect_sources: tuple[str, ...]
    debit_agents: Mapping[DebitScheme, DebitAgent] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make sure that no source says more than one source."""
        for source in (*self.script_sources, *self.frame_sources, *self.connect_sources):
            assert _SOURCE.fullmatch(source), f"{source!r} is not one source"

    @property
    def debits(self) -> frozenset[DebitScheme]:
        """The schemes whose debits the provider collects."""
        return frozenset(self.debit_agents)


PaymentPanel = TypedPanel | MountedPanel
