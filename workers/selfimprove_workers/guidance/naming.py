"""Whether somebody who must not tell the answer names it.

What the question says itself (a number of its own that happens to be the gold, a thing that is one of the choices), and
what is a common word as well (A, no, one), is named only where it is called the answer: an honest critique needs it.
What reads like the end of a calculation ("the GCD is 6", "left with 48") calls it so: a critique that is refused for
nothing is asked for again, one that tells the answer spoils what it was asked for.
"""

from __future__ import annotations

import re

from selfimprove_workers.guidance.golds import gold_position, gold_spans, golds_of
from selfimprove_workers.guidance.numbering import without_numbering
from selfimprove_workers.guidance.pointing import points_at
from selfimprove_workers.guidance.several import told_spans, values_of

VERSION = "naming-3"
"""Of which critiques are refused: hashed into the manifest."""

_COMMON = frozenset(("a", "i", "yes", "no", "true", "false", "all", "both", "none", "neither", "zero"))
_COMMON_NUMBERS = frozenset(("one", "two", "three"))
"""In words: "the two numbers". In digits they are named like any other."""
_DIGIT = re.compile(
    r"\b(ones?|units?|tens?|hundreds?|thousands?)(?:['’]s?)?\s+(?:digit|place)\W+(?:\w+\W+){0,3}?(\d)(?![\d.,]*\d)",
    re.IGNORECASE,
)
_PLACES = {"one": 0, "unit": 0, "ten": 1, "hundred": 2, "thousand": 3}
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
_FOUND_BEFORE = re.compile(
    r"""
    (?: (?<!\bthere\s)\b(?:is|be|becomes?|remains?|equals?)\b
      | \b(?:arriv(?:e|es|ed|ing)\W+at|left\W+with|end(?:s|ed)?\W+(?:up\W+)?(?:with|at|having)|reach(?:es|ed)?)\b
      | \b(?:in\W+the\W+end|finally)\b(?:\W+\w+){0,3}?
      | \b(?:correct|right|true|actual|real|final|expected)\b(?:\W+\w+)?
    )
    \W{1,4}(?:(?:the|an?|actually|only|really|exactly|just|indeed|simply|therefore|thus|then|number)\W{1,3}){0,3}
    \Z
    """,
    re.IGNORECASE | re.VERBOSE,
)
_MADE_BEFORE = re.compile(r"(?<!\bthere\s)\b(?:are|gets?|got|gives?|makes?|yields?|leaves?)\W{1,4}\Z", re.IGNORECASE)
"""Of the answer only where the clause ends with it: not in `gives 12 to Ann`, `the numbers are 6 and 42`."""
_CLAUSE_ENDS_AFTER = re.compile(
    r"\W{0,3}?(?:\s\w+)?(?:\s*(?:[.,;:!?)*]|\Z)|\s+(?:since|because|as|so|but|again)\b)", re.IGNORECASE
)
_IS_WORKED_WITH_AFTER = re.compile(
    r"\W{0,3}?\s*(?:[-+*/×÷−]\s*\W?\d|(?:plus|minus|times|divided|more|less|fewer)\b)", re.IGNORECASE
)
"""A step, not the end: `your first step is 48 - 12`."""
_FOUND_AFTER = re.compile(
    r"""
    (?: \W{0,4}(?:\s*\w+\s+)?\b(?:is|are|was|(?:must|would|should|will)\s+be)\s+(?:the|what|how|your)\b
      | \W{1,4}(?:not|rather\s+than|instead\s+of)\s
      | (?:\W+\w+){1,4}?\W+(?:not|rather\s+than|instead\s+of)\s+\W?\d
      | (?:\W+\w+){0,2}?\W+(?:again|(?:in|at)\s+the\s+end|altogether|in\s+(?:all|total))\b
    )
    """,
    re.IGNORECASE | re.VERBOSE,
)


