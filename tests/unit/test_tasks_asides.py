"""What a line adds to the formula that it states, a condition or a reason, is not its answer."""

from __future__ import annotations

import time

import pytest

from selfimprove_workers.tasks import Math, Verdict
from selfimprove_workers.tasks.asides import stated_formulas, without_added

CORRECT, WRONG, NO_ANSWER = Verdict.CORRECT, Verdict.WRONG, Verdict.NO_ANSWER

STATED = [
    # response, the formula that it states, one of what it adds
    ("So $f(x) = 2x + 3$ for all $x$.", "2x+3", "x"),
    ("The line is $y = 2x + 1$, where $2$ is the slope and $1$ is the $y$-intercept.", "y = 2x + 1", "y"),
    (r"The simplified expression is $\frac{1}{x+2}$, where $x \neq 2$.", r"\frac{1}{x+2}", r"x \neq 2"),
    (r"The sum is $\frac{n(n+1)}{2}$ for every positive integer $n$.", r"\frac{n(n+1)}{2}", "n"),
    (r"The sum is \(n(n+1)\) for every positive integer \(n\).", "n(n+1)", "n"),
    (r"The area is $12\pi$ square units, since $r = 2\sqrt{3}$.", r"12\pi", r"2\sqrt{3}"),
    (r"So $x = 3\sqrt{2}$ when $y = 0$.", r"3\sqrt{2}", "0"),
    (r"The maximum is $3\sqrt{2}$, attained at $x = \frac{\pi}{4}$.", r"3\sqrt{2}", r"\frac{\pi}{4}"),
    ("The minimum value is $10$, achieved at $x = 2$.", "10", "2"),
    ("So $x = 3$, since $2x = 6$.", "3", "6"),
    (r"The slope is $\frac{1}{3}$, since the line passes through $(0,0)$ and $(3,1)$.", "1/3", "1"),
    ("The length is $12$ cm, because $3 + 9 = 12$.", "12", "9"),
    ("The quotient is $2x + 3$ when dividing by $x - 1$.", "2x+3", "x-1"),
]


@pytest.mark.parametrize(("response", "stated", "added"), STATED)
def test_the_formula_before_a_condition_or_a_reason_is_the_answer(response: str, stated: str, added: str) -> None:
    check = Math().check(response, stated, None)
    assert (check.flexible, check.strict) == (CORRECT, NO_ANSWER)
    assert Math().check(response, added, None).flexible is WRONG


NOT_ALL = [
    # response, a formula before a condition or a reason
    ("The value of $x^2$ when $x = y$ is $9x$.", "x^2"), ("The result is $x^2$ when $y = 0$, so it is $9x$.", "x^2"),
    ("We get $2x$ if $x > 0$ and $-2x$ if $x < 0$.", "2x"), ("We get $2x$ if $x > 0$, else $3x$.", "2x"),
    ("It is not $2x$ when $x > 0$.", "2x"), ("A common mistake is $2x$ for all $x$.", "2x"),
    ("So $y = x^2$ for $x = 3$. Thus $z = 9x$.", "x^2"), ("Substituting $y = x^2$ where $x = 3z$.", "x^2"),
    ("If $y = x^2$ when $x = 3z$", "x^2"), ("So $y = x^2$ where $x = 3z$ gives $9z^2$.", "x^2"),
    ("So $y = x^2$ where $x = 3z$ and we get $9z^2$.", "x^2"), ("So $y = x^2$ if $x = 3z$ then $9z^2$.", "x^2"),
    ("The result is twice $2x$ for all $x$.", "2x"), ("We get $7x$ or $2x$ for all $x$.", "2x"),
    ("The result is $x^2$ where the answer is $9x$.", "x^2"), ("So we get $x^2$ where $x$ is 9z.", "x^2"),
    ("It isn't $3$, since $2x = 6$.", "3"), ("If $x = 3$, since $2x = 6$.", "3"),
    ("We have 2 and get $x$, since $2x = 6$.", "2"), ("We get $3$, since $x = 6$, so the result is $4$.", "3"),
    ("The value is $2$ for $n = 1$, $4$ for $n = 3$.", "2"), ("It is $2x$ for $n = 1$, $4x$ for $n = 2$.", "2x"),
]  # fmt: skip


@pytest.mark.parametrize(("response", "before"), NOT_ALL)
def test_a_formula_that_is_not_all_that_a_line_states_stays_no_answer(response: str, before: str) -> None:
    assert Math().check(response, before, None).flexible in (WRONG, NO_ANSWER)


@pytest.mark.parametrize("text", ["So $x$ for " * 8000, "is $x$" + " a" * 90000, "$x$, " * 20000 + "where $y$"])
def test_a_long_line_of_formulas_is_read_in_no_time(text: str) -> None:
    began = time.monotonic()
    stated_formulas(text)
    without_added(text)
    assert time.monotonic() - began < 1
