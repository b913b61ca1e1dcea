"""What a critique comes to: the score or the verdict that it ends with, or nothing where it ends otherwise.

Nothing is guessed: a score out of the range, half a score, a range or a choice that is only repeated from the question
("1 to 10", "Correct or Incorrect") give none.
"""

from __future__ import annotations

import re

from selfimprove_workers.verifiers.declarations import Critique, declared

_MARKS = r"[\s:=*_`$\\(\[{\"'<–—→-]{0,12}?"
"""What models put between the word and what it says: a colon, bold, a box."""
_SCALE = r"(?:\s*[(\[](?:[0-9]+\s*(?:to|-|–)|out of)\s*(?P<scale>[0-9]+)[)\]])?"
"""`(1-10)` before the score."""
_OTHER_END = r"(?![^\w\n]*(?:\([^)\n]*\)\s*)?(?:(?:to|through)\b|or\b|[-–—]\s*[0-9]))"
"""No range, whose ends the scale's meaning may follow: `1 (surely wrong) to 10`."""
_SCORE = re.compile(
    rf"\bscore\b{_SCALE}(?P<link>{_MARKS}(?:(?:is|of){_MARKS})?)(?:boxed\{{)?"
    rf"(?P<says>-?[0-9]+(?:[.,][0-9]+)?)(?![0-9A-Za-z]|[.,][0-9]|\?){_OTHER_END}"
    r"(?:[\s}*_$]*(?:/|out of)\s*(?P<most>[0-9]+))?",
    re.IGNORECASE,
)
_VERDICT = re.compile(
    rf"\bverdict\b(?P<link>{_MARKS}(?:is{_MARKS})?)(?:boxed\{{)?(?:\\?text\{{)?(?P<says>not\s+correct|incorrect|correct)"
    r"(?![0-9A-Za-z]|\?|[^\w\n]*or\b|[^\w\n]{1,4}(?:in)?correct\b)",
    re.IGNORECASE,
)


def score_of(critique: Critique, low: int, high: int) -> int | None:
    """The whole number from `low` to `high` that it gives as its score; None where it gives none."""
    found = declared(_SCORE, critique)
    if found is None or {found["scale"], found["most"]} - {None, str(high)}:
        return None
    whole, _, rest = found["says"].replace(",", ".").partition(".")
    if rest.strip("0") or len(whole) > 9:
        return None
    return int(whole) if low <= int(whole) <= high else None


def verdict_of(critique: Critique) -> int | None:
    """1 for correct, 0 for incorrect; None where it says neither."""
    found = declared(_VERDICT, critique)
    return None if found is None else int(found["says"].lower() == "correct")
