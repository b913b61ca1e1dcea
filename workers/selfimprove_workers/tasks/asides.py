"""The formulas between marks that a last line states, without those of what it adds: `$2x + 3$ for all $x$`.

A condition or a reason is cut off only right behind a formula that is handed over, and only where nothing in it or
after it may state another: else the last formula of the line counts, as it does of a line without any.
"""

from __future__ import annotations

import re

from selfimprove_workers.tasks.phrases import MEASURES, Formula, last_formulas
from selfimprove_workers.tasks.statements import DENIED, LINK

ADDED = re.compile(
    r"(?P<unit>(?:\s[a-z]{1,11}){0,3}?)(?:,?\s(?:(?P<condition>for|when|if)|where|since|because"
    r"|(?:which\sis\s)?(?:achieved|attained|reached|occurring)\s(?:at|when|for)))\s"
)
"""From a formula, and the unit after it, to a condition or a reason."""
WITH = re.compile(r"\bwith\b[\s*_:]*\Z", re.IGNORECASE)
STATES = re.compile(
    r"[;:=!?\d]|\.\s|,\s(?!\$|\\\()|\b(?:so|thus|hence|therefore|then|else|otherwise|but|not|or|we|which|it|gives?|gets?"
    r"|yields?|equals|becomes?|makes?|leaves|means|have|simplif\w+)\b",
    re.IGNORECASE,
)
"""Words around the formulas of a condition or a reason that may make one of them the answer."""
JOINED = re.compile(r",|\band\b", re.IGNORECASE)
REACH = 160


def stated_formulas(text: str) -> list[str]:
    """What the formulas of a text's last line with formulas hold, up to a condition or a reason after one of them."""
    formulas = last_formulas(text)
    count = next((count for count in range(1, len(formulas)) if _added(text, formulas, count)), len(formulas))
    return [formula.inner for formula in formulas[:count]]


def without_added(text: str) -> str:
    """A text up to what it adds to a number in one of its last formulas: `$x = 3$, since $2x = 6$`."""
    formulas = last_formulas(text)
    for count in range(1, len(formulas)):
        added = _added(text, formulas, count)
        if added:
            return text[: added.end("unit")] if re.search(r"\d", formulas[count - 1].inner) else text
    return text


def _added(text: str, formulas: list[Formula], count: int) -> re.Match[str] | None:
    """What follows the first formulas of a line, where they are all that it states; None where they may not be."""
    last, others = formulas[count - 1], formulas[count:]
    added = ADDED.match(text, last.end)
    if added is None or not MEASURES.issuperset(added["unit"].split()):
        return None
    before = text[text.rfind("\n", 0, last.start) + 1 : last.start][-REACH:]
    if not before.strip() or not LINK.search(before) or WITH.search(before) or DENIED.search(before):
        return None
    begins = [added.end(), *(other.end for other in others)]
    words = [text[begin : other.start] for begin, other in zip(begins, others, strict=False)]
    states = any(STATES.search(said) or LINK.search(f"of {said}") for said in words)
    rest = text[begins[-1] :].rstrip(" \n.*")
    is_joined = added["condition"] and any(JOINED.search(said) for said in [*words, rest])
    return None if states or is_joined or STATES.search(rest) else added
