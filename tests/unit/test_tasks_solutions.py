r"""Math: several solutions in one text, each by its name or two by a sign of plus or minus."""

from __future__ import annotations

import pytest

from selfimprove_workers.tasks import Verdict
from selfimprove_workers.tasks.solutions import unnamed, with_both_signs
from tests.unit.math_support import in_box

GOLDEN = [
    r"\frac{-1 \pm \sqrt{5}}{2}",
    r"x = \frac{-1 \pm \sqrt{5}}{2}",
    r"\dfrac{-1\pm\sqrt5}{2}",
    "(-1 ± √5)/2",
    r"\frac{1}{2}(-1 \pm \sqrt{5})",
    r"-\frac12 \pm \frac{\sqrt5}{2}",
    r"\frac{-1+\sqrt{5}}{2}, \frac{-1-\sqrt{5}}{2}",
    r"\left\{\frac{-1+\sqrt{5}}{2}, \frac{-1-\sqrt{5}}{2}\right\}",
    r"x = \frac{-1+\sqrt{5}}{2} \text{ or } x = \frac{-1-\sqrt{5}}{2}",
    r"x_1 = \frac{-1-\sqrt{5}}{2}, x_2 = \frac{-1+\sqrt{5}}{2}",
]
OTHERS = [
    r"\frac{-1 \pm \sqrt{3}}{2}",
    r"\frac{1 \pm \sqrt{5}}{2}",
    r"\frac{-1 \pm i\sqrt{5}}{2}",
    r"\frac{-1+\sqrt{5}}{2}",
    r"x = \frac{-1+\sqrt{5}}{2}, y = \frac{-1-\sqrt{3}}{2}",
]


@pytest.mark.parametrize("answer", GOLDEN)
@pytest.mark.parametrize("gold", GOLDEN)
def test_the_two_roots_of_a_quadratic_are_the_same_however_they_are_written(gold: str, answer: str) -> None:
    assert in_box(gold, answer) is Verdict.CORRECT


@pytest.mark.parametrize("answer", OTHERS)
@pytest.mark.parametrize("gold", GOLDEN)
def test_other_roots_and_one_of_two_are_wrong(gold: str, answer: str) -> None:
    assert in_box(gold, answer) is Verdict.WRONG


@pytest.mark.parametrize(
    ("latex", "written_out"),
    [
        (r"0, \frac{1 \pm a}{2}", r"0, \frac{1 + a}{2}, \frac{1 - a}{2}"),
        (r"(a \pm b)(a \mp b)", "(a + b)(a - b), (a - b)(a + b)"),
        (r"\sqrt{2 \pm \sqrt{3}}", r"\sqrt{2 + \sqrt{3}}, \sqrt{2 - \sqrt{3}}"),
        (r"(0, \pm 2)", "(0, + 2), (0, - 2)"),
        (r"\{\frac{1 \pm a}{2}\}", r"\{\frac{1 + a}{2}, \frac{1 - a}{2}\}"),
        (r"1 \pm \sqrt{2}", r"1 \pm \sqrt{2}"),
        (r"\pm \frac{1 \pm a}{2}", r"\pm \frac{1 \pm a}{2}"),
        (r"\frac{1 + a}{2}", r"\frac{1 + a}{2}"),
    ],
)
def test_a_sign_of_two_within_brackets_is_written_out(latex: str, written_out: str) -> None:
    assert with_both_signs(latex) == written_out


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (r"x = a, x = b", "a, b"),
        (r"x_1 = a and x_{2} = b", "a, b"),
        (r"x = f(1, 2), x = b", "f(1, 2), b"),
        ("x = a, y = b", "x = a, y = b"),
        ("x = a, b", "x = a, b"),
        ("x = a", "x = a"),
        ("x = y = a, x = b", "x = y = a, x = b"),
    ],
)
def test_a_name_that_all_values_share_says_nothing(text: str, values: str) -> None:
    assert unnamed(text) == values
