"""Gym: the dataset's own scorer decides, on an extracted answer, and only 1.0 is right."""

from __future__ import annotations

from typing import Any

import pytest
from reasoning_gym import create_dataset

from selfimprove.api.source import Dataset, HeldOut
from selfimprove_workers.datasets.gym import generate, plan_sets
from selfimprove_workers.tasks import Gym, Verdict

CORRECT, WRONG, NO_ANSWER = Verdict.CORRECT, Verdict.WRONG, Verdict.NO_ANSWER
TASK = Gym()


def first(uri: str) -> tuple[str, dict[str, Any]]:
    dataset = Dataset(uri=f"gym://{uri}", task="Gym")
    row = next(generate(dataset, plan_sets(dataset, HeldOut(fraction=0.1))["train"])).row
    assert row.extra is not None
    return row.answer or "", row.extra


def number(answer: str, name: str = "gsm_symbolic") -> dict[str, Any]:
    return {"gym": name, "config": {}, "entry": {"question": "?", "answer": answer, "metadata": {}}}


FORMS = [
    ("{}", CORRECT, CORRECT),
    (" {}\n", CORRECT, CORRECT),
    ("<answer>{}</answer>", CORRECT, CORRECT),
    ("The answer is {}.", CORRECT, CORRECT),
    ("\\boxed{{{}}}", CORRECT, CORRECT),
    ("Let me think.\n{}", CORRECT, NO_ANSWER),
    ("<think>no</think>{}", CORRECT, CORRECT),
]


@pytest.mark.parametrize(("form", "flexible", "strict"), FORMS)
@pytest.mark.parametrize(
    "uri",
    ["chain_sum", "gsm_symbolic", "countdown", "spell_backward", "mini_sudoku", "word_sorting", "decimal_arithmetic",
     "fraction_simplification", "arc_agi?size=1", "syllogism", "number_sorting"],
)  # fmt: skip
def test_a_right_answer_is_right_in_every_form(uri: str, form: str, flexible: Verdict, strict: Verdict) -> None:
    answer, extra = first(uri)
    check = TASK.check(form.format(answer), answer, extra)
    if form.startswith("The answer is") and "\n" in answer:
        strict = NO_ANSWER  # a grid is no end of a sentence
    assert (check.flexible, check.strict) == (flexible, strict)


@pytest.mark.parametrize(
    "uri", ["chain_sum", "countdown", "spell_backward", "mini_sudoku", "word_sorting", "zebra_puzzles"]
)
@pytest.mark.parametrize("response", ["The answer is 123456789.", "nonsense", "<answer></answer>", "1 2 3\n4 5 6"])
def test_a_partial_score_is_wrong(uri: str, response: str) -> None:
    answer, extra = first(uri)
    assert TASK.check(response, answer, extra).flexible in (WRONG, NO_ANSWER)


def test_an_expression_other_than_the_oracle_is_right_when_the_scorer_says_so() -> None:
    extra = number("3*4", "countdown") | {"entry": {"answer": "3*4", "metadata": {"numbers": [3, 4], "target": 12}}}
    assert TASK.check("The answer is 4 * 3.", "3*4", extra).flexible is CORRECT
    assert TASK.check("4*3", "3*4", extra).strict is CORRECT
    assert TASK.check("4+3", "3*4", extra).flexible is WRONG
    assert TASK.check("12", "3*4", extra).flexible is WRONG


@pytest.mark.parametrize(
    ("gold", "response", "verdict"),
    [
        ("5", "-5", WRONG),  # its own scorer drops the sign
        ("-5", "-5", CORRECT),
        ("1234", "The answer is 1,234.", CORRECT),  # its own scorer reads 1
        ("5", "$5.00", CORRECT),
        ("5", "The answer is 5 of them.", CORRECT),
        ("5", "We had 3, now 5", CORRECT),  # its own scorer takes the first number
        ("3", "We had 3, now 5", WRONG),
        ("5", "the answer is 5 because 2+3=5", CORRECT),
        ("5", "I give up", NO_ANSWER),
        ("5", "The answer isn't 5.", NO_ANSWER),
        ("5", "The answer is definitely not 5.", NO_ANSWER),
        ("3", "The answer is not 5 but 3.", CORRECT),
        ("2", "The answer is $2$ or $3$.", WRONG),
        ("3", "The answer is $2$ or $3$.", WRONG),
        ("3", "The answers are 2 and 3.", WRONG),
        ("8", "The answer is $2$ + $6$ = $8$.", CORRECT),
        ("5000000", "The answer is $5$ million.", CORRECT),
        ("5", "The answer is $5$ of them.", CORRECT),
    ],
)
def test_numbers_are_extracted_before_they_are_scored(gold: str, response: str, verdict: Verdict) -> None:
    assert TASK.check(response, gold, number(gold)).flexible is verdict


