"""Quantities are read exactly or not at all."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove_workers.tasks.lists import read_items
from selfimprove_workers.tasks.numbers import read_quantity, spelled
from selfimprove_workers.tasks.text import clean, closing_at


def value(text: str) -> Fraction | None:
    quantity = read_quantity(clean(text))
    return None if quantity is None else Fraction(quantity.value)


@pytest.mark.parametrize(
    "text",
    ["", "x", "5x", "5 x", "5m", "3x+2", "1,2", "1,23,456", "1/0", r"\frac{1}{0}", "9^9999", "9^{9^9}", "12:30", "5!",
    "0x10",
     "1.2.3", "--5", "minus -5", "minus minus five",
     "5 or 6", "5 and 6", "3 to 4", "5 remainder 2", "5 hours and 30 minutes", "2 + 3", "1" * 2001,
     "Monday",
     "5 x/y", "5/m", "5m/n", "5_n", "5_{abc}",
     "twenty-twenty", "twenty-third", "one thirds", "ten-one", "hundred", "two hundred hundred",
     "one thousand two thousand",
     "one hundred zero", "zero hundred", "third", "and a half", "one and a halves", "two and a half and a half"],
)  # fmt: skip
def test_what_is_not_plainly_a_quantity_is_none(text: str) -> None:
    assert value(text) is None


@pytest.mark.parametrize(
    ("text", "percent", "unit"),
    [
        ("5%", True, ""),
        ("5 percent increase", True, ""),
        ("5 cm", False, "cm"),
        ("5 centimeters", False, "cm"),
        ("5 square cm", False, "cm^2"),
        ("5 cm^2", False, "cm^2"),
        ("5 cubic feet", False, "ft^3"),
        ("$5", False, "dollar"),
        ("5 dollars", False, "dollar"),
        ("5 apples", False, "apples"),
        ("5 m", False, "m"),
        ("5/day", False, "/day"),
        ("5 per day", False, "/day"),
        ("5 clips per day", False, "clips/day"),
        ("5 miles per hour", False, "mile/hour"),
        ("5 mph", False, "mile/hour"),
        ("5 km/h", False, "km/hour"),
        ("5 kph", False, "km/hour"),
        ("5 m/s^2", False, "m/second^2"),
        (r"5\text{ g}/\text{cm}^3", False, "g/cm^3"),
        ("5_3", False, "base 3"),
        (r"5_{\text{three}}", False, "base 3"),
        ("5 in base 3", False, "base 3"),
        ("30°", False, "degree"),
    ],
)
def test_percent_signs_and_units_are_kept_apart_from_the_number(text: str, percent: bool, unit: str) -> None:
    quantity = read_quantity(clean(text))
    assert quantity is not None
    assert (quantity.percent, quantity.unit) == (percent, unit)
    assert quantity.value in (5, 30)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("minus 5", -5),
        ("negative twelve", -12),
        ("one half", Fraction(1, 2)),
        ("two-thirds", Fraction(2, 3)),
        ("three quarters", Fraction(3, 4)),
        ("half", Fraction(1, 2)),
        ("a quarter", Fraction(1, 4)),
        ("two and a half", Fraction(5, 2)),
        ("2 and a half", Fraction(5, 2)),
        ("2 and a quarter hours", Fraction(9, 4)),
        ("a hundred", 100),
        ("five-hundred", 500),
        ("one hundred and twenty-five", 125),
        ("two thousand three hundred and five", 2305),
        ("three million two hundred thousand", 3_200_000),
        (r"0.\dot3", Fraction(1, 3)),
        (r"0.1\overline 6", Fraction(1, 6)),
        (r"\color{red}{5}", 5),
        (r"{\color{blue} \frac{1}{2}}", Fraction(1, 2)),
        ("2^{1000}", 2**1000),
        ("7" * 2000, int("7" * 2000)),
    ],
)
def test_a_number_may_be_spelled_in_other_ways(text: str, expected: Fraction) -> None:
    assert value(text) == expected


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9))
def test_a_decimal_is_read_as_exactly_what_it_is(number: Decimal) -> None:
    assert value(f"{number:f}") == Fraction(number)
    assert value(f"{number:,f}") == Fraction(number)


@given(st.fractions(max_denominator=10**6))
def test_spelling_and_reading_are_inverse(number: Fraction) -> None:
    quantity = read_quantity(str(number))
    assert quantity is not None
    assert value(spelled(quantity)) == number


@given(st.integers(0, 500), st.integers(1, 99), st.integers(1, 99))
def test_mixed_fractions_add_up(whole: int, above: int, below: int) -> None:
    expected = whole + Fraction(above, below)
    assert value(rf"{whole}\frac{{{above}}}{{{below}}}") == expected
    assert value(f"{whole} {above}/{below}") == expected


@given(st.text(max_size=80))
def test_cleaning_never_raises_and_settles(text: str) -> None:
    once = clean(text)
    assert clean(clean(once)) == clean(once)


@pytest.mark.parametrize(
    ("text", "brackets", "count"),
    [
        ("(1, -2)", "()", 2),
        ("[0, 1/2)", "[)", 2),
        (r"\{1,2,3\}", "{}", 3),
        ("1, 2 and 3", "", 3),
        ("1,234, 5", "", 2),
        ("x=1, y=2", "", 2),
        ("(1,234)", "()", 2),
        ("[7]", "[]", 1),
    ],
)
def test_lists_of_quantities_are_read_with_their_brackets(text: str, brackets: str, count: int) -> None:
    items = read_items(text)
    assert items is not None
    assert (items.brackets, len(items.values)) == (brackets, count)


@pytest.mark.parametrize("text", ["", "5", "(x, 2)", "((1,2),3)", "f(1,2)", "(1,2)(3,4)", "1 2", "()"])
def test_what_is_no_list_of_quantities_is_none(text: str) -> None:
    assert read_items(text) is None


def test_a_closing_brace_may_be_escaped_or_missing() -> None:
    assert closing_at(r"{a\}b}", 0) == 6
    assert closing_at("{a{b}", 0) == -1
