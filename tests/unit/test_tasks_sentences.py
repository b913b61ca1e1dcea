"""Choice: a sentence that says nothing of answers, and a quantity with its unit, name a choice by its text."""

from __future__ import annotations

import pytest

from selfimprove_workers.tasks import Choice, Verdict


def offered(*texts: str) -> dict[str, list[dict[str, str]]]:
    return {"choices": [{"label": label, "text": text} for label, text in zip("ABCD", texts, strict=True)]}


ORGANS = offered("heart", "lung", "brain", "liver")
GASES = offered("oxygen", "helium", "carbon dioxide", "hydrogen")
HEAT = offered("heat", "heat loss", "water", "salt water")
QUANTITIES = [
    (("100 °C", "0 °C", "50 °C", "25 °C"), ("100°C", "The answer is 100°C.", "Water boils at 100°C.", "100 °C")),
    (("100°C", "0°C", "50°C", "25°C"), ("100 °C", "The answer is 100 °C.")),
    (("5 kg", "10 kg", "15 kg", "20 kg"), ("5kg", "The mass is 5kg.", "The answer is 5kg.")),
    (("25%", "10%", "50%", "75%"), ("25 %", "25 percent", "The answer is 25 percent.", "It is 25 per cent.")),
    (("25 percent", "10 percent", "50 percent", "75 percent"), ("25%", "The answer is 25%.")),
    (("4 m/s", "2 m/s", "6 m/s", "8 m/s"), ("4m/s", "The speed is 4m/s.")),
]


@pytest.mark.parametrize(("texts", "response"), [(texts, said) for texts, all_said in QUANTITIES for said in all_said])
def test_a_quantity_is_the_same_with_and_without_a_space_before_its_unit(
    texts: tuple[str, str, str, str], response: str
) -> None:
    assert Choice().check(response, "A", offered(*texts)).flexible is Verdict.CORRECT


@pytest.mark.parametrize("response", ["15kg", "The answer is 1.5kg.", "It is 5 g."])
def test_another_quantity_is_another(response: str) -> None:
    assert Choice().check(response, "A", offered("5 kg", "10 kg", "15 kg", "20 kg")).flexible is not Verdict.CORRECT


@pytest.mark.parametrize(
    ("response", "label", "extra"),
    [
        ("The heart pumps blood.", "A", ORGANS),
        ("Heart pumps blood throughout the body.", "A", ORGANS),
        ("Plants absorb carbon dioxide.", "C", GASES),
        ("Plants absorb carbon dioxide from the atmosphere during photosynthesis.", "C", GASES),
        ("The Moon's gravity causes tides.", "B", offered("the wind", "the Moon's gravity", "the Sun", "earthquakes")),
    ],
)
def test_the_subject_or_the_object_of_a_sentence_is_what_it_says(
    response: str, label: str, extra: dict[str, list[dict[str, str]]]
) -> None:
    assert Choice().extract(response, extra) == label


@pytest.mark.parametrize(
    ("response", "extra"),
    [
        ("Many people think the heart pumps thoughts.", ORGANS),
        ("The heart never pumps thoughts.", ORGANS),
        ("The heart pumps thoughts, not the brain.", ORGANS),
        ("Does the heart pump blood?", ORGANS),
        ("It contains salt water.", offered("water", "sand", "oil", "air")),
        ("Heat escapes through the roof.", HEAT),
        ("Plants absorb gases. Oxygen is one of many that animals breathe in and plants breathe out.", ORGANS),
    ],
)
def test_what_is_denied_asked_thought_by_others_or_a_part_of_a_name_says_nothing(
    response: str, extra: dict[str, list[dict[str, str]]]
) -> None:
    assert Choice().extract(response, extra) is None


@pytest.mark.parametrize(
    "response",
    [
        "We can eliminate A, C and D. That leaves B.",
        "A) Incorrect\nB) Correct\nC) Incorrect\nD) Incorrect",
        "A) False\nB) True\nC) False\nD) False",
    ],
)
def test_what_is_left_of_the_list_or_marked_in_it_is_the_answer(response: str) -> None:
    assert Choice().extract(response, ORGANS) == "B"
