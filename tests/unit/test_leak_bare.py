"""Answers without a way to them, in whatever dress."""

from __future__ import annotations

import time

import pytest

from selfimprove_workers.guidance.answer_driven import AnswerDriven
from selfimprove_workers.guidance.bare import is_bare, says_it_at_once
from selfimprove_workers.guidance.base import Leak, Reference
from selfimprove_workers.guidance.leaks import leak_of
from tests.unit.leaks_support import OWN


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("72", "72"),
        ("The answer is 72.", "72"),
        (r"So the final answer is \boxed{72}", "72"),
        ("#### 1,234.0", "1234"),
        ("The answer is (B).", "B"),
        ("Paris it is!", "paris"),
        ("I choose B because it is the correct answer.", "B"),
        ("The answer is seventy-two.", "72"),
        ("She sold 72 clips to all of her friends together.", "72"),
        ("Natalia sold seventy-two clips in total in each and every month. 72", "72"),
        ("Step 1: The answer is 72.", "72"),
        ("Let me work through this problem step by step. I will give the final answer in a box. 72", "72"),
        ("The answer is 1/2.", "1/2"),
    ],
)
def test_an_answer_and_nothing_else_is_bare(said: str, answer: str) -> None:
    assert is_bare(said, answer)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("48 + 24 = 72", "72"),
        ("24/2 = 12", "12"),
        ("4 + 4 - 4 = 4", "4"),
        ("Half of twenty-four is 12.", "12"),
        ("She sold as many in May as in April, so 72.", "72"),
        ("Add what she sold in both months. That is 72.", "72"),
        ("It is 72, since nothing was sold in June.", "72"),
        ("By adding both months we get 72.", "72"),
        (OWN, "72"),
        ("Since France has its government there, it must be Paris.", "Paris"),
        ("I do not know.", "72"),
        ("", "72"),
    ],
)
def test_an_answer_with_a_way_to_it_is_not(said: str, answer: str) -> None:
    assert not is_bare(said, answer)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (r"\boxed{\frac{3}{4}}", r"\frac{3}{4}"),
        (r"The answer is \(\dfrac34\).", r"\frac{3}{4}"),
        ("The answer is 3/4.", r"\frac{3}{4}"),
        (r"The answer is $\frac{3}{4}$.", "3/4"),
        (r"The answer is $\sqrt{2}$.", r"\sqrt{2}"),
        ("It is √2.", r"\sqrt{2}"),
        (r"$\boxed{(3, 4)}$", "(3,4)"),
        (r"The answer is $\boxed{\left(3, \frac{1}{2}\right)}$.", r"(3,\frac12)"),
        ("$x = 3$ or $x = 4$", "3, 4"),
        ("The solutions are 4 and 3.", "3, 4"),
        ("The answer is $x^2 + 2x + 1$.", "x^2+2x+1"),
        ("x² + 2x + 1", "x^2+2x+1"),
        (r"The answer is $\boxed{\text{Monday}}$", "Monday"),
        ("The answer is −5.", "-5"),
        ("It is Monday.", r"\text{Monday}"),
        ("It is 2^10.", "2^{10}"),
    ],
)
def test_it_is_as_bare_in_any_spelling_of_the_answer(said: str, answer: str) -> None:
    assert is_bare(said, answer)
    assert says_it_at_once(said, answer)


