"""Whether somebody who must not tell the answer names it.

What the question says itself (a number of its own that happens to be the gold, a thing that is one of the choices), and
what is a common word as well (A, no, one), is named only where it is called the answer: an honest critique needs it.
"""

from __future__ import annotations

import re

from selfimprove_workers.guidance.golds import gold_position, gold_spans, golds_of

_COMMON = frozenset(("a", "i", "yes", "no", "true", "false", "all", "both", "none", "neither", "zero"))
_COMMON_NUMBERS = frozenset(("one", "two", "three"))
"""In words: "the two numbers". In digits they are named like any other."""
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_REACH = 80
"""Characters before and after a gold in which it is called the answer."""

_IS = r"(?:is|was|are|be|been|being|equals?|['’]s)"
_TRUTH = r"(?:answer|result|solution|outcome|total|option|choice|letter)"
_CALLED_BEFORE = re.compile(
    rf"""
    (?: \b{_TRUTH}\b(?:(?:\W+\w+){{0,4}}?\W*{_IS}\b)?
      | \b(?:it|that|this|which)\W*{_IS}\b
      | \b(?:it|that|this|which)\W+(?:makes|gives|leaves|yields)\b
      | \b(?:should|must|would|will|(?:ought|has|have|needs?|supposed)\s+to)\W+(?:\w+\W+)?
        (?:be|been|say|said|get|gotten?|give|given|equal|read|pick|picked|choose|chosen|answer|answered|leave|left|find
        |found|write|written|obtain|obtained|(?:come|came|have\s+come)\s+to|end\s+(?:up\s+)?(?:with|at|in))\b
      | \b(?:correct|right)\b(?:\W+\w+){{0,3}}?\W+{_IS}\b
      | \bnot\W+\S+\W+but\b | \b(?:equal|comes?|amounts?|adds?\s+up)\s+to\b | =
    )
    \W{{0,4}}
    (?:(?:the|an?|actually|only|really|exactly|just|in\s+fact|indeed|simply|therefore|thus|then|number|option|choice)
    \W{{1,3}}){{0,3}}
    \Z
    """,
    re.IGNORECASE | re.VERBOSE,
)
_CALLED_AFTER = re.compile(
    rf"\W{{0,3}}(?:\w+\W+){{0,2}}?(?:is|was|are|would\s+be)\s+(?:(?:indeed|actually|in\s+fact|the)\s+){{0,2}}"
    rf"(?:correct|right|final\s+)?\s*(?:correct|right|true|{_TRUTH})\b",
    re.IGNORECASE,
)


def names_answer(said: str, answer: str, option: str | None = None, question: str = "") -> bool:
    """Whether a text names the answer, or `option`, the text of the choice that it is the label of."""
    stem = _stem(question, option)
    named = any(_names(said, gold, stem) for gold in golds_of(answer, option))
    return named or (option is not None and _counts_to(said, answer.strip()))


def is_said_anyway(answer: str, option: str | None = None, question: str = "") -> bool:
    """Whether the answer, or the option's text, is a common word, or stands in the question beside its choices."""
    stem = _stem(question, option)
    return any(_is_harmless(gold, stem) for gold in golds_of(answer, option))


def _is_harmless(gold: str, stem: str) -> bool:
    return gold.strip().casefold() in _COMMON or gold_position(stem, gold) < len(stem)


def _names(said: str, gold: str, stem: str) -> bool:
    harmless = _is_harmless(gold, stem)
    return any(
        not (harmless or said[start:stop].casefold() in _COMMON_NUMBERS) or _is_called(said, start, stop)
        for start, stop in gold_spans(said, gold)
    )


def _is_called(said: str, start: int, stop: int) -> bool:
    before, after = said[max(0, start - _REACH) : start], said[stop : stop + _REACH]
    in_brackets = stop - start == 1 and before.endswith("(") and after.startswith(")")
    return bool(in_brackets or _CALLED_BEFORE.search(before) or _CALLED_AFTER.match(after))


def _stem(question: str, option: str | None) -> str:
    """A question without the lines that list its choices, where it has any."""
    if option is None:
        return question
    listed = re.compile(r"\W{0,3}(?:[A-J]|\d)[).\]:]+\s*\S")
    return "\n".join(line for line in question.splitlines() if not listed.match(line))


def _counts_to(said: str, label: str) -> bool:
    """Whether a text names the choice by its place: `the second option`."""
    place = next((order.index(label) for order in ("ABCDEFGHIJ", "123456789") if label and label in order), None)
    if place is None:
        return False
    named = rf"\b{_ORDINALS[place]}\s+(?:option|choice|alternative|statement)\b"
    return re.search(named, said, re.IGNORECASE) is not None
