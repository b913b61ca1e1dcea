r"""A text in which what LaTeX and typesetters write in several ways stands in one, and where it stood before.

The marks between thousands are commas (`33{,}000`, `33\,000` and `33 000` with a narrow space are `33,000`), and a
fraction has its braces (`\frac12`, `{1 \over 2}`): so whoever looks for a number finds it in all of them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import NamedTuple

_PART = r"[^{}\\]{0,12}(?:\\[a-z]+[^{}\\]{0,12})?"
_UNEVEN = re.compile(
    r"(?P<mark>(?<=\d)(?:\{,\}|,[^\S\n]?\\!|\\[,;:! ]|[~'’\u00a0\u2000-\u200a\u202f\u205f])(?=\d{3}(?!\d)))"
    r"|(?P<bar>\\[dtc]?frac)\s*(?P<over>\d)\s*(?P<under>\d)"
    rf"|\{{(?P<above>{_PART})\\over(?![a-zA-Z])(?P<below>{_PART})\}}"
)


class Evened(NamedTuple):
    """A text in one spelling."""

    text: str
    changes: tuple[tuple[int, int, int, int], ...] = ()
    """From where to where each changed piece reaches in this text, then in the one that it was made from."""

    def span(self, start: int, stop: int) -> tuple[int, int]:
        """Where a piece of this text stood: all of what was changed, where it has a part of that."""
        return self._place(start, False), self._place(stop, True)

    def _place(self, place: int, is_end: bool) -> int:
        at = bisect_right(self.changes, place - is_end, key=lambda change: change[0]) - 1
        if at < 0:
            return place
        _, end, began, ended = self.changes[at]
        if place < end or (is_end and place == end):
            return ended if is_end else began
        return place - end + ended


def evened(text: str) -> Evened:
    """The text in one spelling."""
    pieces, changes, read, length = list[str](), list[tuple[int, int, int, int]](), 0, 0
    for found in _UNEVEN.finditer(text):
        begin, new = length + found.start() - read, _even(found)
        pieces += (text[read : found.start()], new)
        read, length = found.end(), begin + len(new)
        changes.append((begin, length, found.start(), found.end()))
    return Evened("".join([*pieces, text[read:]]), tuple(changes)) if changes else Evened(text)


def _even(found: re.Match[str]) -> str:
    if found["mark"]:
        return ","
    if found["bar"]:
        return rf"{found['bar']}{{{found['over']}}}{{{found['under']}}}"
    return rf"\frac{{{found['above'].strip()}}}{{{found['below'].strip()}}}"
