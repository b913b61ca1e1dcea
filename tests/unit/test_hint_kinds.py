"""What only one kind of hint explains: an answer that is known too early, a remark that is answered, a text retold."""

from __future__ import annotations

import pytest

from selfimprove_workers.guidance.answer_driven import AnswerDriven
from selfimprove_workers.guidance.base import Leak, Reference, Strategy
from selfimprove_workers.guidance.interactive import Interactive
from selfimprove_workers.guidance.leaks import leak_of
from selfimprove_workers.guidance.rationale_driven import RationaleDriven
from selfimprove_workers.guidance.state_reset import StateReset

CLIPS = "Natalia sold clips to 48 of her friends in April, and half as many in May. How many did she sell?"
ANSWER, SOLUTION, REMARK = AnswerDriven(), RationaleDriven(), Interactive()
PREFIX = StateReset("Lines", lambda text: [])
EVERY = [ANSWER, SOLUTION, REMARK, PREFIX]


def speaks(strategy: Strategy, said: str, question: str = CLIPS, answer: str = "72") -> bool:
    return leak_of(frozenset([Leak.SPOKEN_OF]), said, question, Reference(answer), frame=strategy.frame) is not None


@pytest.mark.parametrize(
    "said",
    [
        "To arrive at the final answer of 72, we add April and May: 48 + 24.",
        "Let's break down the problem step by step to arrive at the final answer of 72. April: 48.",
        "To reach the final answer of 72, let's work it out. 48 + 24 = 72.",
        "To get to the final answer $72$, we start with 48.",
        "To determine how the final answer of 72 is reached, start with April: 48.",
        "Let's see how we get 72. April: 48. May: 24.",
        "Given the final answer is 72, April is 48 and May 24.",
        "Let's verify that the answer is 72. 48 + 24 = 72.",
        "We need to show that the answer is 72. April: 48. May: 24.",
        "The answer is already known to be 72. 48 + 24 = 72.",
        "As stated in the prompt, the final answer is 72: 48 + 24.",
        "Let's work backwards from the answer: 72 - 48 = 24, which is half of 48.",
        "Working backwards from 72, 72 - 48 = 24.",
        "48 + 24 = 72. This matches the final answer provided in the question.",
        "<think>\nOkay, I need to show that the answer is 72. 48 + 24 = 72.</think>\nIt is 72.",
    ],
)
@pytest.mark.parametrize("strategy", [ANSWER, SOLUTION], ids=lambda strategy: strategy.name)
def test_who_knows_the_answer_too_early_was_shown_it(strategy: Strategy, said: str) -> None:
    assert speaks(strategy, said)


@pytest.mark.parametrize(
    "said",
    [
        "To find the answer, we add April and May: 48 + 24 = 72.",
        "To arrive at the answer, 48 is halved: 24. So 72.",
        "The given numbers are 48 and half of it, so 72.",
        "We need to show that the triangle is right: 3*3 + 4*4 = 25, so 72.",
        "Let's verify: 3*4 = 12, so 72.",
        "48 + 24 = 72. Let's verify that the answer is 72: 72 - 24 = 48.",
        "Half of forty-eight is twenty-four, and so we arrive at the answer of 72.",
        "We work backwards from the end of the year: 48 + 24 = 72.",
        "Let's see how many clips she sold: 48 + 24 = 72.",
    ],
)
def test_who_comes_to_the_answer_was_not(said: str) -> None:
    assert not any(speaks(strategy, said) for strategy in EVERY)


def test_a_number_of_the_question_may_be_headed_for_and_an_answer_that_it_gives_be_spoken_of() -> None:
    assert not speaks(ANSWER, "Let's see how we get 48 again: 36 + 12 = 48.", "Tom has 48 marbles.", "48")
    asked = "Ann's answer is 5. Is it right?"
    assert not speaks(ANSWER, "2 + 3 = 5. This matches the answer given in the question.", asked, "yes")


@pytest.mark.parametrize(
    "said",
    [
        "Apologies for the confusion earlier. 48 + 24 = 72.",
        "Let's correct the mistake: 48 + 24 = 72.",
        "Let’s fix the error. 48 + 24 = 72.",
        "Sure, let's try again. 48 + 24 = 72.",
        "Certainly! Let's solve the problem step by step again. 48 + 24 = 72.",
        "Let's redo this. 48 + 24 = 72.",
        "Let's start over. 48 + 24 = 72.",
        "Let's re-evaluate the problem. 48 + 24 = 72.",
        "Let me recalculate. 48 + 24 = 72.",
        "The mistake was that I left April out. 48 + 24 = 72.",
        "I should have added April. 48 + 24 = 72.",
        "Sure, I'll be more careful this time. 48 + 24 = 72.",
        "Understood. 48 + 24 = 72.",
        "<think>I see.</think> 48 + 24 = 72.",
        "I made a mistake. 48 + 24 = 72.",
        "48 + 24 = 72, and not 24 as in my previous attempt.",
        "The mistake in the original solution was that it doubled the clips. 48 + 24 = 72.",
        "In the original attempt, the clips were doubled. 48 + 24 = 72.",
        "The student's attempt doubled the clips. 48 + 24 = 72.",
        "The student's incorrect reasoning doubled the clips. 48 + 24 = 72.",
        "Upon reviewing my work, I doubled instead of halving. 48 + 24 = 72.",
        "Sorry about that. 48 + 24 = 72.",
    ],
)
def test_who_answers_a_remark_was_told_of_a_mistake(said: str) -> None:
    assert speaks(REMARK, said)
    assert not any(speaks(strategy, said) for strategy in (ANSWER, SOLUTION, PREFIX))


