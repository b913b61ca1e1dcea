"""What a hint leaves behind in a sample: copies, words that point at it, answers without a way to them."""

from __future__ import annotations

import re
import time

import pytest
import reasoning_gym
from hypothesis import given, settings
from hypothesis import strategies as st

from selfimprove_workers.guidance import token_ends_of
from selfimprove_workers.guidance.answer_driven import AnswerDriven
from selfimprove_workers.guidance.bare import is_bare, says_it_at_once
from selfimprove_workers.guidance.base import Leak, Reference, Strategy
from selfimprove_workers.guidance.interactive import Interactive
from selfimprove_workers.guidance.leaks import NGRAM, copies, leak_of
from selfimprove_workers.guidance.markup import words_and_numbers
from selfimprove_workers.guidance.rationale_driven import RationaleDriven
from selfimprove_workers.guidance.speech import speaks_of_hint
from selfimprove_workers.guidance.state_reset import StateReset
from selfimprove_workers.templates import Template

QUESTION = "Natalia sold clips to 48 of her friends in April, and half as many in May. How many did she sell?"
REFERENCE = (
    "In May she sold half of what she sold in April, which makes 48 / 2 = 24 clips.\n"
    "Over both months together she has therefore sold 48 + 24 = 72 clips altogether."
)
EVERY_FRAME = [AnswerDriven().frame, RationaleDriven().frame, Interactive().frame]
REMARK = Interactive().frame
OWN = "April: 48. May is half of that, so 24. The sum is 48 + 24 = 72."
WORDS = st.lists(st.sampled_from(["one", "two", "three", "four"]), max_size=40)


def test_the_reference_itself_is_a_copy_whatever_its_spaces_and_capitals() -> None:
    assert copies(f"  {REFERENCE.upper()}\n", REFERENCE, QUESTION)


def test_a_reference_with_a_word_changed_here_and_there_is_still_a_copy() -> None:
    assert copies(REFERENCE.replace("altogether", "in all"), REFERENCE, QUESTION)


SETTINGS = {
    "bold numbers": lambda text: re.sub(r"(\d+)", r"**\1**", text),
    "numbered lines": lambda text: "\n".join(f"{at}. {line}" for at, line in enumerate(text.splitlines(), 1)),
    "bullets": lambda text: "\n".join(f"- {line}" for line in text.splitlines()),
    "steps": lambda text: "\n".join(f"**Step {at}:** {line}" for at, line in enumerate(text.splitlines(), 1)),
    "one line": lambda text: text.replace(".\n", ", "),
    "formulas": lambda text: re.sub(r"(\d[\d /+=]*\d)", r"$\1$", text).replace("/", r"\div"),
    "annotations": lambda text: text.replace("= 24", "= <<48/2=24>>24").replace("= 72", "= <<48+24=72>>72"),
    "boxed": lambda text: text.replace("= 72", r"= \boxed{72}"),
    "a word before": lambda text: text.replace("Over", "So, over"),
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_copy_that_is_set_in_another_way_is_still_one(setting: str) -> None:
    assert SETTINGS[setting](REFERENCE) != REFERENCE
    assert copies(SETTINGS[setting](REFERENCE), REFERENCE, QUESTION)
    assert copies(REFERENCE, SETTINGS[setting](REFERENCE), QUESTION)


def test_after_a_prefix_a_step_label_parts_no_words() -> None:
    rest = "Step 2: Over both months together Step 3: she has therefore sold 48 + 24 = 72 clips altogether."
    assert copies(rest, REFERENCE, QUESTION, REFERENCE[: REFERENCE.index("\n") + 1])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1. **So** she has $1,200.50$", ["she", "has", "1200.50"]),
        ("- 2 * 3 = 6", ["2", "3", "6"]),
        (r"\boxed{\text{four}} \times 2", ["four", "2"]),
        ("#### 18", ["18"]),
        ("Step 1: 9*2 = $<<9*2=18>>18", ["9", "2", "18"]),
        ("(a) Betty’s", ["betty", "s"]),
        ("3.5 steps. Step by step.", ["3.5", "steps", "step", "by", "step"]),
    ],
)
def test_words_and_numbers_are_what_a_text_says(text: str, words: list[str]) -> None:
    assert words_and_numbers(text) == words


def test_a_solution_in_other_words_is_none() -> None:
    assert not copies(OWN, REFERENCE, QUESTION)


def test_what_the_question_says_is_nobodys_copy() -> None:
    reference = f"{QUESTION} It is 72."
    assert copies(f"{QUESTION} So, 72.", reference)
    assert not copies(f"{QUESTION} So, 72.", reference, QUESTION)


def test_after_a_prefix_the_words_of_the_rest_are_a_copy() -> None:
    end = REFERENCE.index("\n") + 1
    assert copies(REFERENCE[end:], REFERENCE, QUESTION, REFERENCE[:end])


