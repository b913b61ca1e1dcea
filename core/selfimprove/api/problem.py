"""One thing that is wrong with a manifest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

_SHOWN = {ord(each): repr(each)[1:-1] for each in "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"}
"""All that begins another line, and how it is written."""


class Problem(NamedTuple):
    """One line for a person: the field that is wrong, and what is wrong with it and what to give instead."""

    field: str
    message: str

    def __str__(self) -> str:
        """`spec.generation.temperature: -1 is below 0; give a number from 0 to 2`, line breaks in values as `\\n`."""
        return on_one_line(f"{self.field}: {self.message}" if self.field else self.message)


def on_one_line(text: str) -> str:
    """The text with its line breaks spelled, as `\\n`."""
    return text.translate(_SHOWN)


def lines(problems: Iterable[Problem]) -> str:
    """One problem a line."""
    return "\n".join(map(str, problems))
