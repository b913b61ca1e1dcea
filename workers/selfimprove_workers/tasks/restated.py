"""A number that is said again in two units: of `330 minutes, or 5 hours and 30 minutes` 330 is the answer.

Only where both come to the same; else the second may correct the first, or be another answer.
"""

from __future__ import annotations

import re

from selfimprove_workers.tasks.numbers import DECIMAL, plain
from selfimprove_workers.tasks.units import CANONICAL, SIZES, are_of_a_kind

AMOUNT = rf"{DECIMAL}\s[A-Za-z]{{1,11}}"
RESTATED = re.compile(
    rf"(?<![\w.,/^])(?P<said>{AMOUNT})(?:,?\s(?:or|which\sis|that\sis|i\.e\.,?)\s|\s=\s)"
    rf"(?P<one>{AMOUNT}),?\s(?:and\s)?(?P<two>{AMOUNT})(?![A-Za-z])"
    r"(?!,?\s(?:(?:and\s)?\d|(?:is|are|was|were)(?:n['’]t)?\b))",
    re.ASCII,
)


def without_restated(text: str) -> str:
    """A text without what a number in it comes to in two units."""
    return RESTATED.sub(lambda found: found["said"] if _is_the_same(found) else found[0], text)


def _is_the_same(found: re.Match[str]) -> bool:
    said, one, two = (found[name].rsplit(None, 1) for name in ("said", "one", "two"))
    units = [CANONICAL.get(amount[1].lower(), "") for amount in (said, one, two)]
    if not are_of_a_kind(*units[1:]) or not (units[0] in units[1:] or are_of_a_kind(*units[:2])):
        return False
    values = [plain(number) * SIZES.get(unit, 0) for (number, _), unit in zip((said, one, two), units, strict=True)]
    return all(values) and values[0] == values[1] + values[2]
