"""How present-day models end an ordinary response: what they say is the answer, and no number beside it."""

from __future__ import annotations

import time

import pytest

from selfimprove_workers.tasks import Choice, Exact, Gym, Math, Verdict
from selfimprove_workers.tasks.checks import without_check
from selfimprove_workers.tasks.explained import explained_answer
from selfimprove_workers.tasks.restated import said_again
from selfimprove_workers.tasks.results import resulting
from selfimprove_workers.tasks.worded import worded_number

CORRECT, WRONG, NO_ANSWER = Verdict.CORRECT, Verdict.WRONG, Verdict.NO_ANSWER
EGGS = "She has 16 eggs, eats 3 and bakes with 4.\n\n16 - 3 - 4 = 9 eggs\n\n9 × $2 = $18\n\n"
TRIP = "Travel time: 3 hours at 60 mph.\n\nd = 60 × 3 = 180\n\n"

ENDINGS = [
    # gold, another number that is no answer, response
    ("18", "2", EGGS + "She makes $18 every day by selling the 9 remaining eggs at $2 each."),
    ("18", "9", EGGS + "Therefore, she makes $18 in total per day from 9 eggs."),
    ("18", "9", EGGS + "So she makes $18 every day, selling the remaining 9 eggs."),
    ("18", "16", EGGS + "She makes $18.\n\nVerification:\n- Eggs sold: 9\n- Eggs used: 7\n- Total: 16 ✓"),
    ("18", "2", EGGS + "She makes $18.\n\nWould you like me to explain any of the 2 steps?"),
    ("18", "2", EGGS + "She makes $18.\n\n*(Note: eggs are sold at $2 each.)*"),
    ("18", "2", EGGS + "She makes $18 a day.\n\nThis is because she sells 9 eggs at $2 each."),
    ("180", "3", TRIP + "The train travels 180 miles in 3 hours."),
    ("180", "3", TRIP + "The train travels a distance of 180 miles in 3 hours."),
    ("180", "60", TRIP + "It travels 180 miles at a speed of 60 mph."),
    ("10", "5", "5 × 4 / 2 = 10\n\nThere are 10 ways to choose 2 of the 5 books."),
    ("553", "8753", "There are **553** prime numbers between 3899 and 8753."),
    ("12", "20", "12 apples remain from the original 20."),
    ("3", "6", "The solution is x = 3, which satisfies 2x = 6."),
    ("3", "6", "x = 3\n\nSubstituting back: 2(3) = 6, which is true."),
    ("3", "6", "So 2x = 6 and x = 3."),
    ("5", "7", "The remainder is 5 when 47 is divided by 7."),
    ("5", "20", "5 is the greatest common divisor of 15 and 20."),
    ("5", "6", "There are exactly 5 values: 1, 2, 3, 4, 6."),
    ("3/4", "2", r"So the fraction simplifies to $\frac{3}{4}$ by dividing both by 2."),
    ("50000000", "50", "The population is **50** million."),
]
SOLUTION = "She has 16 eggs.\n\nShe uses 7, so 16 - 7 = 9 are left.\n\n9 × 2 = 18\n\nShe makes $18."
UNDER = [
    # a solution, or the answer, behind the word answer
    *(("18", "16", f"{head}{SOLUTION}") for head in ("**Answer:**\n\n", "### Answer\n\n", "Answer: ")),
    *(("18", "2", f"{head}She makes $18 a day.\n\nShe sells 9 at $2 each.") for head in ("**Answer**\n", "Answer: ")),
]
OTHERS_LAST = [
    # a result that the last sentence only speaks of
    ("20", "15", "Alice: 5 * 3 = 15. Bob has 20. Since Alice has only 15, the maximum is 20."),
    ("22", "18", "9 * 2 = 18. After spending $18, she has $22 left."),
    ("3", "24", "24 / 8 = 3 boxes.\n\nOf the 24 pens each of 8 goes into one of 3."),
    ("6", "9", "3 + 6 = 9\n\nThey have 9 apples in total, and Ann has 6."),
    ("60", "3", "180 / 3 = 60. The average speed over 3 hours is 60 mph."),
]
FIRST = [
    ("12", "8", "12. He had 20 apples and gave away 8."),
    ("12", "8", "12\n\nTom had 20 apples and gave away 8."),
    ("180", "3", "180 miles. The train travels at 60 mph for 3 hours."),
    ("18", "2", "**$18**\n\nShe has 16 eggs, uses 7 and sells the other 9. Each is sold for $2."),
    (
        "18",
        "2",
        "She makes **$18** every day.\n\n**Explanation:**\n- She has 16 eggs.\n- She uses 7.\n- She sells 9 at $2.",
    ),
    ("18", "2", '{"answer": 18}\n\nShe sells 9 eggs at $2 each.'),
    (
        "18",
        "2",
        "### Answer\n\nShe makes $18 each day at the market.\n\n### Explanation\n\nShe sells 9 eggs at $2 each.",
    ),
]
GIVENS_FIRST = [
    ("12", "20", "20 apples. He gave away 8 and has 12."),
    ("13", "20", "20 apples. He eats 7, leaving 13."),
    ("13", "6", "6 boxes. He puts 7 pens next to them. 13 objects."),
    ("13", "6", "1. He has 6 pens.\n2. He buys 7 more.\n3. He has 13."),
    ("32", "1", "Step 1.\nExplanation: 5 * 6 = 30\nStep 2.\nExplanation: 30 + 2 = 32"),
]


