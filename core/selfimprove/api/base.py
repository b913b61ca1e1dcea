"""What every part of the resource shares: camelCase in YAML, snake_case in Python, nothing unknown, nothing mutable."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

OBJECT_NAME = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"
RUN_NAME = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
METHOD_NAME = r"^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$"
PATTERNS = {
    OBJECT_NAME: "lower-case letters, digits, - and ., with a letter or a digit at both ends",
    RUN_NAME: "at most 63 lower-case letters, digits and -, with a letter or a digit at both ends",
    METHOD_NAME: "letters, digits, -, _ and ., with a letter or a digit at both ends",
}
"""What each pattern asks for, in words for a person."""

Name = Annotated[str, Field(min_length=1, max_length=253, pattern=OBJECT_NAME)]
MethodName = Annotated[str, Field(min_length=1, max_length=63, pattern=METHOD_NAME)]


def _on_one_line(text: str) -> str:
    """Refuses a text that a message could not show on one line, and that YAML's `>` and `|` make of one."""
    if text.splitlines() not in ([], [text]):
        raise PydanticCustomError("line_break", "a line break stands in it")
    return text


def _trimmed(text: str) -> str:
    if text != text.strip():
        raise PydanticCustomError("white_space", "white space stands at an end of it")
    return text


def _unended(text: str) -> str:
    """Refuses the line break that YAML's `>` and `|` leave at the end. One at the beginning was written on purpose."""
    if text != text.rstrip("\r\n"):
        raise PydanticCustomError("line_break", "a line break stands at its end")
    return text


URI = Annotated[str, Field(min_length=1, max_length=2048), AfterValidator(_on_one_line), AfterValidator(_trimmed)]
Line = Annotated[str, Field(max_length=1024), AfterValidator(_on_one_line), AfterValidator(_trimmed)]
Column = Annotated[str, Field(max_length=1024), AfterValidator(_on_one_line)]
"""The name of a column, which some files begin or end with a space."""
Pattern = Annotated[str, Field(max_length=1024), AfterValidator(_unended)]
Token = Annotated[str, Field(max_length=1024)]
"""A short text in which a line break may be meant."""
Text = Annotated[str, Field(max_length=65536)]


class Model(BaseModel):
    """A piece of the resource. Fields are written camelCase in YAML and JSON, snake_case in Python."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)

    def to_json(self) -> dict[str, object]:
        """The piece as the JSON object a cluster would store: camelCase, absent where it was not set."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
