"""What a number in a sentence is only a part of: of `5 feet 6 inches`, `2 or 3` and `12 + 4` no number is the answer.

The whole stands for its part: worked out where it is a calculation (`12 divided by 4` is 3, the chance of `1 in 6` is
1/6), else as it is written, so that it equals no number. As written stands also a sum, unless the number before it is
what it comes to: `128 = 55 + 73`.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from selfimprove_workers.tasks.numbers import DECIMAL, Quantity, plain, read_quantity
from selfimprove_workers.tasks.sums import in_signs, is_unevaluated, uncounted, value_of_sum
from selfimprove_workers.tasks.symbols import MULTIPLIED
from selfimprove_workers.tasks.text import clean
from selfimprove_workers.tasks.units import CANONICAL, are_of_a_kind

REACH = 60
"""How far before a number its whole is looked for, at each step."""
MOST_OPERANDS = 8
MONEY = r"\\?[$€£¥₹]"
PLAIN = rf"(?:{MONEY})?{DECIMAL}(?:/\d{{1,9}})?%?"
OPERANDS = re.compile(
    rf"(?<![\w.,√^])(?:(?P<number>{PLAIN})(?P<counted>(?:\s[A-Za-z]{{2,15}}){{1,2}}(?=\s[+×*÷x]\s))?"
    r"|\d{0,9}[b-hj-zB-HJ-Z](?:\^\d|[²³])?|\([^()\n]{1,30}\))"
    r"(?P<sign>[^\S\n][-−+*/×÷·x][^\S\n]|[+*/×÷·]|(?<=\d)[-−x]|[^\S\n]?\\(?:times|cdot|div)[^\S\n]?"
    rf"|[^\S\n](?:plus|minus|times|(?:multiplied|divided)[^\S\n]by)[^\S\n])(?:{MONEY})?\Z"
)
"""Up to a number: what it is added to, taken from, multiplied with."""
STATED = re.compile(rf"(?<![\w.,^/)])(?P<minus>[-−](?:{MONEY})?)?(?P<number>{DECIMAL})(?!\d|\s?/)", re.ASCII)
UNFINISHED = re.compile(r"[^\S\n]*=[^\S\n]*(?:\?|_+|\.\.+|…)?[^\S\n]*(?:\n|\Z)")
FREE = re.compile(r"(?:\A|(?<![-−+*/×÷·^])[\s=(:,$])\Z")
"""Where a calculation may begin."""
ADDED = re.compile(r"\S\s[+×÷]\s\Z")
"""Up to a number that stands after an operator, whatever is before that."""
BEFORE = re.compile(
    r"(?:(?P<half>\bhalf\s(?:of\s)?(?:the\s)?)|(?P<twice>\b(?:twice|double|doubled)\s)|(?P<thrice>\b(?:thrice|triple)\s)"
    r"|(?P<root>\b(?:the\s)?square\sroot\sof\s)|(?P<either>(?:±|\\pm|\+/-|\+-|\bplus\sor\sminus\b)\s?)"
    r"|(?P<other>\b(?:cube\sroot\sof|(?:more|greater|larger|bigger|higher|less|fewer|smaller|lower)\sthan"
    rf"|{PLAIN}\sof|[a-zA-Z]\()\s?(?:the\s)?))(?:{MONEY})?\Z",
    re.IGNORECASE,
)
TIMES = {"half": "1/2 * ", "twice": "2 * ", "thrice": "3 * ", "root": "\\sqrt ", "either": "\\pm "}
JOINED = re.compile(
    rf"(?<![\w.,/])(?P<one>{PLAIN})\$?(?:(?P<list>[*_]{{0,2}},?\s(?:and|or)\s[*_]{{0,2}}\$?(?:[A-Za-z]\s?=\s?)?[-−]?)|(?P<ratio>\sto\s|:|\s:\s)"
    rf"|(?P<apart>\s(?:less|fewer|more)\sthan\s)|(?P<among>\s(?:in|out\sof)\s(?:every\s)?)|\stimes\s(?:as\s[a-z]{{1,12}}\sas|(?:more|larger|greater|bigger)\sthan)\s|\s(?:remainder|rem\.?|[Rr])\s)(?:{MONEY})?\Z"
)
SOLVED, UNSOLVED = re.compile(r"[A-Za-z]\s?=\s?[-−]?\Z"), re.compile(r"(?:\d[A-Za-z]|[)+-]\s?\d{1,9})\s?=\s?\$?\Z")
"""Of `2x = 6 and x = 3`, which is one solution and no two."""
NOUN = re.compile(r"\$?[*_]{0,2}\s(?P<noun>[A-Za-z]{2,20})")
COUNTED_ALL = frozenset(
    ["chance", "chances", "odds", "probability", "cases", "people", "students", "children", "adults"]
)
"""What may be all of which `3 in 20` are a part."""
MOVED = re.compile(r"\b(?:from|round\w*)\s(?:\w+\s)?\Z", re.IGNORECASE)
"""`from 3 to 4` ends at 4, and `round 12.5 to 13` gives 13."""
FIRST_UNIT = re.compile(rf"(?<![\w.,/]){DECIMAL}\s?(?P<unit>[A-Za-z]{{1,11}}|')\.?,?\s?(?:and\s)?\Z")
SECOND_UNIT = re.compile(r"\s?(?P<unit>[A-Za-z]{1,11}|\")(?![A-Za-z])")
MARKS = {"'": "ft", '"': "inch"}
AFTER = re.compile(r"\s(?:squared|cubed)\b(?!\s[a-z])|\s(?:more|less|fewer|greater)\sthan\s\$?[b-hj-zB-HJ-Z](?![\w'’])")
OTHERWISE = re.compile(r"(?:\s\w{1,20}){0,2},?\s(?:otherwise|or\selse)\b")
DENIED = re.compile(r"\b(?:not|rather\sthan|instead\sof|unlike|as\sopposed\sto)\s\$?\Z", re.IGNORECASE)
"""Up to a number that is just not the answer: `42, not 43`."""
UNSURE = frozenset(
    [*"+*/×÷·x:−–±", "+/-", "+-", "plus", "minus", "times", "by", "of", "half", "twice", "double", "doubled", "thrice"]
    + ["triple", "sqrt", "the", "than", "and", "or", "to", "in", "every"]
    + ["remainder", "rem", "r", "not", "unlike", "as", "<", ">", "<=", ">=", "!="]
    + [word.lower() for word in CANONICAL]
)  # fmt: skip
"""What stands before a number, without the marks around it, that may make it a part of a whole."""


class Whole(NamedTuple):
    """What a number is a part of: where that begins, and how it is compared."""

    begin: int
    text: str


def whole_of(text: str, number: re.Match[str], factors: str = "") -> Whole | None:
    """The whole that a number of a text is a part of; None where it stands for itself. `factors` multiply it."""
    place = _digits_of(number)
    said = text[place : number.end()].strip().rstrip(".") + factors
    return (
        _calculation(text, place, number, said)
        or _joined(text, place, said, number.end())
        or _changed(text, place, said)
        or _in_two_units(text, place, number)
        or _followed(text, place, number)
    )


def may_be_a_part(before: str, after: str) -> bool:
    """Whether a number between two texts may be a part of a whole: quick, and sure where it says no."""
    word = before.rsplit(None, 1)[-1].strip(",.()$").lower() if before.strip() else ""
    if word in UNSURE or word[-1:] in "+*/×÷·±'" or (word == "=" and re.search(r"\b(?:and|or)\s", before)):
        return True
    if "squared" in after or "cubed" in after or "otherwise" in after or "else" in after or after.strip() == "=":
        return True
    return MULTIPLIED.match(after) is not None


def is_denied(text: str, number: re.Match[str]) -> bool:
    """Whether a text says of a number that it is not the answer."""
    return DENIED.search(text, max(0, number.start() - REACH), number.start()) is not None


def _digits_of(number: re.Match[str]) -> int:
    """Where a number begins without its sign, which may be an operator."""
    found = re.search(r"[^-−–\s+]", re.sub(r"(?i)minus|negative", lambda word: " " * len(word[0]), number[0]))
    return number.start() + (found.start() if found else 0)


def _calculation(text: str, place: int, number: re.Match[str], said: str) -> Whole | None:
    begin = place
    for _ in range(MOST_OPERANDS):
        operand = OPERANDS.search(text, max(0, begin - REACH), begin)
        if operand is None:
            break
        begin = operand.start()
    if begin == place:
        return Whole(place, f"part of {said}") if ADDED.search(text, max(0, place - REACH), place) else None
    written = text[begin:place] + said
    if UNFINISHED.match(text, number.end()):
        return Whole(begin, f"{written} =")
    changed = BEFORE.search(text, max(0, begin - REACH), begin)
    if changed or not FREE.search(text, max(0, begin - 2), begin):
        return Whole(begin, f"part of {written}")
    value = _worked_out(written)
    is_sum = is_unevaluated(uncounted(written))
    return Whole(begin, written if is_sum and not _is_stated(value, text, begin) else value)


def _is_stated(value: str, text: str, begin: int) -> bool:
    """Whether the number before a place is a value: `128 = 55 + 73`, `128, since 55 + 73`."""
    *_, last = [None, *STATED.finditer(text, max(0, begin - REACH), begin)]
    if last is None:
        return False
    number = Fraction(plain(last["number"]))
    return value == str(-number if last["minus"] else number)


def _worked_out(written: str) -> str:
    value = value_of_sum(in_signs(uncounted(written)))
    return written if value is None else str(value)


def _changed(text: str, place: int, said: str) -> Whole | None:
    """`half of 5`, `twice 5`, `±5`, `more than 5`."""
    found = BEFORE.search(text, max(0, place - REACH), place)
    if found is None:
        return None
    factor = TIMES.get(found.lastgroup or "")
    if factor is None:
        return Whole(found.start(), f"{found[0]}{said}")
    number = said.lstrip("$€£¥₹\\")
    is_factor = factor.endswith("* ")
    return Whole(found.start(), _worked_out(factor + number) if is_factor else f"{factor.strip()}{{{number}}}")


def _joined(text: str, place: int, said: str, end: int) -> Whole | None:
    """`2 and x = 3`, `3 to 4`, `1 in 6`, `5 less than 10`, `5 remainder 3`."""
    found = JOINED.search(text, max(0, place - REACH), place)
    if found is None:
        return None
    one, other = read_quantity(clean(found["one"])), read_quantity(clean(said))
    if found["ratio"]:
        is_moved = MOVED.search(text, max(0, found.start() - REACH), found.start())
        return None if is_moved and found["ratio"] == " to " else Whole(found.start(), f"{found['one']}:{said}")
    if found["apart"]:
        sign = "+" if "more" in found["apart"] else "-"
        return Whole(found.start(), _worked_out(f"{said} {sign} {found['one']}"))
    if found["among"]:
        is_share = found["among"].startswith(" out") or _is_share(found, said, text[end : end + REACH])
        return Whole(found.start(), f"{found['one']}/{said}") if is_share else None
    if (
        found["list"]
        and SOLVED.search(found["list"])
        and UNSOLVED.search(text, max(0, found.start() - REACH), found.start())
    ):
        return None
    is_sum = OPERANDS.search(text, max(0, found.start() - REACH), found.start())  # "$5 + $3, or $8"
    if found["list"] and one and other and (is_sum or _restates(one, other)):
        return None
    return Whole(found.start(), text[found.start() : place] + said)


def _is_share(found: re.Match[str], many: str, after: str) -> bool:
    """Whether `1 in 6` is a chance or a part of all, as `30 in 5 years` and `$300 in 6 weeks` are not."""
    one = found["one"]
    if not (one.isdigit() and many.isdigit()) or int(one) > int(many):
        return False
    noun = NOUN.match(after)
    if noun is None or "every" in found["among"] or noun["noun"].lower() in COUNTED_ALL:
        return True
    return one == "1" and noun["noun"].lower() not in CANONICAL


def _restates(one: Quantity, other: Quantity) -> bool:
    """Whether two numbers are the same one, the second in another form or rounded: `12.5 or 13`."""
    if one.exact == other.exact:
        return True
    is_rounded = one.exact.denominator > 1 and (other.decimals > 0 or other.exact.denominator == 1)
    return is_rounded and abs(one.exact - other.exact) < 1 / 10**other.decimals


def _in_two_units(text: str, place: int, number: re.Match[str]) -> Whole | None:
    first = FIRST_UNIT.search(text, max(0, place - REACH), place)
    second = SECOND_UNIT.match(text, number.end()) if first else None
    if first is None or second is None:
        return None
    one, other = (CANONICAL.get(MARKS.get(unit, unit).lower(), "") for unit in (first["unit"], second["unit"]))
    return Whole(first.start(), text[first.start() : second.end()]) if are_of_a_kind(one, other) else None


def _followed(text: str, place: int, number: re.Match[str]) -> Whole | None:
    """`5 squared`, `5 - x`; the case of two that `43 otherwise` is."""
    after = AFTER.match(text, number.end()) or MULTIPLIED.match(text, number.end())
    if after:
        return Whole(place, text[place : after.end()])
    if OTHERWISE.match(text, number.end()):
        begin = max(text.rfind("\n", 0, place) + 1, place - 2 * REACH)
        return Whole(begin, f"{text[begin : number.end()]} otherwise")
    return None
