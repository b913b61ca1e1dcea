"""The form that the last number of a sentence is inside of, and that is no number: a point, a bound, an equation.

Of `So the point is (5, 6)`, `x > 6` and `2x = 5` the number alone is no answer, whatever the sentence around them.
"""

from __future__ import annotations

import re

from selfimprove_workers.tasks.numbers import DECIMAL

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
    r"|\bat\s(?:most|least)\s[-−]?\$?\Z"
)
"""Up to a number: `x > `, `at most `."""
NEEDED = re.compile(
    r"\b(?:needs?|needed|can|could|must|should|(?:has|have)\sto|requires?)\b[^.!?\n]{0,60}?\b(?P<of>of\s)?at\s(?:most|least)\s[*\s$-]{0,4}\Z",
    re.IGNORECASE,
)
NOUN = re.compile(r"[*\s$]{1,4}[a-z]{2}")
"""Up to a number and from it on, where it is one that is asked for: `We need at least 18 tickets.`"""
TAG = re.compile(r"</?[A-Za-z]{1,10}/?>[^\S\n]?[-−]?\$?\Z")
BOUNDED = re.compile(r"[^\S\n]?(?:[<>≤≥≠]=?|\\(?:leq?|geq?|lt|gt)(?![a-z]))[^\S\n]?[A-Za-z](?![\w<>/])")
"""From a number on: ` < x`."""
POWER = r"(?: ?\^ ?\{?\d\}?|[²³])"
TERM = rf"(?:{DECIMAL} ?[*·]? ?[a-zA-Z]{POWER}?|[a-zA-Z]{POWER})"
UNSOLVED = re.compile(
    r"(?<![\w.,^+*/·×=()}\]\\|-])(?<![-−+*/·×=^]\s)(?!\d{1,2}\.\s)"
    rf"(?P<side>(?:{DECIMAL} ?[-+] ?)?{TERM}(?: ?[-+] ?{DECIMAL})?) ?= ?[-−]?\$?\Z"
)
"""Up to a number: `2x = `, `x^2 + 1 = `. `a + b = ` may say what was asked for."""
NAMED = re.compile(
    r"(?<!\banswer)(?<!\bequation)(?<!\bresult)\s(?:is|are|was|were|equals|be|of)[\s:]{1,2}(?:\$|\\[(\[])?\s?\Z",
    re.IGNORECASE,
)
"""What such a side is said to be, which then is worked out: `The perimeter is 4s = 20`."""
LABELLED = re.compile(
    r"(?:^|\n)[\s*-]{0,6}(?!(?:we|so|thus|then|hence|therefore|now|step|solv\w*|equations?|answer|result|final|given|let|get"
    r"|gives)\b)[a-z][a-z'’]*(?:\s[a-z'’]+){0,4}\*{0,2}(?::\*{0,2}|\s?→)\s\$?\Z",
    re.IGNORECASE,
)
"""What names it on its line: `Earnings: 2x = 18`."""
GIVEN = 1000
"""How far before a side the value of its letter may be given."""
MEASURED = re.compile(r"\s?\\?[A-Za-z°]{2}")
"""After a number that is one: of `2h = 120 minutes` h is no variable."""
ASSIGNED = re.compile(rf"[\s*$\\(\[]{{0,6}}(?P<name>[a-zA-Z])\s?=\s?[-−]?{DECIMAL}(?:/\d+)?[\s*$\\)\].,;]{{0,6}}")
CLOSING = re.compile(r"[\s*$\\)\].,;]*\Z")


def form_of(text: str, number: re.Match[str]) -> str | None:
    """The form that a number of a text is in, as it is written; None where the number stands for itself."""
    place = number.start() + len(number[0]) - len(number[0].lstrip("-−–+$€£¥₹\\ "))
    before = text[max(0, place - REACH) : place]
    return (
        _several(text, place)
        or _bound(text, before, number)
        or _unsolved(text, before, number)
        or _values(text, number)
    )


def ends_an_equation(before: str) -> bool:
    """Whether what stands before a number makes it the end of an unsolved equation, or of values on lines of their own.

    Quick, and sure where it says no.
    """
    if UNSOLVED.search(before):
        return True
    return "\n" in before and ASSIGNED.match(before.rsplit("\n", 2)[-2]) is not None


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
    needed = NEEDED.search(before) if found is not None else None
    is_needed = needed is not None and (needed["of"] or NOUN.match(text, number.end()))
    if found is not None and not is_needed and TAG.search(before) is None:
        return found[0] + number[0].strip()
    after = BOUNDED.match(text, number.end())
    return number[0] + after[0] if after else None


def _unsolved(text: str, before: str, number: re.Match[str]) -> str | None:
    found = UNSOLVED.search(before)
    if found is None or NAMED.search(before, 0, found.start()) or MEASURED.match(text, number.end()):
        return None
    if LABELLED.search(before, 0, found.start()) or _is_given(text[: number.start()], found["side"]):
        return None
    return f"part of {found['side']}"


def _is_given(before: str, side: str) -> bool:
    """Whether a text has said what the one letter of a side is, so that the side is worked out: `x = 9, so 2x = 18`."""
    letter = re.sub(r"[^a-zA-Z]", "", side)
    given = rf"(?<![\w^+*/·=-])(?<![-+*/·=]\s){letter}\s?=\s?[-−]?\$?\d"
    return len(letter) == 1 and re.search(given, before[-GIVEN:]) is not None


def _values(text: str, number: re.Match[str]) -> str | None:
    """The values of several names, a line each, where a text ends with them: `x = 5\\ny = 6`.

    A capital letter that ends three or more may be what was asked for: `l = 9\\nw = 2\\nA = 18`.
    """
    if "\n" not in text or not CLOSING.match(text, number.end()):
        return None
    found: list[re.Match[str]] = []
    for line in reversed(text.rstrip().splitlines()[-8:]):
        assigned = ASSIGNED.fullmatch(line)
        if assigned is None or any(assigned["name"] == other["name"] for other in found):
            break
        found.insert(0, assigned)
    if len(found) > 2 and found[-1]["name"].isupper():
        return None
    return ", ".join(each[0].strip(" *$\\()[].,;") for each in found) if len(found) > 1 else None
