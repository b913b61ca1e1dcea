"""Math: letters beside a number or beside each other, as factors, units or words."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove_workers.tasks import Math, Verdict
from selfimprove_workers.tasks.products import same_product
from tests.unit.math_support import CORRECT, WRONG, in_box


@pytest.mark.parametrize(
    ("answer", "gold"),
    [
        ("2", "2xy"),
        ("2xy", "2"),
        ("2ab", "2xy"),
        ("3mn", "3pq"),
        ("6 ab", "6ac"),
        ("4abc", "4"),
        ("3uv^2", "3uv^3"),
        ("7ab^2", "7"),
        (r"\frac{1}{2}ab", r"\frac12"),
        ("0.5ab", "0.5"),
    ],
)
def test_letters_beside_a_number_are_factors_and_no_unit(answer: str, gold: str) -> None:
    assert Math().check(rf"\boxed{{{answer}}}", gold, None).flexible is Verdict.WRONG


@pytest.mark.parametrize(
    ("answer", "gold"),
    [("5cm", "5"), (r"5\text{apples}", "5"), ("72 clips", "72"), ("20mph", "20"), ("3rd", "3"), ("2yx", "2xy")],
)
def test_known_units_may_stand_right_beside_a_number_and_others_apart(answer: str, gold: str) -> None:
    assert Math().check(rf"\boxed{{{answer}}}", gold, None).flexible is Verdict.CORRECT


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [(r"\pi h r^2", Verdict.CORRECT), (r"r^2 h\pi", Verdict.CORRECT), (r"\pi r^2", Verdict.WRONG)],
)
def test_a_last_factor_that_stands_apart_is_no_unit(answer: str, verdict: Verdict) -> None:
    assert Math().check(rf"\boxed{{{answer}}}", r"\pi r^2 h", None).flexible is verdict


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("xy", "yx"), ("xy", "y x"), ("mn", "n m"), ("xyz", "zxy"), ("ax", "xa"), ("ab", "ba"), ("2ab", "2ba"),
        ("-ab", "-ba"), ("5 pqr", "5 rqp"), ("x+2ab", "2ba+x"), (r"\pi ab", r"\pi ba"),
    ],
)  # fmt: skip
def test_letters_that_are_surely_variables_are_a_product_in_any_order(gold: str, answer: str) -> None:
    assert in_box(gold, answer) is in_box(answer, gold) is CORRECT


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("cat", "act"), ("no", "on"), ("is", "si"), ("dog", "god"), ("abc", "cab"), ("it", "ti"), ("vi", "iv"),
        ("xi", "ix"), ("cm", "mc"), ("pi", "ip"), ("xy", "xx"), ("xy", "xz"), ("xyz", "xzz"),
        ("xy", "Yx"), ("AB", "BA"), ("2ab", "2ac"), ("2sinx", "2cosx"),
    ],
)  # fmt: skip
def test_words_names_units_functions_and_roman_numerals_are_no_products(gold: str, answer: str) -> None:
    assert in_box(gold, answer) is in_box(answer, gold) is WRONG


@given(st.text(alphabet="abcdeiklmnopstuvxyz", min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_products_are_equal_both_ways_and_only_with_the_same_letters(letters: str, draw: Random) -> None:
    other = "".join(draw.sample(letters, len(letters)))
    assert same_product(letters, other) is same_product(other, letters)
    assert not same_product(letters, other + "x")
