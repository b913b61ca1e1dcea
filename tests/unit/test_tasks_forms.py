"""Forms around a number that make it another answer, or none: grouped digits, points, sets, inequalities, equations."""

from __future__ import annotations

import pytest

from selfimprove_workers.tasks import Math, Verdict

CORRECT, WRONG = Verdict.CORRECT, Verdict.WRONG


@pytest.mark.parametrize(
    ("gold", "response"),
    [
        (r"11,\! 111,\! 111,\! 100", "11111111100"),
        (r"11,\! 111", "11,111"),
        (r"11,\!111", "11111"),
        (r"(1,\! 2)", "(1, 2)"),
    ],
)
def test_a_negative_space_sets_thousands_apart_with_a_space_beside_it_too(gold: str, response: str) -> None:
    assert Math().check(response, gold, None).strict is CORRECT