def names_answer(said: str, answer: str, option: str | None = None, question: str = "") -> bool:
    """Whether a text names the answer, or `option`, the text of the choice that it is the label of."""
    stem = _stem(question, option)
    golds = [*golds_of(answer, option), *_in_other_number(option or "")]
    is_pointed_at = option is not None and points_at(said, answer.strip(), question)
    plain = {gold: without_numbering(said, gold, question) for gold in golds}
    is_named = any(_names(plain[gold], gold, stem) or _names_each(plain[gold], gold, stem) for gold in golds)
    return is_pointed_at or is_named or _says_digits(said, answer.strip())


def is_said_anyway(answer: str, option: str | None = None, question: str = "") -> bool:
    """Whether the answer, or the option's text, is a common word, or stands in the question beside its choices."""
    stem = _stem(question, option)
    return any(_is_harmless(gold, stem) for gold in golds_of(answer, option))


def _is_harmless(gold: str, stem: str) -> bool:
    return gold.strip().casefold() in _COMMON or gold_position(stem, gold) < len(stem)


def _names(said: str, gold: str, stem: str) -> bool:
    harmless, common = _is_harmless(gold, stem), gold.strip().casefold() in _COMMON
    return any(
        not (harmless or said[start:stop].casefold() in _COMMON_NUMBERS)
        or _is_called(said, start, stop)
        or (not common and _is_found(said, start, stop))
        for start, stop in gold_spans(said, gold)
    )


def _names_each(said: str, gold: str, stem: str) -> bool:
    """Whether a text names every value of an answer of several."""
    values = set(values_of(gold))
    told = set(told_spans(said, (span for value in values for span in gold_spans(said, value))))
    return bool(values) and all(
        not told.isdisjoint(gold_spans(said, value)) or _names(said, value, stem) for value in values
    )


def _is_called(said: str, start: int, stop: int) -> bool:
    before, after = _beside(said, start, stop)
    in_brackets = stop - start == 1 and before.endswith("(") and after.startswith(")")
    return bool(in_brackets or _CALLED_BEFORE.search(before) or _CALLED_AFTER.match(after))


def _is_found(said: str, start: int, stop: int) -> bool:
    """Whether a text comes to what stands there. Of a word such as "no" that says nothing: `it is no wonder`."""
    before, after = _beside(said, start, stop)
    is_made = _MADE_BEFORE.search(before) and _CLAUSE_ENDS_AFTER.match(after)
    is_end = _FOUND_BEFORE.search(before) and not _IS_WORKED_WITH_AFTER.match(after)
    is_named_first = said[start:stop].casefold() not in _COMMON_NUMBERS and _FOUND_AFTER.match(after)
    return bool(is_made or is_end or is_named_first)


def _beside(said: str, start: int, stop: int) -> tuple[str, str]:
    return said[max(0, start - _REACH) : start], said[stop : stop + _REACH]


def _in_other_number(option: str) -> list[str]:
    """An option's text in the plural, and in the singular where it may be one: `whales` for `whale`."""
    if not re.search(r"[^\W\d_]{3}\Z", option.strip()) or re.search(r"\d", option):
        return []
    word = option.strip()
    singular = [word[:-1]] if re.search("[^s]s$", word) and len(word) > len("gas") else []
    return [f"{word}s", f"{word}es", *singular]


def _stem(question: str, option: str | None) -> str:
    """A question without the lines that list its choices, where it has any."""
    if option is None:
        return question
    listed = re.compile(r"\W{0,3}(?:[A-J]|\d)[).\]:]+\s*\S")
    return "\n".join(line for line in question.splitlines() if not listed.match(line))


def _says_digits(said: str, answer: str) -> bool:
    """Whether a text tells a number digit by digit: `your tens digit should be 4 and your units digit 8`."""
    told = {(_PLACES[place.casefold().rstrip("s")], digit) for place, digit in _DIGIT.findall(said)}
    wanted = set(enumerate(reversed(answer))) if re.fullmatch(r"\d{2,4}", answer) else set()
    return bool(wanted) and wanted <= told
