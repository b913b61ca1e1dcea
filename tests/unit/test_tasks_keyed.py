"""A JSON object declares what it calls its answer."""

from __future__ import annotations

import time

import pytest

from selfimprove_workers.tasks import Choice, Gym, Math, Verdict

CORRECT, WRONG = Verdict.CORRECT, Verdict.WRONG

DECLARED = [
    ("5", '{"answer": 5}'), ("5", '{"answer": "5"}'), ("5", '{"reasoning": "2+3", "answer": 5}'),
    ("5", '```json\n{"answer": 5}\n```'), ("-5", '{"answer": -5}'), ("5", '{"answer": 5, "confidence": 0.9}'),
    ("5", '{\n  "steps": ["{2} + 3 = 6"],\n  "final_answer": "5"\n}'), ("5", 'Here it is: {"result": 5.0}'),
    ("5", '{"final_answer": 5, "answer": 7, "result": 9}'), ("5", '{"answer": 7, "final_answer": 5}'),
    ("5", '{"answer": "7", "corrected_answer": "5"}'), ("5", '{"result": 7, "answer": 5}'),
    ("5", '{"answer": 7, "answer": 5}'), ("5", '{"answer": 7}\n{"answer": 5}'),
    ("5", '{"answer": 5, "check": {"final_answer": 7}}'), ("5", '{"check": {"final_answer": 7}, "answer": 5}'),
    ("5", '{"solution": {"steps": ["}", "{{"], "answer": 5}}'),
    ("1/2", r'{"answer": "\frac{1}{2}"}'), ("1/2", r'{"answer": "\\frac{1}{2}"}'),
    ("5", r'{"answer": "\\boxed{5}"}'),
]  # fmt: skip


@pytest.mark.parametrize(("gold", "response"), DECLARED)
def test_the_value_of_its_key_is_the_answer(gold: str, response: str) -> None:
    check = Math().check(response, gold, None)
    assert (check.flexible, check.strict) == (CORRECT, CORRECT)


def test_a_sentence_in_it_is_no_answer_in_the_form_that_strict_asks_for() -> None:
    check = Math().check('{"answer": "In all it is 5 apples."}', "5", None)
    assert (check.flexible, check.strict) == (CORRECT, Verdict.NO_ANSWER)


@pytest.mark.parametrize(
    "response",
    [
        '{"answer": 6, "guess": 5}',
        '{"answer": 5}\n\nThe object again: {"answer": 6}',
        '{"answer": null, "steps": 5, "result": 6}',
    ],
)
def test_no_other_number_of_it_counts(response: str) -> None:
    assert Math().check(response, "5", None).flexible is WRONG


def test_a_box_says_more_and_a_template_nothing() -> None:
    assert Math().check('{"answer": 6} so $\\boxed{5}$', "5", None).flexible is CORRECT
    assert Math().check('As {"answer": NUMBER}. The answer is 5.', "5", None).strict is CORRECT


def test_an_answer_that_is_declared_after_it_counts() -> None:
    assert Math().check('As in {"answer": 6}.\n\nThe answer is 5.', "5", None).strict is CORRECT
    assert Math().check('{"answer": 5, "why": "The answer is 6 - 1."}', "5", None).strict is CORRECT


@pytest.mark.parametrize(
    "response",
    [
        '{"result": 15}\n\nSo the total is **18** apples.',
        '<tool>{"expression": "5 * 3", "result": 15}</tool> Total: 18',
    ],
)
def test_an_object_after_which_more_is_said_declares_nothing(response: str) -> None:
    assert Math().check(response, "15", None).flexible is WRONG
    assert Math().check(response, "18", None).flexible is CORRECT


def test_a_choice_is_declared_in_it_too() -> None:
    check = Choice().check('{"reasoning": "A is dry.", "answer": "B"}', "B", None)
    assert (check.flexible, check.strict) == (CORRECT, CORRECT)


def test_an_object_that_is_the_gold_itself_is_scored_whole() -> None:
    gold = '{"result": 5}'
    extra = {"gym": "codeio", "config": {}, "entry": {"question": "?", "answer": gold, "metadata": {}}}
    assert Gym().check(gold, gold, extra).flexible is CORRECT


EXPLAINED = [
    '{"answer": 128}\n\nI added 55 and 73.', '{"answer": 128}\n\nExplanation: 50 + 70 = 120 and 5 + 3 = 8.',
    '```json\n{"answer": "128"}\n```\nThis is because 50 + 70 = 120 and 5 + 3 = 8.', '{"answer": 128}\n\n55 + 73 = 128',
    '{"steps": [55, 73], "final_answer": 128}\nBoth were added.',
]  # fmt: skip


@pytest.mark.parametrize("response", EXPLAINED)
def test_an_object_that_only_an_explanation_follows_declares_its_answer(response: str) -> None:
    check = Math().check(response, "128", None)
    assert (check.flexible, check.strict) == (CORRECT, CORRECT)


@pytest.mark.parametrize(
    "response",
    [
        '{"answer": 128}\n\nSo the total is 73.',
        '{"answer": 128}\n\nThe answer is 73.', '{"answer": 128}\n{"answer": 73}',
        '{"answer": 128}\n\nWait, 128 is wrong: it is 73.', '{"answer": 128}\n\nI added, but actually it is 73.',
        '{"result": 128}\n\nI added them and got 73.', '{"answer": 128}\n\nAdding, she has 73 apples.',
        'As in {"answer": 128}\n\nI added them and got 73.',
    ],
)  # fmt: skip
def test_an_object_that_another_number_follows_declares_nothing(response: str) -> None:
    assert Math().check(response, "128", None).flexible is not CORRECT


@pytest.mark.parametrize(
    "response",
    [
        "{'answer': 18}",
        "{'final_answer': '18'}",
        "So: {'reasoning': 'we add 9', 'answer': 18}",
        "{'answer': 18, 'n': 2}",
    ],
)
def test_a_python_dict_says_it_as_an_object_does(response: str) -> None:
    check = Math().check(response, "18", None)
    assert (check.flexible, check.strict) == (CORRECT, CORRECT)


@pytest.mark.parametrize(
    "response", ["{'answer': 18} makes 20 with 2", "{'the answer': 18} and 20", "{'answer': {18} 20"]
)
def test_what_is_no_such_dict_at_the_end_declares_nothing(response: str) -> None:
    assert Math().check(response, "18", None).flexible is not CORRECT


def test_a_tag_may_be_called_the_final_answer() -> None:
    check = Math().check("<final_answer>18</final_answer>", "18", None)
    assert (check.flexible, check.strict) == (CORRECT, CORRECT)
    assert Choice().check("It is A or <final_answer>B</final_answer>", "B", None).strict is CORRECT


@pytest.mark.parametrize(
    "text", ["{'answer': " * 9000, "{" * 90_000 + "'answer'", '{"answer": 1}' + "answer is not " * 9000]
)
def test_a_text_full_of_objects_is_read_in_no_time(text: str) -> None:
    began = time.monotonic()
    Math().check(text, "18", None)
    assert time.monotonic() - began < 1
