"""Whether a text gives the answer and no way to it.

A number comes from others, so it takes another one, a formula, or clauses that are of the problem and not of the answer
("each friend buys twice as many"). Of what is no number any five words may be reasons. `By Pythagoras,` is one of
anything; a label (`Total clips:`) and what is said to the reader (`Great question!`, `I hope this helps`) are none.
"""

from __future__ import annotations

import re

from selfimprove_workers.guidance.golds import without_gold
from selfimprove_workers.guidance.markup import UNSPACED, without_markup
from selfimprove_workers.guidance.number_words import spoken_numbers
from selfimprove_workers.tasks.equality import Kind, read

LEAST_WORDS = 5
"""What is said beside an answer in fewer words, without a number, explains nothing."""
LEAST_REASON = 3
"""Words of the clauses that have not the answer in them, of which they are a reason."""
LEAST_CLAUSE = 2
"""Words of such a clause, of which it counts at all. As many before a colon and the answer are a label."""

_GOLD = "■"
"""What stands in a text in place of every answer."""
_EMPTY_WORDS = re.compile(
    "(a|an|and|answer|are|be|boxed|correct|final|get|have|hence|is|it|of|result|so|solution|text|that|the|then|therefore"
    "|this|thus|to|we)"
)
_OF_FORM = re.compile(
    "(above|at|below|box|by|calculat\\w+|can|carefully|do|end|find|first|follow\\w*|for|format|give|here|how|i|in|let|letter|ll"
    "|many|me|much|my|need|now|number|on|out|problem|question|s|show|solv\\w+|start|step|steps|think|through|us|value|will"
    "|with|work|write|you|your)"
)
_WORD = re.compile(rf"[{UNSPACED}]{{1,3}}|[^\W_{UNSPACED}]+")
_FORMULA = re.compile(rf"[\d{_GOLD}]\s*[-+*/×÷·−^]\s*\(?\s*[\d{_GOLD}]")
_OF_LETTERS = re.compile(r"[\w)]\s*[+^]\s*[\w(]|\w\s*/\s*\w\s*=")
_BY_THIS = re.compile(r"(?:^|[.;:!?\n])\W{0,4}(?:by|using|via|from)\s(?!the\sway\b)([^,.;:\n]{1,80}),", re.IGNORECASE)
_SINCE = re.compile(r"\b(?:because|since)\s([^,.;:\n]{1,80})", re.IGNORECASE)
_BY = re.compile(r"(?<!\bgiven\s)\b(?:by|using|via)\s([^.;:\n]{1,80})", re.IGNORECASE)
_LABEL = re.compile(rf"[^\n:：{_GOLD}]{{0,80}}[:：]\s*(?=[^\w\n{_GOLD}]{{0,12}}{_GOLD})")
_WITHIN = rf"[^.!?。！？\n\d{_GOLD}]"
_AT_FIRST = r"(?:^|(?<=[.!?。！？\n]))"
_EXCLAMATION = re.compile(rf"{_AT_FIRST}{_WITHIN}*(?<=[^\W\d]{{2}})[!！]+(?=\s|$)")
"""With a word before its mark: `n!` is none."""
_COURTESY = re.compile(
    rf"{_AT_FIRST}{_WITHIN}{{0,40}}\b"
    rf"(?:let\s+me\s+know|feel\s+free|(?:happy|glad)\s+to\s+help|hope\s+(?:this|that|it)\s+\w+)\b{_WITHIN}*[.!?]*",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(
    r"\n+|[。！？；]+|[.!?;:]+(?=\s|$)|\b(?:because|since|therefore|thus|hence|so|when|after|by\s+(?=\w+ing\b)|gives?|yields?|leaves?"
    r"|(?:we|you|i)\s+(?:get|have|find|obtain))\b",
    re.IGNORECASE,
)


def is_bare(said: str, answer: str, option: str | None = None) -> bool:
    """Whether a text gives the answer and says no more of how it is found."""
    plain = _plain(said, answer, option)
    return _GOLD in plain and not re.search(r"\d", plain) and not _has_way(plain, read(answer).kind)


def says_it_at_once(said: str, answer: str, option: str | None = None) -> bool:
    """Whether a text gives the answer in its first clause that says anything, and no way to it: `The answer is 3.`

    It asks less of a text than `is_bare`: any clause before the answer may be the beginning of a way.
    """
    *before, _ = _CLAUSE_END.split(_plain(said, answer, option).partition(_GOLD)[0])
    return is_bare(said, answer, option) and not any(map(_reasons, before))


def _plain(said: str, answer: str, option: str | None) -> str:
    """What a text says, without markup, with a mark for every gold, and without labels and what the reader is told."""
    # The golds go first: markup is a part of theirs.
    plain = without_markup(without_gold(said.replace(_GOLD, " "), answer, option, _GOLD))
    plain = _COURTESY.sub("", plain)
    for pattern in (_EXCLAMATION, _LABEL):
        plain = pattern.sub(lambda found: found[0] if len(_reasons(found[0])) > LEAST_CLAUSE else "", plain)
    return plain


def _has_way(plain: str, kind: Kind) -> bool:
    by_this = (_BY if kind in (Kind.MATH, Kind.ITEMS) else _BY_THIS).search(plain)
    since = _SINCE.search(plain)
    if _FORMULA.search(plain) or (by_this and _reasons(by_this[1])):
        return True
    if since and len(_reasons(since[1])) >= LEAST_CLAUSE:
        return True
    if kind is Kind.QUANTITY:
        return any(spoken_numbers(plain)) or _has_reason(plain)
    is_derived = kind in (Kind.MATH, Kind.ITEMS) and _OF_LETTERS.search(plain)
    return bool(is_derived) or len(_telling(plain)) >= LEAST_WORDS


def _has_reason(plain: str) -> bool:
    clauses = [len(_reasons(clause)) for clause in _CLAUSE_END.split(plain) if _GOLD not in clause]
    return sum(words for words in clauses if words >= LEAST_CLAUSE) >= LEAST_REASON


def _reasons(clause: str) -> list[str]:
    return [word for word in _telling(clause) if not _OF_FORM.fullmatch(word)]


def _telling(text: str) -> list[str]:
    return [word for word in _WORD.findall(text.casefold()) if not _EMPTY_WORDS.fullmatch(word)]