@pytest.mark.parametrize(("gold", "other", "response"), [*ENDINGS, *UNDER, *OTHERS_LAST, *FIRST, *GIVENS_FIRST])
def test_what_a_response_comes_to_is_the_answer_and_no_number_that_it_speaks_of(
    gold: str, other: str, response: str
) -> None:
    assert Math().check(response, gold, None).flexible is CORRECT
    assert Math().check(response, other, None).flexible is WRONG


@pytest.mark.parametrize(
    ("gold", "response"),
    [
        ("12", "She has twelve apples left."),
        ("12", "She started with 20 apples and gave 8 away, so she has twelve apples left."),
        ("180", "We have 60 mph and 3 hours.\n\nIt travels one hundred eighty miles."),
        ("18", "Eighteen dollars."),
        ("6", "There are six students who passed."),
        ("6", "So it will take her six hours to finish."),
    ],
)
def test_a_number_in_words_that_the_last_clause_says_is_the_answer(gold: str, response: str) -> None:
    assert Math().check(response, gold, None).flexible is CORRECT


@pytest.mark.parametrize(
    "response",
    [
        "The smallest is 14, which has two digits.",
        "x = 14. This equation has one solution.",
        "There are 14 students. Each of them gets one.",
        "She has 14 apples after four days.",
        "He has 14 and not twelve.",
    ],
)
def test_a_number_in_words_that_says_something_else_is_none(response: str) -> None:
    assert Math().check(response, "14", None).flexible is CORRECT


@pytest.mark.parametrize(
    ("one", "other", "response"),
    [
        ("14/3", "4.67", "14/3, or about 4.67"),
        ("14/3", "4.67", "So the result is **14/3**, or roughly **4.67**."),
        ("14/3", "4.67", "Therefore the average is 14/3 hours, or about 4.67 hours."),
        ("3", "21", "It takes 3 weeks, or 21 days."),
        ("120", "2", "The trip takes 120 minutes, i.e. 2 hours."),
        ("180", "290", "It travels 180 miles, or about 290 km."),
    ],
)
def test_a_number_that_is_said_again_counts_in_either_form(one: str, other: str, response: str) -> None:
    assert Math().check(response, one, None).flexible is Math().check(response, other, None).flexible is CORRECT


@pytest.mark.parametrize("response", ["It takes 3 weeks, or 22 days.", "It is 14/3, or about 4.6.", "5, or about 7"])
def test_another_number_is_not_the_same_said_again(response: str) -> None:
    assert said_again(response) == response


@pytest.mark.parametrize(
    "rows", [r"\begin{aligned} d &= 60 \cdot 3 \\ &= 180 \end{aligned}", r"\begin{align*} d &= 180 \end{align*}"]
)
def test_aligned_rows_in_a_box_come_to_their_last_side(rows: str) -> None:
    check = Math().check(rf"\boxed{{{rows}}}", "180", None)
    assert check.flexible is check.strict is CORRECT


@pytest.mark.parametrize("response", ["The two solutions are **-2** and **5**.", "So x = 5 or x = -2."])
def test_one_of_two_solutions_is_not_the_answer(response: str) -> None:
    assert Math().check(response, "-2, 5", None).flexible is CORRECT
    assert Math().check(response, "5", None).flexible is Math().check(response, "-2", None).flexible is WRONG


