"""A value with a wire form of its own: the base of every scalar of requests and answers.

Values arrive from callers, so their static type is `Any` until `parse` has looked at them.
"""

from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


class Scalar:
    """An annotation (`Annotated[UUID, IdOf(...)]`) for a value with its own wire form."""

    def parse(self, value: Any) -> Any:  # noqa: ANN401
        """Return the value inside, or raise `problem(...)`; takes the inside form as well."""
        raise NotImplementedError

    def text(self, value: Any) -> Any:  # noqa: ANN401
        """Return the value as it stands in an answer."""
        return value

    def schema(self) -> JsonSchemaValue:
        """Return its JSON schema."""
        raise NotImplementedError

    def __get_pydantic_core_schema__(
        self, _source: object, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.parse,
            serialization=core_schema.plain_serializer_function_ser_schema(self.text),
        )

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return self.schema()


def problem(code: str, message: str) -> PydanticCustomError:
    """Return what a validator raises: a stable code, and what would be accepted."""
    return PydanticCustomError(code, "{message}", {"message": message})


def must_be_text(value: object) -> str:
    """Return the value, which must be a text; raises `problem` when it is not."""
    if not isinstance(value, str):
        raise problem("wrong_type", "must be text")
    return value
