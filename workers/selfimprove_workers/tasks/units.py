"""The words that may follow a number. Dropped when only one side has them; different known ones make answers differ."""

from __future__ import annotations

import re
from fractions import Fraction

KNOWN = {
    "mm": "millimeter millimetre millimeters millimetres",
    "cm": "centimeter centimetre centimeters centimetres",
    "km": "kilometer kilometre kilometers kilometres",
    "m": "meter metre meters metres",
    "inch": "inches in",
    "ft": "foot feet",
    "yard": "yards yd yds",
    "mile": "miles mi",
    "mg": "milligram milligrams",
    "kg": "kilogram kilograms kgs",
    "g": "gram grams",
    "pound": "pounds lb lbs £ gbp",
    "ounce": "ounces oz",
    "ml": "milliliter millilitre milliliters millilitres mL",
    "l": "liter litre liters litres L",
    "second": "seconds sec secs s",
    "minute": "minutes min mins",
    "hour": "hours hr hrs h",
    "day": "days",
    "week": "weeks",
    "month": "months",
    "year": "years yr yrs",
    "dollar": "dollars $ usd bucks",
    "cent": "cents ¢",
    "euro": "euros € eur",
    "rupee": "rupees ₹ rs rs.",
    "yen": "¥ jpy",
    "degree": "degrees deg °",
    "gallon": "gallons gal",
    "am": "a.m a.m.",
    "pm": "p.m p.m.",
}
CANONICAL = {word: unit for unit, words in KNOWN.items() for word in (unit, *words.split())}
KINDS = [
    {"mm", "cm", "m", "km"},
    {"inch", "ft", "yard", "mile"},
    {"mg", "g", "kg"},
    {"ounce", "pound"},
    {"ml", "l"},
    {"second", "minute", "hour", "day", "week", "month", "year"},
    {"dollar", "cent"},
    {"euro", "cent"},
]
"""Units that a length, a weight or a time may be given in together: `5 feet 6 inches`."""
SIZES = {
    "mm": 1, "cm": 10, "m": 1000, "km": 10**6, "inch": 1, "ft": 12, "yard": 36, "mile": 63_360,
    "mg": 1, "g": 1000, "kg": 10**6, "ounce": 1, "pound": 16, "ml": 1, "l": 1000, "cent": 1, "dollar": 100, "euro": 100,
    "second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800,
}  # fmt: skip
"""What a unit comes to in the smallest of its kind; a month and a year come to no certain number of days."""
CANONICAL |= {"mph": "mile/hour", "kph": "km/hour", "kmh": "km/hour", "kmph": "km/hour"}
MULTIPLIERS: dict[str, int | Fraction] = {
    "hundred": 100,
    "thousand": 1000,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
}
ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
]
ONES += ["seventeen", "eighteen", "nineteen"]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
WORD_NUMBERS = {word: n for n, word in enumerate(ONES)} | {word: 10 * n for n, word in enumerate(TENS, 2)}
PARTS = {"half": 2, "halves": 2, "quarter": 4, "quarters": 4}
PARTS |= {
    f"{part}{plural}": n
    for part, n in {
        "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
        "tenth": 10, "hundredth": 100, "thousandth": 1000,
    }.items()
    for plural in ("", "s")
}  # fmt: skip
MULTIPLIERS |= {word: Fraction(1, n) for word, n in PARTS.items() if word.endswith("s") and word != "quarters"}
"""Quarters may be coins; a fifth may be the one after the fourth."""

