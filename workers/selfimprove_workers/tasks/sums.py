"""A sum worked out: `48 + 24`, `2 x 12 + 48`, exactly. Nothing but plain numbers, their signs and currency is read."""

from __future__ import annotations

import re
from fractions import Fraction

from selfimprove_workers.tasks.numbers import DECIMAL, plain

MAX_SUM = 100
"""Characters: a longer one is no aside."""
TERM = re.compile(rf"\s*(?P<sign>[-+*/x×÷−])?\s*[$€£¥₹]?(?P<number>{DECIMAL})\s*", re.ASCII)


def value_of_sum(text: str) -> Fraction | None:
    """What a calculation of two or more numbers comes to, products first; None for any other text."""
    text = text.strip().removeprefix("=")
    total, product, place, terms = Fraction(0), Fraction(0), 0, 0
    if len(text) > MAX_SUM:
        return None
    while place < len(text):
        term = TERM.match(text, place)
        if term is None or (term["sign"] is None) == (terms > 0):
            return None
        number = Fraction(plain(term["number"]))
        if term["sign"] in ("/", "÷"):
            if number == 0:
                return None
            product /= number
        elif term["sign"] in ("*", "x", "×"):
            product *= number
        else:
            total, product = total + product, -number if term["sign"] in ("-", "−") else number
        place, terms = term.end(), terms + 1
    return total + product if terms > 1 else None
