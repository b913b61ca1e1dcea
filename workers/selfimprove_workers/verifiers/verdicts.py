"""What a critique comes to: the score or the verdict that it ends with, or nothing where it ends otherwise.

Nothing is guessed: a score out of the range, half a score, a range or a choice that is only repeated from the question
("1 to 10", "Correct or Incorrect") give none.
"""

from __future__ import annotations

import re

from selfimprove_workers.verifiers.declarations import Critique, declared

_MARKS = r">?(?:[^\w.!?,;/>≤≥≠]|_){0,12}?(?:\\?(?:boxed|text(?:bf|it|rm)?|math(?:bf|rm))\{)*"
"""What models put between the word and what it says: a colon, bold, a cell's border, a tick, a box; no bound."""
_SUBJECT = (
    r"(?:\s+(?:(?:for|of)\s+)?(?:(?:this|the|your)\s+)?(?:answer|solution|response|it)\b(?:\s+(?:an?|as|at|with)\b)?)?"
)
"""`score for this answer`, `I would score this answer an`."""
_IS = rf"(?:(?:of|is(?:,?\s+(?:therefore|thus|hence|then),?)?)\b{_MARKS})?"
_SCALE = r"(?:\s*[(\[](?:[0-9]+\s*(?:to|-|–)|out of)\s*(?P<scale>[0-9]+)[)\]])?"
"""`(1-10)` before the score."""
_OTHER_END = (
    r"(?![^\w\n]*(?:\([^)\n]*\)\s*)?"
    r"(?:(?:to(?!\s+be\b)|through)\b|or\b|and\s+[0-9]|(?:[-–—]|(?:[~→…]|\.\.+)\s*)[0-9]"
    r"|\s[-–—]\s*[0-9]+(?!\d|\s*/|\s+(?!points?\W*(?:\n|\Z))\w)"
    r"|,\s*[0-9]+\s*(?!\d|\s|\w)))"
)
"""No range, whose ends their meaning may follow, and no list (`1 (surely wrong) to 10`); `8 - 1 point off` is 8."""
_SCORE = re.compile(
    rf"(?<!</)\bscore\b{_SUBJECT}{_SCALE}(?P<link>{_MARKS}{_IS})"
    rf"(?P<says>-?[0-9]+(?:[.,][0-9]+)?)(?![0-9A-Za-z]|[.,][0-9]|\?){_OTHER_END}"
    r"(?:[\s}*_$]*(?:/|out of)\s*(?P<most>[0-9]+))?",
    re.IGNORECASE,
)
_OPTIONS = r"(?:\s*[(\[](?:in)?correct\s*(?:/|\||or)\s*(?:in)?correct[)\]])?"
"""`(Correct/Incorrect)` before the verdict."""
_BUT = r"(?![ \t]+(?!(?:because|since|as|for)\b)[^\W\d][^\n.!?:;(–—]*?\b(?<!the )"
"""`Correct reasoning, incorrect answer`: two things are judged, and differently."""
_OTHER_WORD = (
    r"(?!\W{1,8}(?!(?P=says)\b)(?:in)?correct\b(?![\s*_:=\"'“‘]*(?!or\b)\w)"
    r"|[^\w\n]*/[^\w\n]*(?:in)?correct\b)"
)
"""A choice of bare words; not `Incorrect (correct answer: 21)`."""
_VERDICT = re.compile(
    rf"(?<!</)\bverdict\b{_OPTIONS}(?P<link>{_MARKS}{_IS})"
    rf"(?P<says>(?:not\s+correct|incorrect)\b{_BUT}(?:correct|right)\b)|correct\b{_BUT}(?:incorrect|wrong)\b))"
    rf"(?!\w|\?|[^\w\n]*or\b|[ \t]+(?-i:[a-z]+)[ \t]*(?:is\b|[:=])){_OTHER_WORD}",
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
