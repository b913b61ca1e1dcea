"""Where a critique declares: at the start of a line or of a sentence, or as the end of its last sentence.

A word in the middle of a sentence ("the answer says that Ann's score is 45") is a mention, and so is what only speaks
of a declaration (`mentions`).
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from selfimprove_workers.verifiers.mentions import is_choice, is_mention, is_requested

_THOUGHT_ENDS = "</think>"
_TAG = re.compile(r"</?(?:b|strong|i|em|u|p|span|code|h[1-6]|answer)\s*>", re.IGNORECASE)
_OWN_QUESTION = re.compile(r"^\W*Question\b", re.MULTILINE)
_SENTENCE_ENDS = re.compile(r"\n|(?<!\n[0-9])(?<!\A[0-9])[.!?][\"'*_`)\]]*\s+")
_I_GIVE = (
    r"I(?:['’](?:d|ll)| would| will)?(?: (?:give|assign|award|rate)\b"
    r"(?: (?:it|this|that|the|your|answer|response|solution|an?|of|with)\b)*)?"
)
"""The verb may be the word itself: `I would score it 8`."""
_OPENING = re.compile(
    rf"(?:\W|\d|_|\b(?:so|thus|therefore|hence|in conclusion|my|the|your|overall|final|total|{_I_GIVE})\b)*", re.I
)
"""What may stand before the word at the start of its line or sentence, or after a heading."""
_HEADING = re.compile(r"(?!\W*if\b)[^:\n]{1,30}:\s+", re.IGNORECASE)
"""`Conclusion: Score: 8`; not `If it is right: Score: 10`."""
_ENDING = re.compile(r"\W*(?:points?)?\W*(?:\b(?:because|since|as|for)\b.*)?", re.IGNORECASE | re.DOTALL)
_LINK = re.compile(r"[:：=–—→|>\n-]|\bis\b", re.IGNORECASE)


@dataclass(frozen=True)
class Critique:
    """One critique as it was drawn."""

    text: str
    cut: bool = False
    """By length: its last line may be half of what it would have said."""
    runs_on: bool = False
    """Of a base model, which goes on with questions of its own: the first declaration counts, else the last does."""


@dataclass(frozen=True)
class _Sentence:
    """A sentence that says something, from `start` to `end` of the text."""

    start: int
    end: int
    matches: list[re.Match[str]]


def declared(pattern: re.Pattern[str], critique: Critique) -> re.Match[str] | None:
    """The match that counts in what was said after all thoughts; None where nothing is declared.

    `pattern` has the groups `link`, what stands between the word and what it says, and `says`.
    """
    text = _said(critique)
    sentences = _declaring(_sentences(pattern, text), text)
    found = [match for each in sentences for match in _declarations(each, critique)]
    if not found:
        return None
    return found[0] if critique.runs_on else found[-1]


def _said(critique: Critique) -> str:
    """The text that counts: without thoughts, the line that it was cut in, and questions that it asks itself."""
    text = critique.text.rpartition(_THOUGHT_ENDS)[2]
    if "<think>" in text:
        return ""
    if critique.cut:
        text = text.rpartition("\n")[0]
    if critique.runs_on:
        text = _OWN_QUESTION.split(text, maxsplit=1)[0]
    return _TAG.sub("", text).rstrip()


def _sentences(pattern: re.Pattern[str], text: str) -> list[_Sentence]:
    """Those that hold a match; one that goes beyond its sentence, as `Score:` and 8 on the next line, takes both."""
    ends = list(_SENTENCE_ENDS.finditer(text))
    starts, stops = [0, *(each.end() for each in ends)], [*(each.start() for each in ends), len(text)]
    found: list[_Sentence] = []
    for match in pattern.finditer(text):
        start = starts[bisect_right(starts, match.start()) - 1]
        end = stops[bisect_left(stops, match.end())]
        if found and found[-1].start == start:
            found[-1].matches.append(match)
        else:
            found.append(_Sentence(start, end, [match]))
    return found


def _declaring(sentences: list[_Sentence], text: str) -> list[_Sentence]:
    """Those that say one thing, which is neither asked for nor one of a choice, alone or line by line."""
    barred = [len(_said_in(each)) > 1 or is_requested(text, each.start, each.end) for each in sentences]
    for at, (one, other) in enumerate(pairwise(sentences)):
        between = text[one.end : other.start]
        if between == "\n" and barred[at]:
            barred[at + 1] = True
        if _said_in(one) != _said_in(other) and is_choice(
            text[one.start : one.end], between, text[other.start : other.end]
        ):
            barred[at] = barred[at + 1] = True
    return [each for each, out in zip(sentences, barred, strict=True) if not out]


def _said_in(sentence: _Sentence) -> set[str]:
    return {match["says"].lower() for match in sentence.matches}


def _declarations(sentence: _Sentence, critique: Critique) -> Iterator[re.Match[str]]:
    """Its first match where it opens the sentence, its last one where it ends the text."""
    first, last = sentence.matches[0], sentence.matches[-1]
    text = first.string
    before = text[sentence.start : first.start()]
    heading = _HEADING.match(before)
    opens = _OPENING.fullmatch(before, heading.end() if heading else 0) and (
        _LINK.search(first["link"]) or _ENDING.fullmatch(text, first.end(), sentence.end)
    )
    if opens and not is_mention(first, sentence.start, sentence.end):
        yield first
    ends = sentence.end == len(text) and _ENDING.fullmatch(text, last.end(), sentence.end)
    if ends and not critique.cut and not is_mention(last, sentence.start, sentence.end):
        yield last
