"""How an answer is given, which is no answer: `x = 2.718, correct to 3 decimal places` is 2.718, `5 in base-10` is 5.

To how many places a number is rounded never counts beside it. `It has 2 digits.` is left out only where it ends a text
right behind a number that has as many: else it may be what is asked for.
"""

from __future__ import annotations

import re

DECIMALS = r"decimal(?:s|\s(?:places?|digits?|points?))|d\.?p\b\.?"
SIGNIFICANT = r"significant\s(?:figures?|digits?)|sig\.?\s?figs?\b\.?|s\.?f\b\.?"
GIVEN = r"\b(?:correct|accurate|precise|exact|round(?:ed|ing)?)"
PLACES = rf"\$?\d{{1,2}}(?:st|nd|rd|th)?\$?\s?(?:{DECIMALS}|{SIGNIFICANT})"
ROUNDED = re.compile(
    rf"\(?(?:{GIVEN}\sto\s\$?\d{{1,2}}\$?\s(?:places?|digits?|figures?)\b"
    rf"|(?:{GIVEN}\s)?\b(?:to|with)\s(?:the\s)?(?:nearest\s)?{PLACES})\)?"
    rf"|[(\[]{PLACES}[)\]]|\sin\sbase-\d{{1,2}}\b",
    re.IGNORECASE,
)
COUNTED = re.compile(
    r"(?<![\w.,])(?P<whole>\d[\d,]{0,30})(?:\.(?P<part>\d{1,30}))?[^\w.]{0,4}\.?(?P<said>\s{1,3}(?:It|This)\shas\s"
    rf"(?P<count>\d{{1,2}})\s(?:digits?|(?P<decimals>{DECIMALS}))\s?[.!]?)\s{{0,8}}\Z"
)
REACH = 120


def without_precision(text: str) -> str:
    """A text without what it says of how exact its answer is; as it is where it says nothing else in numbers."""
    if not may_say_precision(text):
        return text
    rest = ROUNDED.sub(" ", text)
    if not re.search(r"\d", rest):
        return text
    counted = COUNTED.search(rest, max(0, len(rest) - REACH))
    return rest[: counted.start("said")] if counted and _is_of_it(counted) else rest


def may_say_precision(text: str) -> bool:
    """Whether a text may say how exact a number is: quick, and sure where it says no."""
    if "place" in text or "base-" in text or "figure" in text or "digit" in text or "decimals" in text:
        return True
    return "dp" in text or "d.p" in text or " sf" in text or "s.f" in text or " sig" in text


def _is_of_it(counted: re.Match[str]) -> bool:
    """Whether a number has as many digits, or decimals, as are told of it."""
    part = counted["part"] or ""
    digits = part if counted["decimals"] else counted["whole"].replace(",", "") + part
    return len(digits) == int(counted["count"])
