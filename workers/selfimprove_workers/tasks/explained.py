"""An answer on a line of its own, which what comes after it only explains: `7`, then a line `Explanation: ...`."""

from __future__ import annotations

import re

EXPLAINED = re.compile(r"\s*(?P<answer>\S[^\n]{0,80})\n\s*[*#_]{0,4}\s?Explanation\b")
BY_A_PARAGRAPH = re.compile(
    r"\s*(?P<answer>(?!\W{0,6}Explanation\b)\S[^\n]{0,80}(?<![:?\s]))[^\S\n]*\n\s*[*#_]{0,4}\s?Explanation[*_]{0,3}:[^\n]*"
    r"(?:\n(?!\s*\n)[^\n]*)*\Z"
)
"""Up to the end of the text, so that no other paragraph can hold another answer."""
FEWEST_WORDS = 4
"""A shorter last line may be the answer itself."""


def explained_answer(text: str) -> str | None:
    """What the first line of a text says, where the next one begins to explain it."""
    found = EXPLAINED.match(text)
    return found["answer"] if found else None


def explained_claim(text: str) -> str | None:
    """The same for an answer in words: only where nothing but one paragraph, that begins so, comes after it."""
    found = BY_A_PARAGRAPH.match(text.rstrip())
    last = text.rstrip().rsplit("\n", 1)[-1]
    return found["answer"] if found and len(last.split()) >= FEWEST_WORDS else None
