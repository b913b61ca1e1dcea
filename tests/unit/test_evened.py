"""What stands in a text in several spellings, read in one and found where it stood."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove_workers.consulting import STATES_ANSWER, outcome_of
from selfimprove_workers.guidance.bare import is_bare
from selfimprove_workers.guidance.evened import evened
from selfimprove_workers.guidance.golds import gold_position, gold_spans
from selfimprove_workers.guidance.solving import solves_for
from selfimprove_workers.guidance.state_reset import Reference, StateReset
from selfimprove_workers.prompts import PromptRow
from selfimprove_workers.tasks import Math
from selfimprove_workers.tasks.base import Verdict
from selfimprove_workers.teachers.base import Answer

THOUSANDS = [
    "33{,}000", r"33,\!000", r"33\,000", r"33\;000", r"33\:000", r"33\!000", r"33\ 000", "33~000", "33'000", "33’000",
    "33\u00a0000", "33\u2009000", "33\u202f000", "33,000", "33000",
]  # fmt: skip
BONUS = (
    "A year brings $30{,}000$.\nWith the bonus it is $33{,}000$, of which $3{,}000$ are the bonus.\n"
    "She pays no tax.\n#### 33000"
)
PIECES = ["12", "345", "{,}", r"\,", "\u202f", r"\frac", "{3", r"\over", " ", "4}", "x", "."]


@pytest.mark.parametrize("written", THOUSANDS)
@pytest.mark.parametrize("gold", ["33000", "33,000", r"33{,}000"])
def test_a_number_is_found_however_its_thousands_are_parted(written: str, gold: str) -> None:
    text = f"It is {written}, in all."
    assert text[: gold_position(text, gold)] == "It is "
    assert is_bare(text, gold)


@pytest.mark.parametrize("written", THOUSANDS)
def test_whatever_the_grader_takes_for_the_number_is_found(written: str) -> None:
    said = rf"The answer is $\boxed{{{written}}}$."
    assert Math().check(said, "33000", None).flexible is Verdict.CORRECT
    assert gold_position(said, "33000") < len(said)


@pytest.mark.parametrize(
    ("text", "gold"),
    [
        ("33{,}000", "33"),
        (r"1\,033\,000", "33000"),
        ("33{,}0000", "33000"),
        ("33{,}00", "33000"),
        ("(33, 000)", "33000"),
    ],
)
def test_a_part_of_a_number_and_another_one_are_none(text: str, gold: str) -> None:
    assert not list(gold_spans(text, gold))


@pytest.mark.parametrize(
    ("text", "gold", "found"),
    [
        (r"so it is 12\frac12 then", "12.5", r"12\frac12"),
        (r"so {3 \over 4} of it", "0.75", r"{3 \over 4}"),
        (r"so {\sqrt3 \over 2} of it", r"\frac{\sqrt{3}}{2}", r"{\sqrt3 \over 2}"),
        (r"it is 2\cdot\sqrt5, then", r"2\sqrt{5}", r"2\cdot\sqrt5"),
        ("it is 2*π, then", r"2\pi", "2*π"),
        ("the way round is 2πr", r"2\pi r", "2πr"),
    ],
)
def test_a_fraction_a_product_and_pi_are_found_in_other_spellings(text: str, gold: str, found: str) -> None:
    assert found in {text[start:stop] for start, stop in gold_spans(text, gold)}


def test_no_prefix_gives_a_number_whose_thousands_latex_has_parted() -> None:
    strategy = StateReset("Lines", lambda text: [], solves_for(Math()))
    prefixes = {strategy.guide([], Reference("33000", BONUS), (), round).prefix for round in (1, 2, 3)}
    assert prefixes == {"A year brings $30{,}000$.\n"}


def test_a_critique_that_names_such_a_number_states_the_answer() -> None:
    said = "After adding you get $33{,}000$, which differs from the student's 31000."
    prompt = PromptRow("p", [{"role": "user", "content": "How much is it?"}], "33000", None, None, None)
    assert outcome_of(Math(), prompt, Answer(said, 9), said) == STATES_ANSWER


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_every_piece_is_found_where_it_stood_and_what_is_even_stays(text: str) -> None:
    even = evened(text)
    assert evened(even.text).text == even.text
    places = [even.span(place, place + 1) for place in range(len(even.text))]
    assert all(0 <= start < stop <= len(text) for start, stop in places)
    assert all(one <= other for one, other in pairwise(places))
    assert even.span(0, len(even.text)) == (0, len(text)) or not text


@given(gold=st.text("{}[]()\\$^_ ,%;.ab1", min_size=1, max_size=4), text=st.text("{}[]()\\$ ab1", max_size=20))
def test_a_gold_of_any_signs_is_looked_for(gold: str, text: str) -> None:
    for position in (gold_position(text + gold, gold), gold_position(text + gold, "B", gold)):
        assert 0 <= position <= len(text + gold)
