"""`128!` as an answer is 128 with an exclamation mark: nobody leaves a factorial of more than 20 for a plain number.

Up to 20 it may be one (`10!` ways), and computer algebra says whether it comes to the gold.
"""

from __future__ import annotations

import re

LAST_FACTORIAL = 20
"""The last one below 2^64."""
EXCLAIMED = re.compile(
    r"(?P<before>[\s*$]*)(?P<number>-?\d{1,3}(?:,\d{3})+|-?\d{1,15}(?:\.\d{1,15})?)!{1,3}(?P<after>[\s*$]*)", re.ASCII
)


def without_exclamation(answer: str) -> str:
    """An answer without the exclamation marks after its number; as it is where they may be factorials."""
    found = EXCLAIMED.fullmatch(answer) if "!" in answer[-20:] else None
    if found is None or abs(float(found["number"].replace(",", ""))) <= LAST_FACTORIAL:
        return answer
    return f"{found['before']}{found['number']}{found['after']}"
