"""Token ids of a text that goes on after other tokens, which need not be those of the text by itself.

Tokenizers of SentencePiece (Llama 2, Mistral, and the many made from them) set a space of their own before the first
word of whatever they are given: `Yes` by itself is `▁Yes`, and after a line break, where templates of ChatML's kind let
the assistant begin, it is `Yes`. What a model says there is the latter, and the former all but never.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def following(tokenizer: Any, before: Sequence[int], text: str) -> list[int]:
    """Token ids of a text after a rendered prompt.

    After anything but a line break (`[/INST]`) a word keeps the space that the tokenizer sets, as in these templates.
    """
    ends_line = bool(before) and tokenizer.decode(before[-1:]).endswith("\n")
    return encoded_after(tokenizer, "\n" if ends_line else "", text)


def encoded_after(tokenizer: Any, before: str, text: str) -> list[int]:
    """Token ids of a text as it is read after another one; those of the text alone where the two share a token."""
    first: list[int] = tokenizer.encode(before, add_special_tokens=False)
    both: list[int] = tokenizer.encode(before + text, add_special_tokens=False)
    if both[: len(first)] == first:
        return both[len(first) :]
    alone: list[int] = tokenizer.encode(text, add_special_tokens=False)
    return alone
