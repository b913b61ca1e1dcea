"""A formula that a sentence ends with is the answer: all of it, and only where the sentence says that it is."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove_workers.tasks import Math, Verdict
from selfimprove_workers.tasks.statements import last_statement

CORRECT, WRONG, NO_ANSWER = Verdict.CORRECT, Verdict.WRONG, Verdict.NO_ANSWER

SENTENCES = [
    "The expression simplifies to {}.", "So we get {}.", "Simplifying, we have {}.", "This gives us {}.",
    "So the final result is {}", "Thus, the value of the expression equals {}.", "Combining like terms, we get:\n\n{}",
    "Expanding (x+2)(x+3) gives {}.", "We add 2 and 3x.\nThis can be written as **{}**.", "Therefore, {}.",
    "It becomes {}. I hope this helps! Let me know if you have any questions.", "So it is {}, as was to be shown.",
    "We have {} because both sides are equal.", "Dividing both sides by 2, we obtain {} (after simplifying).",
    "We get {} for all x.", "We get {}, not 7x.", "As $x$ is real, the value of $f(x)$ is {}.",
    "Expanding $7x$ for n > 2, we have {}.", "We get {}, which is real.", "That is {} rather than 7x.",
    "First we get 7x. Then we get {}.",
]  # fmt: skip
FORMULAS = [
    # gold, as it is written, a part of it or another
    ("6 - 5i", "6 - 5i", "6"), ("p - q", "p - q", "p"), (r"\sqrt{51}", "sqrt(51)", "51"), (r"\sqrt{51}", "√51", "51"),
    (r"\frac{\pi}{2}", "π/2", r"\pi"), ("x^2 - 4", "x^2 - 4", "x^2"), ("3x + 2", "2 + 3x", "3x"), ("10x", "10x", "x"),
    ("n^2", "n²", "n"), ("x > 3", "x > 3", "x < 3"), (r"2\sqrt{3}", "2√3", "√3"),
    ("(x-1)(x+1)", "(x - 1)(x + 1)", "x+1"),
    (r"3\sqrt{2}", "3√2 cm", r"\sqrt{2}"), ("x^2+5x+6", "(x+2)(x+3) = x^2 + 5x + 6", "(x+2)(x-3)"),
    ("2ab", "2ba", "2a"), (r"\sin x + 1", "sin x + 1", "x + 1"),
]  # fmt: skip


@pytest.mark.parametrize(("gold", "said", "part"), FORMULAS)
@pytest.mark.parametrize("sentence", SENTENCES)
def test_the_whole_formula_at_the_end_of_a_sentence_is_the_answer(
    sentence: str, gold: str, said: str, part: str
) -> None:
    response = sentence.format(said)
    check = Math().check(response, gold, None)
    assert (check.flexible, check.strict) == (CORRECT, NO_ANSWER)
    assert Math().check(response, part, None).flexible is WRONG


PRESENTATIONS = [
    "{} is the simplified expression.", "So {} is the final answer.", "Therefore, {} is the result.",
    "We add 2 and 3x.\n{} is the simplest form. I hope this helps!", "Thus {} is the fully simplified form",
    "{} is the simplified expression because nothing can be combined.",
]  # fmt: skip


@pytest.mark.parametrize(("gold", "said", "part"), FORMULAS)
@pytest.mark.parametrize("sentence", PRESENTATIONS)
def test_a_sentence_may_end_with_what_its_formula_is(sentence: str, gold: str, said: str, part: str) -> None:
    response = sentence.format(said)
    check = Math().check(response, gold, None)
    assert (check.flexible, check.strict) == (CORRECT, NO_ANSWER)
    assert Math().check(response, part, None).flexible is WRONG


NOT_SAID = [
    # gold, response
    ("2x + 3", "The expression isn't 2x + 3."),
    ("2x + 3", "It does not simplify to 2x + 3."),
    ("2x + 3", "It can never be equal to 2x + 3."),
    ("2x + 3", "A common mistake is 2x + 3."),
    ("2x + 3", "Is it 2x + 3?"),
    ("2x + 3", "It would be right if we had 2x + 3."),
    ("2x + 3", "The result is twice 2x + 3."),
    ("2x + 3", "The result is half of 2x + 3."),
    ("2x + 3", "The result is more than 2x + 3."),
    ("2x + 3", "The result is 5 times 2x + 3."),
    ("2x + 3", "The result is the square root of 2x + 3."),
    ("2x + 3", "The result is negative 2x + 3."),
    ("2x + 3", "We get x^2 or 2x + 3."),
    ("2x + 3", "We get x^2 and 2x + 3."),
    ("2x + 3", "We get x^2 minus 2x + 3."),
    ("2x + 3", "We get 5 - 2x + 3."),
    ("2x + 3", "We get -2x + 3."),
    ("2x + 3", "We get (2x + 3)^2."),
    ("2x + 3", "We get sin 2x + 3."),
    ("2x + 3", "Now we add 2x + 3."),
    ("2x + 3", "We get 2x + 3. Then we square it to get 4x^2 + 9."),
    ("2x + 3", "We get 2x + 3.\nThe sum of that and 5 is then doubled."),
    ("2x + 3", "We have 2x + 3 = 0, so x = -1.5."),
    ("2x + 3", "We get 2x + 3. So for x = 1 we have 5."),
    ("2x + 3", "We get 7x, not 2x + 3."),
    ("2x + 3", "We get 7x rather than 2x + 3."),
    ("2x + 3", "We get 7x (not 2x + 3)."),
    ("2x + 3", "Expanding $2x + 3$ we get 7x."),
    ("2x + 3", "We get 2x + 3 if x > 0, -2x if x < 0."),
    ("2x + 3", "We get 2x + 3 when x > 0 and -2x - 3 when x < 0."),
    ("2x + 3", "We get 2x + 3 if x > 0, and 5 otherwise."),
    ("2x + 3", "2x + 3 is the expression."),
    ("2x + 3", "2x + 3 is the numerator."),
    ("2x + 3", "2x + 3 is the original expression."),
    ("2x + 3", "2x + 3 is the simplified form of the numerator."),
    ("2x + 3", "2x + 3 is not the simplified expression."),
    ("2x + 3", "Is 2x + 3 is the simplified expression?"),
    ("2x + 3", "Half of 2x + 3 is the simplified expression."),
    ("2x + 3", "5 minus 2x + 3 is the final result."),
    ("2x + 3", "If x = 1, 2x + 3 is the result."),
    ("2x + 3", "7 or y = 2x + 3 is the solution."),
    ("2x + 3", "7x and y = 2x + 3 are the solutions."),
    ("y = 2x + 3", "Half of y = 2x + 3 is the answer."),
    ("x > 3", "Half of x > 3 is the answer."),
    ("2x + 3", "It is wrong that 2x + 3 is the simplified expression."),
    ("2x + 3", "2x + 3 is the result. Then we square it to get 4x^2 + 9."),
    ("2x + 3", "2x + 3 is the result if x > 0, and 5 otherwise."),
    ("x - y", "So we get x - y over 2."),
    ("x", "We get x plus y."),
    ("y", "We get x plus y."),
    (r"\sqrt{2}", "So the side is 3 times √2."),
    (r"\sqrt{2}", "So it lies between 1 and √2."),
    ("x > 3", "We don't have x > 3."),
    ("x > 3", "So 5 > x > 3."),
]


@pytest.mark.parametrize(("gold", "response"), NOT_SAID)
def test_a_formula_that_a_sentence_does_not_state_is_no_answer(gold: str, response: str) -> None:
    check = Math().check(response, gold, None)
    assert check.flexible in (WRONG, NO_ANSWER)
    assert check.strict is not CORRECT


@pytest.mark.parametrize(
    "words",
    ["The equation of the line that goes through both of the points", "We know nothing of it, so it is what it is",
     "Multiplying everything by everything else a lot of times"],
)  # fmt: skip
@pytest.mark.parametrize("gold", ["y = 2x + 3", "x^2", r"\sqrt{2}", "(x, y)"])
def test_computer_algebra_is_not_asked_about_words(words: str, gold: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Math().check("0", gold, None).flexible is WRONG
    asked: list[str] = []
    monkeypatch.setattr("selfimprove_workers.tasks.equality._judged", lambda _, answer: asked.append(answer))
    assert Math().check(words, gold, None).flexible in (WRONG, NO_ANSWER)
    assert not asked


@pytest.mark.parametrize("text", ["x " * 50_000, "we get " * 20_000, "(" * 50_000, "x, " * 50_000, "is 2 " * 40_000,
                                  "which " * 30_000, " - a" * 50_000, "so x\n" * 50_000, "a (b " * 50_000])  # fmt: skip
def test_a_long_text_is_read_in_no_time(text: str) -> None:
    began = time.monotonic()
    last_statement(text)
    assert time.monotonic() - began < 1


@given(st.lists(st.sampled_from(["we get", "is", "x", "+", "2", " ", ", ", ". ", "not", "(", ")", "so", "=", "which",
                                 "\n", ": ", "and", "cm", "$", "-"]), max_size=14).map(" ".join))  # fmt: skip
def test_a_stated_formula_stands_in_the_text_and_has_no_words(text: str) -> None:
    stated = last_statement(text)
    assert stated is None or (stated.formula in text and "get" not in stated.formula and "not" not in stated.formula)


EQUATIONS = [
    # gold, response, flexible
    ("x=5", "x = 5", CORRECT),
    ("x=5", "5", CORRECT),
    ("x=5", "The answer is 5.", CORRECT),
    ("x=5", "The answer is x = 5.", CORRECT),
    ("x=5", "Therefore, x = 5.", CORRECT),
    ("x=5", "So the solution is x = 5.", CORRECT),
    ("x=5", "Dividing both sides by 2, we get x = 5", CORRECT),
    ("x=5", "Dividing both sides by 2, x = 5", CORRECT),
    ("x=5", "2x = 10\nx = 5\n\nSo, the solution is x = 5. I hope this helps!", CORRECT),
    ("x=5", "This means that x = 5.", CORRECT),
    ("x=5", "The value of x is 5.", CORRECT),
    ("x=5", "So x is equal to 5.", CORRECT),
    ("x=5", "So the solution is 5.", CORRECT),
    ("x=5", "So we get 5 = x.", CORRECT),
    ("x=5", "So x = 2 + 3 = 5.", CORRECT),
    ("x=5", "Therefore, x = 6.", WRONG),
    ("x=5", "Therefore, y = 5.", WRONG),
    ("x=5", "Therefore, 2x = 5.", WRONG),
    ("x=5", "The value of y is 5.", WRONG),
    ("x=5", "The value of 2x is 5.", WRONG),
    ("x=5", "The value of x - 1 is 5.", WRONG),
    ("x=5", "Therefore, x = 5 or x = 6.", WRONG),
    ("x=5", "Therefore, x = 5 + y.", WRONG),
    ("x=5", "x = 5 is the solution.", CORRECT),
    ("x=5", "A student says x = 5 is the solution.", WRONG),
    ("x=5", "y = 5 is the solution.", WRONG),
    ("x=5", "x = 5 is the first guess.", WRONG),
    ("x=5", "x is not 5.", WRONG),
    ("x=5", "So x is not equal to 5.", WRONG),
    ("x=5", "If x = 5, it is odd.", WRONG),
    ("x=5", "We don't have x = 5.", WRONG),
    ("x=5", "We have x = 5. Thus x + 1 = 7.", WRONG),
    ("x=5", "x ≠ 5", WRONG),
    ("x=5", "Therefore, x > 5.", WRONG),
    ("x=5", "Therefore, x^2 = 25.", WRONG),
    ("x=5", "So 0 = 0.", WRONG),
    ("y = 2x + 3", "The equation of the line is y = 2x + 3", CORRECT),
    ("y = 2x + 3", "Therefore, the equation is:\n\ny = 2x + 3", CORRECT),
    ("y = 2x + 3", "So the line has the equation 2x + 3 = y.", CORRECT),
    ("y = 2x + 3", "So we get 2y = 4x + 6.", CORRECT),
    ("y = 2x + 3", "So we get 2x - y + 3 = 0.", CORRECT),
    ("y = 2x + 3", "So we get 3y = 2x + 3.", WRONG),
    ("y = 2x + 3", "So we get x = 2y + 3.", WRONG),
    ("y = 2x + 3", "So, the equation of the line is y = 3x + 2.", WRONG),
    ("y = 2x + 3", "So the line is y = 2x + 3 + c.", WRONG),
    ("y = 2x + 3", "So the line is not y = 2x + 3.", WRONG),
    ("y = 2x + 3", "So the slope is 2.", WRONG),
    ("x=2", "The vertex is at (2,-1), so the axis is x = 2", CORRECT),
    ("2", "The vertex is at (2,-1), so the axis is x = 2", CORRECT),
    ("x=-1", "The vertex is at (2,-1), so the axis is x = 2", WRONG),
    ("-1", "The vertex is at (2,-1), so the axis is x = 2", WRONG),
    ("f(x) = 2x + 3", "So f(x) is 2x + 3.", CORRECT),
    ("f(x) = 2x + 3", "So g(x) is 2x + 3.", WRONG),
    ("x=5, y=3", "So y = 3 and x = 5.", CORRECT),
    ("x=5, y=3", "So x = 3 and y = 5.", WRONG),
    ("x=5, y=3", "The solution is x = 5, y = 3.", CORRECT),
    ("x=5, y=3", "The solution is x = 3, y = 5.", WRONG),
    ("x=5, y=3", "The solution is 5, 3.", CORRECT),
    ("x=1, x=2", "The solutions are x = 2 and x = 1.", CORRECT),
    ("x=1, x=2", "The solutions are 1 and 2.", CORRECT),
    ("2x + 3y = 6", "The line is 4x + 6y = 12.", CORRECT),
    ("2x + 3y = 6", "So the sum is 6.", WRONG),
    ("x^2 + y^2 = 25", "So the equation of the circle is x^2 + y^2 = 25.", CORRECT),
    ("x^2 + y^2 = 25", "So the equation of the circle is x^2 - y^2 = 25.", WRONG),
    (r"x = \frac{1}{2}", "So x is 0.5.", CORRECT),
    (r"x = \sqrt{2}", "We find that x = √2.", CORRECT),
]


@pytest.mark.parametrize(("gold", "response", "verdict"), EQUATIONS)
def test_an_equation_is_the_same_by_its_sides_and_a_value_by_what_it_is_the_value_of(
    gold: str, response: str, verdict: Verdict
) -> None:
    assert Math().check(response, gold, None).flexible is verdict
