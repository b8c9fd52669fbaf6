"""What a browser sent: read within limits, and turned into the domain's values."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request

from tallystick.domain.buyer import Address, BuyerDetails
from tallystick.domain.errors import InvalidInput
from tallystick.domain.payment import MethodKind

_BODY_BYTES_MAX = 256 * 1024
_FIELDS_MAX = 60
_TEXT_MAX = 300
_URLENCODED = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Submitted:
    """The fields of a posted form; of a repeated one the last."""

    fields: Mapping[str, str]

    def get(self, name: str) -> str:
        """A field as it was sent, or the empty text."""
        return self.fields.get(name, "")

    @property
    def buyer(self) -> BuyerDetails:
        """Who is billed, as typed."""
        return BuyerDetails(
            name=self._text("name") or "",
            email=self._text("email"),
            address=Address(
                line1=self._text("line1"),
                line2=self._text("line2"),
                city=self._text("city"),
                state=self._text("state"),
                zip_code=self._text("zip_code"),
                country=self._text("country"),
            ),
            vat_number=self._text("vat_number"),
        )

    @property
    def code(self) -> str | None:
        """The promotion code, or None where none is typed or it is to be removed.

        An update of the total says which one is applied, not what is being typed. One that is
        too long stays too long to be any.
        """
        if self.get("intent") == "remove":
            return None
        return self._text("code" if "code" in self.fields else "applied")

    @property
    def sets_code(self) -> bool:
        """Whether a code is to be applied or removed."""
        return self.get("intent") in {"apply", "remove"}

    @property
    def method(self) -> MethodKind | None:
        """How the buyer wants to pay."""
        chosen = self.get("method")
        return MethodKind(chosen) if chosen in set(MethodKind) else None

    def _text(self, name: str) -> str | None:
        """A line of text: control characters out, at most a little more than is accepted."""
        typed = "".join(mark if mark.isprintable() else " " for mark in self.get(name))
        return typed.strip()[:_TEXT_MAX] or None


async def read_form(request: Request) -> Submitted:
    """Read a posted form.

    Raises:
        InvalidInput: it is too large, of another type, or not well-formed.
    """
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != _URLENCODED:
        raise InvalidInput("A form is sent as application/x-www-form-urlencoded.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY_BYTES_MAX:
            raise InvalidInput("This form is too large.")
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_FIELDS_MAX,
        )
    except ValueError:
        raise InvalidInput("This form is not well-formed.") from None
    return Submitted(dict(pairs))
