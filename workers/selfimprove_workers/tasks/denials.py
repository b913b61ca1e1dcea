"""What a response says the answer is not, taken out before anybody looks for what it is.

`Option A is wrong`, `it can't be (C)`, `neither A nor B`, `not blue`: a label that is named only to be ruled out is no
answer. Only a denial right beside what it denies counts, so that `B is correct because A is wrong` keeps its B.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

_NOUN = r"(?:(?i:the|an?|correct|right|answer|option|choice|letter|is|be)\s+){0,4}"
_BEFORE = (
    r"(?i:\bnot|n't|n’t|\bcannot|\bnever|\bneither|\brules?\s+out|\bruled\s+out|\beliminates?|\beliminated|\bexcludes?"
    r"|\bexcluded|\bdiscards?|\brejects?|\brather\s+than|\binstead\s+of|\bunlike)\s+"
)
_AFTER = (
    r"\s*(?i:(?:is|are|was|were|seems|looks|must\s+be|would\s+be|can\s+be|could\s+be)\s+(?:\w+ly\s+|also\s+|both\s+)?"
    r"(?:wrong|incorrect|false|not\b(?!\s+only)|ruled\s+out|eliminated|excluded|impossible|out\b)"
    r"|isn't|isn’t|aren't|can't|can’t|cannot)(?:\s+(?i:the\s+)?(?i:correct|right|be|answer|one)\b){0,4}"
)


def undenied(text: str, choices: Mapping[str, str]) -> str:
    """The text without the labels, and the texts of choices, that it only denies."""
    return _denial(tuple(choices), tuple(map(str.casefold, choices.values()))).sub(" ", text)


@lru_cache(maxsize=256)
def _denial(labels: tuple[str, ...], texts: tuple[str, ...]) -> re.Pattern[str]:
    label = rf"[(\[*]{{0,3}}\b(?:{'|'.join(map(re.escape, labels))})\b[)\]*]{{0,3}}"
    plain = sorted((text for text in texts if _may_be_denied(text, texts)), key=len, reverse=True)
    named = "|".join([label, *(rf"\b(?i:{re.escape(text)})\b" for text in plain)])
    several = rf"(?:{named})(?:\s*(?:,|\b(?i:or|and|nor)\b|&|/)+\s*{_NOUN}(?:{label}))*"
    return re.compile(rf"{_BEFORE}{_NOUN}{several}|{_NOUN}{several}{_AFTER}")


def _may_be_denied(text: str, texts: tuple[str, ...]) -> bool:
    """Not where its denial is another choice: `not enough` beside `enough`."""
    return bool(re.fullmatch(r"\w.*\w|\w", text)) and not any(
        re.search(rf"(?:not|n't) (?:\w+ )?{re.escape(text)}", other) for other in texts
    )