SHAPE = re.compile(r"(?P<words>[A-Za-z°¢$€£¥₹][A-Za-z°¢.\- ]*)(?:\s*\^\s*\{?\s*(?P<power>[23])\s*\}?)?")
PER = re.compile(r"\s*/\s*|\s*\bper\s+", re.IGNORECASE)
PER_LETTER = re.compile(r"\s*/\s*[A-Za-z]{1,2}(?![A-Za-z])")
"""`5/m` may be five over m."""
BASE = re.compile(r"(?:_\s*\{?\s*(?:base )?|\(?(?:in )?base )\s*(\d{1,3}|[a-z]{3,9})\s*\}?\)?")
r"""A number's base counts as its unit: `1010_2`, `1010_{\text{two}}`, `1010 in base 2`."""
NO_UNIT = re.compile(
    r"\b(?:and|or|to|plus|minus|times|over|divided|by|not|but|is|are|than|remainder|mod|r)\b", re.IGNORECASE
)
"""Words that make a text more than a number and its unit: `5 or 6`, `3 to 4`, `5 remainder 2`."""
MAX_WORDS = 6
VARIABLES = re.compile(r"[A-Za-z]{1,2}|[abcxyz]{3,4}|[b-df-hj-np-rtv-z]{3,4}")
"""What after a number is a product of variables, unless it is a known unit."""
FUNCTIONS = frozenset(["sin", "cos", "tan", "log", "ln", "exp", "sqrt", "pi", "gcd", "lcm", "mod"])
BESIDE_NUMBER = frozenset(["unit", "units", "percent", "st", "nd", "rd", "th", "people", "children", "men", "women"])
PLURAL = re.compile(r"(?!.*(?:sin|cos|tan|log|ln|exp|sqrt|pi))(?=.*[aeiou])[a-z]{3,19}s")
"""A word of four letters or more for what is counted; products (`2xy`, `3abc`) hardly look like one."""


def unit_of(text: str) -> str | None:
    """What follows a number, as a unit: `sq cm` and `cm^2` give `cm^2`, `miles per hour` and `mph` `mile/hour`.

    Unknown words stand for themselves. None when it is no unit: a lone letter that may be a variable, or words that add
    something to the number.
    """
    base = BASE.fullmatch(text)
    if base is not None:
        number = WORD_NUMBERS.get(base[1], base[1])
        return f"base {number}" if str(number).isdigit() else None
    if NO_UNIT.search(text) or PER_LETTER.match(text):
        return None
    first, *others = PER.split(text)
    names = [_single(first) if first or not others else "", *map(_single, others)]
    return None if None in names else "/".join(name for name in names if name is not None)


def _single(text: str) -> str | None:
    """A unit that is over no other."""
    match = SHAPE.fullmatch(text)
    if match is None:
        return None
    words = match["words"].strip(" .").replace("squared", "square").split()
    power = match["power"] or ""
    powers = {"square": "2", "sq": "2", "sq.": "2", "cubic": "3", "cu": "3"}
    for word in words:
        power = powers.get(word.lower(), power)
    words = [word for word in words if word.lower() not in powers]
    if len(words) > MAX_WORDS or not (WORD_NUMBERS.keys() | FUNCTIONS).isdisjoint(words):
        return None
    name = _name(words)
    if name is None or (power and name not in KNOWN and name != "unit"):  # uv^2 is a product
        return None
    return f"{name}^{power}" if power else name


def _name(words: list[str]) -> str | None:
    if not words:
        return "unit"
    head = CANONICAL.get(words[0]) or CANONICAL.get(words[0].lower())
    if head and len(words) == 1:
        return head
    return None if VARIABLES.fullmatch(words[0]) and not is_unit_word(words[0].lower()) else " ".join(words).lower()


def is_unit_word(word: str) -> bool:
    """Whether a word is known to follow a number, so that it may stand right beside it: `5cm`, `3rd`, `72clips`."""
    return word in CANONICAL or word in MULTIPLIERS or word in BESIDE_NUMBER or PLURAL.fullmatch(word) is not None


def units_differ(one: str, other: str) -> bool:
    """Whether two units are known and not the same, part by part where they are of the kind `km/hour`.

    An unknown word or none at all never speaks against an answer.
    """
    ones, others = one.split("/"), other.split("/")
    if len(ones) != len(others):
        return all(map(_is_known, ones + others))
    return any(a != b and _is_known(a) and _is_known(b) for a, b in zip(ones, others, strict=True))


def are_of_a_kind(one: str, other: str) -> bool:
    """Whether two units are different and measure the same."""
    return one != other and any({one, other} <= kind for kind in KINDS)


def _is_known(part: str) -> bool:
    return part.partition("^")[0] in KNOWN or part.startswith("base ")
