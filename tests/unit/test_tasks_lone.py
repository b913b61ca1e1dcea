"""A choice on a line of its own beside prose, and lines that only go through the choices."""

from __future__ import annotations

import time
from typing import Any

import pytest

from selfimprove_workers.tasks import Choice, Verdict

TEXTS = ["sedimentary rock", "igneous rock", "metamorphic rock", "molten rock"]


def offered(*texts: str) -> dict[str, Any]:
    return {"choices": [{"label": label, "text": text} for label, text in zip("ABCD", texts, strict=False)]}


ROCKS = offered(*TEXTS)
GONE_THROUGH = "A) from sediment.\nB) from magma.\nC) from pressure.\nD) is not solid."
LONE = [
    "B\n\nExplanation: magma cools and solidifies.", "Magma cools and solidifies into it.\n\nB", "It cools.\n\n**B**",
    "It cools.\n\nB.", "It cools.\n\n(B)", "`B`\nIt cools.", "B\n\nA is formed by sediments.",
    "B\n\nExplanation: option A is formed from sediments.", "B\n\n- A: sediments.\n- C: heat and pressure.",
    "A is formed by sediments, so it is not A. C needs heat.\n\nB", f"{GONE_THROUGH}\n\nB", "C\n\nWell.\n\nB",
    "B\nBecause magma cools.",
]  # fmt: skip
CLAIMED = [
    "Final answer - B", "Answer - B", "Ans: B", "Solution: B", "The correct response is B.", "This matches B.",
    '{"choice": "B"}', '{"explanation": "Magma", "answer_choice": "B"}', "Magma cools → B",
]  # fmt: skip
UNCLAIMED = [
    "A\nB\nC\nD", "A\nB", "A.\nB.", "A\n\nB\n\nC", "- A\n- B\n- C", "A or B\nC", "B\nA, B, C", "It is\nA\nB",
    "B\n\nNo, wait, neither.", "What about\n\nB?", "This matches B and C.", "The incorrect answer - B",
    '{"wrong_choice": "B"}', '{"choice": "A or B"}',
]  # fmt: skip


@pytest.mark.parametrize("extra", [ROCKS, None], ids=["texts", "labels"])
@pytest.mark.parametrize("response", [*LONE, *CLAIMED])
def test_a_label_alone_on_the_first_or_last_line_is_the_answer(response: str, extra: dict[str, Any] | None) -> None:
    check = Choice().check(response, "B", extra)
    assert (check.flexible, check.strict) == (Verdict.CORRECT, Verdict.NO_ANSWER)
    assert Choice().check(response, "A", extra).flexible is Verdict.WRONG


@pytest.mark.parametrize("extra", [ROCKS, None], ids=["texts", "labels"])
@pytest.mark.parametrize("response", UNCLAIMED)
def test_labels_that_are_gone_through_asked_or_taken_back_are_no_answer(
    response: str, extra: dict[str, Any] | None
) -> None:
    assert Choice().extract(response, extra) is None


@pytest.mark.parametrize(
    "response",
    ["The answer is C.\n\nB", "B\n\nA is correct, so C.", "B\n\nActually, it is C.", "B\n\nIt cools.\n\nC"],
)
def test_what_is_declared_then_the_last_line_then_a_claim_come_before_the_first_line(response: str) -> None:
    assert Choice().extract(response, ROCKS) == "C"


def test_the_text_of_a_choice_may_be_the_last_line() -> None:
    assert Choice().extract("Sedimentary rock is another thing.\n\nIgneous rock", ROCKS) == "B"
    assert Choice().extract("sedimentary rock\nigneous rock\nmolten rock", ROCKS) is None


SPEEDS, COUNTS = offered("2 m/s", "4 m/s", "8 m/s", "16 m/s"), offered("12", "24", "36", "48")


@pytest.mark.parametrize(
    ("response", "extra", "label"),
    [
        (r"\boxed{8 \text{ m/s}}", SPEEDS, "C"),
        (r"The speed is $8\text{ m/s}$.", SPEEDS, "C"),
        ("The answer is 8 km/h.", SPEEDS, None),
        ("So there are 24 apples.", COUNTS, "B"),
        ("24 apples", COUNTS, "B"),
        ("So there are 24 apples and 12 pears.", COUNTS, None),
        ("There are not 24 apples.", COUNTS, None),
        ("There are at least 24 apples.", COUNTS, None),
        ("There were 24 apples and she ate some.", COUNTS, None),
        ("The answer is igneous.", ROCKS, "B"),
        (r"\boxed{\text{Igneous}}", ROCKS, "B"),
        ("The answer is rock.", ROCKS, None),
        ("The answer is not", offered("enough", "not enough"), None),
    ],
)
def test_a_text_is_known_through_latex_a_counted_noun_and_its_first_words(
    response: str, extra: dict[str, Any], label: str | None
) -> None:
    assert Choice().extract(response, extra) == label


@pytest.mark.parametrize(
    "response", ["B\n" * 50_000, "A\n\nB\n" * 3000, "{" * 50_000, '{"choice": "' * 5000, "B\n" + "No, A. " * 20_000]
)
def test_a_response_full_of_lines_costs_little(response: str) -> None:
    began = time.process_time()
    Choice().check(response, "A", ROCKS)
    assert time.process_time() - began < 0.3
