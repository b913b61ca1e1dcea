"""A sum that nobody worked out is no answer: an echo of an arithmetic question must earn nothing."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove_workers.tasks import Gym, Math, Verdict
from selfimprove_workers.tasks.equality import is_unevaluated, read

CORRECT, WRONG, NO_ANSWER = Verdict.CORRECT, Verdict.WRONG, Verdict.NO_ANSWER


def flexible(response: str, gold: str) -> Verdict:
    return Math().check(response, gold, None).flexible


def flexible_of_gym(response: str, gold: str) -> Verdict:
    entry = {"question": "?", "answer": gold, "metadata": {}}
    return Gym().check(response, gold, {"gym": "gsm_symbolic", "config": {}, "entry": entry}).flexible


SUMS = [
    "55 + 73", "55+73", "(55 + 73)", "50 + 5 + 73", "200 - 72", "64 * 2", "64 x 2", "64 × 2", "64 · 2", r"64 \times 2",
    r"64 \cdot 2", "55 plus 73", "200 minus 72", "64 times 2", "64 multiplied by 2", "$55 + $73", "100.5 + 27.5",
    "1,000 - 872", "128 + 0", "55 - -73", "(60 + 4) * 2", "256/2 + 0", "64 * 4 / 2", " + ".join(["1"] * 128),
]  # fmt: skip
SENTENCES = [
    "{}", "{}.", "Compute {}.", "I don't know {}", "What is {}?", "The answer is {}", "Answer: {}", "#### {}",
    r"\boxed{{{}}}", "<answer>{}</answer>", "{} = correct", "So it is ${}$.", "The answer is x = {}", "**{}**",
    "{} = 100 + 28",
]  # fmt: skip


@pytest.mark.parametrize("said", SUMS)
@pytest.mark.parametrize("sentence", SENTENCES)
@pytest.mark.parametrize("grade", [flexible, flexible_of_gym])
def test_a_sum_that_nobody_worked_out_is_wrong(grade, sentence: str, said: str) -> None:  # type: ignore[no-untyped-def]
    assert grade(sentence.format(said), "128") is WRONG


@pytest.mark.parametrize("response", ["55 + 73", r"\boxed{55 + 73}", "The answer is 55 + 73.", "#### 55 + 73"])
def test_such_a_sum_is_strictly_wrong_where_it_stands_as_the_answer(response: str) -> None:
    assert Math().check(response, "128", None).strict is WRONG


@pytest.mark.parametrize("gold", ["128", "128.0", "$128", "128 clips"])
def test_so_it_is_whatever_unit_the_gold_has(gold: str) -> None:
    assert flexible("The answer is 55 + 73.", gold) is WRONG


def test_such_a_sum_is_no_vote_for_what_it_comes_to() -> None:
    assert Math().extract("Compute 55 + 73.") == Math().extract("The answer is 55 + 73") == "55+73"
    assert Math().extract(r"\boxed{128 = 55 + 73}") == "128"


EVALUATED = [
    # response, gold
    ("55 + 73 = 128", "128"), ("128 = 55 + 73", "128"), ("The answer is 128 = 55 + 73.", "128"),
    (r"\boxed{128 = 55 + 73}", "128"), (r"\boxed{x = 128 = 55 + 73}", "128"), ("20 + 5 = 25 eggs", "25"),
    ("-18 = 55 - 73", "-18"), ("So it is −18 = 55 - 73", "-18"), ("-$18, from $55 - $73", "-18"),
    ("I get 128 from 55 + 73.", "128"), ("128, since 55 + 73.", "128"),
    ("55 + 73 ≈ 128", "128"), ("The answer is 55 + 73\n= 128", "128"), ("The answer is 55 + 73. So 128.", "128"),
    ("55 + 73 = 128. The answer is 55 + 73.", "128"), ("#### 55 + 73\nwhich is 128", "128"),
    ("The total is 128 ($55+73$).", "128"), (r"Thus it is \(128\) (\(55 + 73\)).", "128"),
    ("The total is **128** clips ($55 + 73$).", "128"),
    (r"She makes **$128** every day there ($64 \times \$2$).", "128"),
    ("The answer is 128 ($55+73$).", "128"), ("**Answer:** $128$ ($55+73$)", "128"), ("#### 128 ($55+73$)", "128"),
    ("The answer is 55 plus 73, giving a total of 128.", "128"), ("The answer is 64 times 2, which is 128.", "128"),
    ("The answer is 55 minus 73, which is -18.", "-18"), ("The answer is 55 - 73, which is negative 18.", "-18"),
    ("55 apples + 73 apples = 128 apples", "128"),
]  # fmt: skip


@pytest.mark.parametrize(("response", "gold"), EVALUATED)
@pytest.mark.parametrize("grade", [flexible, flexible_of_gym])
def test_what_a_sum_is_said_to_come_to_is_the_answer(grade, response: str, gold: str) -> None:  # type: ignore[no-untyped-def]
    assert grade(response, gold) is CORRECT


@pytest.mark.parametrize(
    ("response", "gold"),
    [
        ("For 48 clips we compute 55 + 73", "48"),
        ("100 = 55 + 73", "128"),
        ("5 + 123 = 100 + 28", "123"),
        ("18 = 55 - 73", "-18"),
        ("The answer is 55 + (73)", "73"),
        ("The answer is 55 + 73. I am 5 years old.", "5"),
        ("For 48 clips, the answer is 55 + 73.", "48"),
        ("For 48 clips it is more ($55 + 73$).", "48"),
        ("The answer is 55 plus 73, giving a total of 48.", "48"),
        ("55 apples + 73 apples", "128"),
        ("So we get 10 apples + 5 pears.", "15"),
        ("There are 64 boxes x 2 red apples.", "128"),
    ],
)
def test_another_number_before_a_sum_is_not_taken_for_it(response: str, gold: str) -> None:
    assert flexible(response, gold) is WRONG
    assert flexible_of_gym(response, gold) is WRONG


OTHERS = [
    # response, gold
    ("84/2", "42"), ("The answer is 84 / 2", "42"), ("84 divided by 2", "42"), ("2 1/2", "2.5"), ("3 × 10^8", "3e8"),
    ("3 x 10^8", "300000000"), ("2^7", "128"), ("2^3 3^2", "72"), (r"2^3 \cdot 3^2", "72"), (r"\sqrt{16384}", "128"),
    ("5%", "5%"), ("5-10", "5-10"), ("5-10", "-5"), ("3, 4", "3, 4"), ("1 + 2, 4", "3, 4"), ("55 + 73", "55 + 73"),
    ("128", "55 + 73"), ("6", "2*3"), ("10", "5 - -5"), ("55+73", "73 + 55"), ("2 + 3i", "2 + 3i"),
    ("x + 1 + 2", "x + 3"),
    ("2020-01-05", "2020-01-05"),
    ("12 more than 116", "128"), ("twice 64", "128"), ("-(-5)", "5"),
]  # fmt: skip


@pytest.mark.parametrize(("response", "gold"), OTHERS)
def test_any_other_form_of_the_gold_stays_right(response: str, gold: str) -> None:
    assert flexible(response, gold) is CORRECT


@given(st.lists(st.sampled_from([*"+-*/x()., $%", "12", "plus", "times"]), max_size=14).map("".join))
def test_a_quantity_is_never_an_unevaluated_sum(text: str) -> None:
    found = read(text)
    assert found.quantity is None or not is_unevaluated(found)


@pytest.mark.parametrize("text", ["1 + " * 490, "1 + " * 480 + "x", "1,111" * 390 + "+", "(" * 1990 + "1", "- " * 990])
def test_a_long_text_is_read_in_no_time(text: str) -> None:
    began = time.monotonic()
    is_unevaluated(read(text))
    assert time.monotonic() - began < 0.1


@pytest.mark.parametrize(
    ("gold", "response"),
    [
        ("72", "The answer is 48 clips + 24 clips, which is 72 clips."),
        ("180", "The answer is 3 hours × 60 minutes, which is 180 minutes."),
        ("72", "The final answer is 48 clips + 24 clips.\n\nSo, 72."),
    ],
)
def test_a_sum_of_counted_things_is_passed_over_for_what_it_comes_to(gold: str, response: str) -> None:
    assert Math().check(response, gold, None).flexible is CORRECT
    assert Math().check(response.replace(gold, "71"), "71", None).flexible is WRONG