@pytest.mark.parametrize(
    "said",
    [
        "Great question!\n\nThe answer is **5**.\n\nFeel free to ask more questions.",
        "The answer is 5. I hope this helps you understand.",
        "Sure! I'd be happy to help you with that. The answer is 5.",
        "The answer is 5.\nLet me know if you have any other questions!",
        "Respuesta: 5",
        "Total clips: 5",
        "Answer (in dollars): 5",
        "Weng earned:\n$5",
    ],
)
def test_labels_and_courtesies_are_no_way_to_it(said: str) -> None:
    assert is_bare(said, "5")
    assert says_it_at_once(said, "5")


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("By Pythagoras, the hypotenuse is 13.", "13"),
        ("- Double the width\n- Add the length\nAnswer: 18", "18"),
        ("Double the width and add the length: 18", "18"),
        (r"By Pythagoras, it is $2\sqrt{3}$.", r"2\sqrt{3}"),
        ("The roots are 2 and 5 by factoring.", "2, 5"),
        (r"$\frac{6}{8} = \frac{3}{4}$", r"\frac{3}{4}"),
        ("$(x + 1)(x + 1) = x^2 + 2x + 1$", "x^2+2x+1"),
        ("$a + a = 2a$", "2a"),
        (r"2^{10} = 1024", "1024"),
        ("There are 5! = 120 orders.", "120"),
        ("All of them can stand first, and so on! That makes 120.", "120"),
        ("The orders of n books are n! in all, since each may be first.", "n!"),
        ("Since iron is magnetic, the answer is B.", "B"),
        ("植物通过光合作用制造食物，需要阳光。\n答案：B", "B"),
        ("每个朋友买了两倍的苹果。答案是 8。", "8"),
    ],
)
def test_short_reasons_are_one(said: str, answer: str) -> None:
    assert not is_bare(said, answer)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("#### 106\n#### 56\n#### 106", "106"),
        ("The answer is 56.\nThe answer is 72.", "72"),
        ("Tom has 8 books.\n#### 8\n\nWhat makes this a problem? It is the product of the books.", "8"),
        ("The answer is 72.\n\nQ: Bob has 3 apples and buys 4 more. How many?", "72"),
        ("#### 72\n\n**Question 2:** Bob has 72 apples and 3 more. How many?", "72"),
        ("72. Question: 3 + 4 = ? The answer is 7.", "72"),
        ("#### 72\nIs your answer and check multiple ways of adding it to your input.", "72"),
        ("Question 1: The answer is 72.", "72"),
        ("The answer is 72!\n\n(2 points)", "72"),
        ("[5 marks] 72", "72"),
        ("The answer is 72. (Confidence: 100%)", "72"),
        ("I am 95% sure that the answer is 72.", "72"),
        ("Let's think step by step. The answer is B.", "B"),
        ("Step 1: Read the question. Step 2: Look at the options. Step 3: Choose B.", "B"),
        ("B\n\nWhich of these animals lays eggs and has two wings?", "B"),
        ("Let's think step by step. The answer is Paris.", "Paris"),
        ("Let's work this out step by step to be sure we have the right answer. The answer is B.", "B"),
        ("3\n\nSolve 5x + 4 = 10.", "3"),
        ("```python\nprint(72)\n```\nThis program prints the total number of clips Natalia sold.", "72"),
    ],
)
def test_what_comes_after_the_answer_a_mark_and_a_number_alone_are_no_way_to_it(said: str, answer: str) -> None:
    assert is_bare(said, answer)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("The answer is 72, because 48/2 = 24 and 48 + 24 = 72.", "72"),
        ("The answer is 72. She sold 48 in April and 24 in May.", "72"),
        ("**72**\n\n**Explanation:** In April she sold 48 and in May 24.", "72"),
        ("**Answer:** 72\n\n**Solution:** She sold 24 in May (half of 48). Adding both months gives the total.", "72"),
        ("The answer is 72.\nHere is how: 48 in April and 24 in May.", "72"),
        ("The answer is 72.\nShe sold 48 in April since that is said, and 24 in May.", "72"),
        ("**Answer: 72**\n\n48/2 = 24 in May, plus 48 in April.", "72"),
        ("48\n+24\n72", "72"),
        ("x = 24\ny = 48\n72", "72"),
        ("The total is 72 (48 + 24).", "72"),
        ("Question: She sold 48 and half as many. How many?\nAnswer: half is 24, so 72.", "72"),
        ("48 + 24 = 72. (2 points)\n\nQ: Bob has 3 apples. How many?", "72"),
        ("B\n\nPlants make sugar out of water, light and air.", "B"),
        ("A is wrong. C is wrong. D is wrong. So B.", "B"),
        ("```python\nboxes = 8\napples = 4\nprint(boxes * apples - 24)\n```", "8"),
    ],
)
def test_a_way_stands_before_the_answer_or_right_behind_it(said: str, answer: str) -> None:
    assert not is_bare(said, answer)


@pytest.mark.parametrize(("said", "answer"), [("答案：B", "B"), ("所以，正确答案是B。", "B"), ("最终答案：18", "18")])
def test_an_answer_without_spaces_between_its_words_is_bare_too(said: str, answer: str) -> None:
    assert is_bare(said, answer)


@pytest.mark.parametrize(
    "said", ["a " * 4000, "x = " * 4000, "{" * 8000, "\\frac{" * 4000, "12:" * 4000, "3/4." * 4000, "\n" * 20000]
)
def test_whether_it_is_bare_is_told_soon_of_any_text(said: str) -> None:
    began = time.monotonic()
    is_bare(f"{said} 3/4", r"\frac{3}{4}")
    assert time.monotonic() - began < 5


TOWER = "Is the Eiffel Tower taller than the Statue of Liberty?"
CAT = "All cats are animals. Tom is a cat. Is Tom an animal?"


@pytest.mark.parametrize(
    ("said", "answer", "question"),
    [
        ("Yes, the Eiffel Tower is taller than the Statue of Liberty.", "yes", TOWER),
        ("The Eiffel Tower is indeed taller than the Statue of Liberty. The answer is yes.", "yes", TOWER),
        ("No, 51 is not a prime number.", "No", "Is 51 a prime number? Answer yes or no."),
        ("False. Plants do not need the sun.", "false", "Plants need the sun. True or false?"),
        ("Yes, Tom is an animal.", "yes", CAT),
    ],
)
def test_a_question_of_yes_or_no_that_is_said_again_is_no_reasoning(said: str, answer: str, question: str) -> None:
    assert leak_of(AnswerDriven.leaks, said, question, Reference(answer)) is Leak.NO_REASONING


@pytest.mark.parametrize(
    ("said", "answer", "question"),
    [
        ("The Eiffel Tower is 330 m tall and the Statue of Liberty 93 m. So yes.", "yes", TOWER),
        ("51 = 3 x 17, so no.", "no", "Is 51 a prime number?"),
        ("No, since it is divisible by 3.", "no", "Is 51 a prime number?"),
        ("Yes, 48 + 24 = 72.", "yes", "Is 48 + 24 equal to 72?"),
        ("Tom is a cat and all cats are animals, so Tom is an animal. Yes.", "yes", CAT),
        ("Yes, Rome lies south of Paris, which lies south of London.", "yes", "Is Rome south of London?"),
    ],
)
def test_what_says_more_than_the_question_may_be_one(said: str, answer: str, question: str) -> None:
    assert leak_of(AnswerDriven.leaks, said, question, Reference(answer)) is None


def test_the_text_of_the_option_is_as_bare_as_its_label() -> None:
    assert is_bare("It is Paris.", "B", "Paris")
    assert not is_bare("It is Paris.", "B")
