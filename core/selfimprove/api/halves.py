"""Halves of characters: what JSON writes by two escapes, and by one of them alone is no text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeVar

from selfimprove.api.problem import Problem
from selfimprove.api.schema import dotted

_HALF = re.compile("[\ud800-\udfff]")

Place = tuple[str | int, ...]
T = TypeVar("T")


def without_halves(value: T) -> tuple[T, list[Problem]]:
    """A JSON value with `?` for every half of a character, which nothing could store or print, and where they stood."""
    found = [
        Problem(_cleaned(dotted(place)), f"\\u{ord(half[0]):x} is half a character; give its other half too")
        for place, text in _texts(value)
        if (half := _HALF.search(_paired(text)))
    ]
    return (_cleaned(value) if found else value), found


def _texts(value: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Every text of a value with its place, keys among them."""
    if isinstance(value, str):
        yield place, value
    entries: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in entries:
        if isinstance(key, str):
            yield (*place, key), key
        yield from _texts(item, (*place, key))


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return _HALF.sub("?", _paired(value))
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    return [_cleaned(item) for item in value] if isinstance(value, list) else value


def _paired(text: str) -> str:
    """The text with one character for two halves that belong together: YAML reads each escape by itself."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
