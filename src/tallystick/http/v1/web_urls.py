"""Web addresses in requests: only those that a page may lead to.

Whatever a browser's policy cannot express is refused here, before anything is sold with it.
"""

from typing import Annotated, Any

from pydantic.json_schema import JsonSchemaValue
from typing_extensions import override

from tallystick.domain.web_origin import origin
from tallystick.http.v1.scalar import problem
from tallystick.http.v1.scalars import Text

_CHARS_MAX = 2048
_SHAPE = r"^[Hh][Tt][Tt][Pp][Ss]?://[^\s/?#@\\]+([/?#][^\s\\]*)?$"


class WebAddress(Text):
    """Text that is an absolute http(s) address whose origin a browser understands."""

    @override
    def parse(self, value: Any) -> str:
        text = super().parse(value)
        if origin(text) is None:
            wanted = "an absolute URL that starts with https:// or http:// and names a host"
            raise problem("malformed", f"must be {wanted}")
        return text

    @override
    def schema(self) -> JsonSchemaValue:
        return super().schema() | {"pattern": _SHAPE}


WebUrl = Annotated[str, WebAddress(_CHARS_MAX)]
"""Absolute, http(s), without credentials, with a host that is one, at most 2048 characters."""
