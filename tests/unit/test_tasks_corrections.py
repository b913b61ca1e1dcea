"""An answer that a response takes back counts nowhere; what it says instead does."""

from __future__ import annotations

import time

import pytest

from selfimprove_workers.tasks import Choice, Exact, Gym, Math, Verdict
from selfimprove_workers.tasks.corrections import corrected

CORRECT, WRONG, NO_ANSWER = Verdict.CORRECT, Verdict.WRONG, Verdict.NO_ANSWER
CHOICES = {"choices": [{"label": "A", "text": "dry palms"}, {"label": "B", "text": "wet palms"}]}

CORRECTED = [
    "The answer is 5. Actually, it should be 6.", "The answer is 5.\nActually, it should be 6.",
    "The answer is 5? No, 6.", "The answer is 5. No. 6.", "The answer is 5. I apologize, it is 6.",
    "The answer is 5?\n\nNo, it is 6.", "The answer is 5, no wait, 6.",
    "The answer is 5 — no, 6.", "The answer is $5$. Actually, it is $6$.", "The answer is **5**. Actually, **6**.",
    "The answer is 5. Sorry, I meant 6.", "The answer is 5, or rather 6.",
    "The answer is 5. Wait, that's wrong. It's 6.",
    "The answer is 5.\n\nI made a mistake. 3 + 3 = 6.", "The answer is 5. Oops, I forgot one. 5 + 1 = 6.",
    "#### 5\nCorrection: 6", r"\boxed{5}. Wait, it is 6.", "<answer>5</answer> No, 6.",
    '{"answer": 5}\nSorry, it is 6.',
    "The answer is 5. Wait, no. The answer is 6.",
]  # fmt: skip


@pytest.mark.parametrize("response", CORRECTED)
def test_the_corrected_answer_counts_and_the_first_one_never(response: str) -> None:
    right, wrong = Math().check(response, "6", None), Math().check(response, "5", None)
    assert right.flexible is CORRECT
    assert right.strict in (CORRECT, NO_ANSWER)
    assert (wrong.flexible, wrong.strict) in [(WRONG, NO_ANSWER), (WRONG, WRONG)]


def test_an_answer_that_is_only_taken_back_leaves_none() -> None:
    for response in ("The answer is 5. Wait, no.", "The answer is 5.\n\nNo, that is wrong."):
        check = Math().check(response, "5", None)
        assert (check.flexible, check.strict) == (NO_ANSWER, NO_ANSWER)


KEPT = [
    "The answer is 5.\n\nActually, this can be checked in 2 ways.", "The answer is 5. No units are needed.",
    "The answer is 5. Wait, let me double check. 2 + 3 = 5. Yes.", "The answer is 5. This is because 2 is a number.",
    "No, it is not 7. The answer is 5.", "Actually, it is 7 - 2. The answer is 5.",
    "The answer is 5 (no, really).",
    "The answer is 5, with no remainder.", "I made a mistake in 7, so the answer is 5.",
    "The answer is 5.\n\n" + "Here is how it is found. " * 6 + "Is 3 even? No, 3 is odd.",
]  # fmt: skip


@pytest.mark.parametrize("response", KEPT)
def test_what_corrects_nothing_changes_nothing(response: str) -> None:
    assert corrected(response) == response
    assert Math().check(response, "5", None).strict is CORRECT


@pytest.mark.parametrize("response", ["The answer is: No.", "Answer: **No**, because 3 is odd."])
def test_a_no_may_be_the_answer(response: str) -> None:
    assert Math().check(response, "No", None).flexible is CORRECT


@pytest.mark.parametrize(
    "response",
    [
        "The answer is A.\nWait, no. It is B.",
        "The answer is A? No, B.",
        "The answer is A. Actually, it should be wet palms.",
        "**Answer: A** Correction: **B**",
    ],
)
def test_a_choice_that_is_taken_back_is_not_picked(response: str) -> None:
    right, wrong = Choice().check(response, "B", CHOICES), Choice().check(response, "A", CHOICES)
    assert right.flexible is CORRECT
    assert right.strict in (CORRECT, NO_ANSWER)
    assert CORRECT not in (wrong.flexible, wrong.strict)


def test_a_no_about_another_choice_takes_nothing_back() -> None:
    response = "The answer is A.\nB. No, since water helps palms slide."
    assert corrected(response) == response


def test_words_and_generated_tasks_follow_a_correction_too() -> None:
    assert Exact().check("The answer is Paris. No, Lyon.", "Lyon", None).flexible is CORRECT
    assert Exact().check("The answer is Paris. No, Lyon.", "Paris", None).flexible is WRONG
    extra = {"gym": "chain_sum", "config": {}, "entry": {"question": "3 + 3", "answer": "6", "metadata": {}}}
    for gold, verdict in (("6", CORRECT), ("5", WRONG)):
        entry = {**extra, "entry": {**extra["entry"], "answer": gold}}  # type: ignore[dict-item]
        assert Gym().check("The answer is 5. Actually, it should be 6.", gold, entry).flexible is verdict


@pytest.mark.parametrize(
    "response",
    [
        "The answer is 5. No, " * 2000,
        "The answer is 5. " + "Sorry, it is " * 3000,
        "answer is 5." + " " * 30000 + "No, 6",
    ],
)
def test_a_response_full_of_corrections_costs_little(response: str) -> None:
    began = time.process_time()
    corrected(response)
    assert time.process_time() - began < 0.2
