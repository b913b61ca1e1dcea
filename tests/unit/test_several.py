"""Answers of several values that are told one by one: in prefixes, and in what a teacher says."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove_workers.guidance.golds import gold_position
from selfimprove_workers.guidance.naming import names_answer
from selfimprove_workers.guidance.prefixes import growing_prefixes
from selfimprove_workers.guidance.several import values_of

MIDPOINT = "What is the midpoint of $(0,0)$ and $(6,8)$?"
ROOTS = "Solve $x^2-7x+10=0$."
SMALL_ROOTS = "Solve $x^2-3x+2=0$ for all x."
SAID = ["x", "y", "=", "is", "2", "5", "25", "1/2", "and", ",", "(", ")", "$", ".", "the other root", "-", "\n"]


def words(text: str) -> list[int]:
    return [found.end() for found in re.finditer(r"\s*\S+", text)]


@pytest.mark.parametrize(
    ("gold", "values"),
    [
        ("2,5", ["2", "5"]),
        (r"(3, \frac12)", ["3", "0.5"]),
        (r"\{1,2\}", ["1", "2"]),
        ("[2,5)", ["2", "5"]),
        ("x = 1, y = -2", ["1", "-2"]),
        (r"\left(2, \frac{\pi}{3}\right)", ["2", r"\frac{\pi}{3}"]),
        (r"1+\sqrt2, 1-\sqrt2", [r"1+\sqrt2", r"1-\sqrt2"]),
        (r"(-\infty,-1)\cup(4,\infty)", ["-1", "4"]),
        (r"\frac{\pi}{3}", []),
        (r"(3, \infty)", []),
        ("72", []),
        ("1,234", []),
        ("red, blue", []),
    ],
)
def test_the_values_of_a_list_are_known_and_of_anything_else_none(gold: str, values: list[str]) -> None:
    assert values_of(gold) == values


@pytest.mark.parametrize(
    ("text", "gold", "before"),
    [
        ("One root is 2.\nThe other is 5.\n", "2,5", "One root is 2.\nThe other is "),
        ("$x=5$. Then $x=2$, and $x=5$ again", "2,5", "$x=5$. Then $x="),
        (
            "The x-coordinate is 6/2=3.\nThe y-coordinate is 8/2=4.",
            "(3, 4)",
            "The x-coordinate is 6/2=3.\nThe y-coordinate is 8/2=",
        ),
        ("So x >= 2.\nAnd x < 5.", "[2,5)", "So x >= 2.\nAnd x < "),
        ("They are 4, 3, 2 and 1.", "1, 2, 3, 4", "They are 4, 3, 2 and "),
        ("x = 0 there, and y = 0", "(0, 0)", "x = 0 there, and y = "),
        ("We have $2 \\le x$ from the root, $5 > x$ from the log.", "[2,5)", "We have $2 \\le x$ from the root, "),
        ("So $x$ lies between 2 and 5.", "(2,5)", "So $x$ lies between 2 and "),
        ("$x$ runs from $2$ up to $5$.", "[2,5)", "$x$ runs from $2$ up to "),
        ("It is at least $-2$ and at most $2$.", "[-2,2]", "It is at least $-2$ and at most "),
        (r"We have $r = 2$ and $\theta = \frac{\pi}{3}$.", r"(2, \frac{\pi}{3})", r"We have $r = 2$ and $\theta = "),
        ("Then $x < -1$ or $x > 4$.", r"(-\infty,-1)\cup(4,\infty)", "Then $x < -1$ or $x > "),
        ("3 is the x-coordinate, 4 is the other", "(3, 4)", "3 is the x-coordinate, "),
    ],
)
def test_the_gold_stands_where_the_last_of_its_values_is_told(text: str, gold: str, before: str) -> None:
    assert text[: gold_position(text, gold)] == before


@pytest.mark.parametrize(
    ("text", "gold"),
    [
        ("Factor: $(x-2)(x-5)=0$.", "2,5"),
        ("One root is 2.", "2,5"),
        ("x = 2 + 5, y = 5/2", "2,5"),
        ("x = 2y and z = 5k", "2,5"),
        ("x = -2 and x = 25", "2,5"),
        ("There are 2 boxes. Each of the 5 men takes one.", "2,5"),
        ("x = 0, and what is y?", "(0, 0)"),
    ],
)
def test_numbers_that_stand_in_a_calculation_tell_no_value(text: str, gold: str) -> None:
    assert gold_position(text, gold) == len(text)


@pytest.mark.parametrize("schedule", ["Lines", "Tokens", None])
@pytest.mark.parametrize(
    ("gold", "rationale", "last"),
    [
        ("2,5", "Factor: $(x-2)(x-5)=0$.\nOne solution is $x=2$.\nThe other is $x=5$.\nSo 2, 5.", "$x=5$"),
        ("(3, 4)", "Average them.\nThe x-coordinate is 3.\nThe y-coordinate is 4.\nIt is $(3,4)$.", "4"),
    ],
)
def test_no_prefix_holds_the_last_missing_value(gold: str, rationale: str, last: str, schedule: str | None) -> None:
    prefixes = list(growing_prefixes(rationale, gold, schedule, words))
    assert prefixes
    assert all(last not in prefix for prefix in prefixes)


@given(st.lists(st.sampled_from(SAID), max_size=40), st.sampled_from(["2,5", "(5, 2)", r"(\frac12, 2)", "(2, 2)"]))
def test_no_prefix_contains_a_gold_of_several_values(said: list[str], gold: str) -> None:
    prefixes = list(growing_prefixes(" ".join(said), gold, "Tokens", words))
    assert all(gold_position(prefix, gold) == len(prefix) for prefix in prefixes)


@pytest.mark.parametrize(
    ("said", "gold", "question"),
    [
        ("The x-coordinate should be 3 and the y-coordinate should be 4.", "(3, 4)", MIDPOINT),
        ("Half of 6 is 3 and half of 8 is 4, so take these two.", "(3, 4)", MIDPOINT),
        ("Your y is wrong, it should be 4; 3 is right.", "(3, 4)", MIDPOINT),
        ("One root is 2, the other is 5.", "2,5", ROOTS),
        ("You found x=2 but missed x=5.", "2,5", ROOTS),
        ("x = 2 is right; the other root, 5, is missing.", "2,5", ROOTS),
        ("2 works, and so does 5.", "2,5", ROOTS),
        ("x equals two or five.", "2,5", ROOTS),
        ("Try 2 and then 5.", "2,5", ROOTS),
        ("2 and 5 are the roots.", "2,5", ROOTS),
        ("Three and four are the coordinates.", "(3, 4)", MIDPOINT),
        ("x = 1 was right, and x=2 is missing.", "1, 2", SMALL_ROOTS),
    ],
)
def test_a_critique_with_all_the_values_names_the_answer(said: str, gold: str, question: str) -> None:
    assert names_answer(said, gold, None, question)


@pytest.mark.parametrize(
    ("said", "gold", "question"),
    [
        ("The x-coordinate should be 3, now do the same for y.", "(3, 4)", MIDPOINT),
        ("Halve the sums: (0+6)/2 and (0+8)/2.", "(3, 4)", MIDPOINT),
        ("x=2 is right but there is one more root.", "2,5", ROOTS),
        ("In step 2 you took 10 as 1 times 10; line 5 is wrong too.", "2,5", ROOTS),
        ("Step 1 is right, but in step 2 you lost a sign.", "1, 2", SMALL_ROOTS),
        ("You only found one of the two roots.", "1, 2", SMALL_ROOTS),
        ("The product of the roots should be 2 and their sum 3; you have 6.", "1, 2", SMALL_ROOTS),
    ],
)
def test_a_critique_that_leaves_a_value_to_be_found_is_given(said: str, gold: str, question: str) -> None:
    assert not names_answer(said, gold, None, question)
