"""A number with a definite article is known before: what the sentence says of it is the answer."""

from __future__ import annotations

import time

import pytest

from selfimprove_workers.tasks import Math, Verdict
from selfimprove_workers.tasks.context import without_context

CORRECT, WRONG, NO_ANSWER = Verdict.CORRECT, Verdict.WRONG, Verdict.NO_ANSWER

SAID = [
    # response, what it says, what is known
    ("Kylar pays $64 for the 16 glasses.", "64", "16"), ("There are 260 sheep in the 3 cities.", "260", "3"),
    ("Tina makes $990.00 in total for the 5 days of work.", "990", "5"), ("He has 6 left out of 10.", "6", "10"),
    ("There are 6 apples in each of the 4 baskets.", "6", "4"), ("He needs $5 to buy the $100 wallet.", "5", "100"),
    ("She paid $25 after the 20% discount.", "25", "20"), ("3.75 is the mean of the 4 numbers.", "3.75", "4"),
    ("She earns $18 every day from the 9 eggs she sells.", "18", "9"),
    ("Answer: She earns $18 every day from the 9 eggs she sells.", "18", "9"),
    ("She reads 42 pages on the remaining 2 days.", "42", "2"),
]  # fmt: skip


@pytest.mark.parametrize(("response", "said", "known"), SAID)
def test_what_is_said_of_a_known_number_is_the_answer(response: str, said: str, known: str) -> None:
    check = Math().check(response, said, None)
    assert (check.flexible, check.strict) == (CORRECT, NO_ANSWER)
    assert Math().check(response, known, None).flexible is WRONG


LAST = [
    # response, its last number, which is the answer
    ("She drives 10 miles in 2 hours.", "2"), ("Of the 16 eggs she sells the 9 that are left.", "9"),
    ("He finishes 3 books on the 15th of May.", "15"), ("With $64 he gets the 16 glasses.", "16"),
    ("For $64 he plays for the 16 days.", "16"), ("If he pays $64 for the 16 glasses", "16"),
    ("In 30 minutes he is done with the 5 problems.", "5"), ("He is left with the 9.", "9"),
    ("Half of the 32 glasses is 16.", "16"), ("The 3 of them share for the 4 days.", "4"),
    ("She pays 20. This is for the 9 eggs.", "9"), ("She has 20 and for the 9 eggs pays.", "9"),
    ("She doesn't pay 20 for the 9 eggs.", "9"), ("It is 20 for the 9 eggs, but not now.", "9"),
]  # fmt: skip


@pytest.mark.parametrize(("response", "last"), LAST)
def test_where_nothing_tells_that_it_is_known_the_last_number_counts(response: str, last: str) -> None:
    assert without_context(response) == response
    assert Math().check(response, last, None).flexible is CORRECT


def test_a_share_of_a_known_number_is_worked_out() -> None:
    assert Math().check("In 2 days she reads half of the 84 pages.", "42", None).flexible is CORRECT


@pytest.mark.parametrize("text", ["5 for the 6 eggs " * 20_000, "for the " * 50_000, "5 " * 90_000 + "in the 5 a"])
def test_a_long_text_is_read_in_no_time(text: str) -> None:
    began = time.monotonic()
    without_context(text)
    assert time.monotonic() - began < 1
