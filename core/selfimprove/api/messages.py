"""pydantic's complaints in our words: value, what is wrong with it, what to give."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any

from selfimprove.api.names import no_such_field
from selfimprove.api.schema import Path, choices_of, expectation, fields_at, plain, schema_at

Error = Any
_KINDS: dict[type, str] = {bool: "a boolean", int: "a number", float: "a number", str: "text", type(None): "empty"}


def message_of(error: Error, path: Path) -> str:
    """What to say of one error at a path, without the field's name."""
    if error["type"] == "extra_forbidden":
        return no_such_field(path, fields_at(path[:-1]))
    if error["type"] == "missing":
        return f"missing; give {expectation(schema_at(path))}"
    if error["type"] in _EDGES:
        return _EDGES[error["type"]](error["input"])
    if error["type"] == "literal_error":
        return _not_a_choice(error["input"], error["ctx"]["expected"], path)
    template = _TEMPLATES.get(error["type"], _wrong_type)
    return f"{template(error)}; give {expectation(schema_at(path))}"


def show(value: object) -> str:
    """A value as a message quotes it: short, on one line."""
    if isinstance(value, str):
        text = value if value and value == "".join(value.split()) else json.dumps(value, ensure_ascii=False)
        return text if len(text) <= 60 else f"{text[:57]}..."
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return json.dumps(value)


def _wrong_type(error: Error) -> str:
    value = error["input"]
    if isinstance(value, dict | list):
        return f"{show(value)} stands here"
    if isinstance(value, float) and error["type"] in ("int_type", "int_from_float"):
        return f"{show(value)} is not whole" if not value.is_integer() else f"{show(value)} is too large"
    return f"{json.dumps(value, ensure_ascii=False)} is {_KINDS.get(type(value), 'something else')}"


def _not_a_choice(value: object, expected: str, path: Path) -> str:
    """`expected` has the choices as pydantic spells them; a map's keys have no schema of their own."""
    return not_a_choice(
        value, choices_of(schema_at(path) or {}) or expected.replace("'", "").replace(" or ", ", ").split(", ")
    )


def not_a_choice(value: object, choices: Sequence[str]) -> str:
    """What is said of a value that is none of the choices: those, or the one that is probably meant."""
    by_lower = {choice.lower(): choice for choice in choices}
    near = get_close_matches(str(value).lower(), by_lower, n=1, cutoff=0.6)
    shown = choices[0] if len(choices) == 1 else f"{', '.join(choices[:-1])} or {choices[-1]}"
    if len(choices) == 1:
        return f"{show(value)} is not {shown}; give {shown}"
    if near:
        return f"{show(value)} is none of {shown}; did you mean {by_lower[near[0]]}?"
    return f"{show(value)} is not among the choices; give {shown}"


def _length(error: Error) -> str:
    bound = error["ctx"].get("max_length", error["ctx"].get("min_length"))
    size = len(error["input"])
    if isinstance(error["input"], str):
        return f"{size:,} characters are more than {bound:,}" if size > bound else "empty text"
    many = "more" if size > bound else "fewer"
    return f"{size:,} {'entry is' if size == 1 else 'entries are'} {many} than {bound:,}"


def _line_break(text: str) -> str:
    if len(text.strip().splitlines()) > 1:
        return f"{show(text)} holds a line break; give it on one line"
    return f"{show(text)} ends with a line break, as YAML leaves it after > and |; write >- or |-, or use quotes"


_EDGES: dict[str, Callable[[str], str]] = {
    "line_break": _line_break,
    "white_space": lambda text: f"{show(text)} begins or ends with white space; take it away",
}
"""What is said of a text that would be right without what stands around it or in it."""
_TEMPLATES: dict[str, Callable[[Error], str]] = {
    "greater_than_equal": lambda e: f"{show(e['input'])} is below {plain(e['ctx']['ge'])}",
    "greater_than": lambda e: f"{show(e['input'])} is not above {plain(e['ctx']['gt'])}",
    "less_than_equal": lambda e: f"{show(e['input'])} is above {plain(e['ctx']['le'])}",
    "less_than": lambda e: f"{show(e['input'])} is not below {plain(e['ctx']['lt'])}",
    "string_pattern_mismatch": lambda e: f"{show(e['input'])} can't be a name here",
    "string_too_short": _length,
    "string_too_long": _length,
    "too_short": _length,
    "too_long": _length,
}
