"""One field of a form: its label, what stands in it, what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass

from tallystick.http.pages.teller import Teller


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One labelled input. `value` is never that of a payment field: those are not shown again.

    `required` is checked by the browser; `needed` by our script, while the field's panel
    is open. `refreshes` says that a change of it changes the total. `only_in` names the
    countries that use the field; it is `hidden` elsewhere while it is empty.
    """

    name: str
    label: str
    value: str = ""
    hint: str | None = None
    error: str | None = None
    autocomplete: str = "off"
    type: str = "text"
    inputmode: str = "text"
    length: int = 200
    required: bool = False
    needed: bool = False
    optional: bool = False
    refreshes: bool = False
    only_in: frozenset[str] = frozenset()
    hidden: bool = False
    placeholder: str = ""
    width: str = "full"


@dataclass(frozen=True, slots=True)
class Labels:
    """Makes a field with its label and its error."""

    say: Teller
    errors: Mapping[str, str]

    def __call__(self, name: str, value: str | None = None) -> Field:
        """The field of this name."""
        return Field(
            name=name,
            label=self.say.words(f"field.{name}"),
            value=value or "",
            error=self.errors.get(name),
        )
