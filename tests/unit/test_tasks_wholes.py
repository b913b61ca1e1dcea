"""A number that is only a part of what a sentence says is not the answer: the whole is."""

from __future__ import annotations

import pytest

from selfimprove_workers.tasks import Math, Verdict
from selfimprove_workers.tasks.phrases import _last_number, last_number

CORRECT, WRONG, NO_ANSWER = Verdict.CORRECT, Verdict.WRONG, Verdict.NO_ANSWER


def flexible(response: str, gold: str) -> Verdict:
    return Math().check(response, gold, None).flexible


SENTENCES = ["The answer is {}", "The answer is {}.", "So we get {}.", "We add.\nThus it is {}"]

WORKED_OUT = [
    ("5 squared", "25", "5"), ("5 cubed", "125", "5"), ("half of 5", "5/2", "5"), ("twice 5", "10", "5"),
    ("double 5", "10", "5"), ("the square root of 9", "3", "9"),
    ("12 divided by 4", "3", "4"), ("12/4", "3", "4"),
    ("12 less than 20", "8", "12"), ("12 more than 20", "32", "20"),
    ("1 in 6", "1/6", "6"), ("1 out of 6", "1/6", "1"), ("42 = 6 * 7", "42", "7"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "value", "part"), WORKED_OUT)
@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_calculation_counts_as_what_it_comes_to(sentence: str, said: str, value: str, part: str) -> None:
    assert flexible(sentence.format(said), value) is CORRECT
    assert flexible(sentence.format(said), part) is WRONG


UNEVALUATED = [
    # what is said, what it comes to, what is a part of it
    ("12 times 4", "48", "4"), ("12 minus 4", "8", "4"), ("12 plus 4", "16", "4"),
    ("12 multiplied by 4", "48", "4"),
    ("12 + 4", "16", "4"), ("12 x 4", "48", "4"), ("12 - 4", "8", "4"), ("12 - 4", "8", "-4"),
    ("2 * 3 + 4", "10", "4"), ("$15 + $2", "17", "2"), ("6 · 7", "42", "7"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "value", "part"), UNEVALUATED)
@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sum_counts_neither_as_what_it_comes_to_nor_as_its_part(
    sentence: str, said: str, value: str, part: str
) -> None:
    assert flexible(sentence.format(said), value) is WRONG
    assert flexible(sentence.format(said), part) is WRONG


FORMULAS = [
    # what is said, what is a part of it
    ("p - q", "p q"), ("x - y", "x y"), ("2 - x", "2 x"), ("2 - xy", "2"), ("2 - ab", "2"), ("2 - sin x", "2"),
    ("x - pi", "x"), ("2 - theta", "2"), ("AB - CD", "AB CD"), ("2 + x", "2 x"), ("2 * x", "2 x"), ("5 sin x", "5"),
    ("2 (x + 3)", "2 3"), ("2 - x + y", "2 x"), ("x² - y", "x y"), ("2–x", "2 x"), ("7²", "7 2"), ("2 - 3x", "2 3"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "parts"), FORMULAS)
@pytest.mark.parametrize("sentence", [*SENTENCES, "Answer: {}", "The answer is {}, which is odd."])
def test_a_formula_is_never_cut_at_its_signs(sentence: str, said: str, parts: str) -> None:
    for part in parts.split():
        assert flexible(sentence.format(said), part) in (WRONG, NO_ANSWER)


@pytest.mark.parametrize("said", [said for said, _ in FORMULAS])
@pytest.mark.parametrize("sentence", ["The answer is {}", "The answer is {}.", "Answer: {}", "Answer: {}, as we saw."])
def test_a_formula_with_signs_is_the_answer_that_is_declared(sentence: str, said: str) -> None:
    check = Math().check(sentence.format(said), said, None)
    assert (check.flexible, check.strict) == (CORRECT, CORRECT)


