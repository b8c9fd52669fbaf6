"""The demo's buyer reads forms as a browser without scripts does."""

import pytest

from tallystick.cli.demo_forms import Form, forms_of

PAGE = """
<form id="other" action="/other"><input name="x" value="1"></form>
<form id="checkout" method="post" action="/confirm">
  <input type="hidden" name="csrf" value="a&amp;b">
  <button class="enter" type="submit" tabindex="-1"></button>
  <input name="email" type="email" required value="dana@globex.example">
  <input name="gone" value="1" disabled>
  <select name="country" required>
    <option value="">Choose</option><option value="FR" selected>France</option>
    <option value="DE">Germany</option>
  </select>
  <input type="radio" name="method" value="CARD" checked>
  <input type="radio" name="method" value="DIRECT_DEBIT">
  <input type="checkbox" name="agreed">
  <textarea name="note">as it
is</textarea>
  <noscript><button name="intent" value="update" formaction="/quote">Update</button></noscript>
  <button id="pay" type="submit">Pay</button>
  <button id="apply" name="intent" value="apply" formaction="/quote">Apply</button>
  <button id="shut" type="submit" disabled>Shut</button>
  <button id="script" type="button">Script</button>
</form>
"""


@pytest.fixture(name="form")
def _form() -> Form:
    return forms_of(PAGE)[1]


def test_what_a_button_sends(form: Form) -> None:
    """A button sends every enabled field as it stands, hidden ones too, and only itself."""
    assert form.sent_by("pay") == (
        "/confirm",
        [
            ("csrf", "a&b"),
            ("email", "dana@globex.example"),
            ("country", "FR"),
            ("method", "CARD"),
            ("note", "as it\nis"),
        ],
    )


def test_a_button_with_an_address_of_its_own(form: Form) -> None:
    """A button may send the form elsewhere, with its own name and value."""
    action, fields = form.sent_by("apply")

    assert action == "/quote"
    assert fields[-1] == ("intent", "apply")


@pytest.mark.parametrize("button", ["shut", "script", "missing"])
def test_a_button_that_cannot_be_pressed(form: Form, button: str) -> None:
    """A disabled button, or one for scripts alone, cannot be pressed."""
    with pytest.raises(KeyError):
        form.sent_by(button)


def test_filling_in(form: Form) -> None:
    """Fields take text, a select and radio buttons only what they offer."""
    form.fill("method", "DIRECT_DEBIT")
    form.fill("country", "DE")
    form.fill("email", "")

    assert (form.value("method"), form.value("country")) == ("DIRECT_DEBIT", "DE")
    assert form.missing() == ["email"]
    with pytest.raises(KeyError):
        form.fill("country", "XX")
    with pytest.raises(KeyError):
        form.fill("method", "CASH")
    with pytest.raises(KeyError):
        form.fill("unknown", "1")
