"""Quantities as people write them, read exactly: `1,234.50`, `3/4`, `2\\frac{1}{2}`, `5\\%`, `\\$72`, `12 cm`.

Most answers are plain numbers. Reading them as exact fractions settles those, right or wrong, in microseconds, so that
computer algebra is only asked about the rest. What is not plainly a quantity is None, never a guess.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from selfimprove_workers.tasks.text import MAX_LENGTH
from selfimprove_workers.tasks.units import MULTIPLIERS, PARTS, WORD_NUMBERS, is_unit_word, unit_of

MAX_BITS = 6600
"""Of a power: about as many digits as can be written out (`MAX_LENGTH`)."""
MAX_WORDS_LENGTH = 80
SCALES = {"billion": 10**9, "million": 10**6, "thousand": 1000, "hundred": 100}
MAX_PLACES = 40
"""A fraction that ends within so many decimal places is spelled as a decimal."""


class Quantity(NamedTuple):
    """An exact number and how it was written."""

    value: int | Fraction
    """As written: 5% has the value 5."""
    percent: bool = False
    unit: str = ""
    """Canonical where it is a known one (`cm`, `dollar`), else the words as written, else empty."""
    decimals: int = 0
    """Digits after the decimal point."""
    significant: int = 0
    """Digits from the first that is not 0, of a number with a decimal point."""

    @property
    def exact(self) -> Fraction:
        """The number that it is: 1/20 of 5%."""
        return Fraction(self.value) / (100 if self.percent else 1)


DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d+)"
DECIMAL = rf"(?:{DIGITS}(?:\.\d*)?|\.\d+)"


def _group(name: str) -> str:
    return rf"\{{\s*(?P<{name}>[-+]?{DECIMAL})\s*\}}"


def _frac(above: str, below: str) -> str:
    return rf"\\frac\s*(?:{_group(above)}\s*{_group(below)}|(?P<{above}1>\d)\s*(?P<{below}1>\d))"


GLUED = re.compile(r"[a-zA-Z]+")
INTEGER = re.compile(r"-?\d+", re.ASCII)
QUANTITY = re.compile(
    r"(?P<sign>[-+]?|(?i:minus|negative)\s)\s*(?:(?P<currency>[$€£¥₹]|(?:USD|EUR|GBP|Rs\.?)\s)\s*(?P<sign2>-?))?"
    rf"(?:{_frac('a', 'b')}"
    rf"|(?P<whole>\d+)(?:\s*{_frac('c', 'd')}|\s+(?P<n>[1-9]\d*)\s*/\s*(?P<m>\d+))"
    rf"|(?P<over>{DECIMAL})\s*/\s*(?P<under>{DECIMAL})"
    r"|(?P<fixed>\d*\.\d*)\\(?:overline|bar|dot)\s*(?:\{(?P<repeat>\d{1,20})\}|(?P<repeat1>\d))"
    rf"|(?P<base>{DECIMAL})(?:[eE](?P<exp>[-+]?\d{{1,3}})(?![a-zA-Z])"
    r"|\s*(?:\\times|\\cdot|\*|x|X)\s*10\s*\^\s*(?:\{\s*(?P<ten>[-+]?\d{1,3})\s*\}|(?P<ten1>[-+]?\d{1,3}))"
    r"|\s*\^\s*(?:\{\s*(?P<power>\d{1,4})\s*\}|(?P<power1>\d{1,4})))?)"
    r"(?P<rest>.*)",
    re.DOTALL | re.ASCII,
)
SCALE = re.compile(r"([kKMB])\s*")
"""After a sum of money: `$70k`, `$1.2M`."""
PERCENT = re.compile(r"(?:%|per ?cents?\b)[^0-9=+*/^\\]*", re.IGNORECASE)
RATIOS = (("a", "b"), ("a1", "b1"), ("c", "d"), ("c1", "d1"), ("n", "m"), ("over", "under"))


def read_quantity(text: str) -> Quantity | None:
    """The quantity that a cleaned text (`text.clean`) is, all of it; None when it is anything else."""
    if len(text) > MAX_LENGTH:
        return None
    if INTEGER.fullmatch(text):
        return Quantity(int(text))
    match = QUANTITY.fullmatch(text)
    if match is None:
        return _word_number(text)
    if match["sign"] and match["sign2"]:  # -$-5
        return None
    value = _value(match)
    tail = _tail(match["rest"], match["currency"]) if value is not None else None
    if value is None or tail is None:
        return None
    factor, percent, unit = tail
    negative = match["sign"] not in ("", "+") or match["sign2"] == "-"
    decimals, significant = _written(match["base"])
    return Quantity((-value if negative else value) * factor, percent, unit, decimals, significant)


def spelled(quantity: Quantity) -> str:
    """A quantity in one spelling: `72`, `-0.5`, `1/3`, `5%`; its unit is left out."""
    value = Fraction(quantity.value)
    places = next((n for n in range(MAX_PLACES) if 10**n % value.denominator == 0), None)
    if places is None:
        text = str(value)
    elif places == 0:
        text = str(value.numerator)
    else:
        digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
        text = f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"
    return f"{text}%" if quantity.percent else text


def _value(match: re.Match[str]) -> int | Fraction | None:
    """The unsigned number of a match; None where it is none (a zero denominator, a huge power)."""
    if match["base"] is not None:
        return _scaled(match)
    if match["fixed"] is not None:
        return _repeating(match["fixed"], match["repeat"] or match["repeat1"])
    whole = int(match["whole"] or 0)
    above, below = next((plain(match[a]), plain(match[b])) for a, b in RATIOS if match[a] is not None)
    return whole + Fraction(above) / below if below else None


def plain(text: str) -> int | Fraction:
    """A number without a sign's frills: thousands separators may stand in it."""
    digits = text.replace(",", "")
    return Fraction(f"0{digits}" if digits[0] == "." else digits) if "." in digits else int(digits)


