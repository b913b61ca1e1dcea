"""What a teacher is asked, what the student is told of it, and what neither may see."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove_workers.consulting import without_thoughts
from selfimprove_workers.guidance.base import Attempt, Reference
from selfimprove_workers.guidance.interactive import Interactive, last_wrong, shortened

QUESTION = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How many clips?"}]
WRONG = [Attempt("It is 48.", False, wrong=True), Attempt("It is 96.", False, wrong=True), Attempt("It is 72.", True)]
REFERENCE = Reference("72", "In May she sold half of it, 24.")


def test_the_teacher_reads_question_latest_wrong_attempt_and_gold_and_no_reference_solution() -> None:
    asked = Interactive().ask(QUESTION, REFERENCE, WRONG)[0]
    assert "How many clips?" in asked
    assert "It is 96." in asked
    assert "It is 48." not in asked
    assert "It is 72." not in asked
    assert "answer, for you alone: 72" in asked
    assert "In May" not in asked


def test_where_nothing_is_wrong_nobody_is_asked() -> None:
    refused = Attempt("It is 72: a copy.", False)
    assert Interactive().ask(QUESTION, REFERENCE, [Attempt("It is 72.", True), refused]) == ()
    assert last_wrong([Attempt(" \n", False, wrong=True)]) is None


def test_a_long_attempt_is_offered_shorter_and_shorter() -> None:
    long = Attempt("x" * 1000 + "end", False, wrong=True)
    lengths = [len(text) for text in Interactive().ask(QUESTION, REFERENCE, [long])]
    assert len(lengths) == 3
    assert lengths == sorted(lengths, reverse=True)
    assert all(text.count("end") for text in Interactive().ask(QUESTION, REFERENCE, [long]))


def test_the_student_revises_its_own_words_after_the_critique() -> None:
    found = Interactive().guide(QUESTION, Reference("72", critique="You forgot May."), WRONG, 1)
    assert found.messages[:2] == QUESTION
    assert found.messages[2] == {"role": "assistant", "content": "It is 96."}
    assert found.messages[3]["role"] == "user"
    assert found.messages[3]["content"].startswith("You forgot May.")
    assert "72" not in found.messages[3]["content"]
    assert found.prefix == ""


def test_the_thoughts_of_a_reasoning_model_are_not_what_it_says() -> None:
    assert without_thoughts("<think>it is 72</think>\n Look at May.") == "Look at May."
    assert without_thoughts("it is 72</think> Look.") == "Look."
    assert without_thoughts("<think>and so on") == ""
    assert without_thoughts(" Look. ") == "Look."


@given(st.text(max_size=200), st.sampled_from([0.25, 0.5]))
def test_what_is_shortened_keeps_beginning_and_end(text: str, share: float) -> None:
    begin, _, end = shortened(text, share).partition(" [...] ")
    assert text.startswith(begin)
    assert text.endswith(end)
    assert len(begin) + len(end) <= len(text) * share


@pytest.mark.parametrize("share", [1.0, 2.0])
def test_the_whole_of_it_stays_as_it_is(share: float) -> None:
    assert shortened("abc", share) == "abc"
