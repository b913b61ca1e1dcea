"""Answers that differ in spelling only are one where they are counted."""

from __future__ import annotations

import time

import pytest

from selfimprove_workers.tasks import Math
from selfimprove_workers.tasks.spelling import normal_form

SAME = [
    [r"\boxed{2\sqrt3}", r"\boxed{2\sqrt{3}}", r"\boxed{\sqrt{12}}", r"\boxed{2\cdot\sqrt{3}}", "2 sqrt(3)", "2√3",
     r"\boxed{2\sqrt{3}\text{ cm}}", r"The answer is $2\sqrt 3$."],
    [r"\boxed{\frac{\sqrt3}{2}}", r"\boxed{\dfrac{\sqrt{3}}2}"],
    [r"\boxed{\frac12x}", r"\boxed{\frac{1}{2}x}"], [r"\boxed{3\pi}", r"\boxed{3pi}", r"\boxed{3\pi\text{ cm}}"],
    [r"\boxed{x^{2}+1}", "The answer is x^2 + 1.", r"\boxed{x**2+1}"], [r"\boxed{ab}", r"\boxed{a \cdot b}"],
]  # fmt: skip


@pytest.mark.parametrize("responses", SAME)
def test_the_spellings_of_a_formula_are_one_answer(responses: list[str]) -> None:
    assert len({Math().extract(response) for response in responses}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [(r"\sqrt{12}", r"\sqrt{13}"), (r"3^\sqrt{12}", r"3^{2\sqrt{3}}"), (r"\sqrt{12}!", r"2\sqrt{3}!"),
    (r"\sqrt{2x}", r"\sqrt{2}x"),
     (r"\frac{1}{23}", r"\frac{12}{3}"), (r"x^{23}", r"x^23"), (r"12\sqrt{3}", r"1\sqrt{2}\sqrt{3}")],
)  # fmt: skip
def test_different_formulas_stay_apart(one: str, other: str) -> None:
    assert normal_form(one) != normal_form(other)


@pytest.mark.parametrize("responses", [["25%", "25", r"\boxed{25\%}", "The answer is 25 percent.", "So it is 25%."]])
def test_a_percent_sign_tells_no_votes_apart_where_a_percentage_is_asked_for(responses: list[str]) -> None:
    assert {Math().extract(response, {"percent": True}) for response in responses} == {"25"}
    assert {Math().check(response, "25", {"percent": True}).answer for response in responses} == {"25"}
    assert {Math().extract(response) for response in responses} == {"25", "25%"}


@pytest.mark.parametrize(
    "text", [r"\sqrt{" * 300, r"\frac12" * 280, "sqrt(" * 390, r"\sqrt{999983}" * 160, "^{ " * 600]
)
def test_a_long_formula_is_spelled_in_no_time(text: str) -> None:
    began = time.monotonic()
    normal_form(text)
    assert time.monotonic() - began < 0.5
