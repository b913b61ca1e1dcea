"""A calculation in a parenthesis is worked out exactly, and nothing else is taken for one."""

from __future__ import annotations

import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove_workers.tasks import Gym, Math, Verdict
from selfimprove_workers.tasks.sums import value_of_sum, without_arrows, without_shown_sums


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


SHOWN = [
    # response, gold, what it would be as a product
    ("The answer is 7 (4 + 3).", "7", "49"), ("Answer: 7 (4 + 3)", "7", "49"), ("#### 7 (4 + 3)", "7", "49"),
    ("The answer is **7** (4 + 3).", "7", "49"), ("The answer is $7$ (4 + 3).", "7", "49"), ("7 (4 + 3)", "7", "49"),
    (r"The answer is \(7\) (4 + 3).", "7", "49"), (r"\boxed{7 (4 + 3)}", "7", "49"), ("It is 7 (4 + 3).", "7", "49"),
    ("The answer is -7 (3 - 10).", "-7", "49"), ("The answer is 1200 (100*12).", "1200", "1440000"),
    ("The answer is $1,200 ($100 × 12).", "1200", "1440000"), ("The answer is 3/4 (1/2 + 1/4).", "3/4", "9/16"),
    ("The answer is 7 (10 - 3), as we saw.", "7", "49"),
]  # fmt: skip


@pytest.mark.parametrize(("response", "gold", "product"), SHOWN)
def test_a_sum_beside_what_it_comes_to_shows_how_that_was_found(response: str, gold: str, product: str) -> None:
    check = Math().check(response, gold, None)
    assert (check.flexible, check.strict) == (Verdict.CORRECT, Verdict.NO_ANSWER)
    check = Math().check(response, product, None)
    assert (check.flexible, check.strict) == (Verdict.WRONG, Verdict.NO_ANSWER)


def test_a_sum_that_is_shown_elsewhere_leaves_a_strict_answer_strict() -> None:
    assert Math().check("So it is 7 (4 + 3).\n#### 7", "7", None).strict is Verdict.CORRECT


def test_a_shown_sum_is_none_of_a_scorers_business() -> None:
    extra = {"gym": "gsm_symbolic", "config": {}, "entry": {"question": "?", "answer": "7", "metadata": {}}}
    assert Gym().check("The answer is 7 (4 + 3).", "7", extra).flexible is Verdict.CORRECT


PRODUCTS = [
    # response, what it comes to, another number in it
    ("The answer is 7(4+3)", "49", "7"), ("The answer is 7 (4 + 4).", "56", "7"), ("Answer: 2 * 7 (4 + 3)", "98", "7"),
    ("The answer is 7 (4 + 3) = 49", "49", "7"), ("The answer is 2 (x + 3)", "2x + 6", "2"),
]  # fmt: skip


@pytest.mark.parametrize(("response", "value", "part"), PRODUCTS)
def test_any_other_product_stays_one(response: str, value: str, part: str) -> None:
    assert Math().check(response, value, None).flexible is Verdict.CORRECT
    assert Math().check(response, part, None).flexible is Verdict.WRONG


@pytest.mark.parametrize(
    "response",
    ["The answer is 7 (4 + 3) + 7", "The answer is 12 - 7 (4 + 3)", "The answer is 7 (4 + 3) times 2",
     "The answer is half of 7 (4 + 3)", "The answer is x = y / 7 (4 + 3)", "The answer is 7 (4 + 3)^2"],
)  # fmt: skip
def test_a_sum_inside_a_calculation_is_never_left_out(response: str) -> None:
    assert without_shown_sums(response) == response


@pytest.mark.parametrize("text", ["7 (4 + 3" * 9000, "1" * 90000 + " (", "= 1,111" * 9000 + " (1)", "is 7 (7) " * 9000])
def test_a_long_text_with_sums_is_read_in_no_time(text: str) -> None:
    began = time.monotonic()
    without_shown_sums(text)
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    "response", ["55 + 73 -> 128", "55+73 → 128", "55 + 73 => 128", "We add: 55 + 73 -> 128.", r"$55 + 73 \to 128$"]
)
def test_an_arrow_leads_from_a_sum_to_what_it_comes_to(response: str) -> None:
    assert Math().check(response, "128", None).flexible is Verdict.CORRECT
    assert Math().check(response, "73", None).flexible is Verdict.WRONG


def test_an_arrow_between_numbers_is_no_sum() -> None:
    assert without_arrows("3 -> 5") == "3 -> 5"
    assert without_arrows("x + 3 -> 5") == "x + 3 -> 5"


@pytest.mark.parametrize("text", ["1" * 200_000 + "->", "1 + " * 50_000 + "-> 5", "1 + 1 -> " * 20_000])
def test_a_long_text_with_arrows_is_read_in_no_time(text: str) -> None:
    began = time.monotonic()
    without_arrows(text)
    assert time.monotonic() - began < 1
