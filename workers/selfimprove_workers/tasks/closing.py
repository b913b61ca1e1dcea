"""The number that a text comes to at its end, where it declares none: the last one, or the one in bold.

What the text adds to it is passed over: a check (`checks`), a reason (`reasons`), a condition (`asides`), what is known
before (`context`), also behind what was calculated last (`results`). What is said again counts in either form
(`restated`), and a number may be a word (`worded`).
"""

from __future__ import annotations

import re

from selfimprove_workers.tasks.asides import without_added
from selfimprove_workers.tasks.checks import may_check, without_check
from selfimprove_workers.tasks.context import without_context
from selfimprove_workers.tasks.emphasis import emphasised
from selfimprove_workers.tasks.phrases import last_number, sentence_begin
from selfimprove_workers.tasks.reasons import REACH, may_explain, without_reason
from selfimprove_workers.tasks.restated import said_again
from selfimprove_workers.tasks.results import resulting
from selfimprove_workers.tasks.worded import may_be_worded, worded_number

DIGIT = re.compile(r"\d", re.ASCII)


def closing_number(text: str) -> str | None:
    """The number that is the answer of a text that declares none."""
    text = without_reason(without_check(text))
    text = said_again(text)
    said = worded_number(text) or emphasised(text) or resulting(text)
    return said or last_number(without_added(without_context(text)))


def may_add(text: str, number: str) -> bool:
    """Whether a text may add something to its last number: quick, and sure where it says no."""
    place = text.rfind(number)
    if may_check(text) or may_be_worded(text[place:]):
        return True
    if DIGIT.search(text, max(text.rfind("\n", 0, place) + 1, place - REACH), place) is None:
        return False  # what is added comes behind another number on its line
    begin = sentence_begin(text, place)
    if begin is not None and DIGIT.search(text, begin, place) is None:
        return text.endswith(" i.e. ", 0, begin + 1)  # which ends no sentence
    tail = text[-REACH:]
    return (
        "**" in tail
        or "remaining" in tail
        or may_explain(tail)
        or resulting(text) is not None
        or said_again(text) != text
    )
