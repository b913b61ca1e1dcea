"""How an answer was found, said behind it, is no answer."""

from __future__ import annotations

import time

import pytest

from selfimprove_workers.tasks import Math, Verdict
from selfimprove_workers.tasks.reasons import without_reason

CORRECT, WRONG, NO_ANSWER = Verdict.CORRECT, Verdict.WRONG, Verdict.NO_ANSWER

EXPLAINED = [
    # response, its answer, a number of the explanation
    ("The sum of 55 and 73 is 128, as 50 + 70 = 120 and 5 + 3 = 8.", "128", "8"),
    ("128, because 50 + 70 = 120 and 5 + 3 = 8", "128", "8"), ("They need 4 buses since 3 would be few.", "4", "3"),
    ("128 is the sum of 55 and 73.", "128", "73"), ("You get 128 when you add 55 and 73.", "128", "73"),
    ("So 128 is the sum of 55 and 73.", "128", "73"), ("You get 128 by adding 55 and 73.", "128", "73"),
    ("There are 9 divisors: 1, 2, ..., 196.", "9", "196"), ("98 has 3 such divisors: 7, 14, 98.", "3", "98"),
    ("The number is (1+1)(1+1) = 4. They are 1, 2, 98, 196.", "4", "196"),
    ("The number is $(1+1)(1+1) = 4$. The divisors are 1, 2, 98, and 196.", "4", "196"),
]  # fmt: skip


@pytest.mark.parametrize(("response", "answer", "other"), EXPLAINED)
def test_the_answer_before_an_explanation_counts(response: str, answer: str, other: str) -> None:
    check = Math().check(response, answer, None)
    assert (check.flexible, check.strict) == (CORRECT, NO_ANSWER)
    assert Math().check(response, other, None).flexible is WRONG


CONCLUDED = [
    "We subtract 7 because she uses them: 16 - 7 = 9", "She eats 7, as she is hungry, so 9 remain.",
    "There are 16 since 8 + 8 = 16, and 16 - 7 = 9", "We subtract 7 because she uses them, leaving 9.",
    "It isn't 7, because that is 9.", "If it is 7 since 9", "7 is the number of eggs used, so 9 remain.",
    "You get 7 when you add 3 and 4, which makes 9.", "If you add 7 and 2 you get 9.", "The result is 9.",
    "There are 2 numbers: 4, 7, 9", "Of the 3: 4, 7, 9", "We have 3 numbers: 4, 7, 9, the largest is 9",
    "7 is the sum of 3 and 4.\nIt is 9", "When she has 7 since she has 9",
]  # fmt: skip


@pytest.mark.parametrize("response", CONCLUDED)
def test_what_is_concluded_behind_a_number_counts(response: str) -> None:
    assert without_reason(response) == response
    assert Math().check(response, "9", None).flexible is CORRECT


@pytest.mark.parametrize(
    "text", ["is 5, as " * 20_000, "5 because " * 20_000, "= 5: 1" + ", 1" * 50_000, "is 5 a a a " * 9000 + "since 5"]
)
def test_a_long_explanation_is_read_in_no_time(text: str) -> None:
    began = time.monotonic()
    without_reason(text)
    assert time.monotonic() - began < 1
