"""A sum worked out: `48 + 24`, `2 x 12 + 48`, exactly. Nothing but plain numbers, their signs and currency is read.

In parentheses after the number that it comes to it says how that was found: `7 (4 + 3)` is 7, and no product. Alone it
is no answer where a number is asked for: the question may be that very sum, and whoever echoes it has not answered.
"""

from __future__ import annotations

import re
from fractions import Fraction

from selfimprove_workers.tasks.numbers import DECIMAL, plain

MAX_SUM = 100
"""Characters: a longer one is no aside."""
TERM = re.compile(rf"\s*(?P<sign>[-+*/x×÷−])?\s*[$€£¥₹]?(?P<number>{DECIMAL})\s*", re.ASCII)

NUMBER = rf"(?:\\?[$€£¥₹]\s?)?{DECIMAL}(?:\\?%)?"
MULTIPLIED = r"[*x×·]|\\(?:times|cdot)(?![a-z])|times|multiplied\sby"
DIVIDED = r"[/÷]|\\div(?![a-z])|divided\sby"
UNEVALUATED = re.compile(
    r"(?=.*?(?:[+*×·]|\s[-−–]\s|\d\s?x|\\(?:times|cdot)|plus|minus|times|multiplied))"
    rf"(?:[-−]\s?)?{NUMBER}(?:\s?(?:[-+−–]|plus|minus|{MULTIPLIED}|{DIVIDED})\s?(?:[-+−]\s?)?{NUMBER})+",
    re.ASCII,
)
"""Numbers with signs between them, of which one adds, takes away or multiplies: `84/2` and `5-10` are none."""
SIGNS = [
    (re.compile(pattern), sign)
    for pattern, sign in (
        (r"\s*(?:\\times|\\cdot|·|times|multiplied\s?by)\s*", " * "),
        (r"\s*(?:\\div|divided\s?by)\s*", " / "),
        (r"\s*plus\s*", " + "),
        (r"\s*minus\s*", " - "),
    )
]
COUNTED = re.compile(r"(?<=\d)(?:\s[A-Za-z]{2,15}){1,2}(?=\s(?:[-+*/×÷x·]|\\(?:times|cdot|div)|plus|minus|times)\s)")
"""What an operand counts: of `5 apples + 3 apples`."""
PARENTHESES = str.maketrans("()", "  ")

ARROW = re.compile(
    rf"(?<![\w.,])(?P<sum>{NUMBER}\s?(?:[-+*/×÷x·−]\s?{NUMBER}\s?){{1,8}})"
    r"(?:-{1,2}>|→|⇒|=>|\\(?:to|[rR]ightarrow)(?![a-z]))(?=\s?[-−]?[$€£¥₹]?\d)",
    re.ASCII,
)
"""A sum, and an arrow to what it comes to."""
ARROWS = re.compile(r"->|=>|[→⇒]|\\(?:to|[rR]ightarrow)")
SHOWN = re.compile(
    rf"(?<![\w.,/])(?P<number>(?P<sign>[-−])?[$€£¥₹]?(?P<over>{DECIMAL})(?:/(?P<under>[1-9]\d{{0,8}}))?(?:\*\*|\$|\\\))?)"
    r"[^\S\n]\((?:\$|\\\()?(?P<sum>[^()\n]{3,60}?)(?:(?<!\\)\$|\\\))?\)(?=[.,;!*$}<\s]|\Z)"
    r"(?!\*?[^\S\n]*(?:[-−–+*/×÷·^=(\d\\]|(?:x|plus|minus|times|multiplied|divided|over|squared|cubed|mod|and|or)\b))",
    re.ASCII,
)
"""A number, and in parentheses after it the sum that it may be; not inside a longer calculation."""
BEFORE_SHOWN = re.compile(
    r"(?:\A|\n|[:=#{>]|\b(?:is|are|was|were|be|equals|gets?|gives?|makes?))(?:[\s*$]|\\\(){0,8}\Z"
)
REACH = 20


def without_shown_sums(text: str) -> str:
    """A text without the sums that only show, in parentheses, how the number before them was found."""
    return SHOWN.sub(lambda found: found["number"] if _is_shown(found) else found[0], text) if " (" in text else text


def without_arrows(text: str) -> str:
    """A text with an equals sign where an arrow stands for it: `55 + 73 -> 128`."""
    return ARROW.sub(lambda found: f"{found['sum'].rstrip()} =", text) if ARROWS.search(text) else text


def is_unevaluated(text: str) -> bool:
    """Whether a text that is no number (as `3 x 10^8` is) is a sum, a difference or a product, not worked out."""
    return UNEVALUATED.fullmatch(" ".join(text.translate(PARENTHESES).split())) is not None


def in_signs(text: str) -> str:
    """A calculation in plain signs, of one in LaTeX or in words."""
    for pattern, sign in SIGNS:
        text = pattern.sub(sign, text)
    return text.replace("\\$", "$")


def uncounted(text: str) -> str:
    """A calculation without what its operands count, but the last."""
    return COUNTED.sub("", text)


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


def _is_shown(found: re.Match[str]) -> bool:
    """Whether the sum in parentheses comes to the number before it."""
    if BEFORE_SHOWN.search(found.string, max(0, found.start() - REACH), found.start()) is None:
        return False
    value = Fraction(plain(found["over"])) / int(found["under"] or 1)
    return value_of_sum(in_signs(found["sum"])) == (-value if found["sign"] else value)