def test_a_block_of_code_or_a_heading_holds_what_is_declared() -> None:
    for response in ("So the final answer is:\n\n```\n214\n```", "**Final Answer**\n\n214", "### Answer\n214"):
        check = Math().check(response, "214", None)
        assert check.flexible is check.strict is CORRECT
    assert Exact().check("The answer is:\n\n```\nreyornac\n```", "reyornac", None).flexible is CORRECT


CHOICES = {
    "choices": [
        {"label": label, "text": text}
        for label, text in zip(
            "ABCD", ("dry palms", "wet palms", "palms covered with oil", "palms covered with lotion"), strict=True
        )
    ]
}


@pytest.mark.parametrize(
    "response",
    [
        "Dry palms will produce the most heat because wet palms, oil, and lotion all reduce friction.",
        "Therefore, dry palms will produce more friction than wet palms, and thus the most heat.",
        "The answer is A. Wet palms reduce friction, and so does oil.",
        "Ruling out B, C, and D, we are left with A.",
        "La respuesta correcta es A.",
        "La bonne réponse est A.",
        "Die richtige Antwort ist A.",
        "Antwort: A",
        "正确答案是A。",
        "答案：A",
        "Ответ: A",
    ],
)
def test_a_choice_is_what_the_main_clause_says_or_what_any_language_declares(response: str) -> None:
    assert Choice().check(response, "A", CHOICES).flexible is CORRECT
    assert Choice().check(response, "B", CHOICES).flexible is WRONG


@pytest.mark.parametrize(
    "response",
    [
        "The answer is A. However, wet palms are also right.",
        "Dry palms and wet palms, because of friction.",
        "La respuesta no es A.",
    ],
)
def test_a_choice_that_is_not_sure_is_none(response: str) -> None:
    assert Choice().check(response, "A", CHOICES).flexible in (NO_ANSWER, WRONG)


def gym(name: str, gold: str, response: str, **metadata: object) -> Verdict:
    entry = {"question": "?", "answer": gold, "metadata": metadata}
    return Gym().check(response, gold, {"gym": name, "config": {}, "entry": entry}).flexible


@pytest.mark.parametrize(
    ("gold", "response"),
    [
        ("Yes", "Yes. All engineers are whales and all whales are teachers, so all engineers are teachers."),
        ("Yes", "Therefore, Yes."),
        ("Tuesday", "October 18, 2022 fell on a Tuesday."),
        ("wife", "Amelia is the wife of Thomas."),
        ("wife", "Amelia is Thomas' wife."),
        ("False", "Return False."),
        ("arnold", "Therefore, Arnold lives in House 1."),
    ],
)
def test_a_word_that_a_sentence_says_is_the_answer(gold: str, response: str) -> None:
    assert gym("syllogism", gold, response) is CORRECT


@pytest.mark.parametrize("response", ["Yes. All A are B, so it does not follow.", "Peter lives in House 1."])
def test_another_word_or_one_that_is_taken_back_is_not(response: str) -> None:
    assert gym("syllogism", "Yes" if "Yes" in response else "arnold", response) is WRONG


@pytest.mark.parametrize(
    "read",
    [worded_number, resulting, explained_answer, without_check, said_again],
    ids=lambda read: read.__name__,
)
@pytest.mark.parametrize(
    "piece", ["= 5 ", "twenty ", "12. A ", "\n\nNote ", "1 week, or ", "so she has one ", "((((", "a "]
)
def test_long_texts_cost_little(read: object, piece: str) -> None:
    began = time.perf_counter()
    read(piece * 20_000)  # type: ignore[operator]
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize(
    ("gold", "other", "response"),
    [
        ("-5", "8", "3 - 8 = -5\n\nThe temperature is -5 degrees after dropping 8 degrees."),
        ("1200", "12", "100 × 12 = $1,200.00\n\nShe earns $1,200 in 12 months."),
        ("3", "24", "24 / 8 = 3.\n\nHe needs 3 boxes to hold 24 pens."),
        ("0.25", "4", "1/4, or 0.25"),
        ("0.25", "1", "1/4 (0.25)"),
    ],
)
def test_the_same_number_counts_however_it_is_written(gold: str, other: str, response: str) -> None:
    assert Math().check(response, gold, None).flexible is CORRECT
    assert Math().check(response, other, None).flexible is WRONG
