"""Pairs, intervals, sets and lists of plain quantities: `(1, -2)`, `[0, \\frac12)`, `\\{1,2\\}`, `3, 4 and 5`."""

from __future__ import annotations

import re
from typing import NamedTuple

from selfimprove_workers.tasks.numbers import Quantity, read_quantity
from selfimprove_workers.tasks.text import clean

MAX_ITEMS = 100
FORMS = [
    ("{}", re.compile(r"\\?\{(.*?)\\?\}", re.DOTALL)),
    ("()", re.compile(r"\(([^()\[\]]*)\)")),
    ("[]", re.compile(r"\[([^()\[\]]*)\]")),
    ("[)", re.compile(r"\[([^()\[\]]*)\)")),
    ("(]", re.compile(r"\(([^()\[\]]*)\]")),
    ("", re.compile(r"([^()\[\]{}]*|(?:[^()\[\]]|\\frac)*)", re.DOTALL)),
]
WIDE_COMMA = re.compile(r"\s*[,;]?\s+(?:and|or)\s+|[,;]\s+")
ANY_COMMA = re.compile(r"\s*[,;]?\s+(?:and|or)\s+|\s*[,;]\s*")
NAME = re.compile(r"[A-Za-z](?:_\{?\w+\}?)?\s*=\s*")


class Items(NamedTuple):
    """Quantities and the brackets around them; no brackets: an empty string."""

    brackets: str
    values: tuple[Quantity, ...]
    names: tuple[str, ...] = ()
    """What each is the value of, where all of them say it and no two the same: `x = 1, y = 2`."""

    @property
    def is_ordered(self) -> bool:
        """Whether the order counts."""
        return self.brackets not in ("", "{}")


def read_items(text: str) -> Items | None:
    """The list that a cleaned text is, all its items plain quantities; None when it is anything else."""
    for brackets, form in FORMS:
        match = form.fullmatch(text)
        if match:
            values = _values(match[1])
            return Items(brackets, values, _names(match[1])) if values and (brackets or len(values) > 1) else None
    return None


def _names(inner: str) -> tuple[str, ...]:
    named = [NAME.match(piece) for piece in ANY_COMMA.split(inner.strip())] if "=" in inner else []
    names = tuple(name[0].rstrip("= ") for name in named if name is not None)
    return names if 1 < len(names) == len(named) == len(set(names)) else ()


def _values(inner: str) -> tuple[Quantity, ...] | None:
    """The items between commas: where wide commas (`1,234, 5`) give quantities, the narrow ones are thousands."""
    for comma in (WIDE_COMMA, ANY_COMMA):
        pieces = comma.split(inner.strip())
        values = [read_quantity(clean(NAME.sub("", piece, count=1))) for piece in pieces[: MAX_ITEMS + 1]]
        found = tuple(value for value in values if value is not None)
        if len(found) == len(pieces) and (len(pieces) > 1 or comma is ANY_COMMA):
            return found
    return None
