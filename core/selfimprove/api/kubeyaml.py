"""YAML as kubectl reads it, so that one file means the same on one machine and in a cluster.

kubectl turns YAML into JSON with sigs.k8s.io/yaml, whose go-yaml v2 is neither YAML 1.1 nor 1.2: `1e-5` is a number,
`yes`, `on` and `y` are booleans, `010` is 8 and so is `08`, `12:30` and `2001-01-01` are text, `1.0` becomes the
integer 1. PyYAML differs in nearly all of these, so only its scanner and composer are used here and scalars are
resolved by go-yaml's rules. Stricter than kubectl: a key that is there twice, and a tab between a key and its value,
are refused.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections.abc import Callable, Iterator
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from selfimprove.errors import UserError

PLAIN = ""
"""The tag of an unquoted scalar without a tag of its own: the only kind whose text decides its type."""
_TAG = "tag:yaml.org,2002:"
MAX_VALUES = 100_000
"""Values that a file may hold, aliases expanded: a few lines of nested aliases would otherwise fill the memory."""

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
_NOT_FINITE = frozenset(sign + word for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")) | {
    ".nan",
    ".NaN",
    ".NAN",
}
_INTEGER = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BARE_FRACTION = re.compile(r"\.[0-9]+(_[0-9]+)*([eE][-+]?[0-9]+(_[0-9]+)*)?")


def documents(text: str, name: str) -> list[Any]:
    """Every document of a YAML text as JSON values, empty ones left out.

    Raises `UserError` with the place (`NAME:LINE:COLUMN`) for what is no YAML or can't be JSON.
    """
    try:
        loaded = [_Reader(name).read(node) for node in _compose(text.removeprefix("\ufeff")) if node is not None]
    except yaml.MarkedYAMLError as error:
        raise UserError(f"{_place(name, error.problem_mark)}: not YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise UserError(f"{name}: not YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise UserError(f"{name}: nested too deep to be read; a manifest has a dozen levels") from error
    return [document for document in loaded if document is not None]


class _Composer(yaml.SafeLoader):
    """PyYAML up to the graph of nodes; an unquoted scalar keeps the empty tag.

    In Python on purpose: libyaml's loader overflows the C stack on deep nesting, and this text comes from anybody.
    """

    def resolve(self, kind: type[Node], value: Any, implicit: Any) -> str:
        """The tag of a node that has none."""
        if kind is ScalarNode:
            return PLAIN if implicit[0] else f"{_TAG}str"
        return f"{_TAG}map" if kind is MappingNode else f"{_TAG}seq"


def _compose(text: str) -> Iterator[Node | None]:
    nodes: Iterator[Node | None] = yaml.compose_all(text, Loader=_Composer)
    return nodes


class _Reader:
    """From one document's nodes to JSON values."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._count = 0
        self._open: list[Node] = []

    def read(self, node: Node) -> Any:
        """The JSON value of a node."""
        self._count += 1
        if self._count > MAX_VALUES:
            raise self._wrong(node, f"more than {MAX_VALUES:,} values, aliases expanded; a manifest has a few hundred")
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        if any(node is parent for parent in self._open):
            raise self._wrong(node, "an anchor that contains itself; write the value out")
        self._open.append(node)
        value = self._mapping(node) if isinstance(node, MappingNode) else [self.read(item) for item in node.value]
        self._open.pop()
        return value

    def _scalar(self, node: ScalarNode) -> Any:
        if node.tag not in _TAGS:
            return node.value
        try:
            return _TAGS[node.tag](node.value)
        except ValueError as error:
            raise self._wrong(node, str(error)) from error

    def _mapping(self, node: MappingNode) -> dict[str, Any]:
        result: dict[str, Any] = {}
        seen: set[str] = set()
        for key_node, value_node in node.value:
            if _is_merge(key_node):
                result |= self._merged(value_node)
                continue
            key = self._key(key_node)
            if key in seen:
                raise self._wrong(key_node, f"{key} is there twice; keep one")
            seen.add(key)
            result[key] = self.read(value_node)
        return result

    def _merged(self, node: Node) -> dict[str, Any]:
        """What `<<` brings in; of several maps the first one wins. Keys written before `<<` give way, as in kubectl."""
        maps = node.value if isinstance(node, SequenceNode) else [node]
        if not all(isinstance(each, MappingNode) for each in maps):
            raise self._wrong(node, "<< takes a map or a list of maps; give an alias of one")
        merged: dict[str, Any] = {}
        for each in reversed(maps):
            merged |= self.read(each)
        return merged

    def _key(self, node: Node) -> str:
        if not isinstance(node, ScalarNode):
            raise self._wrong(node, "a key must be text; a map or a list stands here")
        key = self._scalar(node)
        if key is None:
            raise self._wrong(node, "a key is empty; give it a name")
        return key if isinstance(key, str) else _key_text(key)

    def _wrong(self, node: Node, message: str) -> UserError:
        return UserError(f"{_place(self._name, node.start_mark)}: {message}")


