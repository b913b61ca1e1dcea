"""What a template says around its hint: who says the same has read it, since training will never show it.

Found from the template that is used, whosever it is: of a clause any five words in a row, of one of four all of them.
What is said of any problem ("work it out step by step", "the correct answer is") is nobody's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from selfimprove_workers.templates import Template

Frame = frozenset[tuple[str, ...]]
"""Words in a row that only the template says."""

LONG, SHORT = 5, 4
_HOLE = "\n0\n"
"""What stands in a hole: a number to whatever filter, and the end of a clause."""
_COMMONPLACE = re.compile(
    "(a|an|and|answer|are|be|by|correct|do|explain|final|find|first|from|get|have|here|i|is|it|let|lets|me|my|now|of|out"
    "|problem|question|result|right|s|show|so|solution|solve|step|steps|that|the|then|therefore|think|this|through|thus"
    "|to|us|using|we|will|work|you|your)"
)


def frame_of(template: Template, *holes: str) -> Frame:
    """The runs of words of a template, whatever fills its holes."""
    clauses = re.split(r"[^\w\s'’-]+|\d+|\n", template.render(**dict.fromkeys(holes, _HOLE)))
    return frozenset(
        run for clause in clauses for run in _runs(_words(clause)) if not all(map(_COMMONPLACE.fullmatch, run))
    )


def echoes(said: str, frame: Frame, question: str) -> bool:
    """Whether a text says what only the template does; the question's own words are no echo."""
    if not frame:
        return False
    known = frame - _all_runs(question)
    return not known.isdisjoint(_all_runs(said))


def _runs(words: list[str]) -> Iterator[tuple[str, ...]]:
    length = SHORT if len(words) == SHORT else LONG
    return (tuple(words[at : at + length]) for at in range(len(words) - length + 1))


def _all_runs(text: str) -> set[tuple[str, ...]]:
    words = _words(text)
    return {tuple(words[at : at + length]) for length in (SHORT, LONG) for at in range(len(words) - length + 1)}


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text.casefold())
