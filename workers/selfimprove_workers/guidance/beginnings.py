"""What tells only at the beginning of a response: later on it is any solution's own, of its own words and numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

FEW_WORDS, HARDLY_ANY = 12, 3
"""How many words may stand before what tells only at the beginning, and before an answer that is leant on."""
_TURN = re.compile(r"</?think>")


def at_first(pattern: re.Pattern[str], plain: str, question: str, words: int = FEW_WORDS) -> Iterator[re.Match[str]]:
    """What a pattern finds before anything is worked out, with no number and few words before it.

    What the question says too may be said again.
    """
    asked = question.casefold()
    for found in pattern.finditer(plain):
        if not _is_first(plain[: found.start()], words):
            return  # nor is anything behind it
        if found[0].casefold() not in asked:
            yield found


def _is_first(before: str, words: int) -> bool:
    return re.search(r"\d", before) is None and len(_TURN.sub(" ", before).split()) <= words
