"""Programs that only print an answer they were given, told from those that find it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove_workers.guidance.answer_driven import AnswerDriven
from selfimprove_workers.guidance.base import Leak, Reference
from selfimprove_workers.guidance.leaks import leak_of
from selfimprove_workers.guidance.programs import only_prints
from selfimprove_workers.guidance.state_reset import StateReset

QUESTION = "Natalia sold clips to 48 of her friends in April, and half as many in May. How many did she sell?"


def fenced(program: str) -> str:
    return f"```python\n{program}\n```"


@pytest.mark.parametrize(
    ("program", "answer"),
    [
        ("print(72)", "72"),
        ("# Total number of clips sold\nprint(72)", "72"),
        ("# Step 1: print the result\nprint(72)", "72"),
        ("total_clips_2 = 72\nprint(total_clips_2)", "72"),
        ("def calculate_total_clips():\n    return 72\n\nprint(calculate_total_clips())", "72"),
        ("def main():\n    total = 72\n    print(total)\n\nmain()", "72"),
        ('def solve():\n    """Natalia sold clips to her friends."""\n    return 72\nprint(solve())', "72"),
        ("class Solution:\n    def run(self):\n        return 72\nprint(Solution().run())", "72"),
        ("if __name__ == '__main__':\n    print(72)", "72"),
        ("import sys\nsys.stdout.write(str(72))", "72"),
        ("answer: float = 72.0\nprint(f'{answer:.2f} clips', round(answer, 2), '%.1f' % answer)", "72"),
        ("solve = lambda: int('72')\nprint(solve())", "72"),
        ("print(-5)", "-5"),
        ("print([2, 5])", "2,5"),
        ("x, y = 3, 4\nprint((x, y))", "(3, 4)"),
        ("from fractions import Fraction\nprint(Fraction(3, 4))", r"\frac{3}{4}"),
        ("print('2*sqrt(3)')", r"2\sqrt{3}"),
        ("capital = 'Paris'\nprint(capital)", "Paris"),
    ],
)
@pytest.mark.parametrize("written", [str, fenced])
def test_names_comments_and_functions_around_an_answer_are_no_way_to_it(
    program: str, answer: str, written: Callable[[str], str]
) -> None:
    assert only_prints(written(program), answer)


@pytest.mark.parametrize(
    ("program", "answer"),
    [
        ("april = 48\nprint(april + april / 2)", "72"),
        ("print(70 + 2)", "72"),
        ("april = 48\nmay = 24\nprint(72)", "72"),
        ("# 48 + 24\nprint(72)", "72"),
        ("print(sum(range(9)))", "36"),
        ("import math\nprint(math.factorial(5))", "120"),
        ("n = 0\nfor _ in 'abc':\n    n += 1\nprint(n)", "3"),
        ("print(len('abc'))", "3"),
        ("print(eval('48+24'))", "72"),
        ("print(2 * 3 ** 0.5)", r"2\sqrt{3}"),
        ("answer = 72", "72"),
    ],
)
@pytest.mark.parametrize("written", [str, fenced])
def test_what_computes_or_has_another_number_does_more_than_print(
    program: str, answer: str, written: Callable[[str], str]
) -> None:
    assert not only_prints(written(program), answer)


@pytest.mark.parametrize(
    ("beside", "prints"),
    [
        ("Here's a program that calculates the total number of clips that Natalia sold:\n", True),
        ("The answer is 72:\n", True),
        ("She sold 48 + 24 = 72:\n", False),
        ("She sold 48 in April, and half as many in May:\n", False),
        ("She sold forty-eight in April, and half as many in May:\n", False),
        (fenced("print(48 + 24)") + "\n", False),
    ],
)
def test_words_beside_a_program_are_a_way_where_they_have_a_number_of_their_own(beside: str, prints: bool) -> None:
    assert only_prints(beside + fenced("# Total\nprint(72)"), "72") is prints


def test_a_text_that_answers_beside_its_program_is_read_as_a_text() -> None:
    told = "By symmetry everybody gets as many as before.\n" + fenced("print(72)") + "\nThe answer is 72."
    assert not only_prints(told, "72")


N = 19000
HOSTILE = {
    "signs": "-" * N + "1",
    "calls": "a" + "()" * (N // 2),
    "sums": "1+" * (N // 2) + "1",
    "powers": "1**" * (N // 3) + "1",
    "brackets": "(" * (N // 2) + ")" * (N // 2),
    "lambdas": "lambda:" * (N // 7) + "1",
    "a long number": "9" * N,
    "a long number that parses": "x = 0x" + "f" * 15000,
    "a NUL": "x = '\0'",
    "half a letter": "x = '\ud800'",
    "braces": "x = '" + "{:" * (N // 2) + "'",
    "not closed": "print((72",
}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_cannot_be_parsed_is_no_program_that_prints(hostile: str) -> None:
    assert not only_prints(fenced(f"{HOSTILE[hostile]}\nprint(71)"), "72")


@given(st.text(max_size=60), st.sampled_from(["72", "2,5", "Paris"]))
def test_any_text_can_be_asked_about(text: str, answer: str) -> None:
    only_prints(f"{text}\nprint({answer})", answer)


def test_such_a_program_is_an_answer_without_reasoning() -> None:
    said = fenced("total_clips_sold = 72\nprint(total_clips_sold)")
    assert leak_of(AnswerDriven().leaks, said, QUESTION, Reference("72")) is Leak.NO_REASONING


@pytest.mark.parametrize(("begun", "leak"), [("def total():\n", Leak.NO_REASONING), ("april = 48\n", None)])
def test_what_goes_on_from_a_beginning_is_read_with_it(begun: str, leak: Leak | None) -> None:
    reference = Reference("72", "april = 48\nprint(april + april // 2)")
    said = "    return 72\nprint(total())" if begun.endswith(":\n") else "print(72)"
    assert leak_of(StateReset("Lines", lambda text: []).leaks, said, QUESTION, reference, begun) is leak