def scalar(text: str) -> bool | int | float | str | None:
    """What an unquoted scalar means. Raises `ValueError` for `.inf` and `.nan`, which JSON has no word for."""
    if text in _WORDS:
        return _WORDS[text]
    if text in _NOT_FINITE:
        raise ValueError(f"{text} is no number that JSON can hold; give a finite one")
    number = _number(text)
    return text if number is None else number


def _number(text: str) -> int | float | None:
    if text[0] == ".":
        return _finite(text.replace("_", "")) if _BARE_FRACTION.fullmatch(text) else None
    if text[0] not in "+-0123456789":
        return None
    digits = text.replace("_", "")
    if _INTEGER.fullmatch(digits):
        return _integer(digits)
    return _finite(digits) if _FLOAT.fullmatch(digits) else None


def _integer(digits: str) -> int | float | None:
    """Base by prefix, a leading 0 is octal. What 64 bits can't hold is a float, or text where it has a prefix."""
    body = digits.lstrip("+-").lower()
    octal = len(body) > 1 and body[0] == "0" and body[1] not in "xbo"
    value = int(body, 8) if octal else int(body, 0)
    value = -value if digits[0] == "-" else value
    if -(2**63) <= value < 2**63:
        return value
    prefixed = body[1:2].isalpha()
    return float(value) if prefixed and 0 < value < 2**64 else None if prefixed else _finite(digits)


def _finite(text: str) -> int | float | None:
    """Go writes a whole float without a point, so it comes back as an integer; what overflows stays text."""
    value = float(text)
    if value in (float("inf"), float("-inf")):
        return None
    return int(value) if value.is_integer() and -(2**63) <= value < 2**63 else value


def _key_text(key: bool | int | float) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, int):
        return str(key)
    return next(text for digits in range(1, 18) if _single(float(text := f"{key:.{digits}g}")) == _single(key))


def _single(value: float) -> bytes:
    return struct.pack("f", value)


def _typed(kind: str, accepted: tuple[type, ...]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        value = scalar(text)
        if type(value) not in accepted or (kind == "int" and "." in text):
            raise ValueError(f"{text!r} is no {kind}; mend it or leave the tag !!{kind} out")
        return value

    return read


def _binary(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError("no base64 of text stands behind !!binary; give the text itself") from error


_TAGS: dict[str, Callable[[str], Any]] = {
    PLAIN: scalar,
    f"{_TAG}bool": _typed("bool", (bool,)),
    f"{_TAG}int": _typed("int", (int,)),
    f"{_TAG}float": _typed("float", (int, float)),
    f"{_TAG}null": _typed("null", (type(None),)),
    f"{_TAG}binary": _binary,
}
"""Scalars by tag; any other tag leaves the text as it is."""


def _is_merge(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.value == "<<" and node.tag in (PLAIN, f"{_TAG}merge")


def _place(name: str, mark: Any) -> str:
    return name if mark is None else f"{name}:{mark.line + 1}:{mark.column + 1}"
