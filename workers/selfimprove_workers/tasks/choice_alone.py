"""A text that is one of the labels, or one of the choices' own texts, and nothing else."""

from __future__ import annotations

import re

from selfimprove_workers.tasks.assertions import plain
from selfimprove_workers.tasks.text import MAX_LENGTH, clean


def alone_label(text: str, choices: dict[str, str]) -> str | None:
    """The label, when a text is that and nothing else, or that and its choice's own text."""
    if len(text) > MAX_LENGTH:
        return None
    cleaned = clean(text)
    bare = known_label(cleaned.strip("()[]! "), choices)
    if bare:
        return bare
    match = re.fullmatch(r"\(?\[?(\w{1,2})[)\].:]+\s*(.+)", cleaned, re.DOTALL)
    label = known_label(match[1], choices) if match else None
    same = label and match and choices[label] and plain(match[2]) == plain(choices[label])
    return label if same else None


def alone_or_text(text: str, choices: dict[str, str]) -> str | None:
    """The label, when a line is that or its choice's text and nothing else."""
    texts = [plain(offered) for offered in choices.values()]
    words = plain(text) if len(text) <= MAX_LENGTH else ""
    by_text = words and texts.count(words) == 1 and words.upper() not in choices
    return tuple(choices)[texts.index(words)] if by_text else alone_label(text, choices)


def known_label(text: str, choices: dict[str, str]) -> str | None:
    """The label that a text is, in whatever case."""
    return next((label for label in (text, text.upper()) if label in choices), None)
