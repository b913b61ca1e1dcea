"""What MajorityVote groups: samples by what they answer, whatever the gold is."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfimprove_workers.tasks import TASKS, Exact, Gym, Math, Task

SENTENCES = ["Ants are dolphins.", "It follows", "**It cools**", "So 3 + 4 = 7.", "A is dry.", ""]
ANSWERS = ["Yes", "No.", "**yes**", "7", "8", "B", "(A)", "Paris", "The answer is No.", "\\boxed{7}", "It is Paris.",
           "Yes, because all are.", "C\n\nIt cools.", "<answer>8</answer>", "```python\nprint(7)\n```"]  # fmt: skip
RESPONSES = st.tuples(st.sampled_from(SENTENCES), st.sampled_from(ANSWERS)).map("\n".join)
FORMS = {"numbers": ["7", "8", "-3"], "texts": ["Yes", "No", "Paris", "wife", "464/887", "It is Paris."]}


def syllogism(gold: str) -> dict[str, Any]:
    return {"gym": "syllogism", "config": {}, "entry": {"question": "?", "answer": gold, "metadata": {}}}


def groups(task: Task, responses: list[str], extra: dict[str, Any] | None) -> set[frozenset[int]]:
    """Which samples are counted together; those that answer nothing are counted nowhere."""
    found: dict[str, set[int]] = defaultdict(set)
    for number, response in enumerate(responses):
        answer = task.extract(response, extra)
        if answer is not None:
            found[answer].add(number)
    return {frozenset(group) for group in found.values()}


@pytest.mark.parametrize("form", FORMS)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(st.lists(RESPONSES, min_size=1, max_size=6), st.data())
def test_no_other_gold_of_a_form_changes_what_is_counted_together(
    form: str, responses: list[str], data: st.DataObject
) -> None:
    golds = data.draw(st.permutations(FORMS[form]))
    found = [groups(Gym(), responses, syllogism(gold)) for gold in golds]
    assert all(each == found[0] for each in found)


@pytest.mark.parametrize("task", ["Exact", "Gym"])
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(RESPONSES, st.sampled_from(FORMS["texts"]))
def test_the_answer_that_a_verdict_shows_is_the_one_that_is_counted(task: str, response: str, gold: str) -> None:
    checker, extra = TASKS[task](), syllogism(gold) if task == "Gym" else None
    assert checker.check(response, gold, extra).answer == checker.extract(response, extra)


@pytest.mark.parametrize("response", ["Evelyn", "**evelyn**", "The answer is Evelyn.", r"\boxed{\text{Evelyn}}"])
def test_a_name_is_counted_as_numbers_are(response: str) -> None:
    assert Math().extract(response) == "evelyn"


@pytest.mark.parametrize("response", ["I do not know.", "So Evelyn is.", "The answer isn't 5.", "***", ""])
def test_prose_without_a_number_is_not_counted(response: str) -> None:
    assert Math().extract(response) is None


@pytest.mark.parametrize(("task", "extra"), [(Exact(), None), (Gym(), syllogism("Yes"))], ids=["exact", "gym"])
@pytest.mark.parametrize(
    "responses",
    [
        ["Ants are, so.\nYes", "All are.\nYes", "Not so.\nNo", "Some are.\nNo", "Uncertain.\nNo", "Who knows.\nNo"],
        ["Yes", "The answer is Yes.", "No", "The answer is No.", "**No**", "No, not all are."],
    ],
)
def test_two_that_say_yes_and_four_that_say_no_are_two_groups(
    task: Task, extra: dict[str, Any] | None, responses: list[str]
) -> None:
    assert groups(task, responses, extra) == {frozenset({0, 1}), frozenset({2, 3, 4, 5})}
