"""Where a critique declares: at the start of a line or of a sentence, or as the end of its last sentence.

A word in the middle of a sentence ("a score of 10 would need every step to be right") is a mention, and so is what only
repeats the question: a choice ("Verdict: Correct" or "Verdict: Incorrect"), or the template's own request.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_THOUGHT_ENDS = "</think>"
_TAG = re.compile(r"</?(?:b|strong|i|em|u|p|span|code|h[1-6])\s*>", re.IGNORECASE)
_OWN_QUESTION = re.compile(r"^\W*Question\b", re.MULTILINE)
_SENTENCE_ENDS = re.compile(r"\n|[.!?][\"'*_`)\]]*\s+")
_OPENING = re.compile(
    r"(?:\W|\d|_|\b(?:so|thus|therefore|hence|in conclusion|my|the|your|overall|final|total)\b)*", re.I
)
"""What may stand before the word at the start of its line or sentence."""
_REQUEST = re.compile(r"\bnothing but\b|\bend(?:s|ing)? with (?:one|a) line\b", re.IGNORECASE)
_AFTER_OR = re.compile(r"\bor[^\w\n]*\Z", re.IGNORECASE)
_ENDING = re.compile(r"\W*(?:points?)?\W*(?:\b(?:because|since|as|for)\b.*)?", re.IGNORECASE | re.DOTALL)
_QUOTED = re.compile(r"[\"'`]\s*\w")
"""`"Verdict: Correct" is a helpful answer`: what is quoted is spoken of, not said."""
_LINK = re.compile(r"[:=–—→\n-]|\bis\b", re.IGNORECASE)


@dataclass(frozen=True)
class Critique:
    """One critique as it was drawn."""

    text: str
    cut: bool = False
    """By length: its last line may be half of what it would have said."""
    runs_on: bool = False
    """Of a base model, which goes on with questions of its own: the first declaration counts, else the last does."""


def declared(pattern: re.Pattern[str], critique: Critique) -> re.Match[str] | None:
    """The match that counts in what was said after all thoughts; None where nothing is declared.

    `pattern` has the groups `link`, what stands between the word and what it says, and `says`.
    """
    text = _said(critique)
    found = [match for match in pattern.finditer(text) if _is_declaration(match, critique, pattern)]
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


def _is_declaration(match: re.Match[str], critique: Critique, pattern: re.Pattern[str]) -> bool:
    text = match.string
    start, end = _sentence(match)
    sentence, before, after = text[start:end], text[start : match.start()], text[match.end() : end]
    said = {each["says"].lower() for each in pattern.finditer(sentence)}
    if len(said) > 1 or _REQUEST.search(sentence) or _AFTER_OR.search(text, 0, match.start()) or _QUOTED.match(after):
        return False
    ends = _ENDING.fullmatch(after) is not None
    if _OPENING.fullmatch(before):
        return ends or _LINK.search(match["link"]) is not None
    return ends and end == len(text) and not critique.cut


def _sentence(match: re.Match[str]) -> tuple[int, int]:
    """Where the match's sentence starts and ends."""
    text = match.string
    start = max((end.end() for end in _SENTENCE_ENDS.finditer(text, 0, match.start())), default=0)
    end = _SENTENCE_ENDS.search(text, match.end())
    return start, end.start() if end else len(text)
