"""What Python, sympy and numpy print, as people write it: `2*sqrt(3)`, `0.30000000000000004`, `[1, 2]`, `(3+4j)`.

What may mean two things is read as the gold would have it: brackets, the letters i, j and I, a matrix of one row.
"""

from __future__ import annotations

import re

_FLOAT = re.compile(r"(?<![\w.])-?\d+\.\d+(?:e[-+]?\d+)?(?![\w.])")
_DIGITS_OF_A_RESULT = 13
"""A float with so many digits was computed: its last few are noise."""
_SQRT = re.compile(r"\bsqrt\(([^()]*)\)")
_LIST = re.compile(r"\[([^\[\]]*)\]")
_ARRAY = re.compile(r"\[\s*(-?[\d.]+(?:\s+-?[\d.]+)+)\s*\]")
_FRACTION = re.compile(r"Fraction\((-?\d+), (\d+)\)")
_WITH_I = re.compile(r"(?<![A-Za-z\\])i(?![A-Za-z])")
_COMPLEX = re.compile(r"\((?:-?0(?=[+-]))?\+?(-?[^()\s]*\dj)\)")
_END = r"((?:[^,()]|\([^()]*\))+)"
_INTERVAL = re.compile(rf"Interval(?:\.(open|Lopen|Ropen))?\({_END}, {_END}\)")
_BRACKETS = {None: "[]", "open": "()", "Lopen": "(]", "Ropen": "[)"}
_UNION = re.compile(r"Union\((.*)\)")
_MATRIX = re.compile(r"Matrix\(\[(\[.*\])\]\)")


def as_written(printed: str, gold: str = "") -> str:
    """A printed result in the spelling of people. `gold`: what it will be compared with, where that is known."""
    text = _FRACTION.sub(r"\1/\2", _listed(printed))
    text = _FLOAT.sub(_without_noise, _imaginary(text) if _WITH_I.search(gold) else text)
    inner = _LIST.fullmatch(text)
    if inner and not gold.startswith("["):
        text = inner[1]
    text = _matrix(text) if "matrix" in gold else _intervals(text)
    before = ""
    while text != before:
        before, text = text, _SQRT.sub(r"\\sqrt{\1}", text)
    text = re.sub(r"(?<=[\w)}])\*\*(?=[\w({-])", "^", text)
    text = re.sub(r"(?<=[\w)}])\*(?=[\w({\\])", r" \\cdot ", text) if "sqrt" in text or "pi" in text else text
    return re.sub(r"(?<![\w\\])pi\b", r"\\pi", text)


def _without_noise(match: re.Match[str]) -> str:
    if sum(map(str.isdigit, match[0].partition("e")[0])) < _DIGITS_OF_A_RESULT:
        return match[0]
    value = float(match[0])
    return f"{value:.12g}" if abs(value) >= 1e-12 else "0"


def _listed(printed: str) -> str:
    """numpy's array of one dimension, which has no commas, as a list."""
    array = _ARRAY.fullmatch(printed)
    return f"[{', '.join(number.removesuffix('.') for number in array[1].split())}]" if array else printed


def _imaginary(text: str) -> str:
    """Python's `(3+4j)` and sympy's `3 + 4*I` as `3+4 i`."""
    text = re.sub(r"(?<=\d)j\b", " i", _COMPLEX.sub(r"\1", text))
    text = re.sub(r"\bI\b", "i", re.sub(r"(?<=[\d)])\*I\b", "i", text))
    return re.sub(r"(?<![\d.])1(?:\.0)? ?i\b", "i", text)


def _intervals(text: str) -> str:
    """sympy's intervals, where they are all that is printed."""
    if not text.startswith(("Interval", "Union")):
        return text
    found = _INTERVAL.sub(lambda each: f"{_BRACKETS[each[1]][0]}{each[2]}, {each[3]}{_BRACKETS[each[1]][1]}", text)
    joined = _UNION.sub(lambda union: re.sub(r"(?<=[\])}]), (?=[\[({])", r" \\cup ", union[1]), found)
    return re.sub(r"\boo\b", r"\\infty", joined)


def _matrix(text: str) -> str:
    matrix = _MATRIX.fullmatch(text)
    if not matrix:
        return text
    rows = r" \\ ".join(row.replace(", ", " & ") for row in matrix[1].strip("[]").split("], ["))
    return rf"\begin{{pmatrix}}{rows}\end{{pmatrix}}"