WORDED = {
    "syllogism": [
        "Yes.",
        "**Yes**",
        "yes",
        "\\boxed{\\text{Yes}}",
        "They are.\n\n**Yes**",
        "They are.\n\nYes.",
        "Yes, because all are.",
        "Yes, it logically follows.",
        "`Yes`",
    ],
    "fraction_simplification": [
        "The simplified fraction is $\\frac{464}{887}$.",
        "So the simplified fraction is 464/887.",
        "**464/887**",
        "\\(\\frac{464}{887}\\)",
        "33408/63864 = 464/887",
        "The GCD is 72, so we get $\\dfrac{464}{887}$.",
    ],
    "time_intervals": ["The call lasted 99 days.", "The difference is **99 days**.", "So, the duration is 99 days."],
    "complex_arithmetic": ["The result is 3.0 - 2.0i.", "$3 - 2i$", "**3 - 2i**", "(7 - 4) + (4 - 6)i = 3 - 2i"],
    "family_relationships": [
        "wife.",
        "Wife",
        "Anna is Atlas's **wife**.",
        "wife (Anna is his child)",
        "the wife",
        "She is Bob's wife.",
        "The answer is the wife.",
        "His **wife**",
        "\\boxed{the wife}",
    ],
    "countdown": [
        "58 + 39 - 19 + 12 + 69 = 159",
        "The answer is 58 + 39 - 19 + 12 + 69 = 159.",
        "We add.\n\n**58 + 39 - 19 + 12 + 69 = 159**",
        "\\boxed{58 + 39 - 19 + 12 + 69 = 159}",
    ],
    "spell_backward": ['"ekilxesnu"', "`ekilxesnu`", 'The answer is "ekilxesnu".', "unsexlike -> ekilxesnu"],
    "prime_factorization": [
        "465 = 3 × 5 × 31",
        "\\boxed{3 \\times 5 \\times 31}",
        "3 x 5 x 31",
        "$3 \\times 5 \\times 31$",
    ],
}
UNWORDED = {
    "syllogism": [
        "No",
        "**No**",
        "Yes or no?",
        "Yes, no, maybe.",
        "It is not yes.",
        "The answer is no, not yes.",
        "Yes\nNo",
    ],
    "fraction_simplification": [
        "The fraction is not $\\frac{464}{887}$.",
        "464/887 or 232/443",
        "**464/887** and **1/2**",
        "464/887 = 1/2",
        "Is it **464/887**?",
        "\\dfrac{33408}{63864}",
        "33408/63864 = 464/887, 1/2",
    ],
    "time_intervals": ["The call lasted 98 days, not 99 days.", "The difference is not **99 days**."],
    "family_relationships": [
        "Anna is not Atlas's **wife**.",
        "wife or mother",
        "**wife** or **mother**",
        "mother, wife",
        "She is Bob's father's wife.",
        "She is not Bob's wife.",
        "the ex wife",
    ],
    "countdown": [
        "58 + 39 - 19 + 12 + 69 = 160",
        "58 + 39 - 19 + 12 + 68 = 159",
        "159 = 159",
        "159",
    ],
    "prime_factorization": ["3 × 155", "It is not 465 = 3 × 5 × 31"],
}


def worded(name: str) -> tuple[str, dict[str, Any]]:
    entry = create_dataset(name, size=1, seed=11)[0]
    return entry["answer"], {"gym": name, "config": {}, "entry": entry}


@pytest.mark.parametrize(("name", "response"), [(name, each) for name in WORDED for each in WORDED[name]])
def test_an_answer_in_words_is_scored_as_it_is_meant(name: str, response: str) -> None:
    answer, extra = worded(name)
    assert TASK.check(response, answer, extra).flexible is CORRECT


@pytest.mark.parametrize(("name", "response"), [(name, each) for name in UNWORDED for each in UNWORDED[name]])
def test_the_scorer_is_asked_of_one_answer_and_of_none_that_is_only_mentioned(name: str, response: str) -> None:
    answer, extra = worded(name)
    assert TASK.check(response, answer, extra).flexible is WRONG


def test_case_counts_where_the_gold_is_no_plain_word() -> None:
    extra = number("aBc", "string_manipulation")
    assert TASK.check("abc", "aBc", extra).flexible is WRONG


def test_an_answer_that_cost_too_much_is_not_scored_again_for_strict(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def costly(candidate: str, entry: object) -> Verdict:
        asked.append(candidate)
        return Verdict.TIMEOUT

    monkeypatch.setattr("selfimprove_workers.tasks.gym._scored", costly)
    check = TASK.check("The answer is **9*9**.", "3*4", number("3*4", "countdown"))
    assert (check.flexible, check.strict) == (Verdict.TIMEOUT, Verdict.TIMEOUT)
    assert len(asked) == 1


def test_without_an_oracle_the_scorer_alone_decides() -> None:
    answer, extra = first("propositional_logic?size=1")
    assert answer == ""
    assert TASK.check("nonsense", answer, extra).flexible is WRONG


def test_a_cut_response_is_never_right() -> None:
    assert TASK.check("5", "5", number("5"), truncated=True).flexible is Verdict.TRUNCATED


def test_a_prompt_without_its_entry_is_unparsable() -> None:
    assert TASK.check("5", "5", None).flexible is Verdict.GOLD_UNPARSABLE


@pytest.mark.parametrize(("response", "answer"), [("The answer is 1,234.", "1234"), ("so 7.50", "7.5"), ("none", None)])
def test_the_answer_is_spelled_one_way(response: str, answer: str | None) -> None:
    assert TASK.extract(response, number("5")) == answer


@pytest.mark.parametrize(
    "response",
    [r"\boxed{-2{,}169}", r"\boxed{-2\,169}", "The answer is $-2{,}169$.", r"So we get $-2\,169$.", r"\boxed{-2,169}"],
)
def test_the_thousands_of_latex_are_read_as_math_reads_them(response: str) -> None:
    extra = {"gym": "chain_sum", "config": {}, "entry": {"question": "", "answer": "-2169", "metadata": {}}}
    assert Gym().check(response, "-2169", extra).flexible is Verdict.CORRECT
