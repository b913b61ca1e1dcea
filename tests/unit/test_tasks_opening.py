"""What a multiple-choice answer opens with, and what is said of the other choices behind it."""

from __future__ import annotations

import pytest

from selfimprove_workers.tasks import Choice

PLANETS = ("Mercury", "Venus", "Mars", "Jupiter")
WATER = ("evaporation", "condensation", "precipitation", "transpiration")
CELLS = ("mitosis", "meiosis", "osmosis", "diffusion")
NUMBERS = ("2", "4", "6", "8")


def picked(texts: tuple[str, ...], response: str) -> str | None:
    choices = [{"label": label, "text": text} for label, text in zip("ABCD", texts, strict=True)]
    return Choice().extract(response, {"choices": choices})


@pytest.mark.parametrize(
    ("texts", "response"),
    [
        (PLANETS, "The correct answer is B. The largest planet is Jupiter."),
        (PLANETS, "The correct answer is **B) Venus**. The largest planet is Jupiter."),
        (PLANETS, "**B) Venus**\n\nThe largest planet is Jupiter."),
        (PLANETS, "The answer is Venus. The largest planet is Jupiter."),
        (PLANETS, "**Answer: B. Venus** (A. Mercury is closer but colder)"),
        (PLANETS, "The correct answer is B) Venus. Options A) Mercury, C) Mars and D) Jupiter are cooler."),
        (PLANETS, "The answer is B. Venus is hotter than the planet closest to the Sun, which is Mercury."),
        (WATER, "B) condensation. The reverse process is evaporation."),
        (WATER, "The correct answer is **B**. When droplets fall as rain, it is called precipitation."),
        (CELLS, "The correct answer is B, since A is mitosis."),
        (CELLS, "The correct answer is B because A is mitosis and C is osmosis."),
        (CELLS, "The correct answer is B. Option A is mitosis, which makes two cells. Option D is diffusion."),
        (CELLS, "Answer: B (not C, which is osmosis)"),
        (CELLS, "The answer is B (not A)."),
        (CELLS, "Final answer: **B**. (Not A, which is mitosis.)"),
        (CELLS, "The correct answer is **B) meiosis**. A) mitosis produces identical cells."),
        (CELLS, "The correct answer is B (meiosis). A (mitosis) produces identical cells."),
        (CELLS, "Answer: B. A) Mitosis produces two cells. C) Osmosis is of water."),
        (NUMBERS, "The answer is B: 4, because 16 / 4 = 4 and 4 * 2 = 8."),
        (NUMBERS, "The answer is B. Check: 4 + 4 = 8."),
        (NUMBERS, "The correct answer is B: 4. C is 6."),
    ],
)
def test_what_is_said_of_other_choices_behind_an_answer_is_none(texts: tuple[str, ...], response: str) -> None:
    assert picked(texts, response) == "B"


@pytest.mark.parametrize(
    ("texts", "response", "label"),
    [
        (PLANETS, "Mercury, the closest planet, is small. The largest planet is Jupiter.", "D"),
        (PLANETS, "A) Mercury is small. B) Venus is hot. The largest planet is Jupiter.", "D"),
        (PLANETS, "The answer is the largest planet. The largest planet is Jupiter.", "D"),
        (PLANETS, "The answer is B. Wait, no. The answer is C.", "C"),
        (PLANETS, "The answer is B. No, it is C.", "C"),
        (PLANETS, "The answer is B, but that is wrong, so C.", "C"),
        (PLANETS, "The answer is A, B", None),
        (PLANETS, "The answer is B or C", None),
        (NUMBERS, "4 + 4 = 8.", "D"),
        (NUMBERS, "4, then twice that is 8", "D"),
    ],
)
def test_what_only_begins_with_a_choice_is_read_to_its_end(
    texts: tuple[str, ...], response: str, label: str | None
) -> None:
    assert picked(texts, response) == label
