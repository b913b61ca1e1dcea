"""Whether a phrase that begins with a number is a calculation, so that what it comes to is the answer.

Of `16 eggs - 3 eggs = 13 eggs` and `4 boxes with 6 cookies each, which is 24 cookies` the first number is no answer.
"""

from __future__ import annotations

import re

from selfimprove_workers.tasks.numbers import DECIMAL, plain

AMOUNT = rf"[$€£¥₹]?{DECIMAL}"
OUTCOME = re.compile(r"(?:\d[%)}$]*\s?=|\sof\s[^=]{1,40}\d[%)}$]*,?\s(?:(?:which|that)\s)?(?:is|equals|gives|makes)\s)")
"""Where the words before it were a calculation: `3/4 of 8 = 6`, `20% of 50 is 10`."""
CONDITION = r"(?:when|if|where|since|because|as|after|before|for|from|and|or|so|but|which|that|not)\b"
COUNTED = rf"(?:\s(?!{CONDITION})[A-Za-z]{{1,15}}){{0,4}}"
LABEL = r"\s\([A-Za-z][^()=\d\n]{0,40}\)"
SIGN = "[-−–+*/×÷·x]"
WITH_UNITS = re.compile(
    rf"{COUNTED}(?:{LABEL})?\s(?:{SIGN}|of|with|at)\s(?:{AMOUNT}{COUNTED}(?:{LABEL})?\s{SIGN}\s){{0,6}}"
    rf"{AMOUNT}{COUNTED}(?:{LABEL})?\s?=\s?\S"
)
"""From the first number of a calculation on: ` eggs - 3 eggs = 13 eggs`, ` boxes of 6 cookies = 24`."""
CLAUSE_WORD = r"(?:is|are|was|were|be|has|have|had|makes?|gives?|costs|we|I|so|since|because|as|that|which|not)\b"
SUBTRACTED = re.compile(
    rf"\s[-–−]\s(?:(?!{CLAUSE_WORD})[A-Za-z'’]{{1,15}}\s){{1,6}}{AMOUNT}"
    rf"(?:\s(?!{CLAUSE_WORD})[A-Za-z'’]{{1,15}}){{0,5}}\s?=\s?[-−]?{AMOUNT}"
)
"""A minus that looks like a dash: ` - the discount of $20 = $80`."""
LABELLED = re.compile(rf"{LABEL}\s?(?:=|{SIGN}\s)\s?[-−]?{AMOUNT}")
"""What stands in parentheses inside a calculation: ` (April) + 24`."""
PACKED = re.compile(rf"(?P<many>{AMOUNT}){COUNTED}\s(?:of|with|at)\s(?P<each>{AMOUNT}){COUNTED}")
COMES_TO = re.compile(
    rf",?\s(?:which|that)\s(?:is|equals|gives|makes|comes\sto)\s(?:a\stotal\sof\s)?(?P<product>{AMOUNT})"
)


def is_calculation(phrase: str, number: re.Match[str]) -> bool:
    """Whether a phrase says what a calculation comes to that a number of it begins."""
    if OUTCOME.search(phrase) or WITH_UNITS.match(phrase, number.end()):
        return True
    packed = PACKED.match(phrase)
    return packed is not None and _is_product(packed, phrase[packed.end() :])


def calculates_on(phrase: str, clause: str) -> bool:
    """Whether what looks like a clause of its own after a phrase is more of the calculation that it begins."""
    if SUBTRACTED.match(clause) or LABELLED.match(clause):
        return True
    packed = PACKED.fullmatch(phrase)
    return packed is not None and _is_product(packed, clause)


def _is_product(packed: re.Match[str], clause: str) -> bool:
    """Whether a clause gives the product: of `4 boxes with 6 cookies each` `, which is 24 cookies`."""
    said = COMES_TO.match(clause)
    if said is None:
        return False
    amounts = (packed["many"], packed["each"], said["product"])
    many, each, product = (plain(amount.lstrip("$€£¥₹")) for amount in amounts)
    return many * each == product
