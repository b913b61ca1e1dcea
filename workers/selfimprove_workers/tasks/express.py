"""The answers that most responses give, graded in microseconds: a whole number, declared at the end or in a sentence.

A shortcut, not a rule of its own: what it says is what the cascade says (property tests hold the two together), and
whatever it is not sure of it leaves to the cascade.
"""

from __future__ import annotations

import re
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from selfimprove_workers.tasks.closing import may_add
from selfimprove_workers.tasks.explained import may_be_explained
from selfimprove_workers.tasks.phrases import is_prose, plain_last_number
from selfimprove_workers.tasks.precision import may_say_precision
from selfimprove_workers.tasks.units import MULTIPLIERS, WORD_NUMBERS

END = 64
"""How far from the end the channel has to begin."""

NUMBER = r"-?[1-9][0-9]{0,2}(?:,[0-9]{3}){1,5}|-?[1-9][0-9]{0,15}|0"
ADDING = ["per", "and", "plus", "minus", "times", "over", "div", "not", "but", "are", "than", "rem", "mod"]
ADDING += ["squared", "cubed"]
NO_UNIT = "|".join(
    f"{letter}(?:{'|'.join(word[1:] for word in words)})"
    for letter, words in groupby(sorted([*ADDING, *MULTIPLIERS, *WORD_NUMBERS]), key=itemgetter(0))
)
"""What makes a text more than a number and its unit; by first letters, since most units are none of them."""
UNIT = rf"(?: (?!{NO_UNIT})[a-z]{{3,20}})?"
ENDING = re.compile(
    rf"(?:\\boxed\{{(?P<boxed>{NUMBER})\}}\$?"
    rf"|####[ ]?(?P<hashes>{NUMBER}){UNIT}"
    rf"|[Aa]nswer(?: is:?|:)[ ](?P<says>{NUMBER}){UNIT})\.?\s{{0,8}}\Z"
)
MAX_WHOLE = 200
"""A response of one line up to this long may be the answer itself."""
OPENING = re.compile(r"[A-Z][a-z]+(?: (?!and |or )[a-z]+){2} ")
"""Three words in a row, which begin no quantity and no list of quantities."""


class Whole(NamedTuple):
    """A whole number, without thousands separators, and whether the response declares it."""

    text: str
    is_declared: bool


def whole_number(response: str) -> Whole | None:
    """The whole number that a response gives for its answer; None if unsure."""
    if "nswer" in response or "\\" in response or "####" in response:
        declared = whole_number_at_end(response)
        return Whole(declared, True) if declared is not None else None
    last = whole_number_in_sentence(response)
    return Whole(last, False) if last is not None else None


def whole_number_at_end(response: str) -> str | None:
    """The whole number, without thousands separators, that a response declares at its very end; None if unsure."""
    match = ENDING.search(response, max(0, len(response) - END))
    if match is None or "think" in response or "answer>" in response:
        return None
    boxes = response.find("box")
    if match.lastgroup == "boxed":
        return None if boxes != match.start() + 1 else match["boxed"].replace(",", "")
    if boxes >= 0 or (match.lastgroup == "says" and "####" in response):
        return None
    return match[match.lastgroup or 0].replace(",", "")


def whole_number_in_sentence(response: str) -> str | None:
    """The last number, a whole one, of a response that has no `answer`, `####` or backslash; None if unsure."""
    if "<" in response or "NSWER" in response or may_be_explained(response):
        return None
    if may_say_precision(response):
        return None
    written = plain_last_number(response) or ""
    last = written.lstrip("$").replace(",", "")
    return last if is_whole(last) and _is_sentence(response) and not may_add(response, written) else None


def is_whole(gold: str) -> bool:
    """Whether a gold answer is a whole number as Python writes it."""
    return len(gold) < 16 and gold.isascii() and gold.isdigit() and (gold[0] != "0" or gold == "0")


def _is_sentence(response: str) -> bool:
    """Whether a response is surely more than the answer alone."""
    whole = response.strip()
    if len(whole) > MAX_WHOLE or "\n" in whole:
        return True
    return OPENING.match(whole) is not None and is_prose(whole)
