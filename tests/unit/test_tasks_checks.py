"""A check behind an answer is no part of it; what it leads to is."""

from __future__ import annotations

import time

import pytest

from selfimprove_workers.tasks import Gym, Math, Verdict
from selfimprove_workers.tasks.checks import without_check

CORRECT, WRONG, NO_ANSWER = Verdict.CORRECT, Verdict.WRONG, Verdict.NO_ANSWER

CHECKED = [
    "x = 17\n\nCheck: 3(17) + 4 = 51 + 4 = 55 ✓", "**x = 17**\n\nCheck: 3·17 + 4 = 55.",
    "x = 17\n\nTo verify, substitute back: 3(17) + 4 = 55, which is correct.", "x = 17\n\nTo verify, 3*17 + 4 = 55",
    "So $x=17$. We can check: $3(17)+4=55$.", "Therefore, the number is 17. Check: 17 × 3 + 4 = 55.",
    "**x = 17**\n\n**Check:**\n\n\\[3(17)+4=55\\]\n\nSo the solution is correct.",
    "x = 17\n\n### Verification\n3·17 + 4 = 55", "x = 17\n\nCheck: If x = 17, then 3x + 4 = 55, so it works.",
    "x = 17\n\nLet's verify by substituting back into the equation: 3(17) + 4 = 55. This is correct.",
]  # fmt: skip


@pytest.mark.parametrize("response", CHECKED)
def test_the_answer_before_a_check_counts(response: str) -> None:
    check = Math().check(response, "17", None)
    assert (check.flexible, check.strict, check.answer) == (CORRECT, NO_ANSWER, "17")
    assert Math().check(response, "55", None).flexible is WRONG


FOLLOWED = [
    "x = 17\n\nCheck: 3·17 + 4 = 55, but it must be 52. So x = 16.",
    "x = 17\n\nCheck: 3(17) + 4 = 55. That's wrong, so the answer is 16.",
    "x = 17\n\nCheck: 3(17) + 4 = 55. That fails. x = 16.", "x = 17\n\nCheck: 3(17) + 4 = 55 ≠ 52\n\nx = 16",
    "x = 17\n\nCheck: 3(17) + 4 = 55\n\nThe cost of all of them is 16",
    "x = 17\n\nCheck: 3(17) + 4 = 55. y = 16",
    "She uses 7 eggs. Check how many are left: 23 - 7 = 16", "x = 7\n\nTo check how many are left: 23 - 7 = 16",
    "Let's check: 15 is odd, 16 works.", "Try x = 7. Check: 7 + 9 = 16.", "Let's verify the total: 7 + 9 = 16",
    "x = 7. Check: 6 + 10 = 16.", "Is it 7? Check: 7 + 9 = 16", "She doesn't have 7. Check: 7 + 9 = 16",
]  # fmt: skip


@pytest.mark.parametrize("response", FOLLOWED)
def test_a_check_that_finds_something_is_followed(response: str) -> None:
    assert without_check(response) == response
    assert Math().check(response, "16", None).flexible is CORRECT


def test_a_generated_task_with_a_number_is_read_the_same() -> None:
    extra = {"gym": "simple_equations", "config": {}, "entry": {"question": "", "answer": "24", "metadata": {}}}
    assert Gym().check("o = 24\n\nCheck: 2400*24 - 124 = 57476", "24", extra).flexible is CORRECT


@pytest.mark.parametrize(
    "text", ["Check: " * 50_000, "x = 1. Check: 1 = 1 " * 20_000, "1\ncheck by " * 20_000 + "a" * 9000]
)
def test_a_text_full_of_checks_is_read_in_no_time(text: str) -> None:
    began = time.monotonic()
    without_check(text)
    assert time.monotonic() - began < 1
