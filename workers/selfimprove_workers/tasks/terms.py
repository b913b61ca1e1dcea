"""The term that a number in a sentence is a part of: of `2xy`, `25π` and `x^3` the number alone is no answer."""

from __future__ import annotations

import re

from selfimprove_workers.tasks.text import BRACKETS
from selfimprove_workers.tasks.units import is_unit_word

REACH = 60
"""How far before a number its term may begin."""
TERM_OPENS = re.compile(r"[^\s=$]{0,30}(?:\^|√|sqrt\s?)[({]?\Z")
FACTORS = re.compile(
    r"(?!x\s[a-z]{2}|[cp]\b)[a-z]{1,3}(?![a-zA-Z'])|[)}]{0,2}\s?(?:[*·]\s?)?(?:π|√|\\?(?:pi|sqrt)(?![a-zA-Z])"
    r"|[²³⁴-⁹]{1,3}|\^(?!\{?\s?\\?(?:text|mathrm|mbox|circ|th|st|nd|rd)))[^\s.,;]{0,30}"
)
"""Letters beside a number that multiply it; `2x as many` is no product, and 5p is money."""
THOUSANDS = re.compile(r"[kKMB](?![A-Za-z])")
"""Of money: `$70k`."""
CURRENCIES = "$€£¥₹"
UNIT_POWER = re.compile(
    r"(?:\d(?:\s|[$~]|\\[,;: ()]){0,4}|/\s?|per\s)(?:\\(?:text|mathrm)\{\s?)?"
    r"(?:[cmkd]?m|s|in|inch|inches|ft|feet|yd|mi|miles|meters|units?)\}?(?:\s|\$|\\[()]){0,3}\^\s?\{?\Z"
)
"""Up to the power of a unit: `25 cm^`, `$25$ cm$^`, which is no number of its own."""


def term_of(text: str, number: re.Match[str]) -> str:
    """The number with what makes it a part of a longer term."""
    said = number[0].strip().rstrip(".")
    opening = TERM_OPENS.search(text, max(0, number.start() - REACH), number.start())
    if opening:
        is_closed = text[number.end() : number.end() + 1] == BRACKETS.get(opening[0][-1])
        return opening[0] + said + (text[number.end()] if is_closed else "")
    if any(sign in said for sign in CURRENCIES) and (scale := THOUSANDS.match(text, number.end())):
        return said + scale[0]
    factors = FACTORS.match(text, number.end())
    return said if factors is None or is_unit_word(factors[0].lower()) else said + factors[0]


def is_unit_power(text: str, number: re.Match[str]) -> bool:
    """Whether a number is the power of a unit: the 2 of `25 cm^2`."""
    if number[0].rstrip(".") not in ("2", "3"):
        return False
    return UNIT_POWER.search(text, max(0, number.start() - REACH), number.start()) is not None
