"""To how many places an answer is given is no answer beside it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove_workers.tasks import Math, Verdict
from selfimprove_workers.tasks.precision import without_precision

CORRECT, WRONG = Verdict.CORRECT, Verdict.WRONG

ROUNDED = [
    "The root is 2.718. This is correct to 3 decimal places.",
    "So x = 2.718, rounded to 3 decimal places.",
    "So x = 2.718 (to 3 significant figures)",
    "x is 2.718 to 3 d.p.",
    "2.718 to 3 decimal places",
    "We get 2.718 correct to $3$ sf.",
    "We get 2.718, accurate to 3 places.",
    "Rounding to 3 decimal places, we get 2.718.",
    "The answer is 2.718 (to 3 decimal places).",
    "So x is 2.718 with 3 decimal places.",
    "x = 2.718 [3 decimal places]",
    "x = 2.718 to the 3rd decimal place.",
    "2.718 (to the nearest 3 decimal places)",
    "The answer is 2.718 (3 d.p.).",
    "2.718 (3dp)",
    "2.718, rounded to 3dp",
    "The answer is 2.718 to 3dp.",
]


@pytest.mark.parametrize("response", ROUNDED)
def test_how_exact_a_number_is_does_not_count_beside_it(response: str) -> None:
    assert Math().check(response, "2.718", None).flexible is CORRECT
    assert Math().check(response, "3", None).flexible is WRONG
    assert Math().extract(response) == "2.718"


@pytest.mark.parametrize(
    ("gold", "response", "verdict"),
    [
        ("15", "43 - 28 = 15. It has 2 digits.", CORRECT),
        ("2", "43 - 28 = 15. It has 2 digits.", WRONG),
        ("0.125", "So it is 0.125.\nThis has 3 decimal places.", CORRECT),
        ("4", "2^{10} = 1024, so it has 4 digits.", CORRECT),
        ("4", "2^{10} = 1024, which has 4 digits.", CORRECT),
        ("4", "Take 2^{10} = 1,024. So it has 4 digits.", CORRECT),
        ("3", "The number 0.125 has 3 decimal places.", CORRECT),
        ("5", "We look at 1024. It has 5 digits.", CORRECT),
        ("3", "It is correct to 3 decimal places.", CORRECT),
    ],
)
def test_a_count_of_digits_is_left_out_only_where_it_can_be_nothing_but_a_remark(
    gold: str, response: str, verdict: Verdict
) -> None:
    assert Math().check(response, gold, None).flexible is verdict


@given(st.integers(1, 10**6), st.integers(1, 9))
def test_a_remark_on_rounding_changes_no_answer(number: int, places: int) -> None:
    said = f"So we get {number}. This is correct to {places} decimal places."
    assert Math().extract(said) == Math().extract(f"So we get {number}.")


@pytest.mark.parametrize(
    "text", ["to 3 places " * 20_000, "correct to " * 30_000 + "digits", "9" * 200_000 + " digits"]
)
def test_a_long_text_is_read_in_no_time(text: str) -> None:
    began = time.perf_counter()
    without_precision(text)
    assert time.perf_counter() - began < 0.5
