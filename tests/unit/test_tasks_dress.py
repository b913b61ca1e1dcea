"""Answers in words without their dress, and what is no dress."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove_workers.tasks.dress import one_spelling, same_word, spellings, undressed

BARE = ["Yes", "464/887", "2*x**3 + C", "#B #B", "_ Q _", "(a) b", "[1, 2]", '"a" and "b"', "...", "f(x)!", "x*"]


@pytest.mark.parametrize("text", BARE)
@pytest.mark.parametrize("form", ["{}", " {}\n", "**{}**", "`{}`", "${}$", "\\({}\\)", "“{}”", "```{}```"])
def test_the_marks_around_an_answer_go_and_those_in_it_stay(text: str, form: str) -> None:
    assert undressed(form.format(text)) == text.removesuffix("!")


@pytest.mark.parametrize(
    "text",
    [
        "Yes",
        "yes",
        "Yes.",
        "**Yes**",
        "**Yes.**",
        "`Yes`",
        '"Yes"',
        "\\text{Yes}",
        "\\boxed{\\text{Yes}}",
        "Yes**.",
        "The yes",
    ],
)
def test_a_word_is_counted_in_one_spelling(text: str) -> None:
    assert one_spelling(text) == "yes"


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("\\frac{464}{887}", "464/887"),
        ("$\\dfrac{464}{887}$.", "464/887"),
        ("3 \\times 5 \\times 31", "3 × 5 × 31"),
        ("3 x 5 x 31", "3 × 5 × 31"),
        ("8 \\text{ m/s}", "8 m/s"),
        ("aBc", "aBc"),
        ("1 2\n3 4 ", "1 2\n3 4"),
    ],
)
def test_latex_and_spacing_make_no_other_answer(text: str, spelling: str) -> None:
    assert one_spelling(text) == spelling


@pytest.mark.parametrize("text", ["**a** or **b**", "**a** and **b**", '"a" or "b"', "`a`, `b`", "$a$ or $b$"])
def test_two_answers_are_not_undressed_as_one(text: str) -> None:
    assert set(spellings(text)) <= {text, text.replace("$", "")}


def test_case_counts_but_in_a_plain_word() -> None:
    assert same_word("Yes", "**yes**")
    assert not same_word("aBc", "abc")
    assert not same_word("Yes", "Yes sir")


def test_an_article_or_a_possessive_before_a_plain_word_says_nothing() -> None:
    for text in ("the wife", "The wife.", "Bob's wife", "Bob’s wife", "his wife", "**a wife**"):
        assert same_word("wife", text)
    for text in ("Bob's father's wife", "the ex wife", "not wife", "no wife", "the", "the aWife"):
        assert not same_word("wife", text)
    assert not same_word("The Beatles", "Beatles")


def test_an_empty_text_is_no_word() -> None:
    assert not same_word("", "")


@given(st.text(alphabet="*`$\"'. aB1()\\[]{}text\n", max_size=40))
def test_undressing_breaks_nothing_and_is_done_at_once(text: str) -> None:
    bare = undressed(text)
    assert bare in text
    assert undressed(bare) == bare or len(text) > 8
    assert text.strip() in spellings(text)
    one_spelling(text)
