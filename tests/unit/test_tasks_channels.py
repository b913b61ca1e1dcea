"""Math: where the answer is taken from, what is no answer, and what strict grading asks for."""

from __future__ import annotations

import pytest

from selfimprove_workers.tasks import Verdict, utility
from tests.unit.math_support import CORRECT, NO_ANSWER, TASK, WRONG

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
    ("25", "The area is $25$ cm$^2$", CORRECT, NO_ANSWER),
    ("125", r"So the volume is $5 \times 25 = 125$ cm$^3$.", CORRECT, NO_ANSWER),
    ("25", "The area is 25 $cm^2$.", CORRECT, NO_ANSWER),
    ("25", r"The area is $25$ $\text{cm}^2$.", CORRECT, NO_ANSWER),
    ("25", r"The area is \(25\) m\(^{2}\).", CORRECT, NO_ANSWER),
    ("9", "So x is $25$ and $m^2$ is $9$", CORRECT, NO_ANSWER),
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
