"""The scripts that mount the panels of providers, each beside its provider: `*_panel.js`."""

from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType

_ENDING = "_panel.js"


def panel_modules() -> Mapping[str, bytes]:
    """Every script by its provider; the pages serve them under their own address."""
    return MappingProxyType(
        {
            file.name.removesuffix(_ENDING): file.read_bytes()
            for file in resources.files(__package__).iterdir()
            if file.name.endswith(_ENDING)
        }
    )
