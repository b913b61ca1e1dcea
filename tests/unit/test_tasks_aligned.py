"""Aligned rows that end a response come to the last side of their last row."""

from __future__ import annotations

import time

import pytest

from selfimprove_workers.tasks import Gym, Math, Verdict
from selfimprove_workers.tasks.aligned import without_rows

CORRECT, WRONG, NO_ANSWER = Verdict.CORRECT, Verdict.WRONG, Verdict.NO_ANSWER
ROWS = "x &= 12 - 5 \\\\\n&= 7"

OF_A_NUMBER = [
    f"$$\\begin{{aligned}}\n{ROWS}\n\\end{{aligned}}$$", f"\\[\\begin{{aligned}}\n{ROWS}\n\\end{{aligned}}\\]",
    f"So\n$$\n\\begin{{split}}\n{ROWS}.\n\\end{{split}}\n$$", f"So\n$$\\begin{{align*}}{ROWS}\\end{{align*}}$$.",
    f"So\n\\begin{{align*}}\n{ROWS}.\n\\end{{align*}}", f"\\[\\begin{{aligned}}\n{ROWS}\\\\[2pt]\n\\end{{aligned}}.\\]",
    "The answer is\n$$\\begin{aligned} x &= 7 \\end{aligned}$$",
    f"Answer: \\[\\begin{{aligned}}{ROWS}\\end{{aligned}}\\]",
    "$$\\begin{aligned} 2x &= 14 \\\\ \\Rightarrow x &= 7 \\end{aligned}$$",
    "$$\\begin{aligned} x &= 12 - 5 \\\\ &= 7 \\text{ apples} \\end{aligned}$$",
]  # fmt: skip


@pytest.mark.parametrize("response", OF_A_NUMBER)
def test_a_number_is_the_last_side_of_the_last_row(response: str) -> None:
    check = Math().check(response, "7", None)
    assert (check.flexible, check.strict) == (CORRECT, NO_ANSWER)
    assert Math().check(response, "5", None).flexible is WRONG
    entry = {"question": "?", "answer": "7", "metadata": {}}
    assert Gym().check(response, "7", {"gym": "gsm_symbolic", "config": {}, "entry": entry}).flexible is CORRECT


@pytest.mark.parametrize(
    ("response", "gold"),
    [
        ("Then\n\\begin{align*}\ny &= x + 2 + x \\\\\n&= 2x + 2.\n\\end{align*}", "2x+2"),
        ("Then\n\\begin{align*}\ny &= x + 2 + x \\\\\ny &= 2x + 2\n\\end{align*}", "y = 2x+2"),
        ("\\begin{align*}\nd &= \\sqrt{4+9} \\\\\n&= \\sqrt{13}\n\\end{align*}", "\\sqrt{13}"),
        ("$$\\begin{aligned} d &= \\sqrt{4+9} \\\\ &= \\sqrt{13} \\end{aligned}$$", "\\sqrt{13}"),
        ("So \\begin{align*} (x, y) &= (1, 2) \\end{align*}", "(1, 2)"),
    ],
)
def test_so_is_an_expression(response: str, gold: str) -> None:
    check = Math().check(response, gold, None)
    assert (check.flexible, check.strict) == (CORRECT, NO_ANSWER)
    assert Math().check(response, "3x", None).flexible is WRONG


@pytest.mark.parametrize(
    "response",
    [
        f"$$\\begin{{aligned}}{ROWS}\\end{{aligned}}$$\nSo the answer is 8.",
        f"$$\\begin{{aligned}}{ROWS}\\end{{aligned}}$$\nThere are 8 left.",
        "$$\\begin{aligned} x &= \\boxed{8} \\\\ y &= 7 \\end{aligned}$$",
        f"The answer is $8$:\n$$\\begin{{aligned}}{ROWS} + 1\\\\ &= 8\\end{{aligned}}$$",
    ],
)
def test_what_is_said_after_the_rows_and_a_box_among_them_count_as_ever(response: str) -> None:
    assert Math().check(response, "8", None).flexible is CORRECT


@pytest.mark.parametrize("text", ["", "x = 7", "\\end{aligned}", "\\begin{aligned}", "\\begin{aligned} \\end{aligned}"])
def test_a_text_without_rows_stays(text: str) -> None:
    assert without_rows(text) == text


@pytest.mark.parametrize("piece", ["\\begin{aligned}", "$$", "\\\\", "\\\\[", " \n", "&="])
def test_a_long_text_is_read_in_no_time(piece: str) -> None:
    began = time.monotonic()
    without_rows("$$\\begin{aligned}" + piece * 50_000 + "\\end{aligned}" + "$$")
    without_rows("\\begin{aligned}" + " " * 3000 + piece * 200 + "\\end{aligned}$$")
    assert time.monotonic() - began < 1
