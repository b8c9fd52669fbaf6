"""Reading forms out of a page as a browser without scripts does, with the standard library."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from typing_extensions import override

Attributes = list[tuple[str, str | None]]

_CHECKABLE = ("checkbox", "radio")
_NO_VALUE = ("button", "image", "reset", "submit")


@dataclass(slots=True, kw_only=True)
class Control:
    """A field of a form. `sent` says whether a browser would send it as it stands."""

    name: str
    value: str
    required: bool = False
    sent: bool = True
    options: list[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button that sends its form, perhaps to an address of its own."""

    id: str
    name: str
    value: str
    action: str | None


@dataclass(slots=True, kw_only=True)
class Form:
    """A form as it stands in the page; filling it in changes its controls."""

    id: str
    action: str
    method: str
    controls: list[Control] = field(default_factory=list)
    buttons: list[Button] = field(default_factory=list)

    def has(self, name: str) -> bool:
        """Whether there is a field of this name."""
        return any(control.name == name for control in self.controls)

    def value(self, name: str) -> str:
        """What a field holds, the empty text when there is none that would be sent."""
        return next((one.value for one in self.controls if one.name == name and one.sent), "")

    def fill(self, name: str, value: str) -> None:
        """Type into a field, or choose an option or a radio button.

        Raises:
            KeyError: The form has no such field, or no such choice.
        """
        named = [control for control in self.controls if control.name == name]
        if len(named) > 1:
            if value not in [control.value for control in named]:
                raise KeyError(f"{name}={value}")
            for control in named:
                control.sent = control.value == value
            return
        if not named or (named[0].options is not None and value not in named[0].options):
            raise KeyError(f"{name}={value}")
        named[0].value = value

    def missing(self) -> list[str]:
        """The required fields that are empty: a browser does not send the form then."""
        return [
            one.name for one in self.controls if one.required and one.sent and not one.value
        ]

    def sent_by(self, button_id: str) -> tuple[str, list[tuple[str, str]]]:
        """The address and the fields that pressing a button sends.

        Raises:
            KeyError: The form has no such button, or it is shut.
        """
        button = next((one for one in self.buttons if one.id == button_id), None)
        if button is None:
            raise KeyError(button_id)
        fields = [(one.name, one.value) for one in self.controls if one.name and one.sent]
        if button.name:
            fields.append((button.name, button.value))
        return button.action or self.action, fields


def forms_of(page: str) -> list[Form]:
    """Every form of a page, with what stands in its fields."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader.forms


class _Reader(HTMLParser):
    """Collects forms; disabled fields and buttons are not there for a browser either."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self._open: Form | None = None
        self._select: Control | None = None
        self._area: Control | None = None

    @override
    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(
                id=found.get("id", ""),
                action=found.get("action", ""),
                method=found.get("method", "get").lower(),
            )
            self.forms.append(self._open)
        elif self._open is not None and "disabled" not in found:
            self._take(self._open, tag, found)

    def _take(self, form: Form, tag: str, found: dict[str, str]) -> None:
        name, required = found.get("name", ""), "required" in found
        match tag:
            case "input":
                _take_input(form, found)
            case "select":
                self._select = Control(name=name, value="", required=required, options=[])
                form.controls.append(self._select)
            case "option" if self._select is not None and self._select.options is not None:
                value = found.get("value", "")
                if not self._select.options or "selected" in found:
                    self._select.value = value
                self._select.options.append(value)
            case "textarea":
                self._area = Control(name=name, value="", required=required)
                form.controls.append(self._area)
            case "button" if found.get("type", "submit") == "submit":
                _take_button(form, found)
            case _:
                pass

    @override
    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._area.value += data

    @override
    def handle_endtag(self, tag: str) -> None:
        match tag:
            case "form":
                self._open = None
            case "select":
                self._select = None
            case "textarea":
                self._area = None
            case _:
                pass


def _take_input(form: Form, found: dict[str, str]) -> None:
    kind = found.get("type", "text").lower()
    if kind == "submit":
        _take_button(form, found)
    if kind in _NO_VALUE:
        return
    checkable = kind in _CHECKABLE
    form.controls.append(
        Control(
            name=found.get("name", ""),
            value=found.get("value", "on" if checkable else ""),
            required="required" in found and not checkable,
            sent=not checkable or "checked" in found,
        )
    )


def _take_button(form: Form, found: dict[str, str]) -> None:
    form.buttons.append(
        Button(
            id=found.get("id", ""),
            name=found.get("name", ""),
            value=found.get("value", ""),
            action=found.get("formaction"),
        )
    )
