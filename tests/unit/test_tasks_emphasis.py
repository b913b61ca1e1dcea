"""Of the numbers of a last sentence the only one in bold is the answer, where the sentence says it."""

from __future__ import annotations

import time

import pytest

from selfimprove_workers.tasks import Gym, Math, Verdict
from selfimprove_workers.tasks.emphasis import emphasised, leading_bold

CORRECT, WRONG, NO_ANSWER = Verdict.CORRECT, Verdict.WRONG, Verdict.NO_ANSWER

SET_IN_BOLD = [
    # response, the number in bold, the last one
    (r"Kylar pays **\$64** for 16 glasses.", "64", "16"), ("They need **4 buses** for 150 students.", "4", "150"),
    ("Each friend gets **12 candies**, with 1 left over.", "12", "1"),
    ("So he needs **$5** more to reach $100.", "5", "100"),
    ("The car travels **120 miles** in 2 hours.", "120", "2"), ("**6 hours** to travel 360 miles.", "6", "360"),
    ("**120 miles** in 2 hours", "120", "2"),
    ("The train travels **120 miles** in 2 hours and 30 minutes.", "120", "30"),
    ("We add.\nIn total he pays <b>64</b> dollars for 16 glasses.", "64", "16"),
    ("He pays **$64** in total for 16.", "64", "16"),
    ("196 has **9** positive divisors, up to 196.", "9", "196"),
    ("It will take her **5 hours** to read 120 pages.", "5", "120"),
    ("It took her **5** hours to read 120 pages.", "5", "120"),
    ("The remainder is **2** when 100 is divided by 7.", "2", "7"),
    ("The maximum value is **9** at x = 2.", "9", "2"), ("The remainder is **2** (100 = 7 × 14 + 2).", "2", "100"),
]  # fmt: skip


@pytest.mark.parametrize(("response", "bold", "last"), SET_IN_BOLD)
def test_the_number_in_bold_is_the_answer(response: str, bold: str, last: str) -> None:
    check = Math().check(response, bold, None)
    assert (check.flexible, check.strict) == (CORRECT, NO_ANSWER)
    assert Math().check(response, last, None).flexible is WRONG


NO_ANSWER_IN_BOLD = [
    # labels, lists
    "**Step 3:** 9 eggs", "**Step 3**: 9 eggs", "**Day 2** She sells 9 eggs.", "**3 days** – in all 9 eggs",
    "1. She buys **7 eggs** of 9",
    "- **Monday 3**, in all 9", "- She buys **7 eggs** for 9", "**Total for 5 days:** 9 eggs",
    "**What of the 7?** It is 9.",
    # what the sentence only speaks of
    "The **5 friends** get 9 each.", "In **5 days** he sells 9 eggs.", "After **5 days** there are 9 eggs.",
    "She went from **16** to 9",
    "It is not **8**, it's 9.", "If she eats **7**, 9 remain.", "She sells **all but 7** of 16, 9.",
    "She uses half of **18**, 9.",
    # what it calculates with
    "**16 eggs** - 7 eggs = 9 eggs", "She uses **7 eggs**, so 9 are left.",
    "She has **3 boxes** of 3, a total of 9.",
    "She has **3 boxes** which hold 9.", "She uses **7 eggs** leaving 9.", "**3** × 3 = 9",
    "She sold **7 eggs** and then 9", "He had **7 eggs** after selling 2 and now has 9.",
    "**7** in 9 like tea.",
    "The price is **7** when we add 2 = 9.", "The sum is **7** (7 + 2 = 9).",
    "It was **7** when he got 2, so now 9.",
    "The value is **7** at x = 2, then it is 9.", "It takes her **3 friends** 9 hours.",
    "She gives her **7 eggs** to 9.",
    # several
    "From **7 eggs** she comes to **9 eggs**", "She sold **7 eggs** for **$9**.",
    "She sold **7 eggs for $2**, in all 9",
    # another sentence
    "She sold **7 eggs**.\nIt is 9.", "She sold **7 eggs**. It is 9.",
]  # fmt: skip


@pytest.mark.parametrize("response", NO_ANSWER_IN_BOLD)
def test_a_number_in_bold_that_is_no_answer_changes_nothing(response: str) -> None:
    assert emphasised(response) is None
    assert Math().check(response, "9", None).flexible is CORRECT


DECLARED_IN_BOLD = [
    # response, the number in bold, the last one
    ("The answer is **42** apples in 6 boxes.", "42", "6"), ("**Answer:** **5** hours to read 120 pages", "5", "120"),
    ("The answer is **42** out of 60.", "42", "60"), ("The answer is **42** apples out of the 60.", "42", "60"),
    ("Therefore, the answer is **$18** per day for 9 eggs.", "18", "9"),
    ("The answer is **$18$** dollars for 9 eggs.", "18", "9"), ("Answer: __18__ dollars from 9 eggs", "18", "9"),
    ("**Answer: 42** apples in 6 boxes", "42", "6"),
    ("Answer: **42** apples (7 in each of the 6 boxes)", "42", "6"),
]  # fmt: skip


@pytest.mark.parametrize(("response", "bold", "last"), DECLARED_IN_BOLD)
def test_a_number_in_bold_that_is_declared_first_is_the_answer(response: str, bold: str, last: str) -> None:
    check = Math().check(response, bold, None)
    assert (check.flexible, check.strict) == (CORRECT, NO_ANSWER)
    assert Math().check(response, last, None).flexible is WRONG
    entry = {"question": "?", "answer": bold, "metadata": {}}
    assert Gym().check(response, bold, {"gym": "gsm_symbolic", "config": {}, "entry": entry}).flexible is CORRECT


@pytest.mark.parametrize(
    "response",
    ["The answer is **3** + 4 = 7", "The answer is **12** - 5 = 7 apples", "The answer is **3**, no, it is 7.",
     "The answer is **4** apples and **3** pears, 7"],
)  # fmt: skip
def test_a_declared_number_in_bold_that_goes_on_to_another_is_no_answer_by_itself(response: str) -> None:
    assert Math().check(response, "7", None).flexible is CORRECT


@pytest.mark.parametrize(
    "phrase",
    [
        "3** hours 30 minutes",
        "3** and 4 apples",
        "3** to 4 hours",
        "3** more than 7",
        "3**4",
        "14** apples divided by 2",
        "3** of **7** eggs",
    ],
)
def test_of_two_numbers_and_of_powers_none_is_the_one_in_bold(phrase: str) -> None:
    assert leading_bold(phrase) is None


@pytest.mark.parametrize("text", ["**1** " * 40_000, "** 1" * 60_000, "a **1 " + "a " * 90_000 + "5"])
def test_a_long_text_in_bold_is_read_in_no_time(text: str) -> None:
    began = time.monotonic()
    emphasised(text)
    assert time.monotonic() - began < 1
