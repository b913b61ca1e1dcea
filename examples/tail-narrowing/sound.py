"""Whether the arithmetic that a solution writes down is true: what an answer from a hint often stands under is not."""

from __future__ import annotations

import re
from fractions import Fraction

_NUMBER = r"-?\d+(?:\.\d+)?"
_EQUATION = re.compile(rf"(?<![\w.])({_NUMBER}(?:\s*[-+*/×÷]\s*{_NUMBER})+)\s*=\s*({_NUMBER})(?![\d]|\.\d)")
_STEP = re.compile(rf"\s*([-+*/×÷])\s*({_NUMBER})")


def is_sound(text: str) -> bool:
    """Whether a text has an equation of numbers, "17 - 6 = 11", and every one of them holds."""
    equations = _EQUATION.findall(text.replace(",", "").replace("$", "").replace("€", ""))
    return bool(equations) and all(value_of(left) == Fraction(right) for left, right in equations)


def value_of(expression: str) -> Fraction | None:
    """The value of numbers joined by + - * /, products first; None where it divides by 0."""
    first = re.match(_NUMBER, expression.strip())
    assert first is not None
    total, product = Fraction(0), Fraction(first[0])
    for sign, number in _STEP.findall(expression.strip()[first.end() :]):
        value = Fraction(number)
        if sign in "+-":
            total, product = total + product, value if sign == "+" else -value
        elif sign in "*×":
            product *= value
        elif value == 0:
            return None
        else:
            product /= value
    return total + product
