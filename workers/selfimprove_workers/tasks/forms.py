"""The form that the last number of a sentence is inside of, and that is no number: a point, a set, an inequality.

Of `So the point is (5, 6)` and `x > 6` the number alone is no answer, whatever the sentence around them. What is said
in words (`at least 6`), and an equation (`2x = 6`), may well be answered with its number.
"""

from __future__ import annotations

import re

REACH = 100
"""How far before a number its form may begin, and how far after it a bracket may close."""
ITEM = (
    r"(?:[-+−]?\s?(?:inf(?:inity|ty)?(?![A-Za-z])|(?![A-Za-z]{2}(?!\())[$\w√π∞][\w.^/*√π∞°%]{0,15})"
    r"(?:\s?[-+*/]\s?[\w.^/*√π]{1,16})?)"
)
SEVERAL = re.compile(rf"\\?[(\[{{]\s?{ITEM}(?:\s?[,;]\s?{ITEM}){{1,7}}\s?\\?[)\]}}]")
"""A point, an interval, a set: `(5, 6)`, `[5, 6)`, `{5, 6}`."""
THOUSANDS = re.compile(r"\W*\d{1,3}(?:,\d{3})+\W*", re.ASCII)
TIGHT = re.compile(r"(?<![\w.,])[-−]?\d{1,15}(?:\.\d+)?,[-−]?\Z")
"""Up to the second number of `1,2`."""
BOUND = re.compile(
    r"(?<![\w\\])(?:[\w.^]{1,12}|[^\s]{0,12}[)\]|])\$?[^\S\n]?(?:[<>≤≥≠]=?|!=|\\(?:leq?|geq?|lt|gt|neq?)(?![a-z]))[^\S\n]?[-−]?\$?\Z"
)
"""Up to a number: `x > `."""
TAG = re.compile(r"</?[A-Za-z]{1,10}/?>[^\S\n]?[-−]?\$?\Z")
BOUNDED = re.compile(r"[^\S\n]?(?:[<>≤≥≠]=?|\\(?:leq?|geq?|lt|gt)(?![a-z]))[^\S\n]?[A-Za-z](?![\w<>/])")
"""From a number on: ` < x`."""


def form_of(text: str, number: re.Match[str]) -> str | None:
    """The form that a number of a text is in, as it is written; None where the number stands for itself."""
    place = number.start() + len(number[0]) - len(number[0].lstrip("-−–+$€£¥₹\\ "))
    return _several(text, place) or _bound(text, text[max(0, place - REACH) : place], number)


def _several(text: str, place: int) -> str | None:
    begin = max(0, place - REACH)
    if "," not in text[begin : place + REACH] and ";" not in text[begin : place + REACH]:
        return None
    for found in SEVERAL.finditer(text, begin, place + REACH):
        if found.start() < place < found.end():
            return None if THOUSANDS.fullmatch(found[0]) else found[0]
    tight = TIGHT.search(text, begin, place)
    return None if tight is None else f"{tight[0]} {text[place : place + 1]}"


def _bound(text: str, before: str, number: re.Match[str]) -> str | None:
    found = BOUND.search(before)
    if found is not None and TAG.search(before) is None:
        return found[0] + number[0].strip()
    after = BOUNDED.match(text, number.end())
    return number[0] + after[0] if after else None
