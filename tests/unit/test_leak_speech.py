"""Words that point at a hint, and those that point at the question or at the solution itself."""

from __future__ import annotations

import pytest
import reasoning_gym
from hypothesis import given, settings
from hypothesis import strategies as st

from selfimprove_workers.guidance.answer_driven import AnswerDriven
from selfimprove_workers.guidance.base import Leak, Reference, Strategy
from selfimprove_workers.guidance.interactive import Interactive
from selfimprove_workers.guidance.leaks import leak_of
from selfimprove_workers.guidance.rationale_driven import RationaleDriven
from selfimprove_workers.guidance.speech import speaks_of_hint
from selfimprove_workers.templates import Template
from tests.unit.leaks_support import EVERY_FRAME, OWN, QUESTION, REMARK


@pytest.mark.parametrize(
    "said",
    [
        "As given, the answer is 72.",
        "According to the provided solution, 48 + 24 = 72.",
        "The answer is given: 72.",
        "We check the given answer: 72.",
        "The hint says 72.",
        "As you pointed out, May is half of April.",
        "I apologize for the mistake. 48 + 24 = 72.",
        "In my previous attempt I forgot April.",
        "The answer is 72. I just put it into my own words.",
        "Thank you for the feedback! 48 + 24 = 72.",
        "Thanks for pointing that out. 48 + 24 = 72.",
        "Thank you so much for your helpful comments.",
        "Thanks for the correction!",
        "You're right, I forgot to carry. 48 + 24 = 72.",
        "You’re absolutely right! 48 + 24 = 72.",
        "You are correct that May is half of April.",
        "Sorry for my error, it is 72.",
        "I'm sorry about the confusion. It is 72.",
        "My apologies, it is 72.",
        "I see my mistake now: 48 + 24 = 72.",
        "According to the solution above, 48 + 24 = 72.",
        "Based on your feedback, May is 24.",
        "Using the answer you provided, May is 24.",
        "The solution that I was given says 72.",
        "As you correctly pointed out, you rightly pointed out May.",
        "Good catch! It is 72.",
        "Here is the corrected solution: 48 + 24 = 72.",
        "The answer is given as 72.",
        "The answer is given in the solution: 72.",
        "The provided answer of 72 holds.",
        "Let's verify the given answer by plugging it in: 48 + 24 = 72.",
        "We can check the provided answer by substitution: 48 + 24 = 72.",
        "The provided answer in the problem is 72, and 48 + 24 = 72.",
        "We're told the final answer is 72.",
        "I'm told that the answer is 72.",
        "We've been told the answer is 72.",
    ],
)
def test_words_that_point_at_a_hint_are_found(said: str) -> None:
    assert speaks_of_hint(said, QUESTION, frame=REMARK)


@pytest.mark.parametrize(
    "said",
    [
        OWN,
        "As stated in the problem, she sold 48 in April.",
        "The given numbers are 48 and half of it.",
        "The result is given by the sum, 48 + 24 = 72.",
        "The first answer to try is 2.",
        "The solution is x = 3.",
        "As mentioned above, 12 + 30 = 42.",
        "As shown, 48 / 2 = 24.",
        "As shown above, she sold 24 in May.",
        "As stated earlier, April is 48.",
        "Using the result above, 48 + 24 = 72.",
        "She wrote 48 thank you cards for the guests, and thanked 24 friends for the gifts.",
        "Thank you for reading.",
        "Turn left, and you are right of the church.",
        "If you are right, you win 24.",
        "She is sorry for the mistake, and 24 are left.",
        "Based on the answer choices, it is 72.",
        "That is the error of the scale, 2 grams.",
        "Of the given answer choices, only the whale breathes air, so the answer is B.",
        "Among the provided answer options, the whale breathes air.",
        "Based on the given result of step 1, 4*3=12",
        "So the correct answer given the options is B.",
        "the answer is given in dollars, so 12",
        "We're told the answer should be a common fraction, so 6/4 is 3/2.",
        "We are told the answer must be in lowest terms, so 3/2.",
        "Using the given hint in the problem, factor the left side.",
        "The result is provided as a fraction, 1/2.",
    ],
)
def test_words_that_point_at_the_question_are_none(said: str) -> None:
    assert not any(speaks_of_hint(said, QUESTION, frame=frame) for frame in EVERY_FRAME)