@pytest.mark.parametrize(
    "aside",
    ["- that's all", "– so many", "- a dozen and a half", "— I think", "- by far", "-- it is", "(cm)", "(a dozen)",
     "(i.e. as many)", ", by the way", ", a lot"],
)  # fmt: skip
def test_words_after_a_dash_are_no_part_of_the_answer(aside: str) -> None:
    assert flexible(f"The answer is 18 {aside}.", "18") is CORRECT
    assert flexible(f"So she has 18 {aside}.", "18") is CORRECT


NO_NUMBER = [
    ("2 hours 15 minutes", "2 15"), ("2 hrs 15 min", "2 15"), ("5 feet 6 inches", "5 6"), ("5 ft, 6 in", "5 6"),
    ("6 pounds 4 ounces", "6 4"), ("1 hour and 30 minutes", "1 30"), ("5'6\"", "5 6"),
    ("3 dollars and 20 cents", "3 20"),
    (r"x = \pm 5", "5 -5"), ("x = ±5", "5 -5"), ("plus or minus 5", "5"), ("greater than 18", "18"),
    ("less than 18 apples", "18"), ("between 18 and 20", "18 20"), ("5 remainder 3", "5 3"), ("5 R 3", "5 3"),
    ("x = 2 and x = 3", "2 3"), ("2 or 3", "2 3"), ("3:4", "3 4"), ("3 to 4", "3 4"),
    ("$x=2$ or $x=3$", "2 3"),
    ("42 if x is positive and 43 otherwise", "42 43"), ("2 sqrt 3", "2 3"), ("5x + 3", "5 3"),
    ("the square root of 5", "5"), ("1+2+3+4+5+6+7+8+9+10", "52 54 10"),
    ("f(3)", "3"),
    ("15 + 2 =", "15 2 17"), ("15 + 2 = ?", "15 2 17"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "parts"), NO_NUMBER)
@pytest.mark.parametrize("sentence", SENTENCES[:1] + SENTENCES[2:])
def test_what_is_more_than_a_number_equals_none_of_its_parts(sentence: str, said: str, parts: str) -> None:
    text = sentence.format(said) if not said.endswith(("=", "?")) else sentence.removesuffix(".").format(said)
    for part in parts.split():
        assert flexible(text, part) in (WRONG, NO_ANSWER)


@pytest.mark.parametrize(
    ("response", "gold"),
    [
        ("It grew from 3 to 4", "4"),
        ("So we round 12.5 to 13.", "13"),
        ("The probability is 0.5 or 1/2.", "1/2"),
        ("We need 12.5 or 13 boxes.", "13"),
        ("She runs 5 miles 3 days a week, 3", "3"),
        ("She drives 10 miles in 2 hours.", "2"),
        ("It takes 120 minutes or 2 hours.", "2"),
        ("Total: **5**", "5"),
        ("The total is $5 + $3, or $8", "8"),
        ("The answer is 12 of the 30 students.", "12"),
        ("The answer is 12 out of 30 students.", "12"),
        ("The answer is 5 squared = 25", "25"),
        ("The total is - 5", "-5"),
        ("Step 3: 4 apples", "4"),
        ("She sold 48 in May and she has 24 left.", "24"),
        ("The answer is 2 and 1/2.", "2.5"),
        ("The answer is 15 (10 apples + 5 pears)", "15"),
        ("Total: 15 (10 apples + 5 pears)", "15"),
        ("The answer is 25 meters squared.", "25"),
        ("The answer is: 42 ✅", "42"),
        ("答案是42", "42"),
        ("答案是 42。", "42"),
        ("Ответ: 42", "42"),
    ],
)
def test_a_number_that_stands_for_itself_is_the_answer(response: str, gold: str) -> None:
    assert flexible(response, gold) is CORRECT


@pytest.mark.parametrize("denied", ["42, not 43", "42 instead of 43", "42 rather than 43", "42, unlike 43"])
@pytest.mark.parametrize("sentence", ["It's {}.", "We get {}"])
def test_of_two_numbers_the_one_that_is_denied_is_no_answer(sentence: str, denied: str) -> None:
    assert flexible(sentence.format(denied), "42") is CORRECT
    assert flexible(sentence.format(denied), "43") is WRONG


def test_a_number_that_is_only_denied_is_no_answer() -> None:
    assert flexible("We have 10. It is not 43.", "43") is NO_ANSWER


