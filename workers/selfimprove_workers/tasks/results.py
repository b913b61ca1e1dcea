"""What the last calculation came to, where the last sentence states it and has only known numbers behind it.

Of `60 * 3 = 180. The train travels 180 miles in 3 hours.` it is 180: what was calculated last was asked for, and what
stands before it in the text was known. Without a calculation nothing tells, and the last number counts (`closing`).
"""

from __future__ import annotations

import re
from fractions import Fraction

from selfimprove_workers.tasks.context import NUMBER, STATES, is_stated
from selfimprove_workers.tasks.numbers import DECIMAL, plain
from selfimprove_workers.tasks.phrases import LAST_DIGIT, sentence_begin

REACH = 200
FAR = 600
"""How far before the last sentence its calculation may be."""
ANY = re.compile(rf"(?<![\w.,/^])(?<![A-Za-z]-){NUMBER}(?![\w/^]|[.,]\d)", re.ASCII)
DIGITS = re.compile(DECIMAL, re.ASCII)
RESULT = re.compile(
    rf"=\s?[*_$\\({{]{{0,4}}(?:boxed\{{|text\{{)?(?P<minus>[-−]?)(?P<value>{NUMBER})"
    r"(?![\d/^]|[.,]\d|[^\S\n]?(?:[-−+*×÷=]|\\(?:times|cdot|div)))",
    re.ASCII,
)
SIGN = re.compile(r"(?:\A|[\s$(*])[-−]\Z")
SAYS_ANOTHER = re.compile(
    r"[=+*×÷<>≈]|\s[-–—]\s|\d\s(?:and|or|to)\s[-−$]?\d"
    r"|(?<!to )\b(?:has|have|had|gets?|got|costs?|earns?|pays?|needs?|takes?|holds)\b"
)
SCALED = re.compile(r"[*_]{0,2}\s?(?:hundred|thousand|million|billion|percent|squared|cubed|%|and\s(?:a|one)\s)")


def resulting(text: str) -> str | None:
    """The number of the last sentence that was calculated, where that surely is what the sentence says."""
    last = LAST_DIGIT.search(text, max(0, len(text) - REACH)) if "=" in text else None
    begin = sentence_begin(text, last.start()) if last else None
    numbers = [] if begin is None else list(ANY.finditer(text, begin))
    if begin is None or len(numbers) < 2:
        return None
    *_, result = [None, *RESULT.finditer(text, max(0, begin - FAR), numbers[-1].start())]
    stated = _stated_again(text, result, numbers) if result else None
    if stated is None:
        return None
    rest, behind = text[stated.end() :], numbers[numbers.index(stated) + 1 :]
    sign = SIGN.search(text, begin, stated.start())
    before = text[begin : stated.start() - bool(sign)]
    if not is_stated(before) or STATES.search(rest) or SAYS_ANOTHER.search(rest) or SCALED.match(rest):
        return None
    known = {plain(number) for number in DIGITS.findall(text, max(0, begin - FAR), stated.start())}
    return f"{'-' if sign else ''}{stated[0]}" if known.issuperset(map(_value, behind)) else None


def last_result(text: str) -> int | Fraction | None:
    """What the last calculation of a text comes to, without its sign; None where it has none."""
    *_, result = [None, *RESULT.finditer(text, max(0, len(text) - FAR))] if "=" in text else [None]
    return plain(_digits(result["value"])) if result else None


def _stated_again(text: str, result: re.Match[str], numbers: list[re.Match[str]]) -> re.Match[str] | None:
    """The number that is the result, said after it and before others."""
    value = plain(_digits(result["value"]))
    again = [number for number in numbers[:-1] if _value(number) == value and number.start() > result.end()]
    is_negative = again and SIGN.search(text, 0, again[-1].start()) is not None
    return again[-1] if again and is_negative == bool(result["minus"]) and _value(numbers[-1]) != value else None


def _value(number: re.Match[str]) -> int | Fraction:
    return plain(_digits(number[0]))


def _digits(number: str) -> str:
    return number.lstrip("\\$€£¥₹").rstrip("%\\.")