def test_after_a_prefix_what_it_says_once_more_is_a_copy() -> None:
    end = REFERENCE.index("\n") + 1
    assert copies(REFERENCE[:end], REFERENCE, QUESTION, REFERENCE[:end])


@pytest.mark.parametrize(
    ("prefix", "rest"),
    [
        (f"{REFERENCE}\n", "The answer is 72."),
        ("5 + 3 = 8.\n", "The answer is 8."),
        ("14 + 3 = 17. ", "17 - 6 = 11. 11 + 20 = 31. 31 - 2 = 29. The answer is 29."),
        ("First ", r"$\frac{1}{2} \times \frac{3}{4} + \sqrt{x} \cdot \frac{5}{6} = \frac{3}{8} + y$"),
    ],
)
def test_after_a_prefix_few_words_numbers_and_formulas_are_no_copy(prefix: str, rest: str) -> None:
    assert not copies(rest, prefix + rest, QUESTION, prefix)


def test_a_reference_that_was_shown_is_copied_in_numbers_too() -> None:
    assert copies("14 + 3 = 17. 17 - 6 = 11.", "14 + 3 = 17. 17 - 6 = 11.", QUESTION)


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
    ],
)
def test_a_solution_may_be_poured_where_the_question_speaks_of_such(said: str, speaks: bool) -> None:
    question = "How much water makes 10 liters of a 20% acid solution one of 10%?"
    assert speaks_of_hint(said, question) is speaks
    assert speaks_of_hint(said, "Find the solution of 2x = 10.")


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


def test_a_person_of_the_question_may_have_said_something() -> None:
    said = "As the teacher said, each needs a book: 30 + 12 = 42"
    assert speaks_of_hint(said, "How many books?")
    assert not speaks_of_hint(said, "A teacher said that each of 30 and 12 pupils needs a book. How many books?")


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


def test_only_what_is_looked_for_is_found_and_the_copy_first() -> None:
    def found(*looked_for: Leak) -> Leak | None:
        return leak_of(frozenset(looked_for), "As given: 72", QUESTION, Reference("72", "As given: 72"))

    assert found(*Leak) is Leak.COPY
    assert found(Leak.SPOKEN_OF, Leak.NO_REASONING) is Leak.SPOKEN_OF
    assert found(Leak.NO_REASONING) is Leak.NO_REASONING
    assert found() is None


def test_what_goes_on_from_a_right_answer_adds_nothing() -> None:
    looked_for = frozenset((Leak.COPY, Leak.SPOKEN_OF, Leak.NOTHING_ADDED))
    reference = Reference("4", "8 / 2 = 4.")
    assert leak_of(looked_for, " of them.", "", reference, "8 / 2", is_solved=True) is Leak.NOTHING_ADDED
    assert leak_of(looked_for, " 2 = 4.", "", reference, "8 /") is None
    assert leak_of(looked_for - {Leak.NOTHING_ADDED}, " of them.", "", reference, "8 / 2", is_solved=True) is None


def test_without_a_reference_or_an_answer_nothing_is_compared_with_one() -> None:
    assert leak_of(frozenset(Leak), "72", QUESTION, Reference(None)) is None


@given(WORDS, WORDS)
def test_texts_that_share_no_long_run_of_words_are_no_copies(one: list[str], other: list[str]) -> None:
    """Of n words there are no n-grams in common unless n of them stand together in both."""
    runs = {tuple(other[at : at + NGRAM]) for at in range(len(other) - NGRAM + 1)}
    shared = any(tuple(one[at : at + NGRAM]) in runs for at in range(len(one) - NGRAM + 1))
    if not shared and one != other:
        assert not copies(" ".join(one), " ".join(other))


@given(WORDS.filter(bool), WORDS, WORDS)
def test_a_reference_is_a_copy_of_itself_and_its_rest_after_a_prefix_is_one_from_eight_words_on(
    prefix: list[str], rest: list[str], question: list[str]
) -> None:
    given_away, left = " ".join(prefix) + " ", " ".join(rest)
    assert copies(given_away, given_away, " ".join(question))
    assert copies(left, given_away + left, "", given_away) is (len(rest) >= NGRAM)


@pytest.mark.parametrize(
    ("prefix", "said", "leak"),
    [
        ("The answer", "\nThe answer is 3.", Leak.NO_REASONING),
        ("Tom has", " 3 apples left.", Leak.NO_REASONING),
        ("The answer", " is 3, since 43 - 40 = 3.", None),
        ("43 - 40", " = 3.", None),
        ("Add them up.\n", "The answer is 3.", None),
        ("Apples left:", " 3", Leak.NO_REASONING),
    ],
)
def test_what_goes_on_from_a_prefix_may_be_short_where_that_began_a_way(
    prefix: str, said: str, leak: Leak | None
) -> None:
    strategy = StateReset(None, token_ends_of(None))
    reference = Reference("3", "The answer is 3, because 43 - 40 = 3.")
    assert leak_of(strategy.leaks, said, "Compute 43 - 40.", reference, prefix) is leak
