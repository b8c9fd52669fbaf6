"""Our own files of the pages, named by their content so that browsers may keep them for ever.

A name with an outdated hash still answers, with the present content and without being kept:
during a rolling update the page may come from one process and its style sheet from another.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from urllib.parse import urlsplit

from tallystick.http.pages import brand

_MEDIA_TYPES = MappingProxyType(
    {
        "css": "text/css; charset=utf-8",
        "js": "text/javascript; charset=utf-8",
        "svg": "image/svg+xml",
    }
)
_FILES = MappingProxyType(
    {
        "checkout": ("checkout.css", "checkout.js", "htmx.min.js", "icon.svg", "panel.js"),
        "portal": ("portal.css",),
    }
)
"""The files of each place, by the names that their addresses have."""

_NAME = re.compile(r"([a-z.-]+|brand-[0-9a-f]{6})\.([0-9a-f]{12})\.([a-z]+)")
_HASH_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent. `is_current` says that the name asked for names this content."""

    content: bytes
    media_type: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Assets:
    """The files of a place under the path `root`, and the address of each.

    `over_https` says that browsers come by https.
    """

    root: str
    place: str
    files: Mapping[str, bytes]
    over_https: bool

    def url(self, file: str) -> str:
        """The address of one of our files, its hash in its name."""
        return self._url(file, self.files[file])

    def brand_url(self, color: str) -> str:
        """The address of the style sheet for a merchant's colour (six hex digits)."""
        return self._url(f"brand-{color}.css", brand.stylesheet(color).encode())

    def module_url(self, module: bytes) -> str:
        """The address of a script that mounts a provider's panel, by its content."""
        found = [file for file, content in self.files.items() if content == module]
        assert found, "the modules of all providers are wired into the application"
        return self._url(found[0], module)

    def find(self, name: str) -> Asset | None:
        """The file that was asked for by its hashed name, or None where there is none."""
        match = _NAME.fullmatch(name)
        if match is None:
            return None
        stem, wanted, extension = match.groups()
        content = self._content(stem, extension)
        if content is None:
            return None
        return Asset(content, _MEDIA_TYPES[extension], is_current=_hash(content) == wanted)

    def _content(self, stem: str, extension: str) -> bytes | None:
        if stem.startswith("brand-") and extension == "css":
            return brand.stylesheet(stem.removeprefix("brand-")).encode()
        return self.files.get(f"{stem}.{extension}")

    def _url(self, file: str, content: bytes) -> str:
        stem, _, extension = file.rpartition(".")
        return f"{self.root}/assets/{self.place}/{stem}.{_hash(content)}.{extension}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """All files: those of every page, and the style sheet that a customer's portal and the page
    of an invoice have besides (`portal`).
    """

    shared: Assets
    portal: Assets


def load_files(public_url: str, modules: Mapping[str, bytes]) -> Files:
    """Read the files once; `modules` mount the panels of providers, by their names."""
    public = urlsplit(public_url)
    begin = public.path.rstrip("/"), public.scheme == "https"
    theirs = {f"panel-{name}.js": content for name, content in modules.items()}
    return Files(
        shared=_load(begin, "checkout", theirs),
        portal=_load(begin, "portal", {}),
    )


def _load(begin: tuple[str, bool], place: str, more: Mapping[str, bytes]) -> Assets:
    folder = resources.files(__package__) / "static"
    own = {one: (folder / one).read_bytes() for one in _FILES[place]}
    root, over_https = begin
    return Assets(root, place, MappingProxyType({**own, **more}), over_https)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_HASH_DIGITS]
