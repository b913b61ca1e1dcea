"""Math: what counts as the same answer, and as a gold."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove_workers.tasks import Verdict
from selfimprove_workers.tasks.math_task import gold_of
from tests.unit.math_support import CORRECT, TASK, WRONG, flexible, in_box

SAME = [
    ("72", "72"), ("72", "72.0"), ("72", "+72"), ("72", "072"), ("72", "**72**"), ("72", r"\text{72}"), ("72", "$72"),
    ("72", r"\$72"), ("72", "72 clips"), ("72", r"72\text{ clips}"), ("1,234", "1234"), ("1234", "1,234.00"),
    ("10,000", r"10,\!000"), ("1234567", r"1{,}234{,}567"), ("1234", r"1\,234"), ("-3", "−3"), ("-3", "–3"),
    ("0", "-0"), ("0.5", ".5"), ("0.5", "1/2"), ("1/2", "2/4"), (r"\frac{3}{4}", "0.75"), (r"\dfrac34", "3/4"),
    (r"-\frac{1}{2}", "-0.5"), (r"\frac{-1}{2}", "-1/2"), (r"2\frac{1}{2}", "2.5"), ("2 1/2", "5/2"), ("2½", "2.5"),
    (r"0.\overline{3}", "1/3"), (r"0.1\overline{6}", r"\frac{1}{6}"), ("1/3", "0.333333"), ("0.6666667", "2/3"),
    ("5%", r"5\%"), ("5%", "5 percent"), ("5%", "0.05"), ("100000", r"10^{5}"), ("30000", r"3 \times 10^{4}"),
    ("1500", "1.5e3"), ("1024", "2^{10}"), ("5000000", "5 million"), ("5000000", "$5 million"), ("18", "eighteen"),
    ("21", "twenty-one"), ("12 cm", "12"), (r"12\text{ cm}", "12 centimeters"), ("12", "12 cm^2"), ("90", r"90^\circ"),
    (r"90^{\circ}", "90 degrees"), ("5", "x = 5"), ("5", "x = 2 + 3 = 5"), ("x=5", "5"), ("5", "(5)"), ("5", "{5}"),
    ("3.14", r"\pi \approx 3.14"), ("７２", "72"), ("49", "7²"), ("100000", "10⁵"), ("1234", "1\u202f234"),
    ("(1,2)", "(1, 2)"), ("(1, 2)", r"\left(1,2\right)"), (r"(3,\frac{1}{2})", "(3, 0.5)"), ("(1,2)", "1, 2"),
    (r"\{1,2\}", "{2, 1}"), ("1, 2", "2 and 1"), ("1,234, 5", "5, 1234"), (r"[0,\frac12)", "[0, 0.5)"),
    ("x=1, x=2", "2, 1"), ("1, 2, 3", "3,2,1"), (r"\text{Monday}", "monday"), ("even", r"\textbf{Even}"),
    ("1,2,3", "1, 2, and 3"), ("2,3,4", "2,3, or 4"),
    ("60 km/h", "60 kilometers per hour"), ("20 mph", "20 miles per hour"), ("60", "60 km/h"),
    ("5 clips per day", "5 clips"),
    ("60 kph", r"60\text{ km/h}"), ("$5 per hour", "$5"), ("9.8 m/s^2", r"9.8\text{ m}/\text{s}^2"),
    ("2, 2, 3", "3, 2, 2"), ("2, 2, 3", r"\{2, 3\}"), (r"\{2, 2, 3\}", r"\{2, 3\}"),
    ("8", r"8 \text{ p.m.}"), ("8 a.m.", "8:00 AM"), (r"\ln 2", r"\log_e 2"), (str(2**1000), "2^{1000}"),
    ("9" * 301, "9" * 301),
    ("1010_2", "1010_{2}"), ("1010_2", "01010_2"), ("1010_2", "(1010)_2"), ("1010_2", "1010"),
    ("1010_3", "1010 base 3"),
    ("1010_{3}", r"1010_{\text{three}}"), ("120_3", r"15 = 120_3"),
    ("2,3,4", r"2, 3, \text{and } 4"), ("2,3,4", r"2,\ 3,\ \text{and}\ 4"), ("2,3,4", r"2, 3\text{, and }4"),
    ("2,3", r"2 \text{ or } 3"),
    (r"\text{(C)}", "C"), ("10:30", "10:30"), ("3:4", "3 : 4"), ("2:30 p.m.", "2:30 PM"), ("5:00 p.m.", "5 pm"),
    ("x^2+2x+1", "(x+1)^2"), (r"2\sqrt{3}", r"\sqrt{12}"), (r"2\sqrt3", "2sqrt(3)"), (r"\frac{\pi}{2}", "pi/2"),
    (r"11\sqrt2", r"11\sqrt{2}"), ("2x", "x*2"), ("y=2x+3", "y = 3 + 2x"), (r"(-\infty,3]", r"x \le 3"),
    (r"x \in [1,2]", "[1,2]"), ("3+4i", "4i + 3"), (r"\binom{5}{2}", "10"), ("5!", "120"), (r"\log_2 8", "3"),
    (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}"), (r"3\sqrt{2}",
    r"3\sqrt{2}\text{ cm}"),
    (r"(-\infty, 2) \cup (3, \infty)", r"(-\infty,2)\cup(3,\infty)"), ("(x+1)(x-2)", "x^2 - x - 2"),
    ("1000000", "1 000 000"), ("1 000", "1,000"), ("12345", "12 345"), ("1000.5", "1 000.5"), ("1000000", "1'000'000"),
    ("1000000", r"1\;000\;000"), ("(1000, 2)", "(1 000, 2)"), ("5000", "5 000 clips"), ("-5", "- 5"), ("-5", "$-5$"),
    ("-5", "-$5"), ("-5", "$-5"), ("-5", r"$-$5"), ("5", "-(-5)"), ("10", "5--5"),
    ("2x+3", "2x - -3"), ("2.5", "2 1/2"), (r"x+\frac{1}{2}", r"x+\frac 1 2"), ("72", "2^3 3^2"),
    (r"2^3 \cdot 3^2", "72"),
    ("No", "no"), ("YES", "yes"), ("AB", "A B"), ("AB", r"\text{AB}"), ("infinity", "inf"), ("pi", r"\pi"),
    ("x^2+y^2", "y^2 + x^2"), ("x^2y^2", "(xy)^2"), ("e^{-x^2}", r"\frac{1}{e^{x^2}}"),
    ("72", "72clips"), ("5", "5apples"), ("12", "12people"), ("2.5", "2 and a half"), ("2.5", "two and a half"),
    ("1/4", "a quarter"), ("125", "one hundred and twenty-five"), ("3", "### 3"), ("Tuesday", "a Tuesday"),
    (r"25\pi", r"25\pi \text{ cm}^2"), (r"25\pi", "25 pi square units"),
    (r"\frac{3}{56}", r"\frac{3}{56} \approx 0.0536"),
    ("y=-x/2+3", "y = -1/2x + 3"), (r"-\frac{1}{2}x+3", "y = -1/2x + 3"), (r"\frac{2}{3}x-5", "2/3x - 5"),
    (r"y=\frac{1}{2}x", "y = 1/2x"), (r"x^2-\frac{3}{4}x", "x^2 - 3/4 x"), (r"\frac{1}{2x}+3", "1/2x + 3"),
    (r"\frac{1}{2x}", "1/2x"),
    (r"(-\infty,2)\cup(3,\infty)", "x < 2 or x > 3"), (r"(-\infty,2]\cup[3,\infty)", r"x \le 2 \text{ or } x \ge 3"),
]  # fmt: skip

DIFFERENT = [
    ("72", "73"), ("72", "-72"), ("72", "7.2"), ("72", "720"), ("5", "5%"), ("5%", "5"), ("5%", "0.5"), ("1/3", "0.33"),
    ("1/3", "0.3333"), ("0.33", "1/3"), ("1234567", "1234567.5"), ("1", "0.999999"), ("0.0000001", "0.000000"),
    ("12 cm", "12 m"), ("12 cm", "12 cm^2"), ("5 a.m.", "5 p.m."), ("$5", "5 cents"), ("(1,2)", "(2,1)"),
    ("(1,2)", "[1,2]"), ("[1,2)", "[1,2]"), ("(1,2)", "(1,2,3)"), (r"\{1,2\}", "{1,2,3}"), ("1, 2", "1"), ("5",
    "5 or 6"),
    ("5", "5 hours and 30 minutes"), ("5", "5x"), ("5x", "5"), ("5", "Monday"), ("Monday", "Tuesday"), ("even", "odd"),
    ("Monday", "5"), ("x^2+1", "x^2-1"), (r"\sqrt{2}", "2"), ("3.14", r"\pi"), (r"\pi", "3.14"), ("10:30", "10:31"),
    ("A", "B"), ("7", "10 - 4"), ("-1/2", "1/2"), ("3", "1/0"), ("1234", "1,23,4"), ("2", "3, 4"), ("yes", "no"),
    ("10", "10^{5}"), ("5 remainder 2", "5"), ("55", "5 5"), ("1000", "10 00"), ("5", "--5"), ("5", "----------5"),
    ("5", "- -5"), ("5", "−−5"), ("5", "--- 5"), ("5", "-$-5$"), ("-5", "+-5"), ("-5", "--5"), ("2x", "--2x"),
    ("(5,3)", "(--5, 3)"), ("3", "5 - --2"), ("5", "5 5"), ("25", "5 5"), ("5.5", "5. 5"), ("5.5", "5 .5"),
    ("55", r"5\,5"),
    ("55", "5~5"), ("55", "$5$$5$"), ("55", "5'5"), ("(55,3)", "(5 5, 3)"), ("123456", "1 234 56"), ("1", "1 000/3"),
    ("1, 2, 3", "1 2 3"), ("x^2+y^2", "x^2-y^2"),
    ("AB", "BA"), ("AB", "ab"), ("AB", "B A"), ("e", "E"), ("i", "I"), ("ABC", "ACB"), ("No", "on"),
    ("2, 2, 3", "2, 3"), ("2, 2, 3", "2, 3, 3"), (str(2**1000), "2^{1001}"), ("9" * 301, "9" * 300 + "8"),
    ("60 km/h", "60 m/s"), ("60 km/h", "60 mph"), ("5 m/s", "5 m"), ("20 miles per hour", "20 km per hour"),
    ("5 m/s", "5 m/s^2"), ("5 clips per day", "5 clips per hour"), ("5 x/y", "5"),
    ("2 sin x", "2"), ("2 sin x", "2 cos x"), ("5 ln 2", "5"), ("3 xyz", "3"), ("5 pqr", "5 xyz"), ("72", "72x"),
    ("3", "3m"), ("x+2ab", "x+2"), ("x+5 ab", "x+5"), (r"\frac{3}{56}", r"\frac{3}{55} \approx 0.0536"),
    (r"(-\infty,2)\cup(3,\infty)", r"x \le 2 or x > 3"), (r"(-\infty,2)\cup(3,\infty)", "x < 2 or y > 3"),
    ("100", "one hundred and one"), ("2", "2 and a half"),
    (r"\frac{1}{2}x+3", "1/(2x) + 3"), (r"\frac{1}{2}x+3", "1/3x + 3"), (r"\frac{1}{2}x+3", "-1/2x + 3"),
    (r"\frac{1}{2}x+3", "2 1/2x + 3"), (r"x^{1/2}y+3", r"\frac{1}{2}xy+3"), (r"\frac{1}{2}x", "1/2x"),
    (r"2x+3", "x/1/2x + 3"), ("y=x/2+3", "y = x^1/2x + 3"),
    ("1010_3", "1010_2"), ("1010_{10}", "1010_2"), ("1010_2", "10"), ("1010_2", "1011_2"), ("(1010)_3", "1010_2"),
]  # fmt: skip


@pytest.mark.parametrize(("gold", "answer"), SAME)
def test_ways_to_write_the_same_answer_are_equal(gold: str, answer: str) -> None:
    assert in_box(gold, answer) is CORRECT


@pytest.mark.parametrize(("gold", "answer"), DIFFERENT)
def test_different_answers_are_never_equal(gold: str, answer: str) -> None:
    assert in_box(gold, answer) is WRONG


@pytest.mark.parametrize(
    ("gold", "answer"),
    [pair for pair in SAME + DIFFERENT if not any(sign in "".join(pair) for sign in ("=", "approx"))],
)
def test_equality_does_not_depend_on_which_side_is_the_gold(gold: str, answer: str) -> None:
    assert in_box(gold, answer) is in_box(answer, gold)


@pytest.mark.parametrize(
    ("gold", "answer", "asked", "verdict"),
    [
        ("60", "60%", True, CORRECT),
        ("60%", "60", True, CORRECT),
        ("60", "60 percent", True, CORRECT),
        ("60", "60%", False, WRONG),
        ("60", "0.6", True, WRONG),
        ("60", "61%", True, WRONG),
        ("60%", "0.6", True, CORRECT),
    ],
)
def test_a_percent_sign_may_be_left_out_only_where_a_percentage_is_asked_for(
    gold: str, answer: str, asked: bool, verdict: Verdict
) -> None:
    assert flexible(gold, rf"\boxed{{{answer}}}", percent=asked) is verdict


@pytest.mark.parametrize(
    ("solution", "gold"),
    [
        (r"Thus $x = \boxed{\frac{1}{2}}$.", r"\frac{1}{2}"),
        (r"First \boxed{1}. We add them: \boxed{\text{(A) } \{1, \sqrt{x^{2}}\}} as above.",
        r"\text{(A) } \{1, \sqrt{x^{2}}\}"),
        (r"\fbox{3}", "3"),
        ("72", "72"),
        (r"broken \boxed{3", r"broken \boxed{3"),
    ],
)  # fmt: skip
def test_the_gold_of_a_worked_solution_is_in_its_last_box(solution: str, gold: str) -> None:
    assert gold_of(solution) == gold


@pytest.mark.parametrize("answers", [("72", "$72.00", "72 clips", "x = 72"), ("0.5", "1/2", r"\frac{1}{2}", ".50")])
def test_extract_spells_the_same_answer_the_same(answers: tuple[str, ...]) -> None:
    assert len({TASK.extract(f"The answer is {answer}.") for answer in answers}) == 1


def test_extract_finds_nothing_where_nothing_is_said() -> None:
    assert TASK.extract("I don't know") is None
    assert TASK.extract("<think>72") is None


@given(st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12))
def test_whole_numbers_are_equal_exactly_when_they_are(gold: int, answer: int) -> None:
    assert (in_box(str(gold), f"{answer:,}") is CORRECT) == (gold == answer)


@given(st.fractions(max_denominator=999), st.fractions(max_denominator=999))
def test_fractions_are_equal_exactly_when_they_are(gold: Fraction, answer: Fraction) -> None:
    latex = rf"{'-' if answer < 0 else ''}\frac{{{abs(answer.numerator)}}}{{{answer.denominator}}}"
    assert (in_box(str(gold), latex) is CORRECT) == (gold == answer)


@pytest.mark.parametrize(
    ("answer", "gold"),
    [
        ("The answer is 14.", "14"),
        ("Answer: 9", "9"),
        ("Final answer: 14", "14"),
        ("So the final answer is $14$.", "$14$"),
        ("The correct answer is: 1.5", "1.5"),
        ("14", "14"),
        ("x = 14", "x = 14"),
        ("answer", "answer"),
    ],
)
def test_a_gold_that_declares_an_answer_is_that_answer(answer: str, gold: str) -> None:
    assert gold_of(answer) == gold


@pytest.mark.parametrize("gold", ["The answer is 14.", "Final answer: $14$"])
def test_a_gold_that_declares_an_answer_is_compared_as_it(gold: str) -> None:
    assert TASK.check("6 + 8 = 14. The answer is 14.", gold, None).flexible is Verdict.CORRECT
    assert TASK.check("The answer is 15.", gold, None).flexible is Verdict.WRONG
