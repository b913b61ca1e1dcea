"""No answer, however it is made, hangs a check, breaks it, or costs it more than its limit."""

from __future__ import annotations

import os
import signal
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfimprove_workers.tasks import Choice, Exact, Gym, Math, Task, Verdict
from selfimprove_workers.tasks.judging import Bench, bench

SECONDS = 10.0
"""Far above the limit (0.4 s of CPU), for a machine that does other things too: this finds hangs."""
GYM = {"gym": "countdown", "config": {}, "entry": {"answer": "3*4", "metadata": {"numbers": [3, 4], "target": 12}}}
CHOICES = {"choices": [{"label": "A", "text": "dry palms"}, {"label": "B", "text": "wet palms"}]}
TASKS = [
    (Math(), "72", None),
    (Math(), "x^2+1", None),
    (Choice(), "A", CHOICES),
    (Exact(), "Paris", None),
    (Gym(), "3*4", GYM),
]

HOSTILE = {
    "tower": r"\boxed{9^{9^{9^9}}}",
    "python tower": "9**9**9**9**9",
    "big power": r"\boxed{2^{99999}}",
    "power of digits": r"\boxed{" + "9" * 200 + "^{64}}",
    "digits and an exponent": r"\boxed{" + "9" * 1900 + "e999 billion}",
    "factorial": r"\boxed{99999!}",
    "nested factorials": r"\boxed{9!!!!!!!}",
    "parentheses": "(" * 3000 + ")" * 3000,
    "boxed parentheses": r"\boxed{" + "(" * 190 + ")" * 190 + "}",
    "digits": "9" * 1_000_000,
    "boxed digits": r"\boxed{" + "9" * 1_000_000 + "}",
    "open boxes": r"\boxed{" * 50_000,
    "thoughts": "<think>" * 50_000,
    "answers": "answer " * 100_000,
    "answer is": "answer is " * 100_000,
    "answer of": "answer of " * 100_000,
    "answer isn't": "answer isn't 2, " * 60_000,
    "denials": "the answer of all " * 10_000 + "answer is not " + "1, " * 100_000,
    "alternatives": "answer: 1" + ", or 1" * 600,
    "alternatives in parentheses": "answer: 1" + " (or $1$" * 400,
    "formulas": "answer: " + "$1$ + " * 600,
    "bases": r"\boxed{1" + "_{2}" * 400 + "}",
    "units over units": r"\boxed{1 m" + "/m" * 900 + "}",
    "signs in words": "minus " * 150_000 + "negative " * 10_000 + "72",
    "dollars": "$" * 1_000_000,
    "dollar digits": "$1" * 500_000,
    "fractions": r"\frac{" * 200_000,
    "spaces": " " * 1_000_000,
    "numbers": "1 " * 500_000,
    "thousands": "1,000," * 200_000,
    "dots": "the answer is a.." + "." * 1_000_000,
    "superscripts": "²" * 1_000_000,
    "equals": "answer: " + "=1" * 1900,
    "words": "answer: " + "a " * 1900,
    "lists": "it is (" + "1, " * 600 + "x and 1" + ", 1" * 600,
    "powers in a sentence": "it is " + "x^" * 2000 + "2√(" * 500 + "71",
    "hundreds": "answer: " + "a hundred " * 2000,
    "two units": "answer: 71 m" + " (1 h 2 m" * 1000,
    "sums": "it is " + "1 + " * 50_000 + "1",
    "numbers that are denied": "not 71, " * 50_000 + "not 71",
    "one half of one half": "half of " * 50_000 + "71",
    "feet and inches": "answer: 71 a " + "5 feet 6 inches " * 200,
    "answers supposed": "if the answer is 71 " * 10_000,
    "boxes taken back": r"\boxed{71} is wrong. " * 10_000,
    "joined boxes": r"\boxed{1}" + (" " * 12 + "and" + " " * 12 + r"\boxed{2}") * 5000,
    "alternatives of x": r"\boxed{" + "x < 2 or " * 200 + "x > 3}",
    "nearly": r"\boxed{" + r"x \approx " * 200 + "71}",
    "calculations": "answer: 1 clip of 2 " + "of 3 " * 1500 + "= 71",
    "brackets": r"\boxed{" + "[{(" * 300 + ")}]" * 300 + "}",
    "deep fractions": r"\boxed{" + r"\frac{1}{" * 60 + "2" + "}" * 61,
    "deep roots": r"\boxed{" + r"\sqrt{" * 15 + "2" + "}" * 16,
    "integrals": r"\boxed{" + r"\int_0^{\infty}" * 20 + " e^{-x^2} dx}",
    "sum": r"\boxed{\sum_{n=1}^{10^{12}} \frac{1}{n^2}}",
    "backslashes": "\\" * 1_000_000,
    "tags": "<answer>" * 200_000,
    "null bytes": "\x00" * 1000,
    "surrogates": "\ud800 answer is \udfff",
    "right to left": "\u202e answer is \u202d 27",
    "braces": "}" * 100_000 + "{" * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize(("task", "gold", "extra"), TASKS, ids=["math", "expression", "choice", "exact", "gym"])
def test_a_hostile_answer_is_never_correct_and_never_takes_long(
    task: Task, gold: str, extra: dict[str, object] | None, name: str
) -> None:
    _warm(extra is GYM)
    began = time.monotonic()
    check = task.check(HOSTILE[name], gold, extra)
    assert time.monotonic() - began < SECONDS
    assert check.flexible is not Verdict.CORRECT
    assert check.strict is not Verdict.CORRECT


PIECES = st.sampled_from(
    [r"\boxed{", "}", "{", "$", "answer is ", "####", "<answer>", "</answer>", "<think>", "</think>", "(", ")", "[",
    "\\",
     r"\frac", "^", "_", "%", "1", "72", "1,234", ".", "-", "x", " ", "\n", "=", r"\text{", "**", "½", "²", "A)",
     "Paris"]
)  # fmt: skip


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=150)
@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=25).map("".join)))
def test_no_text_makes_a_check_raise(text: str) -> None:
    for task, gold, extra in TASKS[:1] + TASKS[2:4]:
        for truncated in (False, True):
            task.check(text, gold, extra, truncated)
        task.extract(text, extra)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=40)
