"""What a template says around its hint: who says the same has read it, since training will never show it.

Found from the template that is used, whosever it is, near its hint: of a clause any five words in a row, of one of four
all of them. What is said of any problem ("work it out step by step", "the correct answer is") is nobody's, and what a
template asks to be said, in quotes or after a colon, may be said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from selfimprove.errors import UserError
from selfimprove_workers.templates import Template

Frame = frozenset[tuple[str, ...]]
"""Words in a row that only the template says."""

LONG, SHORT = 5, 4
_HINT, _OTHER = "\n0\n", "\n00\n"
"""What stands in a hole: a number to whatever filter, and the end of a clause."""
_BEFORE, _AFTER = 2, 2
"""Sentences that count as near a hint. Farther off there are worked examples, and how an answer shall look."""
_SENTENCE_END = re.compile(r"[.!?](?=[\s\"'”’)]|\Z)|\n")
_ASKED_FOR = re.compile(
    r"\"([^\"\n]+)\"|“([^”\n]+)”|(?<!\w)['‘]([^\n]+?)['’](?!\w)"
    r"|(?i:\b(?:say|says|saying|finish|end|write|put|begin|start|conclude|respond|reply|form|format|line|sentence)\b)"
    r"[^\n.!?:]*:\s*([^\n]+)"
)
_COMMONPLACE = frozenset([
    "a", "an", "and", "answer", "are", "be", "by", "correct", "do", "explain", "final", "find", "first",
    "following", "from", "get", "have", "here", "i", "is", "it", "let", "lets", "math", "maths", "me", "my", "now",
    "of", "out", "problem", "question", "result", "right", "s", "show", "so", "solution", "solve", "step", "steps",
    "that", "the", "then", "therefore", "think", "this", "through", "thus", "to", "us", "using", "we", "will",
    "work", "you", "your",
])  # fmt: skip


def frame_of(template: Template, hint: str, *others: str) -> Frame:
    """The runs of words around a template's hint, whatever fills its holes; none of one that reckons with what does."""
    try:
        text = template.render(**dict.fromkeys(others, _OTHER), **{hint: _HINT})
    except UserError:
        return frozenset()
    clauses = re.split(r"[^\w\s'’-]+|\d+|\n", "\n".join(_near(text)))
    said = {run for clause in clauses for run in _runs(_words(clause)) if not _COMMONPLACE.issuperset(run)}
    asked = (next(filter(None, found.groups())) for found in _ASKED_FOR.finditer(text))
    return frozenset(said.difference(*map(_all_runs, asked)))


def echoes(said: str, frame: Frame, question: str) -> bool:
    """Whether a text says what only the template does; the question's own words are no echo."""
    if not frame:
        return False
    known = frame - _all_runs(question)
    return not known.isdisjoint(_all_runs(said))


def _near(text: str) -> Iterator[str]:
    """The sentences next to each hint of a text, up to another hole."""
    for part in text.split(_OTHER):
        pieces = [[piece for piece in _SENTENCE_END.split(each) if _words(piece)] for each in part.split(_HINT)]
        for before, after in pairwise(pieces):
            yield from (*before[-_BEFORE:], *after[:_AFTER])


def _runs(words: list[str]) -> Iterator[tuple[str, ...]]:
    length = SHORT if len(words) == SHORT else LONG
    return (tuple(words[at : at + length]) for at in range(len(words) - length + 1))


def _all_runs(text: str) -> set[tuple[str, ...]]:
    words = _words(text)
    return {tuple(words[at : at + length]) for length in (SHORT, LONG) for at in range(len(words) - length + 1)}


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text.casefold())
