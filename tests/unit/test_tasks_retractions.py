"""A declared number that is taken back at once counts nowhere; what is worked out after it does."""

from __future__ import annotations

import time

import pytest

from selfimprove_workers.tasks import Gym, Math, Verdict
from selfimprove_workers.tasks.retractions import without_retracted

CORRECT, WRONG = Verdict.CORRECT, Verdict.WRONG


def gym(response: str, gold: str) -> tuple[Verdict, Verdict]:
    """How Gym grades a response."""
    extra = {"gym": "gsm_symbolic", "config": {}, "entry": {"question": "?", "answer": gold, "metadata": {}}}
    check = Gym().check(response, gold, extra)
    return check.flexible, check.strict


@pytest.mark.parametrize(
    "response",
    [
        "The answer is 8. Wait, I forgot to subtract the burnt one. 8 - 1 = 7.",
        "The answer is 8. Wait, that's not right. 12 - 5 = 7. She has 7 apples.",
        "The answer is 8. Wait, that is wrong: 12 - 5 = 7.",
        "The answer is **8**.\n\n**Wait, that's wrong.** 12 - 5 = 7",
        "\\boxed{8}\n\nWait, I made a mistake. 12 - 5 = 7, so the answer is 7.",
        "#### 8\nWait, no, I made an error. 12 - 5 = 7", "<answer>8</answer> Wait, it's incorrect. 12 - 5 = 7",
        "The answer is 8.\n\nCorrection: 12 - 5 = 7, so the answer should be 7.",
        "The answer is 9. Wait, that's wrong. 12 - 4 = 8, so the answer is 8. Wait, I made a mistake. 12 - 5 = 7.",
    ],
)  # fmt: skip
def test_what_is_worked_out_after_a_retraction_counts_and_what_is_taken_back_never(response: str) -> None:
    assert Math().check(response, "7", None).flexible is CORRECT
    wrong = Math().check(response, "8", None)
    assert CORRECT not in (wrong.flexible, wrong.strict)
    assert gym(response, "7")[0] is CORRECT
    assert CORRECT not in gym(response, "8")


@pytest.mark.parametrize(
    "response",
    [
        # checks, doubts, units
        "The answer is 8. Wait, let me check: 12 - 5 = 7, and 1 more.", "The answer is 8. Wait, 12 - 5 = 7, plus 1.",
        "The answer is 8. Wait, that's not right? 12 - 5 = 7. No, we add 1.",
        "The answer is 8. Wait, is it 12 - 5 = 7?",
        "The answer is 8. Wait, I forgot the unit: 8 apples of 7.",
        "The answer is 8. Wait, I forgot to say: 3 + 4 = 7.",
        # nothing follows that comes to a number
        "The answer is 8. Wait, that's not right.", "The answer is 8. Wait, that's not right. She had 7 apples.",
        "The answer is 8.\n\nCorrection: none of the 7 is wrong.",
        # nothing was declared, or not just before
        "Wait, I made a mistake. 12 - 5 = 7. The answer is 8.",
        "The answer is 8. We add 3 and 5. Wait, that's not right for 7, as 3 + 4 = 7.",
        "The answer is 8. Many say it is 7. Wait, that's wrong. 3 + 4 = 7.",
    ],
)  # fmt: skip
def test_an_answer_that_is_not_surely_taken_back_stays(response: str) -> None:
    check = Math().check(response, "8", None)
    assert (check.flexible, gym(response, "8")[0]) == (CORRECT, CORRECT)
    assert without_retracted(response) == response


@pytest.mark.parametrize(
    "piece", ["Wait, ", "Wait, that's wrong. ", "The answer is 8. Wait, that's wrong. ", "Correction: "]
)
def test_a_long_text_is_read_in_no_time(piece: str) -> None:
    began = time.monotonic()
    without_retracted(piece * 3_000)
    without_retracted(piece * 3_000 + "3 + 4 = 7")
    assert time.monotonic() - began < 1
