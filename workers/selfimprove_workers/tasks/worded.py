"""A number in words that a text comes to: `So she has twelve apples left.`, `Eighteen dollars.`

Only in a main clause without digits that ends the text, of which it is the only number; and no `one`, which may be
a pronoun, nor `two` and `three` where a text has digits: `It has two solutions` may be said of what was found.
"""

from __future__ import annotations

import re

from selfimprove_workers.tasks.numbers import SCALES
from selfimprove_workers.tasks.phrases import LAST_DIGIT
from selfimprove_workers.tasks.units import WORD_NUMBERS

NAMES = "|".join(sorted((*WORD_NUMBERS, *SCALES), key=len, reverse=True))
NUMBER = rf"(?:(?:minus|negative|a)\s)?(?:{NAMES})(?:(?:\s(?:and\s)?|-)(?:{NAMES})(?![a-z]))*(?![a-z-])"
SAID = (
    r"is|are|was|were|has|have|had|makes?|made|needs?|takes?|took|gets?|got|earns?|costs?|pays?|sells?|sold|travels?"
    r"|bought|equals|leaves|(?:will\s)?(?:be|take)(?:\s(?:her|him|them|me|us))?|takes\sher"
)
WORDED = re.compile(
    rf"(?:\A|[.!?:\n]|\b(?:so|thus|hence|therefore|,)\b,?|,)[\s*_]*(?:(?:[A-Za-z'’]{{1,20}}\s){{1,8}}?(?:{SAID})\s"
    r"(?:exactly\s|only\s|now\s|a\stotal\sof\s)?)?"
    rf"[*_]{{0,2}}(?P<number>{NUMBER})[*_]{{0,2}}(?=[\s.!]|\Z)(?P<rest>[^\d.,;:?\n]{{0,60}})[.!*_\s]*\Z",
    re.IGNORECASE,
)
WORDS = frozenset([*WORD_NUMBERS, *SCALES, *map(str.capitalize, WORD_NUMBERS)])
WORD = re.compile(r"[A-Za-z]{3,}")
ANY = re.compile(rf"\b(?:{NAMES})\b", re.IGNORECASE)
UNSAID = re.compile(r"\b(?:not|never|if|when|than|both|because|since|as)\b|n['’]t\b", re.IGNORECASE)
RELATIVE = re.compile(r"\b(?:which|who)\b", re.IGNORECASE)
FEW = frozenset(["one", "two", "three"])
REACH = 160


def worded_number(text: str) -> str | None:
    """The number in words that the last clause of a text says; None where none surely is its answer."""
    tail = text[-REACH:]
    last = LAST_DIGIT.search(tail)
    begin = last.end() if last else 0
    if not may_be_worded(tail[begin:]):
        return None
    found = WORDED.search(tail, begin)
    if (
        found is None
        or ANY.search(found["rest"])
        or UNSAID.search(found[0])
        or RELATIVE.search(found[0], 0, found.start("number") - found.start())
    ):
        return None
    word = found["number"].lower()
    return None if word == "one" or (last and word in FEW) else word


def may_be_worded(text: str) -> bool:
    """Whether a text may hold a number in words: quick, and sure where it says no."""
    return not WORDS.isdisjoint(WORD.findall(text))
