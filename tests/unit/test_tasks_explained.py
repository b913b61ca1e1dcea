"""A first line that what comes after it only explains is the answer, for every task."""

from __future__ import annotations

import time

import pytest

from selfimprove_workers.tasks import Exact, Gym, Math, Verdict
from selfimprove_workers.tasks.explained import explained_claim

CORRECT, WRONG = Verdict.CORRECT, Verdict.WRONG
BURNT = "She started with 12 apples and gave away 5."


def gym(response: str, gold: str) -> Verdict:
    """How Gym grades a response."""
    extra = {"gym": "gsm_symbolic", "config": {}, "entry": {"question": "?", "answer": gold, "metadata": {}}}
    return Gym().check(response, gold, extra).flexible


@pytest.mark.parametrize("first", ["7", "7.", "**7**", "7 apples", "$7$"])
@pytest.mark.parametrize("head", ["Explanation:", "**Explanation:**", "### Explanation\n"])
def test_gym_takes_the_number_before_an_explanation_as_math_does(first: str, head: str) -> None:
    response = f"{first}\n\n{head} {BURNT}"
    assert Math().check(response, "7", None).flexible is gym(response, "7") is CORRECT
    assert Math().check(response, "5", None).flexible is gym(response, "5") is WRONG


@pytest.mark.parametrize(
    "response", ["8\n\nExplanation: 12 - 5 = 7. The answer is 7.", "We have 8 and 5.\n\nExplanation: 12 - 5 = 7"]
)
def test_gym_takes_another_number_where_the_explanation_declares_it_or_no_number_stands_before(response: str) -> None:
    assert Math().check(response, "7", None).flexible is gym(response, "7") is CORRECT


@pytest.mark.parametrize(
    ("response", "gold"),
    [
        ("Yes.\n\nExplanation: All of the cats are animals, and so is Tom.", "Yes"),
        ("Paris\n\nExplanation: It has been the capital since 987.", "Paris"),
        ("**Paris**\n\n**Explanation:** It has been the capital\nof France for long.", "Paris"),
        ("The capital is Paris.\n\nExplanation:\nIt has been the capital since 987.", "Paris"),
    ],
)
def test_words_before_an_explanation_are_the_answer(response: str, gold: str) -> None:
    assert Exact().check(response, gold, None).flexible is gym(response, gold) is CORRECT
    assert Exact().check(response, "987", None).flexible is gym(response, "Rome") is WRONG


@pytest.mark.parametrize(
    "response",
    [
        "What is it?\n\nExplanation: Surely it is Paris",
        "Here you are:\n\nExplanation: It has been the capital since 987.\nParis",
        "Rome\n\nExplanation: It is the capital of Italy.\n\nParis",
        "Rome\n\nExplanation: no, it is not.\nParis",
        "Explanation: It is the capital.\nParis",
        "Rome\n\nExplanation: The answer is Paris.",
    ],
)
def test_what_comes_after_an_explanation_counts_as_ever(response: str) -> None:
    assert Exact().check(response, "Paris", None).flexible is CORRECT


@pytest.mark.parametrize("piece", ["\n", "\nExplanation:", " ", "a\n", "*"])
def test_a_long_text_is_read_in_no_time(piece: str) -> None:
    began = time.monotonic()
    explained_claim("Paris\n\nExplanation: It" + piece * 40_000 + "\n\n.")
    explained_claim("Paris" + piece * 40_000)
    assert time.monotonic() - began < 1
