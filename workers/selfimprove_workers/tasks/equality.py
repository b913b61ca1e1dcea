"""Whether an answer equals the gold: exact and typed where both can be read, by computer algebra where they can't.

The order is cost: the same text; two quantities; two lists of quantities; words; then math-verify in a judge process.
Everything before the last is exact and, but for sums, symmetric. Rules that are choices:

- 5 is not 5%; 5% is 0.05. Where the question asks for a percentage, 5 and 5% are the same answer.
- A number without a unit equals one with any unit; two different known units (cm and m, am and pm) never match, nor do
  units over units that differ in a part (km/h and m/s). A number's base counts as its unit: 10_2 is not 10_3.
- A decimal of at least six places equals what rounds to it (0.333333 and 1/3), else numbers are equal or not.
- (1, 2) is ordered and is not [1, 2]; {1, 2} is a set; in a bare `1, 2, 2` the order does not count, but how often each
  stands there does. A bare list also matches a set that has the same numbers, and (1, 2) in order. Values of different
  names, as in `x = 1, y = 2`, are told by their names where both sides have them.
- An answer of more than 2,000 characters is wrong: no final answer is that long.
- Digits apart (`5 5`) and signs in a row (`--5`) are no number: they equal only the same text.
- Nothing but letters is a name: `BA` is not `AB`, `E` is not `e`. A word may begin with a capital or not, and one of
  three letters or more may be written in any case. Only what is surely a product has no order (`products`).
- Words that the gold has not make an answer a sentence, which computer algebra is not asked about: it would multiply
  their letters.
- In a sum or an equation `1/2x` may be a half of x as well as one over 2x, whichever equals the other side; by itself
  it is the latter.
- A sum, a difference or a product that is not worked out (`55 + 73`) equals no gold that is a number: the question may
  be that sum. It is Wrong and not NoAnswer, for it is what was answered. A fraction (`84/2`) is a number.
- Of an equation chain in an answer (`x = 3 + 4 = 7`) the last side counts, or the last number before such a sum
  (`7 = 3 + 4`), unless the gold is an equation itself; what stands before a last "approximately" counts as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from functools import lru_cache

from selfimprove_workers.tasks import sums
from selfimprove_workers.tasks.base import Verdict
from selfimprove_workers.tasks.judging import bench
from selfimprove_workers.tasks.latex import judgeable, misread, to_latex, with_coefficients
from selfimprove_workers.tasks.lists import Items, read_items
from selfimprove_workers.tasks.numbers import Quantity, read_quantity, spelled
from selfimprove_workers.tasks.phrases import FORMULA_WORDS, MEASURES, is_prose
from selfimprove_workers.tasks.products import same_product
from selfimprove_workers.tasks.solutions import unnamed
from selfimprove_workers.tasks.spelling import normal_form
from selfimprove_workers.tasks.symbols import words_of
from selfimprove_workers.tasks.text import MAX_LENGTH, clean
from selfimprove_workers.tasks.units import units_differ

ROUNDED_FROM = 6
"""Decimal places from which a decimal may stand for what rounds to it."""
WORDS = re.compile(
    r"(?=.*[A-Za-z]{3})(?!.*\b(?:sin|cos|tan|log|exp|sqrt|inf|infinity)\b)[A-Za-z]+(?:[-'., ]\s?[A-Za-z]+)*\.?"
)
SAID_TWICE = re.compile(
    r"(?P<one>[^\s,()]{1,30})(?:,? or (?P<other>[^\s,()]{1,30})| \((?:or )?(?P<aside>[^\s,()]{1,30})\))"
)
"""`3/2, or 1.5`, `1/4 (0.25)`: one number in two forms."""
ARTICLE = re.compile(r"(?:an?|the) (?=\w{3})", re.IGNORECASE)
CLOCK = re.compile(r"(\d{1,2}(?::\d\d)?)\s?([ap])\.?\s?m\b\.?", re.IGNORECASE)
EQUALS = re.compile(r"(?<![<>!:=\\])=(?!=)|\\approx(?![a-z])")
MIXED = re.compile(r"(\d{1,9}) and ([1-9]\d{0,3}/[1-9]\d{0,3})", re.ASCII)
"""`2 and 1/2`, which is 2.5 where one number is asked for, and two numbers else."""
SPACE = re.compile(r"(?<![\d.]) +| +(?![\d.])")
"""Between two digits a space is no mere spacing: `5 5` is not 55."""
NAME = re.compile(r"[A-Za-z]+")
NAMED_BY_CASE = re.compile(r"[A-Za-z][A-Z]")
"""Points and segments, whose case says which: `AB`, unlike `No`."""
LATEX_COMMAND = re.compile(r"\\[A-Za-z]+")


class Kind(Enum):
    """What a text is, as far as comparing goes."""

    QUANTITY = "quantity"
    ITEMS = "items"
    WORDS = "words"
    MATH = "math"


@dataclass(frozen=True)
class Reading:
    """A text and what it was read as."""

    text: str
    kind: Kind
    quantity: Quantity | None = None
    items: Items | None = None
    is_equation: bool = False


@lru_cache(maxsize=65536)
def read(text: str) -> Reading:
    """What a text is, cleaned of markup."""
    cleaned = clean(text)
    clock = CLOCK.fullmatch(cleaned)
    if clock is not None:
        cleaned = f"{clock[1].removesuffix(':00')} {clock[2].lower()}m"
        if ":" in cleaned:
            return Reading(cleaned, Kind.WORDS)
    quantity = read_quantity(cleaned)
    if quantity is not None:
        return Reading(cleaned, Kind.QUANTITY, quantity=quantity)
    if WORDS.fullmatch(cleaned):
        return Reading(cleaned, Kind.WORDS)
    twice = SAID_TWICE.fullmatch(cleaned)
    if twice is not None:
        one, other = read_quantity(twice["one"]), read_quantity(twice["other"] or twice["aside"])
        if one is not None and other is not None and one.exact == other.exact:
            return Reading(twice["one"], Kind.QUANTITY, quantity=one)
    items = read_items(cleaned)
    if items is not None:
        return Reading(cleaned, Kind.ITEMS, items=items)
    cleaned = unnamed(cleaned)
    return Reading(cleaned, Kind.MATH, is_equation=bool(EQUALS.search(cleaned)))


def compare(gold: Reading, answer: str, percent_asked: bool = False) -> Verdict:
    """Correct, Wrong, GoldUnparsable or Timeout. Never raises, whatever the answer is."""
    if answer == gold.text:
        return Verdict.CORRECT
    if len(answer) > MAX_LENGTH:
        return Verdict.WRONG
    found = read(answer)
    if not gold.is_equation:
        exact = _before_approx(found)
        if exact is not None and compare(gold, exact, percent_asked) is Verdict.CORRECT:
            return Verdict.CORRECT
        found = side_that_counts(found)
    found = found if gold.quantity is None else _as_mixed(found)
    if gold.quantity is not None and found.quantity is not None:
        return Verdict.CORRECT if same_quantity(gold.quantity, found.quantity, percent_asked) else Verdict.WRONG
    if squeezed(gold.text) == squeezed(found.text):
        return Verdict.CORRECT
    if gold.kind is found.kind is Kind.WORDS and _without_article(gold.text) == _without_article(found.text):
        return Verdict.CORRECT
    if _is_name(gold) and _is_name(found):
        same = same_product(SPACE.sub("", gold.text), SPACE.sub("", found.text))
        return Verdict.CORRECT if same else Verdict.WRONG
    plain = _compare_plain(gold, found)
    if plain is not None:
        return Verdict.CORRECT if plain else Verdict.WRONG
    return _compare_formulas(gold.text, found.text, percent_asked)


def readable(gold: Reading) -> bool:
    """Whether a gold answer can be compared with at all."""
    if gold.kind is not Kind.MATH:
        return True
    latex = to_latex(gold.text)
    return bool(latex) and _judged(latex, latex) in (Verdict.CORRECT, Verdict.WRONG)


@lru_cache(maxsize=65536)
def canonical(answer: str) -> str:
    """One spelling for answers that are plainly the same (`$72.00`, `72`), to be counted and shown."""
    found = side_that_counts(read(answer[:MAX_LENGTH]))
    if found.quantity is not None:
        return spelled(found.quantity)
    if found.items is not None:
        values = [spelled(value) for value in found.items.values]
        inner = ", ".join(values if found.items.is_ordered else sorted(set(values) if found.items.brackets else values))
        return f"{found.items.brackets[:1]}{inner}{found.items.brackets[1:]}"
    return found.text.casefold() if found.kind is Kind.WORDS else squeezed(normal_form(found.text))


def side_that_counts(found: Reading) -> Reading:
    """The last side of an equation chain, or the last number before an unevaluated sum; anything else as it is."""
    if not found.is_equation:
        return found
    *others, last = EQUALS.split(found.text)
    side = read(last)
    numbers = (other for other in map(read, reversed(others)) if other.quantity is not None)
    return next(numbers, side) if is_unevaluated(side) else side


def is_unevaluated(found: Reading) -> bool:
    """Whether a text is a sum that is not worked out (`sums`)."""
    return found.kind is Kind.MATH and sums.is_unevaluated(sums.uncounted(found.text))


def comes_to(found: Reading, number: str) -> bool:
    """Whether a text is the number that an unevaluated sum comes to."""
    quantity, value = read(number).quantity, sums.value_of_sum(sums.in_signs(sums.uncounted(found.text)))
    if quantity is None or (value is not None and value == quantity.value):
        return quantity is not None
    return compare(found, spelled(quantity)) is Verdict.CORRECT


def _before_approx(found: Reading) -> str | None:
    """What an answer says that its last side is nearly: 3/56 of `3/56 \\approx 0.05`; None if it says none."""
    exact, approx, _ = found.text.rpartition("\\approx") if found.is_equation else ("", "", "")
    return EQUALS.split(exact)[-1] if approx and exact.strip() else None


def _as_mixed(found: Reading) -> Reading:
    """`2 and 1/2` as the one number that is asked for."""
    mixed = MIXED.fullmatch(found.text) if found.items is not None else None
    return read(f"{mixed[1]} {mixed[2]}") if mixed else found


def squeezed(text: str) -> str:
    """The text without spaces and, where it has no LaTeX commands and is no name, without case; `5 5` stays."""
    text = SPACE.sub("", text)
    return text if LATEX_COMMAND.search(text) or len(text) < 2 or NAMED_BY_CASE.fullmatch(text) else text.casefold()


def _without_article(words: str) -> str:
    return ARTICLE.sub("", words, count=1).casefold() if ARTICLE.match(words) else words.casefold()


def _is_name(found: Reading) -> bool:
    """Whether a text is letters that computer algebra would multiply."""
    letters = squeezed(found.text)
    return NAME.fullmatch(letters) is not None and letters.lower() not in FORMULA_WORDS


def _is_sentence(found: Reading, gold: Reading) -> bool:
    """Whether an answer has words that the gold has not, but for one behind it, which may be what is counted."""
    words = [word for word in words_of(found.text) if word.lower() not in MEASURES and word not in gold.text]
    return len(words) > 1 or (bool(words) and not found.text.endswith(words[0]))


def _compare_plain(gold: Reading, found: Reading) -> bool | None:
    """The verdict where both sides are plain; None where computer algebra has to be asked."""
    if gold.items is not None and found.items is not None:
        return same_items(gold.items, found.items)
    if Kind.WORDS in (gold.kind, found.kind) or (gold.quantity is not None and is_unevaluated(found)):
        return False
    numbers = [side for side in (gold, found) if side.quantity is not None]
    if numbers and any(is_prose(side.text) for side in (gold, found) if side.quantity is None):
        return False  # computer algebra drops some letters after a number as if they were units
    if _is_sentence(found, gold):
        return False
    several = [side.items for side in (gold, found) if side.items is not None and len(side.items.values) > 1]
    return False if several and Kind.QUANTITY in (gold.kind, found.kind) else None


def _compare_formulas(gold: str, answer: str, percent_asked: bool) -> Verdict:
    as_written, meant = (gold, answer), (with_coefficients(gold), with_coefficients(answer))
    if meant != as_written and _judged_formulas(*meant, percent_asked) is Verdict.CORRECT:
        return Verdict.CORRECT
    return _judged_formulas(*as_written, percent_asked)


def _judged_formulas(gold: str, answer: str, percent_asked: bool) -> Verdict:
    return _judged(to_latex(gold, percent_asked), to_latex(answer, percent_asked))


def same_quantity(gold: Quantity, answer: Quantity, percent_asked: bool = False) -> bool:
    """Whether two quantities are the same answer."""
    if units_differ(gold.unit, answer.unit):
        return False
    if percent_asked and gold.percent != answer.percent and _same_value(gold, answer, 1, 1):
        return True
    return _same_value(gold, answer, 100 if gold.percent else 1, 100 if answer.percent else 1)


def _same_value(gold: Quantity, answer: Quantity, gold_over: int, answer_over: int) -> bool:
    if gold_over == answer_over and gold.value == answer.value:
        return True
    if not gold.decimals and not answer.decimals and gold_over == answer_over:
        return False
    one, other = Fraction(gold.value) / gold_over, Fraction(answer.value) / answer_over
    return one == other or _rounds(gold, one, other) or _rounds(answer, other, one)


def _rounds(written: Quantity, value: Fraction, exact: Fraction) -> bool:
    """Whether a long decimal is what another number rounds to."""
    if written.decimals < ROUNDED_FROM or written.significant < 4 or written.percent:
        return False
    return abs(value - exact) <= Fraction(1, 2 * 10**written.decimals)


def same_items(gold: Items, answer: Items) -> bool:
    """Whether two lists of quantities are the same answer."""
    if gold.names and answer.names:
        return _same_by_name(gold, answer)
    ordered = gold.is_ordered or answer.is_ordered
    if gold.brackets != answer.brackets and not _interchangeable(gold.brackets, answer.brackets):
        return False
    if ordered:
        pairs = zip(gold.values, answer.values, strict=False)
        return len(gold.values) == len(answer.values) and all(same_quantity(a, b) for a, b in pairs)
    if not gold.brackets and not answer.brackets:
        return _same_in_any_order(gold.values, answer.values)
    return _covers(gold.values, answer.values) and _covers(answer.values, gold.values)


def _same_by_name(gold: Items, answer: Items) -> bool:
    values = [dict(zip(items.names, items.values, strict=False)) for items in (gold, answer)]
    return values[0].keys() == values[1].keys() and all(same_quantity(values[0][n], values[1][n]) for n in values[0])


def _interchangeable(one: str, other: str) -> bool:
    return "" in (one, other) and (one + other) in ("()", "{}")


def _same_in_any_order(these: tuple[Quantity, ...], those: tuple[Quantity, ...]) -> bool:
    left = list(those)
    for a in these:
        found = next((b for b in left if same_quantity(a, b)), None)
        if found is None:
            return False
        left.remove(found)
    return not left


def _covers(these: tuple[Quantity, ...], those: tuple[Quantity, ...]) -> bool:
    return all(any(same_quantity(a, b) for b in those) for a in these)


@lru_cache(maxsize=65536)
def _judged(gold: str, answer: str) -> Verdict:
    """math-verify's verdict on two texts in LaTeX, from a judge process."""
    if not judgeable(gold):
        return Verdict.GOLD_UNPARSABLE
    if misread(gold) or misread(answer):
        return Verdict.WRONG
    if not judgeable(answer):
        return Verdict.TIMEOUT if answer else Verdict.WRONG
    found = bench("math").ask({"gold": gold, "answer": answer})
    return {
        "equal": Verdict.CORRECT,
        "gold": Verdict.GOLD_UNPARSABLE,
        "timeout": Verdict.TIMEOUT,
    }.get(found, Verdict.WRONG)
