"""An exclamation mark after a number is no factorial where nobody would leave one."""

from __future__ import annotations

import pytest

from selfimprove_workers.tasks import Math, Verdict

CORRECT, WRONG = Verdict.CORRECT, Verdict.WRONG


@pytest.mark.parametrize("response", ["128!", "**128!**", r"\boxed{128!}", "128!!", "The answer is 128!!", "$128!$"])
def test_an_exclaimed_number_is_the_number(response: str) -> None:
    check = Math().check(response, "128", None)
    assert (check.flexible, check.strict, check.answer) == (CORRECT, CORRECT, "128")
    assert Math().check(response, "127", None).flexible is WRONG


@pytest.mark.parametrize("response", ["5!", r"\boxed{5!}", "The number of ways is $5!$."])
def test_a_factorial_that_may_be_meant_is_one(response: str) -> None:
    assert Math().check(response, "120", None).flexible is CORRECT
    assert Math().check(response, "5", None).flexible is WRONG


def test_the_factorial_that_is_asked_for_is_one_however_large() -> None:
    assert Math().check(r"\boxed{52!}", "52!", None).flexible is CORRECT
    assert Math().check(r"\boxed{52}", "52!", None).flexible is not CORRECT
