"""Values of custom properties on the wire."""

from typing import Annotated

from pydantic import Field

from tallystick.domain.custom_properties import BYTES_MAX
from tallystick.http.v1.free_form import JsonObject
from tallystick.http.v1.scalars import RequestModel

_VALUES = JsonObject(BYTES_MAX)

CustomProperties = Annotated[
    dict[str, object],
    _VALUES,
    Field(
        description="Values by the `key` of their definitions, at most 16 KiB together as "
        "JSON. What is left out has its default; a required property without one must be given."
    ),
]
"""Every value of an object: what is not said is not kept."""

MergedProperties = Annotated[
    dict[str, object],
    _VALUES,
    Field(
        description="Values to merge, by the `key` of their definitions; null takes one away. "
        "What is left out stays. At most 16 KiB together as JSON."
    ),
]
"""Values that change: what is not said stays."""


class CustomPropertiesRequest(RequestModel):
    """Custom properties to merge, whatever the status of what they are kept with."""

    custom_properties: MergedProperties