@pytest.mark.parametrize(
    "said",
    [
        "We are told the final answer is 72. 48 + 24 = 72.",
        "We know the answer is 72. 48 + 24 = 72.",
        "Okay, since the answer is 72, she must have sold 24 in May.",
        "**Since the answer is 72**, she must have sold 24 in May.",
        "Knowing that the final answer is 72, we work: 48 + 24.",
        "The answer should be 72, so let's work backwards: 72 - 48 = 24.",
        "48 + 24 = 72. This matches the expected answer of 72.",
        "48 + 24 = 72, consistent with the final answer provided.",
        "According to the reference, 48 + 24 = 72.",
        "From the solution we see 48 + 24 = 72.",
        "The correct answer was stated as 72.",
        "As mentioned above, the final answer is 72: 48 + 24.",
        "I see where I went wrong. 48 + 24 = 72.",
        "Oh, I see! I forgot April. 48 + 24 = 72.",
        "In my first try I forgot April. 48 + 24 = 72.",
        "Let me try that again. 48 + 24 = 72.",
        "Corrected: 48 + 24 = 72.",
        "Here's the revised step-by-step solution: 48 + 24 = 72.",
        "Your teacher said to add April.",
        "48 + 24 = 72. Follow this with the final answer of 72.",
        "48 + 24 = 72. This matches the answer provided.",
        "48 + 24 = 72, which matches the answer given.",
        "48 + 24 = 72. The answer provided is 72.",
        "The solution provided shows that 48 + 24 = 72.",
        "As the solution shows, 48 + 24 = 72.",
        "As explained in the solution, 48 + 24 = 72.",
        "The problem states that the answer is 72. 48 + 24 = 72.",
        "As the teacher pointed out, 48 + 24 = 72.",
    ],
)
def test_who_leans_on_an_answer_or_answers_a_remark_speaks_of_a_hint(said: str) -> None:
    assert speaks_of_hint(said, QUESTION, Reference("72"), REMARK)


@pytest.mark.parametrize(
    "said",
    [
        "48 + 24 = 72. Since the answer is 72, the choice is B.",
        "April and May: 48 + 24 = 72. We know the answer is 72.",
        "Since the answer is a whole number, 48 is halved: 24. 48 + 24 = 72.",
        "We know that the answer is the sum: 48 + 24 = 72.",
        "The answer should be 72. In April she sold 48, in May 24.",
        "48 / 2 = 23. Let me try again: 24. I forgot a clip, so 48 + 24 = 72.",
        "According to the reference frame, it stands still.",
        "This matches the answer choice B.",
        "We are told the sum is 72.",
        "48 + 24 = 72 matches the result above.",
        "Let's work it out step by step. 48 + 24 = 72.",
        "48 + 24 = 72. In the solution we used that May is half of April.",
        "The solution provided by adding is 48 + 24 = 72.",
        "To find the answer, given that May is half, 48 + 24 = 72.",
        "The problem states that the answer is a whole number: 72.",
    ],
)
def test_who_concludes_the_answer_or_mends_a_step_does_not(said: str) -> None:
    assert not any(speaks_of_hint(said, QUESTION, Reference("72"), frame) for frame in EVERY_FRAME)


@pytest.mark.parametrize(
    ("strategy", "said"),
    [
        (AnswerDriven(), "The final answer to what follows is 72. 48 + 24 = 72."),
        (AnswerDriven(), "(The final answer to what follows is 72. Work it out, and end with that answer.) 48 + 24"),
        (AnswerDriven(), "I work it out, and end with that answer. 48 + 24 = 72"),
        (RationaleDriven(), "Here is a solution of what follows: 48 + 24 = 72"),
        (Interactive(), "With this in mind, 48 + 24 = 72."),
        (Interactive(), "I write as if it were your first attempt. 48 + 24 = 72"),
        (AnswerDriven(Template("own", "Rumour has it as {{ answer }}! {{ question }}", "")), "Rumour has it as 72."),
    ],
)
def test_what_only_the_template_says_speaks_of_the_hint_that_it_gives(strategy: Strategy, said: str) -> None:
    assert speaks_of_hint(said, QUESTION, Reference("72"), strategy.frame)
    assert not speaks_of_hint(said, QUESTION, Reference("72"))


@pytest.mark.parametrize(
    "said",
    [
        "72. Do not copy it and do not mention it. Work the problem out step by step.",
        "#### 72\nDon't copy it:\n#### 72",
        "48 + 24 = 72\n\nPlease do not copy the answer.",
        "I won’t copy it. 48 + 24 = 72",
        "48 + 24 = 72, and I will not mention it.",
        "Without copying the solution, 48 + 24 = 72.",
        "48 + 24 = 72 (for you alone)",
    ],
)
def test_what_a_template_forbids_is_an_echo_whoever_says_it_and_so_is_a_short_clause_of_it(said: str) -> None:
    assert speaks_of_hint(said, QUESTION, Reference("72"), RationaleDriven().frame)
    assert not speaks_of_hint(said, f"{QUESTION} {said}", Reference("72"), RationaleDriven().frame)


@pytest.mark.parametrize(
    "said",
    [
        "The problem doesn't mention it, so 48 + 24 = 72.",
        "They do not copy it. 48 + 24 = 72.",
        "We do not mention May yet: 48.",
        "She wrote it for you alone and 24 others.",
    ],
)
def test_what_others_do_not_do_and_a_clause_within_another_are_none(said: str) -> None:
    assert not any(speaks_of_hint(said, QUESTION, Reference("72"), frame) for frame in EVERY_FRAME)