@given(st.lists(PIECES, max_size=12).map("".join), st.lists(PIECES, max_size=8).map("".join))
def test_no_gold_makes_a_check_raise(text: str, gold: str) -> None:
    for task, _, extra in TASKS[:1] + TASKS[2:4]:
        task.check(text, gold, extra)


def test_a_judge_that_is_killed_is_replaced() -> None:
    judges = Bench("math")
    assert judges.ask({"gold": "2", "answer": "1+1"}) == "equal"
    process = judges._idle[0]._process
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert judges.ask({"gold": "2", "answer": "1+1"}) == "timeout"
    assert judges.ask({"gold": "2", "answer": "1+1"}) == "equal"
    judges.close()


def test_an_endless_question_leaves_the_judge_fit_for_the_next() -> None:
    judges = bench("math")
    assert judges.ask({"gold": "1", "answer": "9^{9^{9^9}}"}) == "timeout"
    assert judges.ask({"gold": "2", "answer": "1+1"}) == "equal"


def test_a_judge_ends_with_the_process_that_asked() -> None:
    judges = Bench("math")
    judges.ask({"gold": "2", "answer": "1+1"})
    process = judges._idle[0]._process
    assert process.stdin is not None
    process.stdin.close()  # what the end of the asking process does
    assert process.wait(timeout=20) == 0


def _warm(gym: bool) -> None:
    """The first question of a process waits for the judge's libraries, which is not what is measured here."""
    if gym:
        bench("gym").ask({"name": "chain_sum", "config": {}, "entry": {"answer": "1", "metadata": {}}, "answer": "1"})
    else:
        bench("math").ask({"gold": "2", "answer": "1+1"})
