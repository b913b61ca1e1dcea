"""Math: what counts as the same answer, where the answer is taken from, and what strict grading asks for."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfimprove_workers.tasks import Math, Verdict, utility
from selfimprove_workers.tasks.math_task import gold_of
from selfimprove_workers.tasks.phrases import _last_number, last_number
from selfimprove_workers.tasks.products import same_product

CORRECT, WRONG, NO_ANSWER = Verdict.CORRECT, Verdict.WRONG, Verdict.NO_ANSWER
TASK = Math()


def flexible(gold: str, response: str, **extra: object) -> Verdict:
    return TASK.check(response, gold, extra or None).flexible


def in_box(gold: str, answer: str) -> Verdict:
    return flexible(gold, rf"so \boxed{{{answer}}}.")


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


CHANNELS = [
    # gold, response, flexible, strict
    ("72", "72", CORRECT, CORRECT),
    ("72", " 72.\n", CORRECT, CORRECT),
    ("72", "$72$", CORRECT, CORRECT),
    ("72", "The answer is 72.", CORRECT, CORRECT),
    ("72", "The answer is **72**.", CORRECT, CORRECT),
    ("72", "the answer is: $72$", CORRECT, CORRECT),
    ("72", "**Answer:** 72 clips", CORRECT, CORRECT),
    ("72", "ANSWER: 72", CORRECT, CORRECT),
    ("72", "The answer is not 72", NO_ANSWER, NO_ANSWER),
    ("72", "The answer is:\n\n72", CORRECT, CORRECT),
    ("72", "The answer is\n\\[ 72 \\]", CORRECT, CORRECT),
    ("72", "The correct answer is therefore 72", CORRECT, CORRECT),
    ("72", "The answer to the question is: 72", CORRECT, CORRECT),
    ("72", "Final Answer: The final answer is $72$. I hope it is correct.", CORRECT, CORRECT),
    ("72", r"The final answer is $\boxed{72}$. I hope it is correct.", CORRECT, CORRECT),
    ("72", "So 48+24 = 72 clips.\n#### 72", CORRECT, CORRECT),
    ("1234", "#### 1,234", CORRECT, CORRECT),
    ("72", "<answer>72</answer>", CORRECT, CORRECT),
    ("5", "the answer is 5 because 3+2=5", CORRECT, CORRECT),
    ("72", "The answer is 72 dollars (since 48+24).", CORRECT, CORRECT),
    ("18", "The answer is eighteen.", CORRECT, CORRECT),
    ("2", r"The answer is $\sqrt{4}$.", CORRECT, CORRECT),
    ("Monday", "The answer is Monday.", CORRECT, CORRECT),
    ("x^2+1", "The answer is $1+x^2$.", CORRECT, CORRECT),
    ("(1,2)", "The answer is (1, 2).", CORRECT, CORRECT),
    ("72", "The answer is:\n\\[\n72\n\\]", CORRECT, CORRECT),
    ("72", "The answer is\n$$\n72\n$$\nI hope it is correct.", CORRECT, CORRECT),
    # of a statement with formulas all counts, unless only prose follows the first
    ("2", "The answer is $2$ or $3$.", WRONG, WRONG),
    ("2", "The answers are $2$ and $3$.", WRONG, WRONG),
    ("2, 3", "The answers are $2$ and $3$.", CORRECT, CORRECT),
    ("2", r"The answer is \(2\) or \(3\).", WRONG, WRONG),
    ("2", "The answer is $2$, not $3$.", CORRECT, CORRECT),
    ("8", "The answer is $2$ + $6$ = $8$.", CORRECT, NO_ANSWER),
    ("2", "The answer is $2$ + $6$ = $8$.", WRONG, NO_ANSWER),
    ("5000000", "The answer is $5$ million.", CORRECT, CORRECT),
    ("5", "The answer is $5$ million.", WRONG, WRONG),
    ("5%", r"The answer is $5$\%.", CORRECT, CORRECT),
    ("5", "The answer is $5$%.", WRONG, WRONG),
    ("60 cm", "The answer is $60$ m.", WRONG, WRONG),
    ("60 cm", "The answer is $60$ cm.", CORRECT, CORRECT),
    ("3/4", "The answer is $3$/4.", CORRECT, CORRECT),
    ("3", "The answer is $3$/4.", WRONG, WRONG),
    ("55", "The answer is $5$ $5$.", WRONG, WRONG),
    ("55", r"The answer is \(5\)\(5\).", WRONG, WRONG),
    ("-5", "The answer is -$5$.", CORRECT, CORRECT),
    ("x^2+1", "The answer is $x^2+1$ for all real x.", CORRECT, CORRECT),
    ("x^2+1", "The answer is $x^2+1$ for $x>0$.", CORRECT, NO_ANSWER),
    ("5", "The answer is $5$ for $n = 3$.", CORRECT, NO_ANSWER),
    # what follows an "or" is another answer, unless it is the same one
    ("2", "The answer is 2, or 3.", WRONG, WRONG),
    ("2", "The answer is $2$, or perhaps $3$.", WRONG, NO_ANSWER),
    ("2", "The answer is 2 (or 3).", WRONG, WRONG),
    ("2", "The answer is either $2$ or $3$.", WRONG, WRONG),
    ("1/2", "The answer is 1/2, or 0.5.", CORRECT, CORRECT),
    ("1/2", r"The answer is $\frac{1}{2}$ (or 50%).", CORRECT, CORRECT),
    ("22/7", "The answer is 22/7, or approximately 3.14.", CORRECT, CORRECT),
    ("120", "The answer is 120 minutes, or 2 hours.", CORRECT, CORRECT),
    # a number word is no unit, and what is in a box counts
    ("2", "The answer is 2 thirds.", WRONG, WRONG),
    ("2/3", "The answer is 2 thirds.", CORRECT, CORRECT),
    ("5", "The answer is 5 thousandths.", WRONG, WRONG),
    ("5", "The answer isn't \\boxed{5}.", CORRECT, CORRECT),
    ("2", "The answer is 2 three.", CORRECT, NO_ANSWER),
    ("5", "The answer is 5 ones.", CORRECT, CORRECT),
    ("5", "The answer is 5 quarters.", CORRECT, CORRECT),
    ("1/2", r"The answer is $\frac12$, i.e. 0.5.", CORRECT, CORRECT),
    # a sign may be a word
    ("-5", "The answer is minus 5.", CORRECT, CORRECT),
    ("-5", "The answer is negative 5.", CORRECT, CORRECT),
    ("-5", "The answer is negative five.", CORRECT, CORRECT),
    ("5", "The answer is minus 5.", WRONG, WRONG),
    ("-5", "The answer is minus 5 degrees.", CORRECT, CORRECT),
    ("-1/2", r"The answer is minus $\frac{1}{2}$.", CORRECT, CORRECT),
    ("-5", "So we get minus 5", CORRECT, NO_ANSWER),
    ("5", "So we get negative 5", WRONG, NO_ANSWER),
    ("5", "We compute 10 minus 5", WRONG, NO_ANSWER),
    ("-5", "We compute x minus 5", WRONG, NO_ANSWER),
    # a dash right before a number is its sign, unless another number ends there
    ("-3", "x = –3", CORRECT, NO_ANSWER),
    ("3", "So we get –3.", WRONG, NO_ANSWER),
    ("-3", "So it costs –$3 now", CORRECT, NO_ANSWER),
    ("-0.5", "The slope is –.5", CORRECT, NO_ANSWER),
    ("5", "We read pages 3–5", CORRECT, NO_ANSWER),
    ("5", "We read pages 3 –5", CORRECT, NO_ANSWER),
    ("5", "The total – 5", CORRECT, NO_ANSWER),
    ("-3", "The answer is –3.", CORRECT, CORRECT),
    # a fraction may be one character
    ("1.5", "They need 1½ cups.", CORRECT, NO_ANSWER),
    ("1", "They need 1½ cups.", WRONG, NO_ANSWER),
    ("3/2", "They need 1 ½ cups", CORRECT, NO_ANSWER),
    ("3/4", "They ate ¾ of it", CORRECT, NO_ANSWER),
    ("-1/2", "So we get -½.", CORRECT, NO_ANSWER),
    ("1.5", "The answer is 1½ cups.", CORRECT, CORRECT),
    ("1", "The answer is 1½ cups.", WRONG, WRONG),
    # a number's base stands with it
    ("1010_3", "So in base 3 it is 1010_3.", CORRECT, NO_ANSWER),
    ("1010_3", "So in base 2 it is 1010_2.", WRONG, NO_ANSWER),
    ("1010_3", "The answer is $1010_3$.", CORRECT, CORRECT),
    # a list may end with a comma before its "and"
    ("2, 3, 4", "The answers are 2, 3, and 4.", CORRECT, CORRECT),
    ("2, 3, 4", "The answers are $2$, $3$, and $4$.", CORRECT, CORRECT),
    ("2, 3, 4", "The answers are 2, 3, and 4, since they are roots.", CORRECT, CORRECT),
    ("2 cm, 3 cm, 4 cm", "The answers are 2 cm, 3 cm, and 4 cm.", CORRECT, CORRECT),
    ("2, 3", "The answers are 2, 3, and 4.", WRONG, WRONG),
    ("x, y, 2z", "The answers are $x$, $y$, and $2z$.", CORRECT, CORRECT),
    ("5", "The answer is 5, and 3 remain.", CORRECT, CORRECT),
    ("5", "The answer is 5, and we are done.", CORRECT, CORRECT),
    # the last of a kind counts
    ("72", r"Thus \boxed{71}, no: \boxed{72}.", CORRECT, CORRECT),
    ("71", r"Thus \boxed{71}, no: \boxed{72}.", WRONG, WRONG),
    ("1, 2", r"\boxed{1} and \boxed{2}", CORRECT, CORRECT),
    ("72", r"\boxed{72} so \boxed{}", CORRECT, CORRECT),
    ("2", "\\boxed{1}\n\\boxed{2}", CORRECT, CORRECT),
    ("1", "\\boxed{1}\n\n\\boxed{2}", WRONG, WRONG),
    ("1, 2", "\\boxed{1}\n\\boxed{2}", WRONG, WRONG),
    ("2", r"So \boxed{1}. \boxed{2}", CORRECT, CORRECT),
    ("2", r"$\boxed{1}$ $\boxed{2}$", WRONG, WRONG),
    ("1, 2", "$\\boxed{1}$,\n$\\boxed{2}$", CORRECT, CORRECT),
    ("1, 2", "\\[\\boxed{1}\\]\nand\n\\[\\boxed{2}\\]", CORRECT, CORRECT),
    ("1, 2", r"$x = \boxed{1}$ or $x = \boxed{2}$", CORRECT, CORRECT),
    ("2", r"$x = \boxed{1}$ or $x = \boxed{2}$", WRONG, WRONG),
    ("72", r"\boxed{72}\boxed{72}", CORRECT, CORRECT),
    # a sentence in a tag is read as one, and a box that is not closed is no box
    ("72", "<answer>The answer is 72.</answer>", CORRECT, NO_ANSWER),
    ("72", r"\boxed{72", CORRECT, NO_ANSWER),
    # the more declared channel wins
    ("72", r"The answer is 71. \boxed{72}", CORRECT, CORRECT),
    ("72", "The answer is 71.\n#### 72", CORRECT, CORRECT),
    ("72", "<answer>72</answer> and the answer is 71", CORRECT, CORRECT),
    # not alone on its line: flexible only
    ("72", "She sold 48/2=24 in May. 48+24=72.", CORRECT, NO_ANSWER),
    ("72", "The total is 72 clips in April and May.", CORRECT, NO_ANSWER),
    ("72", "The answer is that Natalia sold 72 clips.", CORRECT, NO_ANSWER),
    ("7", "The answer is 10 - 3 = 7.", CORRECT, NO_ANSWER),
    ("3", "The answer is not 5 but 3.", CORRECT, NO_ANSWER),
    ("72", "Answer: Let's think. 48/2 = 24. 48+24 = 72.", CORRECT, NO_ANSWER),
    ("13", "4 + 9 = 13", CORRECT, NO_ANSWER),
    ("72", "48 clips were sold in April. Then 24 more. The total is 72 clips.", CORRECT, NO_ANSWER),
    ("72", "The answer is 72 clips in 2 months.", CORRECT, NO_ANSWER),
    ("5", "#### Step 1: compute\nwe get 5", CORRECT, NO_ANSWER),
    ("72", "I hope this answer helps. 72", CORRECT, NO_ANSWER),
    ("1234", "It costs $1,234.00.", CORRECT, NO_ANSWER),
    ("10", "It costs $5 and then $10.", CORRECT, NO_ANSWER),
    ("12", "Total = $4 * $3 = $12.", CORRECT, NO_ANSWER),
    ("-3", "so we get 5-8=-3", CORRECT, NO_ANSWER),
    ("3", "We compute 10-7, which is 3", CORRECT, NO_ANSWER),
    ("0.75", r"so the result is $\frac{3}{4}$.", CORRECT, NO_ANSWER),
    ("x^2+1", "We get $x^2+1$.", CORRECT, NO_ANSWER),
    ("1,2", "The solutions are $1$ and $2$.", CORRECT, NO_ANSWER),
    # of a calculation in words counts what it comes to
    ("6", "3/4 of 8 = 6", CORRECT, NO_ANSWER),
    ("6", "The answer is 3/4 of 8 = 6", CORRECT, NO_ANSWER),
    ("0.75", "The answer is 3/4 of 8 = 6", WRONG, NO_ANSWER),
    ("4", "Half of 8 is 4", CORRECT, NO_ANSWER),
    ("10", "20% of 50 = 10", CORRECT, NO_ANSWER),
    ("10", "Answer: 20% of 50 is 10", CORRECT, NO_ANSWER),
    ("40%", "12 out of 30 = 40%", CORRECT, NO_ANSWER),
    ("3/8", "The answer is 3/8 of the pizza.", CORRECT, NO_ANSWER),
    # a part of a term is not the answer
    ("5", "The total is 5x.", WRONG, NO_ANSWER),
    ("2", "The answer is 2xy.", WRONG, NO_ANSWER),
    ("25", "The area is 25π.", WRONG, NO_ANSWER),
    ("25", "The area is 25 pi.", WRONG, NO_ANSWER),
    ("3", "The length is 2√3.", WRONG, NO_ANSWER),
    ("3", "The length is 2*sqrt(3).", WRONG, NO_ANSWER),
    ("2", "The result is x^2.", WRONG, NO_ANSWER),
    ("9", "So it is 3^2.", CORRECT, NO_ANSWER),
    ("8", "They ate 3 / 8", WRONG, NO_ANSWER),
    ("3/8", "They ate 3 / 8", CORRECT, NO_ANSWER),
    ("5", "So it costs 5p.", CORRECT, NO_ANSWER),
    ("2", "He runs 2x as fast", CORRECT, NO_ANSWER),
    # a unit's power is no number, a power of ten belongs to one
    ("25", "The area is 25 cm^2.", CORRECT, NO_ANSWER),
    ("2", "The area is 25 cm^2.", WRONG, NO_ANSWER),
    ("9.8", "We know that g is 9.8 m/s^2", CORRECT, NO_ANSWER),
    ("1500000", "There are 1.5 x 10^6 cells.", CORRECT, NO_ANSWER),
    ("6", "There are 1.5 x 10^6 cells.", WRONG, NO_ANSWER),
    ("1500000", "There are 1.5 × 10⁶ cells.", CORRECT, NO_ANSWER),
    ("2.5", "It takes 2 and a half hours", CORRECT, NO_ANSWER),
    ("2", "It takes 2 and a half hours", WRONG, NO_ANSWER),
    ("3/56", r"So it is \frac{3}{56} \approx 0.0536", CORRECT, NO_ANSWER),
    # the same in two units is no other number
    ("160", "It takes 160 minutes (2 hours and 40 minutes).", CORRECT, NO_ANSWER),
    ("160", "The answer is 160 minutes (2 hours and 40 minutes).", CORRECT, NO_ANSWER),
    # times, dates, names and lists in sentences
    ("3:30 PM", "The train arrives at 3:30 PM.", CORRECT, NO_ANSWER),
    ("3:30 PM", "The train arrives at 3:30 a.m.", WRONG, NO_ANSWER),
    ("5 PM", "He gets home at 5:00 PM.", CORRECT, NO_ANSWER),
    ("March 5", "The answer is March 5.", CORRECT, CORRECT),
    ("March 5", "It falls on March 6.", WRONG, NO_ANSWER),
    ("xy", "The answer is yx.", CORRECT, CORRECT),
    ("(5,7)", "The vertex is at (5, 7).", CORRECT, NO_ANSWER),
    ("6, 8, 10", "We have sides of 6, 8, and 10", CORRECT, NO_ANSWER),
    ("6, 8, 10", "We have sides of 6, 8, and 12", WRONG, NO_ANSWER),
    # of a sentence counts what it says that something is
    ("2:3", "The ratio is 2:3.", CORRECT, NO_ANSWER),
    ("2:3", "The ratio is 3:2.", WRONG, NO_ANSWER),
    ("2:3", "The ratio is not 2:3.", WRONG, NO_ANSWER),
    ("2:3", "As x is 3, the ratio AB:CD = 2:3.", CORRECT, NO_ANSWER),
    ("2:3", "The answer is 2:3.", CORRECT, CORRECT),
    ("2:3", "2:3", CORRECT, CORRECT),
    (r"5\sqrt{2}", "The distance is 5√2.", CORRECT, NO_ANSWER),
    (r"5\sqrt{2}", "We add.\nThe distance is 5*sqrt(2).", CORRECT, NO_ANSWER),
    (r"5\sqrt{2}", "The distance is 5√3.", WRONG, NO_ANSWER),
    ("1, 2", "The roots are x = 1 and x = 2.", CORRECT, NO_ANSWER),
    ("Monday", "The day is Monday.", CORRECT, NO_ANSWER),
    ("Monday", "The day is not Monday.", WRONG, NO_ANSWER),
    # of a sentence around a name nothing tells which of its words is the answer
    (r"\text{Evelyn}", "Evelyn has the greatest average speed.", NO_ANSWER, NO_ANSWER),
    (r"\text{Evelyn}", "We divide.\nSo Debra has the greatest average speed.", NO_ANSWER, NO_ANSWER),
    (r"\text{Evelyn}", "The fastest of them is Evelyn.", CORRECT, NO_ANSWER),
    (r"\text{Evelyn}", "The fastest of them is Debra.", WRONG, NO_ANSWER),
    (r"\text{Evelyn}", "The answer is Debra, who has the greatest average speed.", WRONG, WRONG),
    (r"\text{Evelyn}", "Evelyn.", CORRECT, CORRECT),
    (r"\text{Evelyn}", "Debra", WRONG, WRONG),
    ("Monday", "I don't know", NO_ANSWER, NO_ANSWER),
    ("Monday", "a Monday", CORRECT, CORRECT),
    # a parenthesis that shows how the number before it was found hides it not
    ("72", "Thus the total number is 72 (48 + 24).", CORRECT, NO_ANSWER),
    ("72", "Thus she sold 72 clips (= $48 + 2 x 12).", CORRECT, NO_ANSWER),
    ("1,200", "That makes $1,200 (1,000 + 200)", CORRECT, NO_ANSWER),
    ("24", "Thus the total number is 73 (48 + 24).", WRONG, NO_ANSWER),
    ("24", "Thus the total number is 72 (with 24).", CORRECT, NO_ANSWER),
    ("4", "She has 72 (48 + 24) and buys 4", CORRECT, NO_ANSWER),
    ("48", "Thus the total number is 73 (48 + 24).", WRONG, NO_ANSWER),
    ("73", "Thus the total number is 73 (48 + 24).", CORRECT, NO_ANSWER),
    # nor does one that explains it or says it again
    ("2", "It takes 2 days (48 hours).", CORRECT, NO_ANSWER),
    ("48", "It takes 2 days (48 hours).", WRONG, NO_ANSWER),
    ("2", "It takes 2 days (48 hours) to get there. I hope this helps!", CORRECT, NO_ANSWER),
    ("125", "He makes $125 (which is 2.5% of $5,000).", CORRECT, NO_ANSWER),
    ("125", "The maximum profit is $125 (2.5% of $5,000).", CORRECT, NO_ANSWER),
    ("5000", "He makes $125 (which is 2.5% of $5,000).", WRONG, NO_ANSWER),
    ("20", "She needs 20 more apples (since 30 + 20 = 50).", CORRECT, NO_ANSWER),
    ("50", "She needs 20 more apples (since 30 + 20 = 50).", WRONG, NO_ANSWER),
    ("70000", "The profit is $70,000 (that's $200,000 - $130,000).", CORRECT, NO_ANSWER),
    ("22/7", "So it is 22/7 (about 3.14).", CORRECT, NO_ANSWER),
    ("75%", "He hit 75% (3 of 4).", CORRECT, NO_ANSWER),
    ("2", "The answer is 2 days (48 hours).", CORRECT, NO_ANSWER),
    ("160", "It takes 160 minutes (or 2 hours and 40 minutes).", CORRECT, NO_ANSWER),
    # but one with another answer, or with the value of what stands before it, does
    ("2", "It takes 2 (or 3) days.", WRONG, NO_ANSWER),
    ("36", "They are 3/4 of the 48 clips (36 clips).", CORRECT, NO_ANSWER),
    ("24", "He walked half of 48 miles (24 miles).", CORRECT, NO_ANSWER),
    ("24", "Then she sold half of 48 (24).", CORRECT, NO_ANSWER),
    ("5", "The vertex is at (2, 5).", WRONG, NO_ANSWER),
    ("3", "So f(3)", WRONG, NO_ANSWER),
    ("7", "The cost of 2 tickets is 7 (2 + 5 = 7) and we are done", CORRECT, NO_ANSWER),
    # thousands set apart, and marks that are no signs
    ("1000000", "It is 1 000 000", CORRECT, NO_ANSWER),
    ("0", "It is 1 000 000", WRONG, NO_ANSWER),
    ("200", "In 2020 we had 100 200", WRONG, NO_ANSWER),
    ("100", "In 2020 100 came", CORRECT, NO_ANSWER),
    ("5", "We add them.\n---\n5", CORRECT, NO_ANSWER),
    ("5", "The total is --5", WRONG, NO_ANSWER),
    ("5", "Total -----5", WRONG, NO_ANSWER),
    ("5", "so we have 5 - -5", WRONG, NO_ANSWER),
    ("-5", "it is - 5", CORRECT, NO_ANSWER),
    ("5", "5 5", WRONG, WRONG),
    ("5", "--5", WRONG, WRONG),
    ("5", "-" * 40 + "5", WRONG, WRONG),
    ("5", "The answer is --5.", WRONG, WRONG),
    ("55", "#### 5 5", WRONG, WRONG),
    # a part of the answer is not the answer
    ("4", r"so the result is $\frac{3}{4}$.", WRONG, NO_ANSWER),
    ("4", "so the result is 3/4.", WRONG, NO_ANSWER),
    ("5", "The answer is 5 hours and 30 minutes.", WRONG, WRONG),
    # nothing there
    ("72", "", NO_ANSWER, NO_ANSWER),
    ("72", "I don't know", NO_ANSWER, NO_ANSWER),
]


@pytest.mark.parametrize(("gold", "response", "loose", "strict"), CHANNELS)
def test_the_answer_is_taken_from_the_most_declared_channel(
    gold: str, response: str, loose: Verdict, strict: Verdict
) -> None:
    check = TASK.check(response, gold, None)
    assert (check.flexible, check.strict) == (loose, strict)


DENIALS = [
    "The answer is not 2",
    "The answer isn't 2",
    "The answer isn’t 2.",
    "The answer can't be 2",
    "The answer cannot be 2.",
    "The answer is definitely not 2",
    "The answer is not equal to 2.",
    "The answer is never 2",
    "The answer does not equal $2$.",
    "The answer to question 3 isn't 2.",
    "The answers are neither 3 nor 2.",
    "The answer is not 5, 3, or 2.",
    "So the correct answer is certainly not 2.",
    "Answer: not 2",
    "The answer is anything but 2.",
    "The answer is different from 2.",
    "The answer is no longer 2.",
    "The answer has never been 2.",
    "Answer: it is not 2.",
    "2 is not the answer.",
    "So 2 isn't the right answer.",
    "2 cannot be the answer.",
]


@pytest.mark.parametrize("response", DENIALS)
@pytest.mark.parametrize("gold", ["2", "x^2", "yes"])
def test_what_the_answer_is_not_is_no_answer(response: str, gold: str) -> None:
    check = TASK.check(response.replace("2", gold), gold, None)
    assert (check.flexible, check.strict) == (NO_ANSWER, NO_ANSWER)


@pytest.mark.parametrize(
    "response",
    [
        "The answer isn't 2, it's 3.",
        "The answer is not 2. It is 3.",
        "The answer is not 2. 3 is right.",
        "My answer is not a guess: 3",
        "The answer is 3. The answer is not 2.",
        "The answer is 3, not 2.",
        "2 is not the answer; 3 is.",
        "The answer is 3; 2 is not the answer.",
        "The answer can't be 2; so it is 3",
        "The answer is not 2 but 3.",
        "The answer isn't what you think: the answer is 3.",
        "The answer isn't what you think the answer is 3.",
        "The answer isn't obvious, so we add 1 and 2 to get 3.",
    ],
)
def test_what_is_said_beside_a_denial_counts(response: str) -> None:
    assert TASK.check(response, "3", None).flexible is CORRECT


@pytest.mark.parametrize(
    ("response", "verdict"),
    [
        ("<think>It is 71, so \\boxed{71}.</think>The answer is 72.", CORRECT),
        ("It is 71.</think>72", CORRECT),
        ("<think>It is 72.</think>71", WRONG),
        ("<think>a</think><think>b</think>72", CORRECT),
        ("<thinking>71</thinking>72", CORRECT),
        ("<think>The answer is 72.", NO_ANSWER),
        ("The answer is 72. <think>or not", NO_ANSWER),
        ("<think>72</think>", NO_ANSWER),
    ],
)
def test_thinking_is_never_graded(response: str, verdict: Verdict) -> None:
    assert TASK.check(response, "72", None).flexible is verdict


@pytest.mark.parametrize(
    ("response", "verdict"),
    [
        ("The answer is 72", Verdict.TRUNCATED),
        (r"\boxed{72} and", Verdict.TRUNCATED),
        (r"\boxed{71} and", WRONG),
        ("The answer is 7", Verdict.TRUNCATED),
        ("We compute 48", Verdict.TRUNCATED),
        ("<think>long", Verdict.TRUNCATED),
        ("", Verdict.TRUNCATED),
    ],
)
def test_a_response_that_was_cut_is_never_correct(response: str, verdict: Verdict) -> None:
    check = TASK.check(response, "72", None, truncated=True)
    assert check.flexible is check.strict is verdict


@pytest.mark.parametrize("gold", ["", " ", r"\frac{\frac", "(" * 500, "9^{9^{9^9}}", r"\boxed{}"])
@pytest.mark.parametrize("response", ["72", "", "<think>"])
def test_a_gold_that_nothing_can_equal_says_so_whatever_the_response(gold: str, response: str) -> None:
    check = TASK.check(response, gold, None)
    assert check.flexible is check.strict is Verdict.GOLD_UNPARSABLE
    assert utility(check.flexible) is None


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


@given(
    st.from_regex(r"-?(0|[1-9][0-9]{0,5}|[1-9][0-9]{0,2}(,[0-9]{3}){1,2})\.?", fullmatch=True),
    st.sampled_from(["{}", "The answer is {}", "so\n#### {}", "it's \\boxed{{{}}}.", "Answer: {}", "{} it is",
    "The answer is {} three",
    "#### {} thirds",
    "<answer>{}</answer>", "The answer is {} clips.", "#### {} dollars", "#### {} percent", "Answer: {} and",
    "The answer is {} million", "So she earned ${}.", "It cost $3, then $5, so ${} now", "So it is ${}$",
    "It is {} $."]),
    st.sampled_from(["", "We know 3 of 4. ", "\\boxed{3} ", "#### 7\n", "the answer is 9.\n", "<think>8</think>",
    "The answer isn't 3. ", "The answer is never so: "]),
    st.sampled_from(["12", "-5", "0", "1234", "7"]),
)  # fmt: skip
def test_the_express_lane_says_what_the_cascade_says(number: str, form: str, before: str, gold: str) -> None:
    response = before + form.format(number)
    assert TASK.check(response, gold, None) == TASK._cascade(response, gold, False, False)


@pytest.mark.parametrize(
    "response",
    [
        "So she sold 72 clips.",
        "That makes 1,234 altogether.",
        "We have\n- 3 of 4\nwhich is 0.",
        "Hence it is 007",
        "In May and in June 12.",
        "Twenty five and 5",
        "Twenty five, 5",
        "Sin cos tan log 5",
        "USD 5",
        "Then x = 5",
        "So we get 5 percent",
        "So we get 5. percent",
        "So we get 5%.",
        "So we get 1 000 000",
        "So we get 5 5",
        "So it is -5",
        "So it is - 5",
        "So it is --5",
        "So it is 5 million",
        "So it is 3/4",
        "So it is 2 1/2",
        "So the pair is 3, 4",
        "The ratio was 3 : 4",
        "Is 3 < 4",
        "So it costs $5",
        "So it costs 5 dollars 20",
        "<think>5</think>So it is 7",
        "5 it is",
        "So it is 7" + " and so on" * 30,
        "So it is 7 " + "-" * 120,
        "So it is 12345678901234567",
        "So it is 1e5",
        "So 5! it is",
        "So it is minus 5",
        "So it is Negative 72",
        "So it is 72 minus 5",
        "So the sum is 72 (48 + 24).",
        "So the sum is 72 clips (67 + 5) of 7",
        "So the sum is 72 (of 5) (5).",
    ],
)
@pytest.mark.parametrize("gold", ["5", "72", "1234", "7", "0"])
def test_a_number_in_a_sentence_is_graded_the_same_with_and_without_the_express_lane(response: str, gold: str) -> None:
    assert TASK.check(response, gold, None) == TASK._cascade(response, gold, False, False)


WORDS = [
    "So",
    "she",
    "sold",
    "and",
    "or",
    "Five",
    "five",
    "twenty",
    "sin",
    "USD",
    "x",
    "=",
    "pm",
    "percent",
    "million",
    "minus",
    "negative",
    "a",
]
MARKS = [" ", " ", " ", " ", "\n", ".", ",", "-", "%", "/", ":", "'", "<", "$", "box", "-----", "=", "(", ")", " + "]
NUMBERS = ["5", "72", "1,234", "000", "12 345", "3.5", "0", "2 1/2"]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS + MARKS + NUMBERS), max_size=16).map("".join),
       st.sampled_from(["", "So she sold ", "We know that 3 of 4 are left. " * 8, "First\n"]),
       st.sampled_from(["5", "72", "1234", "345"]))  # fmt: skip
def test_a_sentence_of_any_make_is_graded_the_same_without_the_express_lane(text: str, before: str, gold: str) -> None:
    assert TASK.check(before + text, gold, None) == TASK._cascade(before + text, gold, False, False)


PIECES = [
    "7",
    "12",
    "1,234",
    "3.5",
    "1/2",
    "-",
    " ",
    " ",
    ".",
    ",",
    "%",
    " percent",
    " million",
    " and a half",
    " x 10^6",
    " pi",
    " minus ",
    "x",
    "=",
    "/",
    "(",
    ")",
]


@pytest.mark.parametrize("after", range(80, 100))
def test_the_quick_look_sees_a_sign_at_its_edge(after: int) -> None:
    text = f"{'so ' * 40}minus 5 {'a' * after}"
    assert last_number(text) == _last_number(text)


@given(st.lists(st.sampled_from([*PIECES, " (5 + 7)", "+", "^", "\n", "and", "0"]), max_size=14).map("".join))
def test_the_quick_look_for_a_last_number_sees_what_the_long_one_sees(text: str) -> None:
    assert last_number(text) == _last_number(text)


@pytest.mark.parametrize(
    ("answer", "gold"),
    [
        ("2", "2xy"),
        ("2xy", "2"),
        ("2ab", "2xy"),
        ("3mn", "3pq"),
        ("6 ab", "6ac"),
        ("4abc", "4"),
        ("3uv^2", "3uv^3"),
        ("7ab^2", "7"),
        (r"\frac{1}{2}ab", r"\frac12"),
        ("0.5ab", "0.5"),
    ],
)
def test_letters_beside_a_number_are_factors_and_no_unit(answer: str, gold: str) -> None:
    assert Math().check(rf"\boxed{{{answer}}}", gold, None).flexible is Verdict.WRONG


@pytest.mark.parametrize(
    ("answer", "gold"),
    [("5cm", "5"), (r"5\text{apples}", "5"), ("72 clips", "72"), ("20mph", "20"), ("3rd", "3"), ("2yx", "2xy")],
)
def test_known_units_may_stand_right_beside_a_number_and_others_apart(answer: str, gold: str) -> None:
    assert Math().check(rf"\boxed{{{answer}}}", gold, None).flexible is Verdict.CORRECT


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [(r"\pi h r^2", Verdict.CORRECT), (r"r^2 h\pi", Verdict.CORRECT), (r"\pi r^2", Verdict.WRONG)],
)
def test_a_last_factor_that_stands_apart_is_no_unit(answer: str, verdict: Verdict) -> None:
    assert Math().check(rf"\boxed{{{answer}}}", r"\pi r^2 h", None).flexible is verdict


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("xy", "yx"), ("xy", "y x"), ("mn", "n m"), ("xyz", "zxy"), ("ax", "xa"), ("ab", "ba"), ("2ab", "2ba"),
        ("-ab", "-ba"), ("5 pqr", "5 rqp"), ("x+2ab", "2ba+x"), (r"\pi ab", r"\pi ba"),
    ],
)  # fmt: skip
def test_letters_that_are_surely_variables_are_a_product_in_any_order(gold: str, answer: str) -> None:
    assert in_box(gold, answer) is in_box(answer, gold) is CORRECT


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("cat", "act"), ("no", "on"), ("is", "si"), ("dog", "god"), ("abc", "cab"), ("it", "ti"), ("vi", "iv"),
        ("xi", "ix"), ("cm", "mc"), ("pi", "ip"), ("xy", "xx"), ("xy", "xz"), ("xyz", "xzz"),
        ("xy", "Yx"), ("AB", "BA"), ("2ab", "2ac"), ("2sinx", "2cosx"),
    ],
)  # fmt: skip
def test_words_names_units_functions_and_roman_numerals_are_no_products(gold: str, answer: str) -> None:
    assert in_box(gold, answer) is in_box(answer, gold) is WRONG


@given(st.text(alphabet="abcdeiklmnopstuvxyz", min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_products_are_equal_both_ways_and_only_with_the_same_letters(letters: str, draw: Random) -> None:
    other = "".join(draw.sample(letters, len(letters)))
    assert same_product(letters, other) is same_product(other, letters)
    assert not same_product(letters, other + "x")


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
    assert Math().check("6 + 8 = 14. The answer is 14.", gold, None).flexible is Verdict.CORRECT
    assert Math().check("The answer is 15.", gold, None).flexible is Verdict.WRONG
