"""What a hint leaves behind in a sample: copies of the reference, and which of its traces is told first."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove_workers.guidance import token_ends_of
from selfimprove_workers.guidance.base import Leak, Reference
from selfimprove_workers.guidance.leaks import NGRAM, copies, leak_of
from selfimprove_workers.guidance.markup import words_and_numbers
from selfimprove_workers.guidance.state_reset import StateReset
from tests.unit.leaks_support import OWN, QUESTION, REFERENCE

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
