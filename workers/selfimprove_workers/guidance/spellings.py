r"""Where a formula stands in a text in another spelling than one has: `\dfrac{\sqrt 3}2` is `\frac{\sqrt{3}}{2}`.

Both are read as signs without what only sets them: spaces, braces, dollar signs, `\left`, `\text`. A fraction is one
bar between two parts, however it is written, and `x = 3$ or $x = 4` are the values `3, 4`. Nothing is computed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import permutations
from typing import NamedTuple

from selfimprove_workers.tasks.equality import read
from selfimprove_workers.tasks.text import SIGNS

MOST_ORDERED = 3
"""Values of a list without an order that are looked for in every order."""

_SIGN = re.compile(
    r"\\[a-zA-Z]+|\\.|(?<=frac)\d|(?<=frac\s)\d|(?<=frac\d)\d|\d+(?:\.\d+)?|[^\W\d_⁰¹²³⁴-⁹π]+|\S", re.DOTALL
)
_SETTING = re.compile(
    r"[{}$~]|\\(?:[dtc]?frac|left|right|[bB]igg?[lr]?|text(?:bf|it|rm)?|math(?:rm|bf|it|bb)|mbox|operatorname"
    r"|displaystyle|boxed|fbox|q?quad|[,;:!() \[\]])"
)
"""What is no sign of its own. A fraction's bar is put between its parts."""
_FRACTION = re.compile(r"\\[dtc]?frac")
_SAME = {sign: spelling.strip() for sign, spelling in SIGNS.items()} | {
    "√": "\\sqrt", "sqrt": "\\sqrt", "pi": "\\pi", "infinity": "\\infty", "∅": "\\emptyset", "\\leq": "\\le",
    "\\geq": "\\ge", "\\neq": "\\ne", "\\lbrace": "\\{", "\\rbrace": "\\}", "\\%": "%", ";": ",",
    "×": "*", "·": "*", "⋅": "*", "\\cdot": "*", "\\times": "*",
}  # fmt: skip
_JOINTS = ("and", "or")
_POWERS = {power: digit for digit, power in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}


class _Sign(NamedTuple):
    """One sign, in one spelling, and from where to where it stands."""

    value: str
    start: int
    end: int


def spelt(text: str, gold: str) -> Iterator[tuple[int, int]]:
    """Where each formula begins and ends that is the gold in another spelling, in no order.

    Of numbers only fractions, powers and negative ones have another.
    """
    wanted = _wanted(gold)
    if not wanted:
        return
    signs = _signs(text)
    signs = signs if "=" in wanted[0] else list(_without_names(signs))
    values = [sign.value for sign in signs]
    for pattern in wanted:
        for at in range(len(values) - len(pattern) + 1):
            if values[at : at + len(pattern)] == list(pattern) and not _goes_on(values, at, pattern):
                yield signs[at].start, signs[at + len(pattern) - 1].end


@lru_cache(maxsize=4096)
def _wanted(gold: str) -> list[tuple[str, ...]]:
    """The signs of a gold; of a list in which the order does not count, in every order."""
    signs, known = _signs(gold), read(gold)
    values = [sign.value for sign in (signs if known.is_equation else _without_names(signs))]
    is_plain = known.quantity is not None and not {"-", "/", "^"} & set(values)
    if not values or is_plain or [gold.strip().casefold()] == [value.casefold() for value in values]:
        return []
    items = known.items
    parts = " ".join(values).split(" , ")
    if items is None or items.brackets or not 1 < len(parts) <= MOST_ORDERED:
        return [tuple(values)]
    return [tuple(" , ".join(order).split(" ")) for order in permutations(parts)]


def _goes_on(values: list[str], at: int, pattern: tuple[str, ...]) -> bool:
    """Whether what was found is the end of a longer formula: `-3` of `x - 3`, `\\sqrt{2}` of `5\\sqrt{2}`."""
    before = values[at - 1] if at else ""
    if pattern[0] in "-+":
        return bool(re.fullmatch(r"[\d.]+|[a-zA-Z]|[)\]]", before))
    return pattern[0].startswith("\\") and before.isdigit()


def _signs(text: str) -> list[_Sign]:
    """What a text is made of, without what sets it."""
    found = [(match[0], match.start(), match.end()) for match in _SIGN.finditer(text)]
    bars, signs, start = _bars([sign for sign, _, _ in found]), list[_Sign](), None
    for at, (sign, begin, end) in enumerate(found):
        if at in bars:
            signs.append(_Sign("/", begin, begin))
        if _SETTING.fullmatch(sign):
            start = begin if _FRACTION.fullmatch(sign) else start
            continue
        for value in _values(sign):
            if signs and signs[-1].value == "*" and value in ("\\sqrt", "\\pi"):
                signs.pop()  # 2 * \sqrt{5} is 2\sqrt{5}
            signs.append(_Sign(value, begin if start is None else start, end))
            start = None
    return signs


def _values(sign: str) -> tuple[str, ...]:
    if sign in _POWERS:
        return ("^", str(_POWERS[sign]))
    same = _SAME.get(sign, sign)
    return ("," if same.lower() in _JOINTS else same.casefold() if same.isalpha() and len(same) > 1 else same,)


def _bars(signs: list[str]) -> set[int]:
    """Before which signs the bar of a fraction stands: after its first part, a sign or braces around some."""
    bars, opened = set[int](), list[bool]()
    for at, sign in enumerate(signs):
        is_first = at > 0 and _FRACTION.fullmatch(signs[at - 1]) is not None
        if sign == "{":
            opened.append(is_first)
        elif opened.pop() if sign == "}" and opened else is_first:
            bars.add(at + 1)
    return bars


def _without_names(signs: list[_Sign]) -> Iterator[_Sign]:
    """The signs without the name of a value that is not the first: `3, 4` of `3, or x = 4` and of `3 and x_2 = 4`."""
    place = 0
    while place < len(signs):
        yield signs[place]
        if signs[place].value == ",":
            rest = [sign.value for sign in signs[place + 1 : place + 6]]
            place += rest[:1] == [","]
            name = re.match(r"(?:, )?([a-zA-Z] (?:_ \w+ )?= )", " ".join([*rest, ""]))
            place += name[1].count(" ") if name else 0
        place += 1
