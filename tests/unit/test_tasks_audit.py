"""Our Math and a second implementation, math-verify by itself, on the same pairs: where they differ, we know why."""

from __future__ import annotations

import pytest
from math_verify import LatexExtractionConfig, parse, verify

from selfimprove_workers.tasks import Math, Verdict

PAIRS = [
    ("72", "72", True), ("72", "73", False), ("72", "72.0", True), ("-3", "-3", True), ("-3", "3", False),
    (r"\frac{1}{2}", "0.5", True), (r"\frac{1}{2}", r"\frac{2}{4}", True), (r"\frac{1}{3}", r"\frac{1}{2}", False),
    ("1{,}234", "1234", True), ("10^{5}", "100000", True), ("2^{10}", "1024", True), (r"\sqrt{12}", r"2\sqrt{3}", True),
    (r"\sqrt{2}", "2", False), ("x^2+2x+1", "(x+1)^2", True), ("x^2+1", "x^2-1", False), (r"\frac{\pi}{2}",
    r"\pi/2", True),
    ("(1,2)", "(1,2)", True), ("(1,2)", "(2,1)", False), (r"\{1,2\}", r"\{2,1\}", True), (r"\{1,2\}",
    r"\{1,3\}", False),
    ("[0,1)", "[0,1)", True), ("[0,1)", "[0,1]", False), (r"(-\infty,3]", r"x \le 3", True), ("3+4i", "4i+3", True),
    ("y=2x+3", "y=3+2x", True), ("5", "x=5", True), (r"\log_2 8", "3", True), (r"\binom{5}{2}", "10", True),
    ("5!", "120", True), (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{pmatrix}1\\2\end{pmatrix}", True),
    (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{pmatrix}2\\1\end{pmatrix}", False), (r"3\pm\sqrt{2}",
    r"3+\sqrt{2}, 3-\sqrt{2}", True),
    (r"\frac{x}{2}", r"\frac{1}{2}x", True), (r"2\cos(x)", r"\cos(x)\cdot 2", True), ("1,2,3", "3,2,1", True),
]  # fmt: skip

DELIBERATE = [
    # gold, answer, math-verify says, we say, because
    ("5", r"5\%", True, False, "5% is 0.05"),
    (r"5\%", "5", True, False, "5% is 0.05"),
    (r"0.\overline{3}", r"\frac{1}{3}", False, True, "a repeating decimal is a fraction"),
    (r"12\text{ cm}", r"12\text{ m}", True, False, "units are not decoration"),
]


def ours(gold: str, answer: str) -> bool:
    return Math().check(rf"\boxed{{{answer}}}", gold, None).flexible is Verdict.CORRECT


def theirs(gold: str, answer: str) -> bool:
    config = [LatexExtractionConfig()]
    return bool(verify(parse(f"${gold}$", config), parse(f"${answer}$", config), allow_set_relation_comp=True))


@pytest.mark.parametrize(("gold", "answer", "same"), PAIRS)
def test_two_implementations_agree(gold: str, answer: str, same: bool) -> None:
    assert ours(gold, answer) is same
    assert theirs(gold, answer) is same


@pytest.mark.parametrize(("gold", "answer", "they", "we", "because"), DELIBERATE)
def test_where_we_differ_it_is_meant(gold: str, answer: str, they: bool, we: bool, because: str) -> None:
    assert theirs(gold, answer) is they, because
    assert ours(gold, answer) is we, because
