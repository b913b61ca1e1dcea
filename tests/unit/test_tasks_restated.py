"""A number that is said again in two units is the answer, where both come to the same."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove_workers.tasks import Math, Verdict
from selfimprove_workers.tasks.restated import without_restated

CORRECT, WRONG = Verdict.CORRECT, Verdict.WRONG

RESPONSES = [
    # gold, response, flexible
    ("330", "330 minutes, or 5 hours and 30 minutes", CORRECT),
    ("330 minutes", "330 minutes, or 5 hours and 30 minutes", CORRECT),
    ("330", "It takes 330 minutes, or 5 hours and 30 minutes.", CORRECT),
    ("330", "So she needs 330 minutes, which is 5 hours and 30 minutes.", CORRECT),
    ("330", "It takes 330 minutes in total, which equals 5 hours and 30 minutes.", CORRECT),
    ("330", "The answer is 330 minutes, or 5 hours 30 minutes.", CORRECT),
    ("330", r"\boxed{330 minutes, or 5 hours and 30 minutes}", CORRECT),
    ("66", "He is 66 inches, i.e., 5 feet 6 inches tall.", CORRECT),
    ("1,250", "It weighs 1,250 g = 1 kg and 250 g.", CORRECT),
    ("5.5 hours", "330 minutes, or 5 hours and 30 minutes", WRONG),
    ("5.5", "330 minutes, or 5 hours and 30 minutes", WRONG),
    ("5", "330 minutes, or 5 hours and 30 minutes", WRONG),
    ("30", "330 minutes, or 5 hours and 30 minutes", WRONG),
    ("330", "330 minutes, or 5 hours and 29 minutes", WRONG),
    ("5", "It takes 5 hours, or 5 hours and 30 minutes.", WRONG),
    ("330", "It takes 330 minutes, or 5 hours and 30 minutes and 10 seconds.", WRONG),
    ("330", "330 minutes, or 5 hours and 30 minutes is not the answer.", WRONG),
    ("330", "330 minutes, or 5 hours and 30 minutes isn't it.", WRONG),
    ("330", "It takes 330 clips, or 5 hours and 30 minutes.", WRONG),
    ("330", "It isn't 330 minutes, or 5 hours and 30 minutes, but 7.", WRONG),
    ("330", "It takes half of 330 minutes, or 5 hours and 30 minutes.", WRONG),
    ("330", "We know of 330 minutes, or 5 hours and 30 minutes. So it is 7.", WRONG),
]


@pytest.mark.parametrize(("gold", "response", "verdict"), RESPONSES)
def test_what_a_number_comes_to_in_two_units_is_no_answer_beside_it(gold: str, response: str, verdict: Verdict) -> None:
    check = Math().check(response, gold, None)
    assert check.flexible is verdict
    assert check.strict is not CORRECT


@given(st.integers(1, 500), st.integers(1, 59), st.integers(0, 40_000))
def test_only_what_comes_to_the_same_is_left_out(hours: int, minutes: int, said: int) -> None:
    in_minutes = 60 * hours + minutes
    assert without_restated(f"{in_minutes} minutes, or {hours} hours and {minutes} minutes") == f"{in_minutes} minutes"
    text = f"{said} minutes, or {hours} hours and {minutes} minutes"
    assert (without_restated(text) == text) is (said != in_minutes)


@pytest.mark.parametrize(
    "text", ["1 m or " * 30_000, "1 " * 100_000, "1 hour, " * 30_000, "9" * 200_000, "1,111" * 40_000]
)
def test_a_long_text_is_read_in_no_time(text: str) -> None:
    began = time.monotonic()
    without_restated(text)
    assert time.monotonic() - began < 1
