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
    "The answer is 5? No, 6.", "The answer is 5. No, it is 6.", "The answer is 5. I apologize, it is 6.",
    "The answer is 5?\n\nNo, it is 6.", "The answer is 5, no wait, 6.",
    "The answer is 5 — no, 6.", "The answer is $5$. Actually, it is $6$.", "The answer is **5**. Actually, **6**.",
    "The answer is 5. Sorry, I meant 6.", "The answer is 5, or rather 6.", "The answer is 5. Make that 6.",
    "The answer is 5. Wait, that's wrong. It's 6.", "The answer is 5. Actually, it is 6, because 3 + 3 = 6.",
    "The answer is 5 apples. Actually, it is 6 apples.",
    "The answer is 5.\n\nI apologize for the error. The correct total is 6.",
    "#### 5\nCorrection: 6", r"\boxed{5}. Wait, it is 6.", "<answer>5</answer> Sorry, 6.",
    '{"answer": 5}\nSorry, it is 6.',
    "The answer is 5. Wait, it's 7. Actually, it's 6.", "The answer is 5. Actually, 7.\n\nThe answer is 6.",
    "The answer is 5. Wait, no. The answer is 6.",
]  # fmt: skip


@pytest.mark.parametrize("response", CORRECTED)
def test_the_corrected_answer_counts_and_the_first_one_never(response: str) -> None:
    right, wrong = Math().check(response, "6", None), Math().check(response, "5", None)
    assert (right.flexible, right.strict) == (CORRECT, CORRECT)
    assert (wrong.flexible, wrong.strict) == (WRONG, WRONG)


KEPT = [
    # checks
    "The answer is 5. Wait, let me double check. 2 + 3 = 5. Yes.", "The answer is 5. Wait, 5 - 1 = 4. Yes, good.",
    "The answer is 5. Actually 5 - 1 = 4, so it checks out.", "The answer is 5. Actually, it is 6 - 1.",
    "The answer is 5.\n\nWait, I should double check this. If x = 5, then 2x = 10.",
    "The answer is 5.\n\nActually, this can be checked in 2 ways.",
    "Answer: 5\n\nCheck: Does 6 work? No. Does 4 work? No.",
    # questions and what a No begins besides
    "The answer is 5. Could it be 6? No, 6 is even.", "The answer is 5. No, I do not need to subtract 6.",
    "The answer is 5. Is it 6? No, 7.", "The answer is 5. Wait, it's 6? No.",
    "The answer is 5. Actually, it's 6, right?",
    "The final answer is $\\boxed{5}$.\n\nCan there be more? No, there are only 3 red and 2 blue.",
    "The answer is 5.\n\nNo. of red balls: 6", "The answer is 5. No. 6.", "The answer is 5. No units are needed.",
    # errors of before, of others or of nobody
    "The answer is 5. I made a mistake at first, when I wrote 6.",
    "You're right, I apologize. The answer is 5. I made an error when I said 6.",
    "The answer is 5.\n\n**Common mistakes:** Some multiply and get 6. That is incorrect because we add.",
    "The answer is 5. Wait, no.", "The answer is 5.\n\nNo, that is wrong.",
    "I made a mistake in 7, so the answer is 5.",
    # another number
    "The answer is 5. Actually, that is 24 more than in April.", "The answer is 5. Actually, it is 3 more than 2.",
    "The answer is 5. Actually, it is 6 if you count me.", "The answer is 5. Sorry, 6 is what I said before.",
    "The answer is 5. Some count 6. Actually, it's 6.", "The answer is 5. This is because 2 is a number.",
    "No, it is not 7. The answer is 5.", "Actually, it is 7 - 2. The answer is 5.",
    "Actually, it's 6. The answer is 5.",
    "The answer is 5 (no, really).", "The answer is 5, with no remainder.",
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
        "The answer is A. Actually, it should be option B.",
        "**Answer: A** Correction: **B**",
        "The answer is A. dry palms. Actually, it is B.",
        "The answer is A.\n\nHowever, B is the right one.",
    ],
)
def test_a_choice_that_is_taken_back_is_not_picked(response: str) -> None:
    right, wrong = Choice().check(response, "B", CHOICES), Choice().check(response, "A", CHOICES)
    assert (right.flexible, right.strict) == (CORRECT, CORRECT)
    assert (wrong.flexible, wrong.strict) == (WRONG, WRONG)


@pytest.mark.parametrize(
    "response",
    [
        "The answer is A.\nB? No, since water helps palms slide.",
        "The answer is A.\n\nOption B: No, since it is wet.",
        "The answer is A. Is it B? No, B is wet.",
        "The answer is A. Actually, B might seem right, but it is not.",
    ],
)
def test_a_no_about_another_choice_takes_nothing_back(response: str) -> None:
    assert corrected(response) == response
    assert Choice().check(response, "A", CHOICES).flexible is CORRECT


LEGAL = {
    "choices": [{"label": "A", "text": "Yes, as it was relevant"}, {"label": "B", "text": "No, because it was hearsay"}]
}
NO_HEARSAY = [
    "The answer is B. No, because it was hearsay.", "The correct answer is (B) No, because it was hearsay.",
    "The answer is B) No, because it was hearsay", "**B. No, because it was hearsay.**",
    "Answer: B. No, because it was hearsay.\n\nHearsay is out.",
    "The correct answer is: B: No, because it was hearsay.",
    "\\boxed{B} No, because it was hearsay.", '{"answer": "B. No, because it was hearsay"}',
    "The answer is B.\nNo, because it was hearsay.",
    "The answer is B. No, because it was hearsay.\n\nA is what the plaintiff says.",
]  # fmt: skip


@pytest.mark.parametrize("response", NO_HEARSAY)
def test_a_no_may_be_how_the_text_of_a_choice_begins(response: str) -> None:
    assert Choice().check(response, "B", LEGAL).flexible is CORRECT
    assert Choice().check(response, "A", LEGAL).flexible is WRONG


@pytest.mark.parametrize(
    "response", ["The answer is B. No.", "The answer is B: No.", "Answer: B. No, cats do not fly."]
)
def test_a_no_may_be_a_choice(response: str) -> None:
    choices = {"choices": [{"label": "A", "text": "Yes"}, {"label": "B", "text": "No"}]}
    assert Choice().check(response, "B", choices).flexible is CORRECT


def test_words_are_corrected_by_none_and_generated_tasks_as_numbers_are() -> None:
    assert Exact().check("Answer: Paris\n\nActually, it is the capital.", "Paris", None).flexible is CORRECT
    extra = {"gym": "chain_sum", "config": {}, "entry": {"question": "3 + 3", "answer": "6", "metadata": {}}}
    for gold, verdict in (("6", CORRECT), ("5", WRONG)):
        entry = {**extra, "entry": {**extra["entry"], "answer": gold}}  # type: ignore[dict-item]
        assert Gym().check("The answer is 5. Actually, it should be 6.", gold, entry).flexible is verdict


@pytest.mark.parametrize(
    "response",
    [
        "The answer is 5. No, " * 2000,
        "The answer is 5. Sorry, it is 6.\n" * 2000,
        "The answer is 5. " + "Sorry, it is " * 3000,
        "answer is 5." + " " * 30000 + "No, 6",
    ],
)
def test_a_response_full_of_corrections_costs_little(response: str) -> None:
    began = time.process_time()
    corrected(response)
    assert time.process_time() - began < 0.2