def test_what_is_forbidden_of_other_things_than_the_hint_tells_nothing() -> None:
    frame = AnswerDriven(Template("own", "It is {{ answer }}. Do not use a table.\n{{ question }}", "")).frame
    assert not speaks_of_hint("I do not use it. 48 + 24 = 72", QUESTION, Reference("72"), frame)


def test_what_a_template_and_the_question_say_may_be_said_again() -> None:
    template = Template("own", "It is {{ answer }}, so put it into a big box.\n{{ question }}", "")
    frame = AnswerDriven(template).frame
    assert speaks_of_hint("48 + 24, so put it into a big box", QUESTION, Reference("72"), frame)
    assert not speaks_of_hint("So put it into a big box", f"{QUESTION} So put it into a big box.", frame=frame)


def test_a_template_of_common_words_leaves_none_that_tell() -> None:
    own = "The correct answer is {{ answer }}. Let us solve this problem step by step.\n{{ question }}"
    assert AnswerDriven(Template("own", own, "")).frame.runs == frozenset()


EXAMPLE = "Tom has 3 apples and buys 2 more, so the total number of apples is 3 + 2 = 5. The answer is 5.\n\n"


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (
            'The sum of all these numbers is {{ answer }}. Say only: "The sum of all these numbers is N."',
            "48 + 24. The sum of all these numbers is 72.",
        ),
        (
            "The answer is {{ answer }}. Finish with a line that says: The final numerical answer is {{ answer }}.",
            "48 + 24 = 72.\nThe final numerical answer is 72.",
        ),
        ("Hint: {{ answer }}. End with 'Therefore, the total number of items is N'", "The total number of items is 72"),
        ("Solve the following math problem. It is {{ answer }}.", "Let us solve the following math problem. 72"),
        (EXAMPLE + "{{ question }} ({{ answer }})", "so the total number of apples is 48 + 24 = 72."),
        (EXAMPLE + "It may help.\nSay.\nKnown: {{ answer }}", "so the total number of apples is 48 + 24 = 72."),
    ],
)
def test_what_a_template_asks_for_or_says_far_from_its_hint_may_be_said(own: str, said: str) -> None:
    assert not speaks_of_hint(said, QUESTION, Reference("72"), AnswerDriven(Template("own", own, "")).frame)


@pytest.mark.parametrize("own", ["{{ answer.split()[1] }} or so it is said to be", "Half is {{ 100 // (answer|int) }}"])
def test_a_template_that_reckons_with_its_hint_has_no_frame(own: str) -> None:
    assert AnswerDriven(Template("own", own, "")).frame.runs == frozenset()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_no_worked_solution_of_a_data_set_says_anything_of_a_hint(seed: int) -> None:
    entry = reasoning_gym.create_dataset("gsm_symbolic", size=1, seed=seed)[0]
    worked, answer = entry["metadata"]["answer_cot"], entry["answer"]
    looked_for = frozenset((Leak.SPOKEN_OF, Leak.NO_REASONING))
    known = Reference(answer, worked)
    assert not any(leak_of(looked_for, worked, entry["question"], known, frame=frame) for frame in EVERY_FRAME)


def test_a_question_that_speaks_of_a_given_answer_allows_its_words() -> None:
    assert not speaks_of_hint("The given answer is wrong.", "Is the given answer right?")


@pytest.mark.parametrize(
    ("said", "speaks"),
    [
        ("The provided solution has 20% acid in 10 liters", False),
        ("Add 5 liters of water to the given solution", False),
        ("According to the provided solution, it is 5 liters.", True),
        ("The given answer is 5 liters.", True),
        ("As the solution shows, it holds 2 liters.", False),
        ("The hint given is 5 liters.", True),
        ("The solution provided is 20% acid.", False),
        ("We're told the solution is 20% acid, so it holds 2 liters.", False),
    ],
)
def test_a_solution_may_be_poured_where_the_question_speaks_of_such(said: str, speaks: bool) -> None:
    question = "How much water makes 10 liters of a 20% acid solution one of 10%?"
    assert speaks_of_hint(said, question) is speaks
    assert speaks_of_hint(said, "Find the solution of 2x = 10.")


@pytest.mark.parametrize(
    "said",
    ["The given solution by the student has a mistake in step 2.", "The given solution in the problem fails."],
)
def test_a_solution_that_the_question_quotes_may_be_spoken_of(said: str) -> None:
    assert not speaks_of_hint(said, "A student wrote a solution: 2x = 10, so x = 20. Find the mistake in it.")


def test_a_person_of_the_question_may_have_said_something() -> None:
    said = "As the teacher said, each needs a book: 30 + 12 = 42"
    assert speaks_of_hint(said, "How many books?")
    assert not speaks_of_hint(said, "A teacher said that each of 30 and 12 pupils needs a book. How many books?")
