"""Choice: a quantity with its unit, and what a list of those that are ruled out leaves."""

from __future__ import annotations

import pytest

from selfimprove_workers.tasks import Choice, Verdict


def offered(*texts: str) -> dict[str, list[dict[str, str]]]:
    return {"choices": [{"label": label, "text": text} for label, text in zip("ABCD", texts, strict=True)]}


ORGANS = offered("heart", "lung", "brain", "liver")
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


@pytest.mark.parametrize("left", ["That leaves B.", "So that leaves option B.", "This only leaves B."])
def test_what_is_left_of_those_that_are_ruled_out_is_the_answer(left: str) -> None:
    assert Choice().extract(f"We can eliminate A, C and D. {left}", ORGANS) == "B"


@pytest.mark.parametrize(
    "response", ["We can rule out options A and B. C is too light.", "A) True\nB) False\nC) True\nD) True"]
)
def test_what_is_said_of_one_that_is_listed_is_no_answer(response: str) -> None:
    assert Choice().extract(response, ORGANS) is None
