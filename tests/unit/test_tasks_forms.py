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


INSIDE = [
    # a gold that is a part of what is said, and the response
    ("6", "So the point is (5, 6)."), ("6", "The interval is [5, 6]."), ("6", "We get {5, 6}."),
    ("6", "We get (5; 6)."),
    ("3", "We get [1, 2, 3]."), ("2", "So it lies in (-∞, 2)."), ("2", "We get 1,2."), ("6", r"The set is \{5, 6\}."),
    ("6", "So x > 6."), ("6", "Thus x <= 6."), ("6", "We get x ≤ 6"), ("6", "so $x > 6$"), ("6", "Hence 0 < x < 6."),
    ("6", "So 6 < x."), ("6", "So y != 6"), ("5", "The answer is x > 5."),
    ("5", "The answer is 5 times as many as 3."), ("5", "The answer is 5 more than x."),
]  # fmt: skip


@pytest.mark.parametrize(("gold", "response"), INSIDE)
def test_a_number_inside_of_another_answer_is_none(gold: str, response: str) -> None:
    check = Math().check(response, gold, None)
    assert check.flexible is WRONG
    assert check.strict is not CORRECT


ALONE = [
    ("20", "The perimeter is 4s = 20."), ("5", "So a + b = 5."), ("5", "So x = 5."), ("6", "We get x=6."),
    ("6", "f(x) = 6"),
    ("120", "In all 2h = 120 minutes"), ("1234", "We get (1,234)."), ("1234", "So it is 1,234"), ("6", "So 5 + 1 => 6"),
    ("6", "x = 5\n\nThen we add 1.\ny = 6"), ("6", "n = 3\nn = 6"), ("6", "2x = 12\nx = 6"), ("6", "gcd(12, 18) = 6"),
    ("6", "The distance from (1, 2) to (3, 4) is 6."), ("6", "x > 3, so the smallest is 6."),
    ("5", "He has 5 more than Tom."),
    ("18", "We need at least 18 tickets."), ("18", "He can buy at most **18** pens."),
    ("18", "She needs a score of at least 18."), ("18", "If x = 9, then 2x = 18."), ("18", "x = 9\n2x = 18"),
    ("18", "Earnings: 2x = 18"), ("18", "Tom's apples: 2x + 4 = 18"), ("18", "l = 9\nw = 2\nA = 18"),
    ("5", "1. x = 3\n2. y = 5"),
    ("50", "She needs at least $50."), ("92", "He needs to score at least 92."), ("7", "The answer is at least 7."),
    ("20", "The boat holds at most 20 people."), ("7", r"$x^2 + \frac{1}{x^2} = 7$"), ("47", r"$\cos 2x = 47$"),
    ("18", "Therefore, Jane has 2x = 18."), ("25", "s = 5\nA = 25"), ("25", "Therefore $x^2 = 25$."),
    ("5", "Ann has 5 times as many as Tom."), ("6", "It is most likely 6"), ("0", "So |x - 3| = 0"),
]  # fmt: skip


@pytest.mark.parametrize(("gold", "response"), ALONE)
def test_a_number_beside_such_a_form_stands_for_itself(gold: str, response: str) -> None:
    assert Math().check(response, gold, None).flexible is CORRECT


@pytest.mark.parametrize("response", ["-> 2", "→ 2", "✅ 2", "--> **2**", "➜ $2$", "The answer is → 2"])
def test_what_points_at_an_answer_is_no_part_of_it(response: str) -> None:
    assert Math().check(response, "2", None).strict is CORRECT
    assert Math().check(response, "-2", None).flexible is WRONG


def test_a_ratio_may_be_said_with_to() -> None:
    for response in ("The ratio is 3 to 4.", "So it is 3:4 in all.", "The ratio of cats to dogs is 3 : 4."):
        assert Math().check(response, "3:4", None).flexible is CORRECT
    for response in ("The ratio is 4 to 3.", "The ratio is 3 to 40.", "It goes from 3 to 4.", "It isn't 3 to 4."):
        assert Math().check(response, "3:4", None).flexible is WRONG


def test_a_capital_u_between_two_intervals_joins_them() -> None:
    gold = r"(0,1) \cup (2,3)"
    assert Math().check("(0, 1) U (2, 3)", gold, None).strict is CORRECT
    assert Math().check("(0, 1) U (2, 4)", gold, None).flexible is WRONG


def test_an_answer_that_is_explained_after_it_is_the_one_before_the_explanation() -> None:
    response = "2.\n\nExplanation: 5 - 3 = 2, and we had 4 before."
    assert Math().check(response, "2", None).flexible is CORRECT
    assert Math().check(response, "4", None).flexible is WRONG
    assert Math().check("2.\n\nExplanation: 5 - 3 = 2. The answer is 4.", "4", None).flexible is CORRECT
