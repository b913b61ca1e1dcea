"""Program: which part of a response is run, what the printed result means, and the verdicts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfimprove_workers.tasks import Program, Verdict
from selfimprove_workers.tasks.printed import as_written
from selfimprove_workers.tasks.program import find_program

CORRECT, WRONG, NO_ANSWER = Verdict.CORRECT, Verdict.WRONG, Verdict.NO_ANSWER


@pytest.fixture(scope="module")
def task() -> Program:
    return Program()


def fenced(program: str, language: str = "python") -> str:
    return f"Let us compute it.\n```{language}\n{program}\n```\nThat is all."


RESPONSES = {
    "a fenced program": (fenced("print(2 * 36)"), CORRECT, CORRECT),
    "a fence of tildes": ("~~~python\nprint(72)\n~~~", CORRECT, CORRECT),
    "a line of tildes in a fence": (fenced("'''\n~~~\n'''\nprint(72)"), CORRECT, CORRECT),
    "a fence without a language": (fenced("print(72)", ""), CORRECT, NO_ANSWER),
    "the whole response": ("total = 70 + 2\nprint(total)", CORRECT, NO_ANSWER),
    "the last of two programs": (fenced("print(1)") + fenced("print(72)"), CORRECT, NO_ANSWER),
    "a program and what it printed": (fenced("print(72)") + "\nOutput:\n```\n72\n```\n", CORRECT, NO_ANSWER),
    "a fence that is never closed": ("```python\nprint(72)", CORRECT, NO_ANSWER),
    "an indented fence": ("1. So:\n   ```python\n   print(72)\n   ```", CORRECT, CORRECT),
    "a program after thoughts": ("<think>```python\nprint(1)\n```</think>" + fenced("print(72)"), CORRECT, CORRECT),
    "several lines, the last counts": (fenced("print('first')\nprint(72)"), CORRECT, NO_ANSWER),
    "a sentence that declares it": (fenced("print('The answer is', 72)"), CORRECT, CORRECT),
    "a sentence": (fenced("print(f'She sold {72} clips altogether')"), CORRECT, NO_ANSWER),
    "another number": (fenced("print(73)"), WRONG, WRONG),
    "nothing printed": (fenced("72"), NO_ANSWER, NO_ANSWER),
    "prose": ("I would say that it is 72.", NO_ANSWER, NO_ANSWER),
    "a program in another language": (fenced("echo 72", "bash"), NO_ANSWER, NO_ANSWER),
    "an empty response": ("", NO_ANSWER, NO_ANSWER),
    "an error": (fenced("print(72)\n1 / 0"), WRONG, WRONG),
    "a fenced program with a mistake": (fenced("print(72"), WRONG, WRONG),
    "an end by sys.exit": (fenced("import sys\nprint(72)\nsys.exit()"), CORRECT, CORRECT),
    "an end that says something is wrong": (fenced("import sys\nprint(72)\nsys.exit(3)"), WRONG, WRONG),
    "input that nobody gives": (fenced("n = int(input())\nprint(72)"), WRONG, WRONG),
}


@pytest.mark.parametrize("name", RESPONSES)
def test_the_program_of_a_response_is_found_and_what_it_prints_compared(task: Program, name: str) -> None:
    response, flexible, strict = RESPONSES[name]
    check = task.check(response, "72", None)
    assert (check.flexible, check.strict) == (flexible, strict)


PRINTED = [
    ("0.1 + 0.2", "0.3"),
    ("10 / 3", r"\frac{10}{3}"),
    ("36 * 2.0", "72"),
    ("[1, 2]", "1, 2"),
    ("(1, 2)", "(1, 2)"),
    ("{2, 1}", r"\{1, 2\}"),
    ("'[1, 2)'", "[1,2)"),
    ("__import__('fractions').Fraction(3, 4)", "0.75"),
    ("[__import__('fractions').Fraction(1, 3)]", r"\frac13"),
    ("__import__('math').cos(__import__('math').pi / 2)", "0"),
    ("'2*sqrt(3)'", r"2\sqrt{3}"),
    ("'sqrt(2)/2'", r"\frac{\sqrt{2}}{2}"),
    ("'3*pi/4'", r"\frac{3\pi}{4}"),
    ("'x**2 + 1'", "x^2+1"),
    ("3 + 4j", "3+4i"),
    ("[2j, -2j]", "2i, -2i"),
    ("'3 + 4*I'", "3+4i"),
    ("'-1/2 - sqrt(3)*I/2'", r"-\frac{1}{2}-\frac{\sqrt{3}}{2}i"),
    ("'I have 3 apples'", "3"),
    ("'I'", "I"),
    ("'I**2*R'", "I^2R"),
    ("1j", "i"),
    ("(-1) ** 0.5 * 2 + 1", "1+2i"),
    ("5j", "5j"),
    ("'Interval(0, 1)'", "[0,1]"),
    ("'Interval.open(0, oo)'", r"(0,\infty)"),
    ("'Interval.Lopen(0, sqrt(2))'", r"(0,\sqrt{2}]"),
    ("'Union(Interval.open(-oo, 2), Interval(3, oo))'", r"(-\infty,2)\cup[3,\infty)"),
    ("'Matrix([[1, 2], [3, 4]])'", r"\begin{pmatrix}1&2\\3&4\end{pmatrix}"),
    ("'Matrix([[3, 4]])'", "[3,4]"),
    ("'Matrix([[11]])'", "11"),
    ("'Union({1}, Interval(2, oo))'", r"\{1\}\cup[2,\infty)"),
    ("'Solutions: [2 3]'", "3"),
    ("'[1. 2.5]'", "1, 2.5"),
    ("'[1 2]'", "[1, 2]"),
]


@pytest.mark.parametrize(("printed", "gold"), PRINTED)
def test_pythons_spelling_of_a_result_is_read_as_people_write_it(task: Program, printed: str, gold: str) -> None:
    assert task.check(fenced(f"print({printed})"), gold, None).flexible is CORRECT


def test_sympy_is_there_for_programs_that_want_it(task: Program) -> None:
    pytest.importorskip("sympy", reason="the workers' libraries are not installed")
    program = "from sympy import symbols, solve\nx = symbols('x')\nprint(solve(x**2 - 8, x)[1])"
    assert task.check(fenced(program), r"2\sqrt{2}", None).flexible is CORRECT


def test_a_percentage_that_is_asked_for_may_be_printed_without_its_sign(task: Program) -> None:
    assert task.check(fenced("print(5)"), r"5\%", {"percent": True}).flexible is CORRECT
    assert task.check(fenced("print(5)"), r"5\%", None).flexible is WRONG


def test_what_went_wrong_is_told(task: Program) -> None:
    assert task.check(fenced("print(1 / 0)"), "72", None).reason == "ZeroDivisionError: division by zero"
    assert task.check(fenced("x = 72"), "72", None).reason == "printed nothing"
    assert task.check(fenced("print(72)"), "72", None).reason is None


def test_a_cut_response_is_truncated_and_not_run(task: Program) -> None:
    check = task.check(fenced("print(72)"), "72", None, truncated=True)
    assert (check.flexible, check.strict) == (Verdict.TRUNCATED, Verdict.TRUNCATED)


def test_a_gold_that_can_not_be_read_is_no_fault_of_the_program(task: Program) -> None:
    assert task.check(fenced("print(72)"), "", None).flexible is Verdict.GOLD_UNPARSABLE


def test_votes_count_what_is_printed_in_one_spelling(task: Program) -> None:
    assert task.extract(fenced("print(72.0)")) == task.extract(fenced("print('The answer is $72')")) == "72"
    assert task.extract(fenced("1 / 0")) is None
    assert task.extract("no program") is None


def test_two_runs_of_a_program_print_the_same(task: Program) -> None:
    program = "import random\nprint(random.random(), list({'a', 'b', 'c', 'd'}))  # run {}"
    lines = [run_line(program.replace("{}", str(number))) for number in range(3)]
    assert len(set(lines)) == 1


def run_line(program: str) -> str:
    from selfimprove_workers.sandbox.client import Sandbox

    fresh = Sandbox()  # another process, started anew
    try:
        return fresh.run(program).out
    finally:
        fresh.close()


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="`python\n print(1) é<think>", max_size=200))
def test_a_program_is_looked_for_in_any_text(text: str) -> None:
    found = find_program(text)
    assert found is None or found.text.strip()


@given(st.integers(-(10**12), 10**12))
def test_a_whole_number_is_left_as_it_is(number: int) -> None:
    assert as_written(str(number)) == str(number)