@pytest.mark.parametrize(
    "response", ["If the answer were 42, it'd be wrong.", "Suppose that the answer is 42, which is odd."]
)
def test_an_answer_that_is_only_supposed_is_none(response: str) -> None:
    assert flexible(response, "42") is NO_ANSWER


@pytest.mark.parametrize(
    "taken_back", ["is wrong", "is incorrect", "isn't right", "is clearly not it", "was a mistake"]
)
def test_a_box_that_is_taken_back_does_not_count(taken_back: str) -> None:
    response = rf"\boxed{{5}} {taken_back}. The answer is 6."
    assert Math().check(response, "5", None).strict is WRONG
    assert Math().check(response, "6", None).strict is CORRECT
    assert flexible(rf"\boxed{{5}} {taken_back}.", "5") is NO_ANSWER


def test_a_box_that_is_told_from_another_number_stays() -> None:
    assert flexible(r"\boxed{5} is not 6, as one might think.", "5") is CORRECT


def test_what_is_said_after_a_supposition_counts() -> None:
    assert flexible("We check if the answer is plausible. It is 42.", "42") is CORRECT
    assert flexible("See if the answer is plausible: 42.", "42") is CORRECT


@pytest.mark.parametrize("sentence", ["{}", "So {}.", "So it is {} now", "Then = {} ="])
@pytest.mark.parametrize("said", [said for said, *_ in [*WORKED_OUT, *UNEVALUATED, *FORMULAS, *NO_NUMBER]])
def test_the_quick_look_leaves_every_part_of_a_whole_to_the_long_one(sentence: str, said: str) -> None:
    assert last_number(sentence.format(said)) == _last_number(sentence.format(said))
    for gold in ("2", "3", "4", "5", "6", "15"):
        response = f"We add {said}"
        assert Math().check(response, gold, None) == Math()._cascade(response, gold, False, False)


SHARES = [
    ("1 in 6", "1/6"), ("1 in 6 chance", "1/6"), ("1 in 6 rolls", "1/6"), ("3 in 20", "3/20"),
    ("3 in 20 people", "3/20"),
    ("3 in every 20 cars", "3/20"), ("6 out of 10", "3/5"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "value"), SHARES)
@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_part_of_all_is_a_fraction(sentence: str, said: str, value: str) -> None:
    assert flexible(sentence.format(said), value) is CORRECT


@pytest.mark.parametrize(
    ("said", "value"),
    [("$990 in 5 days", "198"), ("30 in 5 years", "6"), ("$300 in 6 weeks", "50"), ("10 in 20 minutes", "1/2"),
     ("1 in 4 hours", "1/4"), ("3 in 12 games", "1/4"), ("2.5 in 5", "1/2"), ("50% in 2", "1/4")],
)  # fmt: skip
@pytest.mark.parametrize("sentence", [*SENTENCES, "Tina makes {}."])
def test_what_happens_in_some_time_is_none(sentence: str, said: str, value: str) -> None:
    assert flexible(sentence.format(said), value) is WRONG


def test_what_is_declared_to_happen_in_some_time_is_the_answer() -> None:
    assert flexible("The answer is $300 in 6 weeks.", "300") is CORRECT
    assert flexible("The answer is 30 in 5 years.", "30") is CORRECT


@pytest.mark.parametrize("said", ["$70k", "$70K", "$0.07M", r"\$70k"])
@pytest.mark.parametrize("sentence", ["{}", "The profit is {}.", "The answer is {}.", "Answer: {} in all"])
def test_a_letter_behind_money_multiplies_it(sentence: str, said: str) -> None:
    assert flexible(sentence.format(said), "70000") is CORRECT
    assert flexible(sentence.format(said), "70") is WRONG


def test_a_letter_behind_a_number_is_no_mere_unit() -> None:
    assert flexible("She needs 18k.", "18") is WRONG
    assert flexible("She runs 18km.", "18") is CORRECT
    assert flexible("The perimeter is $5m$.", "5m") is CORRECT
    assert flexible("The perimeter is $5k$.", "5000") is WRONG
