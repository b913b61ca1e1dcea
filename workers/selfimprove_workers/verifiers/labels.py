"""Which tokens stand for the two labels of a verification: the same variants for both, one token each.

A tokenizer may know four spellings of "Correct" as one token and a single one of "Incorrect"; sums over such unequal
sets make every sample look right (SmolLM2: 0.999 for right and wrong alike). So only variants that both labels have
count, and the label as it is written must be among them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from selfimprove.api.selecting import Labels
from selfimprove.errors import UserError
from selfimprove_workers.chat import encoded_after

_VARIANTS: tuple[Callable[[str], str], ...] = (
    lambda label: label,
    lambda label: " " + label,
    lambda label: label.lower(),
    lambda label: " " + label.lower(),
)
_WRITTEN = 2
"""The first so many variants are the label as it is written, which is what a model that does as it is told says."""

Pairs = tuple[tuple[str, str], ...]
VERDICTS: Pairs = (("Yes", "No"), ("True", "False"), ("yes", "no"), ("A", "B"), ("1", "0"))
"""What to propose instead of labels that say whether something is right."""
WHICH: Pairs = (("A", "B"), ("First", "Second"), ("1", "2"), ("X", "Y"))
"""The same for labels that say which of two is better."""


@dataclass(frozen=True)
class LabelTokens:
    """Token ids of the two labels; position i of both is the same variant."""

    positive: tuple[int, ...]
    negative: tuple[int, ...]


def label_tokens(tokenizer: Any, labels: Labels, field: str, instead: Pairs = VERDICTS) -> LabelTokens:
    """The tokens of both labels in this tokenizer. Raises `UserError` naming a pair that works when this doesn't."""
    found = _symmetric(tokenizer, labels.positive, labels.negative)
    if found is None:
        pair = f"{labels.positive}/{labels.negative}"
        raise UserError(
            f"{field}: {pair} is not one token each in the same spelling here; {_remedy(tokenizer, instead)}"
        )
    return found


def _symmetric(tokenizer: Any, positive: str, negative: str) -> LabelTokens | None:
    letters = len(positive.strip()) == len(negative.strip()) == 1
    variants = _VARIANTS[:_WRITTEN] if letters else _VARIANTS  # " a" is an article, not the label A
    pairs = [(_single(tokenizer, v(positive)), _single(tokenizer, v(negative))) for v in variants]
    written = [pair for pair in pairs[:_WRITTEN] if None not in pair]
    both = {(p, n): None for p, n in pairs if p is not None and n is not None}
    if not written or {p for p, _ in both} & {n for _, n in both}:
        return None
    return LabelTokens(tuple(p for p, _ in both), tuple(n for _, n in both))


def _single(tokenizer: Any, text: str) -> int | None:
    ids = encoded_after(tokenizer, "\n", text)
    return ids[0] if len(ids) == 1 and ids[0] != getattr(tokenizer, "unk_token_id", None) else None


def _remedy(tokenizer: Any, pairs: Pairs) -> str:
    working = next((pair for pair in pairs if _symmetric(tokenizer, *pair)), None)
    return f"use {working[0]}/{working[1]}" if working else "none of the usual pairs is; use another verifier"
