"""Fields of the reference that do nothing here yet."""

from typing import Annotated, Any, get_args, get_origin

from fastapi.routing import APIRoute
from pydantic import BaseModel

from tallystick.http.v1 import ROUTERS
from tallystick.http.v1.free_form import NOT_YET as REFUSER
from tallystick.http.v1.not_yet import NOT_YET


def refused_fields(kind: Any, path: str = "") -> set[str]:  # noqa: ANN401 - any annotation
    """The paths below a type of the fields that are refused until they do something."""
    if get_origin(kind) is not None or not isinstance(kind, type):
        return set().union(
            *(refused_fields(part, path) for part in get_args(kind) if not _is_plain(part))
        )
    if not issubclass(kind, BaseModel):
        return set()
    found = set()
    for name, field in kind.model_fields.items():
        here = f"{path}.{name}" if path else name
        if REFUSER in field.metadata:
            found.add(here)
        else:
            found |= refused_fields(field.annotation, here)
    return found


def _is_plain(part: object) -> bool:
    return isinstance(part, str) or part is Annotated


def test_the_list_holds_every_refused_field_of_every_operation() -> None:
    """What is refused by the schemas is what the list says, no more and no less."""
    found = set()
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            kinds = [field.field_info.annotation for field in route.dependant.query_params]
            if route.body_field is not None:
                kinds.append(route.body_field.field_info.annotation)
            for method in route.methods or ():
                for kind in kinds:
                    found |= {f"{method} {route.path}: {one}" for one in refused_fields(kind)}

    assert found == NOT_YET
