r"""One spelling for what LaTeX and plain text write in several ways, so that votes for one answer count together.

`2\sqrt3`, `2\cdot\sqrt{3}`, `2 sqrt(3)` and `\sqrt{12}` are one, and so are `3\pi\text{ cm}` and `3pi`. Nothing is
computed but the squares in a root, and no verdict depends on it.
"""

from __future__ import annotations

import re
from math import isqrt

from selfimprove_workers.tasks.latex import UNIT_AT_END
from selfimprove_workers.tasks.text import MAX_LENGTH

REWRITES = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"(?<![\\a-zA-Z])sqrt\s*\(([^()]*)\)", r"\\sqrt{\1}"),
        (r"\\sqrt\s*(\d|[a-zA-Z])(?![a-zA-Z\d])", r"\\sqrt{\1}"),
        (r"\\frac\s*(\d)\s*(?=\d|\{)", r"\\frac{\1}"),
        (r"(\\frac\s*\{(?:[^{}]|\{[^{}]*\})*\})\s*(\d)", r"\1{\2}"),
        (r"(?<![\\a-zA-Z])pi(?![a-zA-Z])", r"\\pi "),
        (r"(?<=[\w)}])\s*(?:\\cdot|\\times|\*)\s*(?=[a-zA-Z(]|\\(?:sqrt|pi)(?![a-zA-Z]))", ""),
        (r"\*\*", "^"),
        (r"\^\s*\{\s*(\w)\s*\}", r"^\1"),
    )
]
ROOT = re.compile(r"(?<![\w.^/}])(\d{0,6})\s*\\sqrt\{(\d{1,6})\}(?!\s*[\d^!])", re.ASCII)
MARKS = ("\\", "sqrt", "pi", "^", "*")


def normal_form(formula: str) -> str:
    """A cleaned formula in one of the ways to write it."""
    if len(formula) > MAX_LENGTH:
        return formula
    formula = UNIT_AT_END.sub("", formula)
    if not any(mark in formula for mark in MARKS):
        return formula
    for pattern, replacement in REWRITES:
        formula = pattern.sub(replacement, formula)
    return ROOT.sub(_simplest, formula)


def _simplest(root: re.Match[str]) -> str:
    r"""`2\sqrt{3}` of `\sqrt{12}`."""
    factor, inner = int(root[1] or 1), int(root[2])
    square = next((n for n in range(isqrt(inner), 1, -1) if inner % (n * n) == 0), 1)
    factor, inner = factor * square, inner // (square * square)
    if inner == 1:
        return str(factor)
    return rf"{'' if factor == 1 else factor}\sqrt{{{inner}}}"
