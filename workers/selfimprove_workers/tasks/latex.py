"""From an answer to LaTeX that the judge can read, and the caps on what it is asked at all."""

from __future__ import annotations

import re

MAX_LENGTH = 400
MAX_DEPTH = 16
MAX_DIGITS = 60

HUGE = re.compile(r"\^\s*\{[^{}]*\^\s*\{[^{}]*\^|\^\s*(?:\w|\{[^{}]*\})\s*\^|\^\s*\{?\d{5,}|\d{5,}\s*!")
"""Towers of powers (a power of a power is none: `e^{-x^2}`), and powers and factorials of long numbers."""
DIGITS_APART = re.compile(r"(?<![\^_\d.])\d[\d.]*(?:\s+\.?|')\d")
SIGNS_IN_A_ROW = re.compile(r"(?<![\w)}\]!|.])(?<![\w)}\]!|.] )[-+]\s*[-+]|(?:[-+]\s*){3}")
"""Where no operand comes before them: `5 - -5` is a difference."""
REWRITES = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"(?<![\\a-zA-Z])sqrt\s*\(([^()]*)\)", r"\\sqrt{\1}"),
        (r"(?<![\\a-zA-Z])(sqrt|pi|infty|sin|cos|tan|ln|log|exp)(?![a-zA-Z])", r"\\\1 "),
        (r"(?<![\\a-zA-Z])(?:inf|infinity)(?![a-zA-Z])", r"\\infty "),
        (r"\\log\s*_\s*(?:e|\{e\})(?![a-zA-Z])", r"\\ln "),
        (r"\*\*", "^"),
        (r"\*", r" \\cdot "),
        (r"\^\s*\(([^()]*)\)", r"^{\1}"),
        (r"\^\s*(-?\d{2,}|-\d)", r"^{\1}"),
        (r"\\sqrt\s*(\d)(?!\d)", r"\\sqrt{\1}"),
        (r"\\frac\s*(\d)\s*(\d)", r"\\frac{\1}{\2}"),
        (r"<=", r"\\le "),
        (r">=", r"\\ge "),
        (r"!=", r"\\ne "),
        (r"(?<=[\d)}])\s+(?:units?|cm|mm|km|meters?|inches|feet|ft|dollars|degrees)(?:\^\{?[23]\}?)?$", ""),
        (r",?\s+(?:and|or)\s+", ", "),
        (r"(?:(?<=[\d)}])\s*|(?<=[A-Za-z])\s+)((?![ei])[A-Za-z])$", r" {\1}"),  # else dropped as if it were a unit
    )
]


def to_latex(text: str, percent_asked: bool = False) -> str:
    """A cleaned text as LaTeX: plain functions and operators spelled out, a percentage as a hundredth."""
    if len(text) > MAX_LENGTH:
        return text
    if text.endswith("%"):
        text = text[:-1] if percent_asked else rf"\frac{{{text[:-1]}}}{{100}}"
    for pattern, replacement in REWRITES:
        text = pattern.sub(replacement, text)
    return text.replace("$", " ").strip()


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
