"""Words of who retells a solution that it has before it: "here is a rephrased version", "the reference says"."""

from __future__ import annotations

import re

from selfimprove_workers.guidance.beginnings import at_first
from selfimprove_workers.guidance.phrases import NO_CHOICES

_TEXT = r"(?P<text>version|solution|answer|explanation|reasoning|steps|approach|method|procedure|working)"
_REFERENCE = re.compile(
    r"\bthe\s+reference(?:\s+(?:solution|text|answer))?\s+"
    r"(?:says?|states?|shows?|gives?|tells?|uses?|explains?|notes?|mentions?|finds?|calculates?|adds?)\b",
    re.IGNORECASE,
)
_RETOLD = re.compile(
    rf"""
    \b(?:rephras|reword|rewrit|paraphras|restat|retell)\w*\s+(?:(?:the|this|that|my|above|given|step-by-step|full|same)\s+)*
      {_TEXT}\b(?!\s+(?:set|as|to|in\s+(?:interval|terms|set|simplest|standard|the\s+form))\b)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_FOLLOWED = re.compile(
    rf"""
    \b(?:following|using|per|from|by|based\s+on|according\s+to)\s+the\s+(?:given|provided|above|reference)\s+{_TEXT}\b
      {NO_CHOICES}
    | \b(?:the|this)\s+(?P<told>solution|explanation|reasoning)\s+
      (?:again\b|in\s+(?:a\s+)?(?:different|other|another|new|my)\s+)
    | \bmy\s+own\s+version\b | \bwithout\s+copying\b
    """,
    re.IGNORECASE | re.VERBOSE,
)


def retells(plain: str, question: str) -> bool:
    """Whether a text without markup says that it retells another; the question may be of such texts itself."""
    asked = question.casefold()
    if "reference" not in asked and _REFERENCE.search(plain):
        return True
    found = [*at_first(_RETOLD, plain, question), *at_first(_FOLLOWED, plain, question)]
    return any(not any(word and word.casefold() in asked for word in each.groupdict().values()) for each in found)
