"""A number that is said again: of `330 minutes, or 5 hours and 30 minutes` 330 is the answer.

In one other unit, or rounded, both say it: `3 weeks, or 21 days` and `14/3, or about 4.67` are read as with `≈` between
them. Only where both come to the same; else the second may correct the first, or be another answer.
"""

from __future__ import annotations

import re
from fractions import Fraction

from selfimprove_workers.tasks.numbers import DECIMAL, Quantity, plain, read_quantity
from selfimprove_workers.tasks.text import clean
from selfimprove_workers.tasks.units import CANONICAL, SIZES, are_of_a_kind

REACH = 300
"""How far from the end of a text a number is said again."""
AMOUNT = rf"{DECIMAL}\s[A-Za-z]{{1,11}}"
RESTATED = re.compile(
    rf"(?<![\w.,/^])(?P<said>{AMOUNT})(?:\s(?:in\s(?:total|all)|altogether))?"
    r"(?:,?\s(?:or|(?:which|that)\s(?:is(?:\sequal\sto)?|equals)|i\.e\.,?)\s|\s=\s)"
    rf"(?P<one>{AMOUNT}),?\s(?:and\s)?(?P<two>{AMOUNT})(?![A-Za-z])"
    r"(?!,?\s(?:(?:and\s)?\d|(?:is|are|was|were)(?:n['’]t)?\b))",
    re.ASCII,
)
NEARLY = r"(?:about|approximately|roughly|around|nearly|≈|~|\\approx)\s?"
AGAIN = re.compile(
    rf"(?<![\w.,/^])(?P<said>(?:{DECIMAL}(?:\s\d+)?(?:/\d+)?|\\[dt]?frac\{{\d+\}}\{{\d+\}})\$?(?:\\\))?[*_]{{0,2}}(?:\s(?P<unit>[A-Za-z]{{1,11}}))?)"
    rf"(?P<joint>(?:,?\s(?:or|which\sis|that\sis|i\.e\.,?)\s|,\s|\s\((?:or\s|which\sis\s)?)(?P<nearly>{NEARLY})?)"
    rf"(?P<again>[*_]{{0,2}}\$?{DECIMAL}\$?[*_]{{0,2}}(?:\s(?P<other>[A-Za-z]{{1,11}}))?)(?P<closing>\)?)(?![\w/^]|\s?[-+*/×÷=]|[.,]\d)"
)
JOINTS = ("or ", "is ", "i.e", "≈", "~", "approx", "about", "roughly", "around", "nearly")


def without_restated(text: str) -> str:
    """A text without what a number in it comes to in two units."""
    return RESTATED.sub(lambda found: found["said"] if _is_the_same(found) else found[0], text)


def said_again(text: str) -> str:
    """A text with `≈` at its end between a number and what it is in another unit, or rounded."""
    tail = text[-REACH:]
    if not any(joint in tail for joint in JOINTS):
        return text
    return text[:-REACH] + AGAIN.sub(lambda found: _side_by_side(found) if _is_again(found) else found[0], tail)


def _is_the_same(found: re.Match[str]) -> bool:
    said, one, two = (found[name].rsplit(None, 1) for name in ("said", "one", "two"))
    units = [CANONICAL.get(amount[1].lower(), "") for amount in (said, one, two)]
    if not are_of_a_kind(*units[1:]) or not (units[0] in units[1:] or are_of_a_kind(*units[:2])):
        return False
    values = [plain(number) * SIZES.get(unit, 0) for (number, _), unit in zip((said, one, two), units, strict=True)]
    return all(values) and values[0] == values[1] + values[2]


def _side_by_side(found: re.Match[str]) -> str:
    said, again = (re.sub(r"[*_$]|\\\)", "", found[name]) for name in ("said", "again"))
    return f"{said} ≈ {again}"


def _is_again(found: re.Match[str]) -> bool:
    """Whether the second number is the first one: rounded, or in another unit."""
    said, again = (_quantity(found[name]) for name in ("said", "again"))
    if said is None or again is None or ("(" in found["joint"]) != bool(found["closing"]):
        return False
    if "(" in found["joint"] and not found["nearly"]:
        return False
    units = [CANONICAL.get((found[name] or "").lower(), "") for name in ("unit", "other")]
    if all(units) and units[0] != units[1]:
        sizes = [Fraction(each.value) * SIZES.get(unit, 0) for each, unit in zip((said, again), units, strict=True)]
        return bool(found["nearly"]) or (are_of_a_kind(*units) and sizes[0] == sizes[1] != 0)
    is_rounded = said.exact.denominator > 1 and abs(said.exact - again.exact) <= Fraction(1, 2 * 10**again.decimals)
    return bool(found["nearly"]) and is_rounded


def _quantity(text: str) -> Quantity | None:
    return read_quantity(clean(re.sub(r"[*_$]|\\\)", "", text)))
