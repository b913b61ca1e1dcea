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


LISTS = (
    "A) Mars is cold.\nB) Venus has a thick atmosphere.\nC) Jupiter is a gas giant.\nD) Mercury is bare.",
    "**A)** Mars is cold.\n**B)** Venus is thick.\n**C)** Jupiter is a gas giant.\n**D)** Mercury is bare.",
    "A: Mars is cold.\nB: Venus has a thick atmosphere.\nC: Jupiter is a gas giant.\nD: Mercury is bare.",
)
HOTTEST = ("Mars", "Venus", "Jupiter", "Mercury")


@pytest.mark.parametrize("listed", LISTS)
@pytest.mark.parametrize("heading", ["Let's analyze each option:\n\n", "each statement:\n", "One by one:\n\n"])
def test_a_heading_over_the_choices_claims_none_of_them(heading: str, listed: str) -> None:
    assert picked(HOTTEST, heading + listed) is None
    assert picked(HOTTEST, f"{heading}{listed}\n\nSo, the hottest planet is Venus.") == "B"
    assert picked(HOTTEST, f"{heading}{listed}\n\nTherefore, the hottest planet is B) Venus.") == "B"


@pytest.mark.parametrize(
    "declared", ["The correct answer is B. ", "Answer: B\n\n", "The answer is Venus. ", "Therefore, B. "]
)
@pytest.mark.parametrize(
    "remark",
    [
        "Many students choose D because Mercury is the closest to the Sun.",
        "A common error is to choose D.",
        "You might be tempted to choose D, but Mercury has no atmosphere.",
        "The closest planet to the Sun is Mercury, which is D.",
        "If we were asked for the smallest planet, it would be D.",
        "Many people think the answer is D.",
        "The most common wrong answer: D.",
        "The second-best answer is D.",
        "If the question had asked for the largest, the answer would be C.",
        "It is a common misconception that the answer is Mercury.",
        "\n\nIncorrect answers:\nA: Mars is cold\nC: Jupiter is big",
        "\n\n**Other answers:**\n- A) Mars is cold.\n- C) Jupiter is big.",
    ],
)
def test_what_others_would_choose_is_no_answer(declared: str, remark: str) -> None:
    assert picked(HOTTEST, declared + remark) == "B"


@pytest.mark.parametrize(
    "response",
    [
        "The correct answer is B. However, the closest planet to the Sun is Mercury, so it must be Mercury.",
        "The answer is B. Let me double check: Venus is second from the Sun. So the correct choice is Mercury.",
        "The answer is Venus. However, since Mercury is closest, the correct choice is Mercury.",
        "The correct answer is B. Upon review, Mercury is the right choice.",
        "The correct answer is B. Let me reconsider. Mercury is closest. I choose D.",
        "The correct answer is B. I made a mistake. D is the answer.",
        "The answer is B. On reflection, I'll go with D.",
    ],
)
def test_a_conclusion_takes_back_what_was_declared(response: str) -> None:
    assert picked(HOTTEST, response) == "D"


@pytest.mark.parametrize(
    "response",
    [
        "Although D looks right, it's B.",
        "By elimination, it is easy to see that the correct choice is B.",
        "Let's see which option is correct:\n\nA) Mars is cold.\nB) Venus is thick.\n\nB is the answer.",
    ],
)
def test_what_is_claimed_at_last_is_the_answer(response: str) -> None:
    assert picked(HOTTEST, response) == "B"


def test_two_sentences_that_state_two_choices_declare_none() -> None:
    assert picked(HOTTEST, "The hottest planet is Venus. The coldest planet of the four is Jupiter.") is None
    assert picked(HOTTEST, "Venus. The largest planet is Jupiter.") is None


LISTS = {
    "labels": "A) Mars is cold.\nB) Venus is thick.\nC) Jupiter is far.\nD) Mercury is bare.",
    "options": "Option A: Mars is cold.\nOption B: Venus is thick.\nOption C: Jupiter is far.\nOption D: Bare.",
    "numbered": "1. **A) Mars**: cold.\n2. **B) Venus**: thick.\n3. **C) Jupiter**: far.\n4. **D) Mercury**: bare.",
    "texts": "- **Mars**: it is cold.\n- **Venus**: it is thick.\n- **Jupiter**: it is far.\n- **Mercury**: bare.",
    "headings": "### A. Mars\nIt is cold.\n### B. Venus\nIt is thick.\n### C. Jupiter\nFar.\n### D. Mercury\nBare.",
}


@pytest.mark.parametrize(
    "heading", ["", "Let's weigh each option:", "The possible answers are:", "To find the answer:"]
)
@pytest.mark.parametrize("listed", LISTS.values(), ids=LISTS)
@pytest.mark.parametrize(
    ("conclusion", "label"),
    [
        ("Therefore, the hottest planet is Venus (B).", "B"),
        ("Hence Venus.", "B"),
        ("Option B is the only one that fits.", "B"),
        ("All of them are planets.", None),
        ("", None),
    ],
)
def test_of_a_text_that_goes_through_the_choices_the_conclusion_counts(
    heading: str, listed: str, conclusion: str, label: str | None
) -> None:
    assert picked(HOTTEST, f"{heading}\n\n{listed}\n\n{conclusion}") == label


def test_an_answer_before_the_other_choices_is_no_line_of_a_list() -> None:
    assert picked(HOTTEST, "B. Venus\n\nA: Mars is cold.\nC: Jupiter is far.\nD: Mercury has no air.") == "B"
    assert picked(HOTTEST, "The answer is B. Venus\n\nOption A: Mars is cold.\nOption C: Jupiter is far.") == "B"


@pytest.mark.parametrize(
    "said", ["The correct option is B) Jupiter.", "The best choice is **B) Jupiter**.", "One is (B) Mars."]
)
def test_a_label_is_read_before_its_text_also_where_the_texts_are_not_known(said: str) -> None:
    assert Choice().extract(said) == "B"


def test_what_is_too_much_of_something_is_no_second_answer() -> None:
    assert picked(HOTTEST, "The correct answer is B) Venus. Mars is too cold.") == "B"
    assert picked(HOTTEST, "B) Venus. Mars is too cold, and Jupiter is too far.") == "B"
    assert picked(HOTTEST, "The answer is B. C is too.") is None


@pytest.mark.parametrize("noun", ["answer", "option", "choice"])
def test_a_declaration_may_have_its_label_on_the_next_line(noun: str) -> None:
    assert picked(HOTTEST, f"The correct {noun} is:\n\n**B) Venus**\n\nMars is cold.") == "B"
    assert picked(HOTTEST, f"The best {noun} is:\n\nB) Venus\n\nExplanation: Mars is cold.") == "B"


def test_a_label_that_is_only_weighed_is_none_before_its_text() -> None:
    assert Choice().extract("So B) Jupiter is too cold. It must be C.") == "C"
