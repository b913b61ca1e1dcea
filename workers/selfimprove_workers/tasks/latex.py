"""From an answer to LaTeX that the judge can read, and the caps on what it is asked at all."""

from __future__ import annotations

import re

from selfimprove_workers.tasks.solutions import with_both_signs

MAX_LENGTH = 400
MAX_DEPTH = 16
MAX_DIGITS = 60

HUGE = re.compile(r"\^\s*\{[^{}]*\^\s*\{[^{}]*\^|\^\s*(?:\w|\{[^{}]*\})\s*\^|\^\s*\{?\d{5,}|\d{5,}\s*!")
"""Towers of powers (a power of a power is none: `e^{-x^2}`), and powers and factorials of long numbers."""
DIGITS_APART = re.compile(r"(?<![\^_\d.])\d[\d.]*(?:\s+\.?|')\d")
SIGNS_IN_A_ROW = re.compile(r"(?<![\w)}\]!|.])(?<![\w)}\]!|.] )[-+]\s*[-+]|(?:[-+]\s*){3}")
"""Where no operand comes before them: `5 - -5` is a difference."""
OR = re.compile(r",? or ")
BOUND = re.compile(
    r"(?P<name>[a-zA-Z])\s*(?P<sign><=|>=|[<>]|\\(?:leq?|geq?|lt|gt)(?![a-zA-Z]))\s*(?P<end>(?:[-+*/^\d.(){}\s]|\\(?:frac|sqrt|pi)(?![a-zA-Z])){1,40})"
)
COEFFICIENT = re.compile(r"(?<![\w.,/^)}\]!|])(?<!\d )(\d{1,4}/\d{1,4})(?= ?[a-z](?![a-zA-Z]))", re.ASCII)
"""A fraction beside a variable, which computer algebra takes for a part of what it divides by."""
SUM = re.compile(r"[\w)}]\s*[-+]|=")
UNITS = "cm|mm|km|kg|mg|ml|ft|in|mi|yd|lb|oz|hr|min|sec|mph|kph|st|nd|rd|th"
UNIT_AT_END = re.compile(
    r"(?:(?<=[\d)}])\s+|(?<=pi)\s*)(?:(?:square|cubic|sq\.?) )?"
    r"(?:units?|cm|mm|km|centimeters?|meters?|inch(?:es)?|feet|ft|dollars|degrees)(?:\^\{?[23]\}?)?$"
)
REWRITES = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"(?<![\\a-zA-Z])sqrt\s*\(([^()]*)\)", r"\\sqrt{\1}"),
        (r"(?<![\\a-zA-Z])(sqrt|pi|infty|sin|cos|tan|ln|log|exp)(?![a-zA-Z])", r"\\\1 "),
        (r"(?<![\\a-zA-Z])(sin|cos|tan|ln|log)(?=[a-z](?![a-zA-Z]))", r"\\\1 "),
        (r"(?<![\\a-zA-Z])(?:inf|infinity)(?![a-zA-Z])", r"\\infty "),
        (r"\\log\s*_\s*(?:e|\{e\})(?![a-zA-Z])", r"\\ln "),
        (r"(?<=[)\]])\s*U\s*(?=[(\[])", r" \\cup "),
        (r"\*\*", "^"),
        (r"\*|(?<=\d)\s+x\s+(?=\d)", r" \\cdot "),
        (r"\^\s*\(([^()]*)\)", r"^{\1}"),
        (r"\^\s*(-?\d{2,}|-\d)", r"^{\1}"),
        (r"\\sqrt\s*(\d)(?!\d)", r"\\sqrt{\1}"),
        (r"\\frac\s*(\d)\s*(\d)", r"\\frac{\1}{\2}"),
        (r"<=", r"\\le "),
        (r">=", r"\\ge "),
        (r"!=", r"\\ne "),
        (UNIT_AT_END.pattern, ""),
        (r",?\s+(?:and|or)\s+", ", "),
        (r"(?:(?<=[\d)}])\s*|(?<=[A-Za-z])\s+)((?![ei])[A-Za-z])$", r" {\1}"),  # else dropped as if it were a unit
        (rf"(?<=[-+*/=(,\d)}}\s])(?!(?:{UNITS})$)([a-z]{{1,2}})((?![ei])[a-z])$", r"\1 {\2}"),  # and so are these
    )
]


def to_latex(text: str, percent_asked: bool = False) -> str:
    """A cleaned text as LaTeX: functions, operators and both signs spelled out, a percentage as a hundredth."""
    if len(text) > MAX_LENGTH:
        return text
    if text.endswith("%"):
        text = text[:-1] if percent_asked else rf"\frac{{{text[:-1]}}}{{100}}"
    text = _as_union(text) if " or " in text else text
    for pattern, replacement in REWRITES:
        text = pattern.sub(replacement, text)
    return with_both_signs(text.replace("$", " ").strip())


def with_coefficients(text: str) -> str:
    """A sum or an equation with its fractions as coefficients: of `y = 1/2x + 3` `y = (1/2)x + 3`; else as it is."""
    return COEFFICIENT.sub(r"(\1)", text) if SUM.search(text) else text


def _as_union(text: str) -> str:
    r"""`x < 2 or x > 3` as the intervals it means, which computer algebra can compare; any other text as it is."""
    bounds = [BOUND.fullmatch(piece.strip()) for piece in OR.split(text)]
    found = [bound for bound in bounds if bound is not None]
    if len(found) < 2 or len(found) < len(bounds) or len({bound["name"] for bound in found}) > 1:
        return text
    return r" \cup ".join(map(_interval, found))


def _interval(bound: re.Match[str]) -> str:
    is_closed, end = bound["sign"] not in ("<", ">", r"\lt", r"\gt"), bound["end"].strip()
    if bound["sign"][:2] in ("<", "<=", r"\l"):
        return rf"(-\infty, {end}{']' if is_closed else ')'}"
    return rf"{'[' if is_closed else '('}{end}, \infty)"


def misread(latex: str) -> bool:
    """Whether computer algebra would find a number that nobody wrote: 5 in `--5`, 55 in `5'5`, 25 in `5 5`."""
    return bool(DIGITS_APART.search(latex) or SIGNS_IN_A_ROW.search(latex))


def judgeable(latex: str) -> bool:
    """Whether a text is within the caps: short, shallow, no endless digits, no towers of powers."""
    if not 0 < len(latex) <= MAX_LENGTH or re.search(rf"\d{{{MAX_DIGITS},}}", latex):
        return False
    return _depth(latex) <= MAX_DEPTH and not HUGE.search(latex)


def _depth(text: str) -> int:
    deepest = depth = 0
    for mark in text:
        if mark in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark in ")]}":
            depth -= 1
    return deepest
