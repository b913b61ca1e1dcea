"""Whether a text gives the answer and no way to it.

A number comes from others, so it takes another one, a formula, or a clause that is of the problem and not of the answer
("each friend buys twice as many"). Of what is no number any five words may be reasons.
"""

from __future__ import annotations

import re

from selfimprove_workers.guidance.golds import gold_position, without_gold
from selfimprove_workers.guidance.markup import without_markup
from selfimprove_workers.guidance.number_words import spoken_numbers
from selfimprove_workers.tasks.equality import read

LEAST_WORDS = 5
"""What is said beside an answer in fewer words, without a number, explains nothing."""
LEAST_REASON = 3
"""Words of a clause that has not the answer in it, of which it is a reason."""

_EMPTY_WORDS = re.compile(
    "(a|an|and|answer|are|be|boxed|correct|final|get|have|hence|is|it|of|result|so|solution|text|that|the|then|therefore"
    "|this|thus|to|we)"
)
_OF_FORM = re.compile(
    "(at|below|box|by|calculat\\w+|can|carefully|do|end|find|first|follow\\w*|for|format|give|here|how|i|in|let|letter|ll"
    "|many|me|much|my|need|now|number|on|out|problem|question|s|show|solv\\w+|start|step|steps|think|through|us|value|will"
    "|with|work|write|you|your)"
)
_FORMULA = re.compile(r"\d\s*[-+*/×÷·−^]\s*\(?\s*\d")
_CLAUSE_END = re.compile(
    r"\n+|[。！？；]+|[.!?;:]+(?=\s|$)|\b(?:because|since|therefore|thus|hence|so|when|after|by\s+(?=\w+ing\b)|gives?|yields?|leaves?"
    r"|(?:we|you|i)\s+(?:get|have|find|obtain))\b",
    re.IGNORECASE,
)


def is_bare(said: str, answer: str, option: str | None = None) -> bool:
    """Whether a text gives the answer and says no more of how it is found."""
    plain = without_markup(said)
    rest = without_gold(plain, answer, option)
    if rest == plain or re.search(r"\d", rest):
        return False
    if read(answer).quantity is None:
        return len(_telling(rest)) < LEAST_WORDS
    is_calculated = _FORMULA.search(plain) and not _FORMULA.search(answer)
    return not (is_calculated or any(spoken_numbers(rest)) or _has_reason(plain, answer, option))


def says_it_at_once(said: str, answer: str, option: str | None = None) -> bool:
    """Whether a text gives the answer in its first clause that says anything, and no way to it: `The answer is 3.`

    It asks less of a text than `is_bare`: any clause before the answer may be the beginning of a way.
    """
    *before, _ = _CLAUSE_END.split(said[: gold_position(said, answer, option)])
    return is_bare(said, answer, option) and not any(map(_reasons, before))


def _has_reason(plain: str, answer: str, option: str | None) -> bool:
    clauses = [clause for clause in _CLAUSE_END.split(plain) if gold_position(clause, answer, option) == len(clause)]
    return any(len(_reasons(clause)) >= LEAST_REASON for clause in clauses)


def _reasons(clause: str) -> list[str]:
    return [word for word in _telling(clause) if not _OF_FORM.fullmatch(word)]


def _telling(text: str) -> list[str]:
    words = re.findall(r"[^\W_]+", text.casefold())
    return [word for word in words if not _EMPTY_WORDS.fullmatch(word)]
