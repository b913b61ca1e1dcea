"""When a critique tells the answer, and when it only speaks of the question; numbers in words."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove_workers.consulting import GIVEN, STATES_ANSWER, outcome_of
from selfimprove_workers.guidance.naming import is_said_anyway, names_answer
from selfimprove_workers.guidance.number_words import spoken_numbers
from selfimprove_workers.prompts import PromptRow
from selfimprove_workers.tasks import Choice, Exact, Math
from selfimprove_workers.tasks.base import Task
from selfimprove_workers.teachers.base import Answer

CLIPS = "Natalia sold clips to 48 of her friends in April, and half as many in May. How many in April?"
LARGER = "Which is larger, the Sun or the Moon?\nA) Sun\nB) Moon"
CAPITAL = "What is the capital of France?\nA) London\nB) Paris\nC) Rome"
WORDS = ["a", "an", "and", "minus", "half", "third", "two", "forty-two", "hundred", "million", "dozen", "x", ",", "-"]
DIVISOR = "Find the greatest common divisor of 6 and 42."
LARGEST = "Which is the largest of 34, 90 and 17?"
MARBLES = "Tom has 48 marbles. He gives 12 to Ann, and Ann gives him 12 back. How many marbles does Tom have?"
MAMMAL = "Which is a marine mammal?\nA) shark\nB) whale\nC) trout\nD) crab"
CITIES = {"choices": [{"label": text[0], "text": text[3:]} for text in CAPITAL.splitlines()[1:]]}


@pytest.mark.parametrize(
    ("said", "answer", "names"),
    [
        ("The sum should be 72, not 48.", "72", True),
        ("Half of 172 is not 48.", "72", False),
        ("It should be $5,000.50.", "5000.5", True),
        ("A mistake in the second step. I think so.", "A", False),
        ("It should have been option A.", "A", True),
        ("Look at (A) again.", "A", True),
        ("The answer is A.", "A", True),
        ("A closer look at B helps.", "B", True),
        ("The correct result is forty-two, not forty.", "42", True),
        ("The correct result is forty-two, not forty.", "40", True),
        ("You got 11 but twelve apples remain.", "12", True),
        ("It should be a dozen.", "12", True),
        ("Half a dozen are left.", "6", True),
        ("That is one hundred and five in all.", "105", True),
        ("Take half of it.", "0.5", True),
        ("You mixed up the two numbers.", "2", False),
        ("You mixed up the two numbers again.", "2", False),
        ("The answer is two.", "2", True),
        ("The difference is two.", "2", True),
        ("The first one is wrong.", "1", False),
        ("There is no reason for it.", "no", False),
        ("The answer is no.", "no", True),
    ],
)
def test_an_answer_is_named_where_it_stands_as_a_thing_of_its_own(said: str, answer: str, names: bool) -> None:
    assert names_answer(said, answer) is names


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("The attempt is not careful: it should have said Paris.", True),
        ("The capital of France is Paris and not London.", True),
        ("The second option is the right one, not the first.", True),
        ("Look at B again.", True),
        ("London is in England.", False),
        ("The first option is another country's capital.", False),
    ],
)
def test_a_choice_is_named_by_its_label_its_text_or_its_place(said: str, names: bool) -> None:
    assert names_answer(said, "B", "Paris", CAPITAL) is names


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("You did not halve the 48 clips of April.", False),
        ("She sold 48 clips in April, which you doubled.", False),
        ("The answer is not 48 halves.", False),
        ("It should be 48.", True),
        ("The total is therefore forty-eight.", True),
        ("48 is the right answer.", True),
        ("So it = 48.", True),
    ],
)
def test_a_number_of_the_question_is_named_only_where_it_is_called_the_answer(said: str, names: bool) -> None:
    assert names_answer(said, "48", None, CLIPS) is names


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("You compare how far the Sun is, not its size.", False),
        ("It should have said the Sun.", True),
        ("The Sun is the right answer.", True),
    ],
)
def test_so_is_a_choice_that_the_question_speaks_of_beside_its_list(said: str, names: bool) -> None:
    assert names_answer(said, "A", "Sun", LARGER) is names
    assert is_said_anyway("A", "Sun", LARGER)
    assert not is_said_anyway("B", "Paris", CAPITAL)


@pytest.mark.parametrize(
    ("said", "comes_to"),
    [
        ("It should have said Paris, since London is in England.", STATES_ANSWER),
        ("London is in England: look at the other countries.", GIVEN),
    ],
)
@pytest.mark.parametrize("extra", [CITIES, None])
def test_a_critique_that_states_the_option_is_refused_mapped_or_listed(
    said: str, comes_to: str, extra: dict[str, Any] | None
) -> None:
    assert outcome(Choice(), said, "B", CAPITAL, extra) == comes_to


@pytest.mark.parametrize(
    ("said", "comes_to"),
    [
        ("Look again at the 48.", GIVEN),
        ("The answer is 48.", STATES_ANSWER),
        ("What would 24 + 24 be, and why?", GIVEN),
        ("In the end it is forty-eight.", STATES_ANSWER),
    ],
)
def test_an_honest_critique_may_speak_of_what_the_question_says(said: str, comes_to: str) -> None:
    assert outcome(Math(), said, "48", CLIPS) == comes_to


@pytest.mark.parametrize(
    ("said", "gold", "question"),
    [
        ("The greatest common divisor is 6, since 6 divides 42.", "6", DIVISOR),
        ("6 divides 42, so the GCD is 6.", "6", DIVISOR),
        ("The GCD of the two is 6, not 2.", "6", DIVISOR),
        ("So the divisor you need is 6.", "6", DIVISOR),
        ("You stopped at 2, but the GCD is six.", "6", DIVISOR),
        ("The GCD is 6 because 6 divides both.", "6", DIVISOR),
        ("The largest is 90, not 34.", "90", LARGEST),
        ("The largest number is 90.", "90", LARGEST),
        ("90 is the largest of them.", "90", LARGEST),
        ("So he is left with 48 marbles, not 36.", "48", MARBLES),
        ("Tom has 48 marbles in the end, not 60.", "48", MARBLES),
        ("Correct: 48. You forgot that Ann gave them back.", "48", MARBLES),
        ("The correct value, 48, follows when you add them back.", "48", MARBLES),
        ("He ends up having 48 marbles again.", "48", MARBLES),
        ("You wrote 36, but Tom has 48 again at the end.", "48", MARBLES),
        ("The final count is 48.", "48", MARBLES),
        ("The final value is 48.", "48", MARBLES),
        ("Your number 36 is wrong; the true number is 48.", "48", MARBLES),
        ("**48** is what you needed.", "48", MARBLES),
        ("The student should have arrived at 48.", "48", MARBLES),
        ("Giving 12 and getting 12 back gives 48.", "48", MARBLES),
        ("The marbles that he has then are 48.", "48", MARBLES),
        ("Adding them back, you get 48 marbles.", "48", MARBLES),
    ],
)
def test_a_critique_that_comes_to_a_number_of_the_question_states_the_answer(
    said: str, gold: str, question: str
) -> None:
    assert outcome(Math(), said, gold, question) == STATES_ANSWER


@pytest.mark.parametrize(
    ("said", "gold", "question"),
    [
        ("You wrote that Tom has 48 marbles at first and then added 12, but he gave them away.", "48", MARBLES),
        ("Start from the 48 marbles, and follow each gift.", "48", MARBLES),
        ("Start from Tom's 48 marbles, and follow each gift.", "48", MARBLES),
        ("There are 48 marbles before any gift: what changes?", "48", MARBLES),
        ("He gives 12 to Ann, and you left out what she does then.", "12", MARBLES),
        ("Look again at 6 and 42: which numbers divide both?", "6", DIVISOR),
        ("You listed the divisors of 42, but those of 6 are missing.", "6", DIVISOR),
        ("The two numbers are 6 and 42: which numbers divide both?", "6", DIVISOR),
        ("Your first step is 48 - 12, and the second is missing.", "48", MARBLES),
        ("You got the 48 at first right, but the second step is wrong.", "48", MARBLES),
        ("Compare 34, 90 and 17 digit by digit.", "90", LARGEST),
    ],
)
def test_an_honest_critique_of_such_a_question_is_given(said: str, gold: str, question: str) -> None:
    assert outcome(Math(), said, gold, question) == GIVEN


@pytest.mark.parametrize(
    ("said", "comes_to"),
    [
        ("Option 2 is right, since it breathes air.", STATES_ANSWER),
        ("Think of choice two once more.", STATES_ANSWER),
        ("It should be the whales.", STATES_ANSWER),
        ("You should choose the second one, not C.", STATES_ANSWER),
        ("The 2nd option deserves another look.", STATES_ANSWER),
        ("Look at option (b) once more.", STATES_ANSWER),
        ("Consider option b instead of option c.", STATES_ANSWER),
        ("A, C and D are wrong, think again.", STATES_ANSWER),
        ("Everything but choices a, c, and d.", STATES_ANSWER),
        ("A is wrong. C is wrong too, and D cannot be right.", STATES_ANSWER),
        ("Option b is right.", STATES_ANSWER),
        ("Choice b fits.", STATES_ANSWER),
        ("Think again. Answer: b", STATES_ANSWER),
        ("The answer is b.", STATES_ANSWER),
        ("The correct answer is b.", STATES_ANSWER),
        ("It should be b.", STATES_ANSWER),
        ("Think again, and choose b.", STATES_ANSWER),
        ("The correct one is the second.", STATES_ANSWER),
        ("Look at the second in the list.", STATES_ANSWER),
        ("You should have picked the second.", STATES_ANSWER),
        ("Options 1, 3 and 4 are wrong.", STATES_ANSWER),
        ("The first, third and fourth are wrong.", STATES_ANSWER),
        ("All but the second are wrong.", STATES_ANSWER),
        ("Not A. Not C. Not D.", STATES_ANSWER),
        ("Not shark, trout or crab.", STATES_ANSWER),
        ("A shark is wrong. It isn't a trout, and crabs are out, too.", STATES_ANSWER),
        ("Sharks and trouts aren't mammals.", GIVEN),
        ("Think of what sharks, trouts and crabs breathe with.", GIVEN),
        ("The first and third are wrong.", GIVEN),
        ("The first, third and fourth steps are wrong.", GIVEN),
        ("Steps 1, 3 and 4 are wrong.", GIVEN),
        ("Your second statement is wrong.", GIVEN),
        ("In your second answer you mix up fish.", GIVEN),
        ("The second statement in your reasoning is false.", GIVEN),
        ("The second possibility you tried is a fish.", GIVEN),
        ("In sentence (b) you call it a fish.", GIVEN),
        ("A and C are wrong, think again.", GIVEN),
        ("Your choice C is a fish, reconsider.", GIVEN),
        ("The third option is a fish, and so is the first one.", GIVEN),
        ("You went from the second sentence to the wrong end.", GIVEN),
        ("Option 3 is a fish: ask who breathes air.", GIVEN),
        ("Option 21 is none: ask who breathes air.", GIVEN),
    ],
)
def test_a_choice_is_named_by_its_number_and_in_the_plural_too(said: str, comes_to: str) -> None:
    assert outcome(Choice(), said, "B", MAMMAL) == comes_to


def test_a_choice_in_the_plural_is_named_in_the_singular_and_no_short_word_is_cut() -> None:
    assert names_answer("A whale breathes air.", "B", "whales")
    assert not names_answer("It is in the glas.", "B", "glass")


@pytest.mark.parametrize(
    "said",
    [
        "The attempt first goes wrong in Step {}. The student adds instead of subtracting.",
        "Your work is correct up to step {}. After that, you misread the question.",
        "The error is in line {}.",
        "The student's equation ({}) is wrong.",
        "The mistakes are in steps 1, 7 and {}.",
        "**Where it goes wrong:** Step **{}**\n\nThe student adds what should be subtracted.",
        "In sentence {} they use the wrong operation.",
        "The attempt goes wrong on the {}th line.",
        "The attempt makes {} errors. It adds, and it ignores the last sentence.",
        "There are {} steps in the attempt, and the last one is wrong.",
        "7. Find the total.\n{}. Then subtract what was eaten.",
    ],
)
@pytest.mark.parametrize(("gold", "written"), [("2", "2"), ("2", "two"), ("5", "5"), ("5", "five")])
def test_a_critique_may_number_steps_and_count_mistakes_whatever_the_answer_is(
    said: str, gold: str, written: str
) -> None:
    number = gold if "{}th" in said or "\n{}." in said else written
    assert outcome(Math(), said.format(number), gold, "There are boxes of apples. How many apples remain?") == GIVEN


@pytest.mark.parametrize(
    ("said", "gold", "question"),
    [
        ("Step 2 is wrong: there are 5 apples.", "5", "How many apples?"),
        ("Step 2 is wrong, and so you get 2.", "2", "How many apples?"),
        ("In step 2, 72 is what you should get.", "72", "How many apples?"),
        ("In the last line 72 should stand.", "72", "How many apples?"),
        ("In both cases 72 remain.", "72", "How many apples?"),
        ("Your equation 72 = 48 + 24 is right.", "72", "How many apples?"),
        ("There are 12 steps, not 10.", "12", "How many steps does the stair have?"),
    ],
)
def test_a_number_that_is_no_label_states_the_answer(said: str, gold: str, question: str) -> None:
    assert outcome(Math(), said, gold, question) == STATES_ANSWER


def test_an_answer_that_is_a_label_is_named_by_it() -> None:
    assert outcome(Exact(), "It goes wrong earlier, in Step 2.", "Step 2", "Which step is wrong?") == STATES_ANSWER


def outcome(task: Task, said: str, gold: str, question: str, extra: dict[str, Any] | None = None) -> str:
    prompt = PromptRow("p", [{"role": "user", "content": question}], gold, None, None, extra)
    return outcome_of(task, prompt, Answer(said, 10), said)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("forty-two or twenty one", {"forty-two": 42, "twenty one": 21}),
        ("Half a dozen, two dozen, a dozen", {"Half a dozen": 6, "two dozen": 24, "a dozen": 12}),
        ("two and three", {"two": 2, "three": 3}),
        ("negative five, two and a half", {"negative five": -5, "two and a half": 2.5}),
        ("the twenty-third, a two-step sum, and an hour", {}),
        ("someone, weighty, often", {}),
    ],
)
def test_numbers_in_words_are_found_whole(text: str, found: dict[str, float]) -> None:
    assert {text[start:stop]: float(number.value) for start, stop, number in spoken_numbers(text)} == found


@given(st.lists(st.sampled_from(WORDS), max_size=9))
def test_whatever_words_stand_together_the_numbers_do_not_overlap(words: list[str]) -> None:
    spans = [(start, stop) for start, stop, _ in spoken_numbers(" ".join(words))]
    assert all(start < stop for start, stop in spans)
    assert all(one[1] <= other[0] for one, other in pairwise(spans))


def test_the_first_choice_is_named_in_lower_case_only_where_the_letter_is_no_article() -> None:
    assert names_answer("It is option a.", "A", "shark", MAMMAL)
    assert names_answer("Compare (a) with your own.", "A", "shark", MAMMAL)
    assert not names_answer("You took an option a child would take.", "A", "shark", MAMMAL)


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("Your tens digit should be 4 and your units digit should be 8.", True),
        ("The ones digit is 8, the tens digit is 4.", True),
        ("Your tens digit should be 4.", False),
        ("Your units digit is 4 and your tens digit is 8.", False),
    ],
)
def test_a_number_is_named_digit_by_digit(said: str, names: bool) -> None:
    assert names_answer(said, "48", None, "Compute 17 + 31.") is names
