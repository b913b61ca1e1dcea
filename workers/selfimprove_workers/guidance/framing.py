"""What a template says around its hint: who says the same has read it, since training will never show it.

Found from the template that is used, whosever it is, near its hint: of a clause any five words in a row, of one of four
all of them, one of three where it is a clause again, and what must not be done with the hint, whoever promises or
forbids it ("do not copy it", "I won't copy the answer"). What is said of any problem ("work it out step by step", "the
correct answer is") is nobody's, and what a template asks to be said, in quotes or after a colon, may be said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from selfimprove.errors import UserError
from selfimprove_workers.templates import Template

Run = tuple[str, ...]


@dataclass(frozen=True)
class Frame:
    """What is shown around a hint."""

    hint: str = ""
    """The template's name for it: `answer`, `rationale` or `critique`; empty where nothing is shown."""
    runs: frozenset[Run] = frozenset()
    """Words in a row that only the template says; of two, `not` and what must not be done with the hint."""


LONG, SHORT, WHOLE = 5, 4, 3
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
_THE_HINT = r"(?:it|this|that|them|(?:the|this|that|my|your|any)(?: \w+)? (?:answer|solution|hint|reference|text))\b"
_FORBIDDEN = re.compile(
    r"(?:(?:^|\b(?:i|we|you|please|and|or|but|just) )(?:\w{2,6} )?(?:not|never) (\w+)|\bwithout (\w+)ing) " + _THE_HINT
)
"""In the mouth of who is spoken to: `the problem does not mention it` is none."""
_COMMONPLACE = frozenset([
    "a", "an", "and", "answer", "are", "be", "by", "correct", "do", "explain", "final", "find", "first",
    "following", "from", "get", "have", "here", "i", "is", "it", "let", "lets", "math", "maths", "me", "my", "now",
    "of", "out", "problem", "question", "result", "right", "s", "show", "so", "solution", "solve", "step", "steps",
    "that", "the", "then", "therefore", "think", "this", "through", "thus", "to", "us", "using", "we", "will",
    "work", "you", "your",
])  # fmt: skip


def frame_of(template: Template, hint: str, *others: str) -> Frame:
    """A template's hint and the words around it, whatever fills its holes; none of one that reckons with what does."""
    try:
        text = template.render(**dict.fromkeys(others, _OTHER), **{hint: _HINT})
    except UserError:
        return Frame(hint)
    near = "\n".join(_near(text))
    runs = (run for clause in _clauses(near) for run in _runs(clause))
    said = {run for run in runs if not _COMMONPLACE.issuperset(run)} | _forbidden(near)
    asked = (next(filter(None, found.groups())) for found in _ASKED_FOR.finditer(text))
    return Frame(hint, frozenset(said.difference(*map(_all_runs, asked))))


def echoes(said: str, frame: Frame, question: str) -> bool:
    """Whether a text says what only the template does; the question's own words are no echo."""
    if not frame.runs:
        return False
    known = frame.runs - _all_runs(question)
    return not known.isdisjoint(_all_runs(said))


def _near(text: str) -> Iterator[str]:
    """The sentences next to each hint of a text, up to another hole."""
    for part in text.split(_OTHER):
        pieces = [[piece for piece in _SENTENCE_END.split(each) if _words(piece)] for each in part.split(_HINT)]
        for before, after in pairwise(pieces):
            yield from (*before[-_BEFORE:], *after[:_AFTER])


def _runs(words: list[str]) -> Iterator[Run]:
    length = len(words) if len(words) in (WHOLE, SHORT) else LONG
    return (tuple(words[at : at + length]) for at in range(len(words) - length + 1))


def _all_runs(text: str) -> set[Run]:
    words, clauses = _words(text), _clauses(text)
    runs = {tuple(words[at : at + length]) for length in (SHORT, LONG) for at in range(len(words) - length + 1)}
    return runs | {tuple(clause) for clause in clauses if len(clause) == WHOLE} | _forbidden(text)


def _forbidden(text: str) -> set[Run]:
    """What must not be done with the hint, however it is said: `Don't copy it`, `I will not copy the answer`."""
    plain = re.sub(r"n['’]t\b|(?<=can)not\b", " not", text.casefold())
    found = (match for clause in _clauses(plain) for match in _FORBIDDEN.finditer(" ".join(clause)))
    return {("not", match[1] or match[2]) for match in found}


def _clauses(text: str) -> Iterator[list[str]]:
    return map(_words, re.split(r"[^\w\s'’-]+|\d+|\n", text))


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text.casefold())
