"""What a critique comes to: the score or the verdict that it ends with, or nothing where it ends otherwise.

Nothing is guessed: a score out of the range, half a score, a range or a choice that is only repeated from the question
("1 to 10", "Correct or Incorrect") give none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MARKS = r"[\s:=*_`$\\(\[{\"'<-]{0,12}?"
"""What models put between the word and what it says: a colon, bold, a box."""
_SCORE = re.compile(
    rf"\bscore\b{_MARKS}(?:(?:is|of){_MARKS})?(?:boxed\{{)?(-?[0-9]+(?:\.[0-9]+)?)\b"
    r"(?!\s*(?:to|-|–|or)\s*[0-9])(?:[\s}*_$]*(?:/|out of)\s*([0-9]+))?",
    re.IGNORECASE,
)
_VERDICT = re.compile(
    rf"\bverdict\b{_MARKS}(?:is{_MARKS})?(?:boxed\{{)?(?:\\?text\{{)?(not\s+correct|incorrect|correct)\b"
    r"(?!\W{1,3}(?:or\W{1,3})?(?:in)?correct\b)",
    re.IGNORECASE,
)
_THOUGHT_ENDS = "</think>"


@dataclass(frozen=True)
class Critique:
    """One critique as it was drawn."""

    text: str
    cut: bool = False
    """By length: its last word may be half a word."""
    runs_on: bool = False
    """Of a base model, which goes on with questions of its own: its first word counts, else the last one does."""


def score_of(critique: Critique, low: int, high: int) -> int | None:
    """The whole number from `low` to `high` that it gives as its score; None where it gives none."""
    found = _said(_SCORE, critique)
    if found is None or "." in found[1] or len(found[1]) > 9 or found[2] not in (None, str(high)):
        return None
    score = int(found[1])
    return score if low <= score <= high else None


def verdict_of(critique: Critique) -> int | None:
    """1 for correct, 0 for incorrect; None where it says neither."""
    found = _said(_VERDICT, critique)
    return None if found is None else int(found[1].lower() == "correct")


def _said(pattern: re.Pattern[str], critique: Critique) -> re.Match[str] | None:
    """The match that counts, in what was said after all thoughts."""
    text = critique.text.rpartition(_THOUGHT_ENDS)[2]
    if "<think>" in text:
        return None
    if critique.cut:
        text = re.sub(r"\S+\Z", "", text)
    found = list(pattern.finditer(text))
    if not found:
        return None
    return found[0] if critique.runs_on else found[-1]
