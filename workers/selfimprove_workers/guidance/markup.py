r"""What a text says, without how it is set: markup, `Step 2:`, list marks, calculator annotations, LaTeX's commands."""

from __future__ import annotations

import re

from selfimprove_workers.guidance.evened import evened

UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff"
"""Characters of scripts that set no spaces between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese."""
_ANNOTATION = re.compile(r"<<[^<>\n]*>>")
_COMMAND = re.compile(r"\\(?:[a-zA-Z]+|.)")
_EMPHASIS = re.compile(r"[*_]{2,3}|`+|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)")
_LIST_MARK = re.compile(r"^[^\S\n]*(?:#+|>|[-*+•·–—]|\(?(?:\d{1,2}|[a-z])[.)])(?=\s)", re.MULTILINE | re.IGNORECASE)
_STEP_LABEL = re.compile(
    r"\b(?:step|part|question|problem|exercise)\s+(?:\d+|one|two|three|four|five|six)(?:\s+of\s+\d+)?[^\S\n]*[:.)–—-]",
    re.IGNORECASE,
)
_WORD = re.compile(r"\d+(?:,\d{3}(?!\d))*(?:\.\d+)?|[^\W\d_]+")
_FILLERS = frozenset(("so", "thus", "hence", "therefore", "then", "now", "and", "sure"))
"""A copy is none the less one for a word between its sentences."""


def without_markup(text: str) -> str:
    """The text without what sets it. Signs of arithmetic stay: `2 * 3` is none of emphasis."""
    text = _COMMAND.sub(" ", _ANNOTATION.sub("", evened(text).text))
    for pattern in (_LIST_MARK, _EMPHASIS, _STEP_LABEL, _LIST_MARK):
        text = pattern.sub("", text)
    return text


def words_and_numbers(text: str) -> list[str]:
    """All that it says, signs and fillers left out: a copy may have a line break for a full stop, or another sign."""
    words = _WORD.findall(without_markup(text).casefold())
    return [word.replace(",", "") for word in words if word not in _FILLERS]
