"""The choice that a text opens with, and that its first phrase ends with: `B) Venus. The largest planet is Jupiter.`

What is said of the others behind it is no answer. One that goes on to a second choice, asks, or takes back what it
said, opens with none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from selfimprove_workers.tasks.assertions import CLOSING, OPENING, labelled, name_of

ENDS = r"(?=\W*\Z|[*_)\]\"']{0,4}(?:[.,;:!\n]|\s*\(|\s+[–—-]+\s|\s+(?:because|since|as|for|so)\b))"
ASKS = re.compile(r"[^.!\n]*\?")
TAKEN_BACK = re.compile(
    r"[.!?\n]\W*(?:no(?=[,.!:])|(?:nope|wait|actually|sorry|oops|correction|hm+|scratch\s+that|rather|edit|re-?reading"
    r"|let\s+me\s+(?:re\w+|double)|i\s+(?:made\s+a|was\s+(?:wrong|mistaken)|need\s+to\s+correct|change)"
    r"|(?:up)?on\s+(?:re\w+|second)|after\s+re\w+|(?:but\s+)?i\s+(?:choose|pick|select))\b)",
    re.IGNORECASE,
)


def opening(text: str, choices: Mapping[str, str], by_text: bool = True) -> str | None:
    """The label that a text opens with, alone or with its choice's own text, or (`by_text`) by that text alone."""
    labels = tuple(choices)
    text = labelled(text, choices)
    found = _opening(labels).match(text)
    if found is None or ASKS.match(text) or TAKEN_BACK.search(text, found.end()) or (not by_text and found["mark"]):
        return None
    return found["label"]


@lru_cache(maxsize=256)
def _opening(labels: tuple[str, ...]) -> re.Pattern[str]:
    name = name_of(labels)
    another = name.replace("?P<label>", "?:")
    own = rf"(?:[\s.:)*_(–—-]{{0,6}}{OPENING}(?P=label){CLOSING})?"
    beside = rf"(?!(?:[\s,;/&|*)\]-]|\b(?:and|or|nor)\b)+{another}(?!\w))"
    return re.compile(rf"\W{{0,6}}?(?=(?P<mark>\W{{0,6}}{OPENING})?){name}{own}{ENDS}{beside}")
