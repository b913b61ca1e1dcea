"""What Python, sympy and numpy print, as people write it: `2*sqrt(3)`, `0.30000000000000004`, `[1, 2]`, `(3+4j)`."""

from __future__ import annotations

import re

_FLOAT = re.compile(r"(?<![\w.])-?\d+\.\d+(?:e[-+]?\d+)?(?![\w.])")
_DIGITS_OF_A_RESULT = 13
"""A float with so many digits was computed: its last few are noise."""
_SQRT = re.compile(r"\bsqrt\(([^()]*)\)")
_LIST = re.compile(r"\[([^\[\]]*)\]")
_ARRAY = re.compile(r"\[\s*(-?[\d.]+(?:\s+-?[\d.]+)+)\s*\]")
_FRACTION = re.compile(r"Fraction\((-?\d+), (\d+)\)")
_NAMES = re.compile(r"\b(?:sqrt|pi|exp|log|sin|cos|tan|oo)\b")
_WORD = re.compile(r"[^\W\d_]{2,}")
_J = re.compile(r"(?<=\d)j\b")
_NOTHING_REAL = re.compile(r"\(-0(-[\d.]+j)\)")
"""Python's spelling of `-4j`."""
_I = re.compile(r"\*?\bI\b")
_END = r"((?:[^,()]|\([^()]*\))+)"
_INTERVAL = re.compile(rf"Interval(?:\.(open|Lopen|Ropen))?\({_END}, {_END}\)")
_BRACKETS = {None: "[]", "open": "()", "Lopen": "(]", "Ropen": "[)"}
_UNION = re.compile(r"Union\((.*)\)")
_MATRIX = re.compile(r"Matrix\(\[(\[.*\])\]\)")


def as_written(printed: str, keeps_list: bool = False) -> str:
    """A printed result in the spelling of people. `keeps_list`: brackets mean something else than a list here."""
    text = _FLOAT.sub(_without_noise, _imaginary(_FRACTION.sub(r"\1/\2", _ARRAY.sub(_listed, printed))))
    inner = _LIST.fullmatch(text)
    if inner and not keeps_list:
        text = inner[1]
    text = _matrix(_intervals(text))
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


def _listed(array: re.Match[str]) -> str:
    """numpy's array of one dimension, which has no commas, as a list."""
    return f"[{', '.join(number.removesuffix('.') for number in array[1].split())}]"


def _imaginary(text: str) -> str:
    """Python's `4j` and sympy's `4*I` as `4i`; in words, and where nothing else is said, `I` is another one."""
    if _WORD.search(_NAMES.sub("", text)) or text == "I":
        return text
    return _I.sub("i", _J.sub(" i", _NOTHING_REAL.sub(r"\1", text)))


def _intervals(text: str) -> str:
    found = _INTERVAL.sub(lambda each: f"{_BRACKETS[each[1]][0]}{each[2]}, {each[3]}{_BRACKETS[each[1]][1]}", text)
    if found == text:
        return text
    joined = _UNION.sub(lambda union: re.sub(r"(?<=[\])]), (?=[\[(])", r" \\cup ", union[1]), found)
    return re.sub(r"\boo\b", r"\\infty", joined)


def _matrix(text: str) -> str:
    matrix = _MATRIX.fullmatch(text)
    if not matrix:
        return text
    rows = r" \\ ".join(row.replace(", ", " & ") for row in matrix[1].strip("[]").split("], ["))
    return rf"\begin{{pmatrix}}{rows}\end{{pmatrix}}"
