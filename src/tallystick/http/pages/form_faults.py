"""What is wrong with a form, in sentences."""

from dataclasses import dataclass

from tallystick.http.pages.teller import Teller


@dataclass(frozen=True, slots=True, kw_only=True)
class FormFault:
    """What is wrong with a field; `label` is None where the fault belongs to none of ours."""

    field: str
    label: str | None
    sentence: str


def form_faults(errors: dict[str, str], say: Teller) -> tuple[FormFault, ...]:
    """What is wrong, to be told above a form: the sentences by field, last field first."""
    return tuple(
        FormFault(field=name, label=say.words.field(name), sentence=sentence)
        for name, sentence in reversed(errors.items())
    )