@pytest.mark.parametrize(
    "said",
    [
        "48 / 2 = 26. Wait, I made a mistake. 48 / 2 = 24, and 48 + 24 = 72.",
        "<think>\nApril 48. May half, so 26. Wait, I made an error. 48/2 is 24. So 48+24 = 72.\n</think>\nIt is 72.",
        "48 + 24 = 74. Oh sorry, my mistake: 48 + 24 = 72.",
        "48 + 24 = 74. I apologize for the error. Let's correct this: 48 + 24 = 72.",
        "In May she sold 26. My apologies, half of 48 is 24. 48 + 24 = 72.",
        "In May she sold 26. Let me recalculate: 24. I see where I went wrong. 48 + 24 = 72.",
    ],
)
def test_who_mends_the_own_work_was_told_of_none(said: str) -> None:
    assert not any(speaks(strategy, said) for strategy in EVERY)


@pytest.mark.parametrize(
    ("said", "question"),
    [
        ("My mistake costs 2 points, so 10 - 2 = 8.", "Each mistake costs 2 of 10 points. How many are left?"),
        ("Let's fix the solution of salt at 3 litres.", "How much salt is in a solution of 3 litres?"),
        ("The student's work takes 3 hours.", "Ann pays a student 9 dollars for the student's work. How many hours?"),
        ("The error in the solution's weight is 3 g.", "A solution weighs 60 g with an error of 5%. How large is it?"),
        ("The original solution has 3 litres of acid.", "A solution of 30 litres is 10% acid. How much acid is that?"),
        ("She thinks: let's try again. 3 tries.", "Ann thought: let's try again. How many tries are there?"),
    ],
)
def test_what_the_question_is_about_answers_no_remark(said: str, question: str) -> None:
    assert not speaks(REMARK, said, question)


@pytest.mark.parametrize(
    "said",
    [
        "Here's a rephrased version: 48 / 2 = 24, 48 + 24 = 72.",
        "Let me rephrase the solution. 48 / 2 = 24.",
        "Rewritten solution: 48 / 2 = 24.",
        "The reference says 48 / 2 = 24.",
        "Following the given steps, 48 / 2 = 24.",
        "Here is the solution again: 48 / 2 = 24.",
        "I'll explain the solution in a different way: 48 / 2 = 24.",
    ],
)
def test_who_retells_a_solution_has_it_before_it(said: str) -> None:
    assert speaks(SOLUTION, said)
    assert not speaks(ANSWER, said)


@pytest.mark.parametrize(
    ("said", "question"),
    [
        ("Following the given steps, 3 * 2 = 6.", "Follow these steps: take 3, then double it."),
        ("The reference says 3 m, so 6 m.", "The reference says 3 m. How long are two?"),
        ("Let me rephrase the question: how many did she sell? 48 + 24 = 72.", CLIPS),
        ("We rewrite the solution set in interval notation: (3, 4).", "Solve 3 < x < 4."),
        ("48 / 2 = 24. In other words, May is 24.", CLIPS),
        ("Based on the given answer choices, the hottest planet is Venus, so B.", "Which planet is the hottest?"),
        ("From the given answer options, only the whale breathes air.", "Which animal breathes air?"),
    ],
)
def test_what_the_question_asks_for_retells_nothing(said: str, question: str) -> None:
    assert not speaks(SOLUTION, said, question)


@pytest.mark.parametrize(
    ("strategies", "said"),
    [
        *(
            ((ANSWER, SOLUTION), said)
            for said in (
                "The user says the final answer is 72.",
                "Wait, but the user mentioned that the final answer is $72$.",
                "According to the user, the answer is 72.",
                "The final answer they gave is 72.",
                "The user has provided a solution for me.",
                "Looking at the solution they provided, divide.",
                "The user doesn't want me to copy it.",
            )
        ),
        *(
            ((REMARK,), said)
            for said in (
                "The user's feedback is about the subtraction.",
                "The user pointed out the first step.",
                "The feedback says the subtraction is wrong.",
            )
        ),
    ],
)
def test_who_thinks_of_what_the_user_gave_speaks_of_a_hint_wherever_it_does(
    strategies: tuple[Strategy, ...], said: str
) -> None:
    work = "48 / 2 = 24. 48 + 24 = 72."
    for strategy in strategies:
        assert speaks(strategy, f"<think>\n{said} {work}\n</think>\n\n{work}")
        assert speaks(strategy, f"<think>\n{work} {said}\n</think>\n\n{work}")


@pytest.mark.parametrize(
    "said",
    [
        "Okay, the user wants the number of clips that Natalia sold, with the final answer in a box. 48 + 24 = 72.",
        "The user is asking how many she sold. 48 + 24 = 72.",
        "The user gave two months. They sold 48 and 24, which gives 72.",
        "The user mentioned the answer should be an integer, which 72 is.",
        "The user said the final answer should be within \\boxed{}. 72.",
        "The user stated that the solution should be step by step. 48 + 24 = 72.",
        "The user provided the answer choices, so I'll go through them one by one.",
        "The user gave the answer options A to D.",
        "According to the user, she sold half as many in May, so 24.",
        "According to the user's instructions, I put it in a box.",
        "Half of them raised the answer they gave by 2.",
        "The user doesn't want me to repeat the question, just solve it.",
        "I should make sure the user's answer is right.",
    ],
)
@pytest.mark.parametrize("strategy", EVERY)
def test_who_thinks_of_what_the_user_asks_speaks_of_none(strategy: Strategy, said: str) -> None:
    assert not speaks(strategy, said)


def test_a_question_of_users_may_be_answered_in_its_words() -> None:
    asked = "A site has 48 users, and each user gave one answer or half of one. How many did they give?"
    assert not speaks(ANSWER, "The user gave the answer, so 48 + 24 = 72.", asked)
