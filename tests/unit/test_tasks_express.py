"""Math: a number that is found by a quick look is the one that the whole cascade finds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfimprove_workers.tasks.phrases import _last_number, last_number
from tests.unit.math_support import TASK


@given(
    st.from_regex(r"-?(0|[1-9][0-9]{0,5}|[1-9][0-9]{0,2}(,[0-9]{3}){1,2})\.?", fullmatch=True),
    st.sampled_from(["{}", "The answer is {}", "so\n#### {}", "it's \\boxed{{{}}}.", "Answer: {}", "{} it is",
    "The answer is {} three",
    "#### {} thirds",
    "<answer>{}</answer>", "The answer is {} clips.", "#### {} dollars", "#### {} percent", "Answer: {} and",
    "The answer is {} million", "So she earned ${}.", "It cost $3, then $5, so ${} now", "So it is ${}$",
    "It is {} $."]),
    st.sampled_from(["", "We know 3 of 4. ", "\\boxed{3} ", "#### 7\n", "the answer is 9.\n", "<think>8</think>",
    "The answer isn't 3. ", "The answer is never so: "]),
    st.sampled_from(["12", "-5", "0", "1234", "7"]),
)  # fmt: skip
def test_the_express_lane_says_what_the_cascade_says(number: str, form: str, before: str, gold: str) -> None:
    response = before + form.format(number)
    assert TASK.check(response, gold, None) == TASK._cascade(response, gold, False, False)


@pytest.mark.parametrize(
    "response",
    [
        "So she sold 72 clips.",
        "That makes 1,234 altogether.",
        "We have\n- 3 of 4\nwhich is 0.",
        "Hence it is 007",
        "In May and in June 12.",
        "Twenty five and 5",
        "Twenty five, 5",
        "Sin cos tan log 5",
        "USD 5",
        "Then x = 5",
        "So we get 5 percent",
        "So we get 5. percent",
        "So we get 5%.",
        "So we get 1 000 000",
        "So we get 5 5",
        "So it is -5",
        "So it is - 5",
        "So it is --5",
        "So it is 5 million",
        "So it is 3/4",
        "So it is 2 1/2",
        "So the pair is 3, 4",
        "The ratio was 3 : 4",
        "Is 3 < 4",
        "So it costs $5",
        "So it costs 5 dollars 20",
        "<think>5</think>So it is 7",
        "5 it is",
        "So it is 7" + " and so on" * 30,
        "So it is 7 " + "-" * 120,
        "So it is 12345678901234567",
        "So it is 1e5",
        "So 5! it is",
        "So it is minus 5",
        "So it is Negative 72",
        "So it is 72 minus 5",
        "So the sum is 72 (48 + 24).",
        "So the sum is 72 clips (67 + 5) of 7",
        "So the sum is 72 (of 5) (5).",
    ],
)
@pytest.mark.parametrize("gold", ["5", "72", "1234", "7", "0"])
def test_a_number_in_a_sentence_is_graded_the_same_with_and_without_the_express_lane(response: str, gold: str) -> None:
    assert TASK.check(response, gold, None) == TASK._cascade(response, gold, False, False)


WORDS = [
    "So",
    "she",
    "sold",
    "and",
    "or",
    "Five",
    "five",
    "twenty",
    "sin",
    "USD",
    "x",
    "=",
    "pm",
    "percent",
    "million",
    "minus",
    "negative",
    "a",
]
MARKS = [" ", " ", " ", " ", "\n", ".", ",", "-", "%", "/", ":", "'", "<", "$", "box", "-----", "=", "(", ")", " + "]
NUMBERS = ["5", "72", "1,234", "000", "12 345", "3.5", "0", "2 1/2"]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS + MARKS + NUMBERS), max_size=16).map("".join),
       st.sampled_from(["", "So she sold ", "We know that 3 of 4 are left. " * 8, "First\n"]),
       st.sampled_from(["5", "72", "1234", "345"]))  # fmt: skip
def test_a_sentence_of_any_make_is_graded_the_same_without_the_express_lane(text: str, before: str, gold: str) -> None:
    assert TASK.check(before + text, gold, None) == TASK._cascade(before + text, gold, False, False)


PIECES = [
    "7",
    "12",
    "1,234",
    "3.5",
    "1/2",
    "-",
    " ",
    " ",
    ".",
    ",",
    "%",
    " percent",
    " million",
    " and a half",
    " x 10^6",
    " pi",
    " minus ",
    "x",
    "=",
    "/",
    "(",
    ")",
]


@pytest.mark.parametrize("after", range(80, 100))
def test_the_quick_look_sees_a_sign_at_its_edge(after: int) -> None:
    text = f"{'so ' * 40}minus 5 {'a' * after}"
    assert last_number(text) == _last_number(text)


@given(st.lists(st.sampled_from([*PIECES, " (5 + 7)", "+", "^", "\n", "and", "0"]), max_size=14).map("".join))
def test_the_quick_look_for_a_last_number_sees_what_the_long_one_sees(text: str) -> None:
    assert last_number(text) == _last_number(text)