def _scaled(match: re.Match[str]) -> int | Fraction | None:
    base = plain(match["base"])
    written = match["power"] or match["power1"]
    if written:
        number, power = Fraction(base), int(written)
        bits = max(number.numerator.bit_length(), number.denominator.bit_length())
        return number**power if bits * power <= MAX_BITS else None
    exponent = int(match["exp"] or match["ten"] or match["ten1"] or 0)
    return base * Fraction(10) ** exponent if exponent else base


def _repeating(fixed: str, repeat: str) -> Fraction:
    places = len(fixed.partition(".")[2])
    start = Fraction(int(fixed.replace(".", "") or 0), 10**places)
    return start + Fraction(int(repeat), (10 ** len(repeat) - 1) * 10**places)


def _written(base: str | None) -> tuple[int, int]:
    if base is None or "." not in base:
        return 0, 0
    return len(base.partition(".")[2]), len(base.replace(".", "").replace(",", "").lstrip("0"))


def _tail(rest: str, currency: str | None) -> tuple[int | Fraction, bool, str] | None:
    """What follows the number as (factor, percent, unit); None when it is more than that."""
    money = (unit_of(currency.strip()) or "") if currency else ""
    if not rest or rest.isspace():
        return 1, False, money
    scale = SCALE.fullmatch(rest) if money else None
    if scale is not None:
        return 1000 ** (1 + "KMB".index(scale[1].upper())), False, money
    if re.match(r"[a-zA-Z](?![a-zA-Z.])", rest):  # 5m may be five times m
        return None
    glued = GLUED.match(rest)
    if glued and not is_unit_word(glued[0].lower()):  # and 2xy is two times x times y
        return None
    factor, rest = _multiplier(rest.strip())
    if PERCENT.fullmatch(rest):
        return factor, True, ""
    unit = unit_of(rest) if rest else ""
    return None if unit is None else (factor, False, unit or money)


def _multiplier(rest: str) -> tuple[int | Fraction, str]:
    head, _, others = rest.partition(" ")
    factor = MULTIPLIERS.get(head.lower())
    return (factor, others.strip()) if factor else (1, rest)


def _word_number(text: str) -> Quantity | None:
    """`twelve`, `twenty-one`, `minus five`, `one half`, `two thirds`."""
    if len(text) > MAX_WORDS_LENGTH or not text[:1].isalpha():
        return None
    first, *others = words = text.lower().replace("-", " ").split()
    if first in ("minus", "negative"):
        number = _word_number(" ".join(others))
        return number._replace(value=-number.value) if number and number.value >= 0 else None
    value = _in_parts(words[:-1], words[-1]) if words[-1] in PARTS else _counted(words)
    return None if value is None else Quantity(value)


def _in_parts(words: list[str], part: str) -> Fraction | None:
    """`half`, `a quarter`, `two thirds`, `two and a half`; no ordinal: `twenty-third`."""
    share = Fraction(1, PARTS[part])
    if words in (["a"], ["an"]) or (not words and part == "half"):
        return share
    if words[-2:] in (["and", "a"], ["and", "one"]):
        whole = _counted(words[:-2])
        return None if whole is None or part.endswith("s") else whole + share
    number = _counted(words)
    return number * share if number is not None and (number > 1) == part.endswith("s") else None


def _counted(words: list[str]) -> int | None:
    """A whole number in words: `seven`, `twenty one`, `a hundred`, `two thousand three hundred and five`."""
    scale = next((scale for scale in SCALES if scale in words), None)
    if scale is not None:
        before, after = words[: words.index(scale)], words[words.index(scale) + 1 :]
        many = 1 if before == ["a"] else _counted(before) or 0
        few = _counted(after[after[0] == "and" :]) or SCALES[scale] if after else 0
        return many * SCALES[scale] + few if 0 < many < 1000 and few < SCALES[scale] else None
    values = [WORD_NUMBERS[word] for word in words if word in WORD_NUMBERS]
    if len(values) != len(words) or not 0 < len(values) < 3:
        return None
    tens, ones = [*values, 0][:2]
    return tens + ones if len(values) == 1 or (tens >= 20 and 0 < ones < 10) else None
