"""A calculation in a parenthesis is worked out exactly, and nothing else is taken for one."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove_workers.tasks.sums import value_of_sum


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("48 + 24", 72),
        ("= 48 + 24", 72),
        ("48+2*12", 72),
        ("2 x 12 + 48", 72),
        ("1,000 - $200", 800),
        ("1/3 + 1/6", Fraction(1, 2)),
        ("3 × 4 ÷ 6 − 1", 1),
    ],
)
def test_products_come_before_sums(text: str, value: Fraction) -> None:
    assert value_of_sum(text) == value


@pytest.mark.parametrize(
    "text", ["", "48", "-48", "48 24", "48 + ", "x + 2", "48 + 24 = 72", "1 / 0", "2 ** 9", "1 + 2 " * 40]
)
def test_what_is_no_plain_calculation_has_no_value(text: str) -> None:
    assert value_of_sum(text) is None


@given(st.lists(st.tuples(st.sampled_from("+-*"), st.integers(0, 999)), min_size=2, max_size=9))
def test_a_calculation_comes_to_what_it_comes_to(terms: list[tuple[str, int]]) -> None:
    (_, first), *others = terms
    text = " ".join([str(first), *(f"{sign} {number}" for sign, number in others)])
    assert value_of_sum(text) == eval(text)


@given(st.text(alphabet="0123456789+-*/x=$., ", max_size=40))
def test_no_text_makes_it_raise(text: str) -> None:
    value_of_sum(text)
