"""A prompt as the steps see it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

Message = dict[str, str]


@dataclass(frozen=True)
class PromptRow:
    """One prompt: the chat that asks it, and what is known of its answer."""

    id: str
    messages: list[Message]
    answer: str | None
    """The gold, after `answerPattern`; None where none is known."""
    rationale: str | None
    level: str | None
    extra: dict[str, Any] | None
    """What the task's checker needs: the choices, a gym entry, that a percentage is asked for."""

    @property
    def solution(self) -> str:
        """The reference solution without space around it; empty where the dataset has none."""
        return (self.rationale or "").strip()


@dataclass(frozen=True)
class Draft:
    """A prompt, and what the making of the sets needs to know of it."""

    row: PromptRow
    where: str
    """What names it in a message."""
    question: bytes
    """Hash of what it asks, without case and spacing: the same question has the same."""


def question_key(question: str) -> bytes:
    """A hash that two spellings of one question share."""
    text = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", question)).strip().casefold()
    return blake2b(text.encode(), digest_size=16).digest()
