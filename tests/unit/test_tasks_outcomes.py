"""Of a calculation that is declared with what it counts, what it comes to is the answer, and no number of it."""

from __future__ import annotations

import time

import pytest

from selfimprove_workers.tasks import Math, Verdict

CORRECT, WRONG, NO_ANSWER = Verdict.CORRECT, Verdict.WRONG, Verdict.NO_ANSWER
DECLARED = ["The answer is {}.", "Answer: {}", "So the answer is: **{}**"]


def flexible(response: str, gold: str) -> Verdict:
    return Math().check(response, gold, None).flexible


CALCULATIONS = [
    # what is said, what it comes to, its numbers
    ("16 eggs - 3 eggs = 13 eggs", "13", "16 3"), ("16 eggs – 3 eggs = 13 eggs", "13", "16 3"),
    ("16 feet − 3 feet = 13 feet", "13", "16 3"), ("16 dollars - 3 dollars = 13 dollars", "13", "16 3"),
    ("10 apples - 3 apples = -4 apples", "-4", "10 3 4 7"), ("16 eggs - 3 eggs - 1 egg = 12 eggs", "12", "16 3 13"),
    ("5 miles per hour * 3 hours = 15 miles", "15", "5 3"), ("4 boxes of 6 cookies = 24 cookies", "24", "4 6"),
    ("4 boxes with 6 cookies each, which is 24 cookies", "24", "4 6"),
    ("48 (April) + 24 (May) = 72 clips", "72", "48 24"), ("$100 - the discount of $20 = $80", "80", "100 20"),
    ("100 - the 20 he ate = 80", "80", "100 20"), ("10 - the cost of 12 = -2", "-2", "10 12"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "outcome", "parts"), CALCULATIONS)
@pytest.mark.parametrize("sentence", DECLARED)
def test_what_a_calculation_comes_to_is_the_answer(sentence: str, said: str, outcome: str, parts: str) -> None:
    assert flexible(sentence.format(said), outcome) is CORRECT
    for part in parts.split():
        assert flexible(sentence.format(said), part) is WRONG


EXPLAINED = [
    # what is said, the answer, other numbers in it
    ("12 - since 3 × 4 = 12", "12", "3 4"), ("12 - that is 3 times 4 = 12", "12", "3 4"),
    ("12 - the other one is 3 × 2 = 6", "12", "6"), ("12 of the 30 students, which is 40%", "12", "30 40"),
    ("12 eggs when 3 eggs = 1 dollar", "12", "3 1"), ("60 minutes = 1 hour", "60", "1"),
    ("12 inches, 12 inches = 1 foot", "12", "1"), ("4 boxes of 6 cookies, which is 25 cookies", "4", "25"),
    ("7 - a number with 3 divisors", "7", "3"), ("72 (48 in April + 24 in May)", "72", "48 24"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "answer", "others"), EXPLAINED)
@pytest.mark.parametrize("sentence", DECLARED[:2])
def test_a_calculation_that_only_explains_the_answer_is_none(
    sentence: str, said: str, answer: str, others: str
) -> None:
    assert flexible(sentence.format(said), answer) is CORRECT
    for other in others.split():
        assert flexible(sentence.format(said), other) is WRONG


@pytest.mark.parametrize("text", ["1 a " * 9000, "1 - " * 9000, "1 (a) + " * 5000, "1 of " * 8000, " - a 1 b" * 5000])
def test_a_long_calculation_is_read_in_no_time(text: str) -> None:
    began = time.monotonic()
    flexible(f"The answer is {text}", "7")
    assert time.monotonic() - began < 1
