"""The words that may follow a number. Dropped when only one side has them; different known ones make answers differ."""

from __future__ import annotations

import re

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
    "mph": "",
    "kmh": "km/h kph",
    "gallon": "gallons gal",
    "am": "a.m a.m.",
    "pm": "p.m p.m.",
}
CANONICAL = {word: unit for unit, words in KNOWN.items() for word in (unit, *words.split())}
MULTIPLIERS = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12}
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

SHAPE = re.compile(
    r"(?:/\s*(?=[A-Za-z]{3}))?(?P<words>[A-Za-z°¢$€£¥₹][A-Za-z°¢./\- ]*)(?:\s*\^\s*\{?\s*(?P<power>[23])\s*\}?)?"
)
NO_UNIT = re.compile(
    r"\b(?:and|or|to|plus|minus|times|over|divided|by|not|but|is|are|than|remainder|mod|r)\b", re.IGNORECASE
)
"""Words that make a text more than a number and its unit: `5 or 6`, `3 to 4`, `5 remainder 2`."""
MAX_WORDS = 6


def unit_of(text: str) -> str | None:
    """What follows a number, as a unit: `sq cm` and `cm^2` give `cm^2`; unknown words stand for themselves.

    None when it is no unit: a lone letter that may be a variable, or words that add something to the number.
    """
    match = SHAPE.fullmatch(text)
    if match is None:
        return None
    words = match["words"].strip(" .").replace("squared", "square").split()
    power = match["power"] or ""
    powers = {"square": "2", "sq": "2", "sq.": "2", "cubic": "3", "cu": "3"}
    for word in words:
        power = powers.get(word.lower(), power)
    words = [word for word in words if word.lower() not in powers]
    if len(words) > MAX_WORDS or NO_UNIT.search(text):
        return None
    name = _name(words)
    return None if name is None else f"{name}^{power}" if power else name


def _name(words: list[str]) -> str | None:
    if not words:
        return "unit"
    head = CANONICAL.get(words[0]) or CANONICAL.get(words[0].lower())
    if head and len(words) == 1:
        return head
    return None if len(words[0]) == 1 and words[0].isalpha() and not head else " ".join(words).lower()


def units_differ(one: str, other: str) -> bool:
    """Whether two units are known and not the same; an unknown word or none at all never speaks against an answer."""
    first, second = one.partition("^")[0], other.partition("^")[0]
    return first in KNOWN and second in KNOWN and one != other
