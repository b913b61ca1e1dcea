"""Choice and Exact: labels however they are given, texts however they are written."""

from __future__ import annotations

import pytest

from selfimprove.api.source import Dataset
from selfimprove_workers.tasks import Choice, Exact, Verdict, task_for

CORRECT, WRONG, NO_ANSWER = Verdict.CORRECT, Verdict.WRONG, Verdict.NO_ANSWER
TEXTS = ["dry palms", "wet palms", "palms covered with oil", "palms covered with lotion"]
ARC = {"choices": [{"label": label, "text": text} for label, text in zip("ABCD", TEXTS, strict=True)]}
NUMBERED = {"choices": [{"label": str(n), "text": text} for n, text in enumerate(TEXTS, 1)]}

PICKS = [
    # response, flexible, strict; the gold is A
    ("A", CORRECT, CORRECT),
    ("a", CORRECT, CORRECT),
    ("(A)", CORRECT, CORRECT),
    ("A.", CORRECT, CORRECT),
    ("**A**", CORRECT, CORRECT),
    ("A) dry palms", CORRECT, CORRECT),
    ("The answer is A.", CORRECT, CORRECT),
    ("The answer is (A) dry palms.", CORRECT, CORRECT),
    ("The correct answer is **A**", CORRECT, CORRECT),
    (r"\boxed{A}", CORRECT, CORRECT),
    (r"$\boxed{\text{A}}$", CORRECT, CORRECT),
    ("<answer>A</answer>", CORRECT, CORRECT),
    ("Answer: A", CORRECT, CORRECT),
    ("The answer is:\n(A)", CORRECT, CORRECT),
    ("<think>Maybe B.</think>A", CORRECT, CORRECT),
    ("A!", CORRECT, CORRECT),
    ("The answer is A!", CORRECT, CORRECT),
    ("Correct: A", CORRECT, NO_ANSWER),
    ("Answer A", CORRECT, NO_ANSWER),
    ("My answer **A**, since oil slides.", CORRECT, NO_ANSWER),
    ("Answer A or answer B", NO_ANSWER, NO_ANSWER),
    ("Not answer A", NO_ANSWER, NO_ANSWER),
    ("To answer A question is hard.", NO_ANSWER, NO_ANSWER),
    ("A – because they rub.", CORRECT, NO_ANSWER),
    ("Incorrect: A", NO_ANSWER, NO_ANSWER),
    ("dry palms", CORRECT, NO_ANSWER),
    ("The answer is dry palms.", CORRECT, NO_ANSWER),
    ("I think option A is correct.", CORRECT, NO_ANSWER),
    ("(A) is right because oil slides.", CORRECT, NO_ANSWER),
    ("A is the correct answer", CORRECT, NO_ANSWER),
    ("Friction makes heat, so dry palms make the most.", CORRECT, NO_ANSWER),
    ("B", WRONG, WRONG),
    (r"\boxed{B}", WRONG, WRONG),
    ("The answer is B because A is dry", WRONG, NO_ANSWER),
    ("wet palms", WRONG, NO_ANSWER),
    ("palms covered with oil", WRONG, NO_ANSWER),
    ("A dog is a pet.", NO_ANSWER, NO_ANSWER),
    ("dry palms or wet palms", NO_ANSWER, NO_ANSWER),
    ("A) dry palms\n\nB) is wrong because water lubricates.", CORRECT, NO_ANSWER),
    ("A\n\nB is wrong because water lubricates.", CORRECT, NO_ANSWER),
    ("A. dry palms\nB. would be slippery.", CORRECT, NO_ANSWER),
    ("A) dry palms\n\nB) is right.", WRONG, NO_ANSWER),
    ("A) dry palms\nB) wet palms\nC) is wrong.", NO_ANSWER, NO_ANSWER),
    ("A) is wrong.\nB) is wrong.\nC) is wrong.", NO_ANSWER, NO_ANSWER),
    ("E", NO_ANSWER, NO_ANSWER),
    (r"\boxed{7}", NO_ANSWER, NO_ANSWER),
    ("", NO_ANSWER, NO_ANSWER),
    ("<think>A", NO_ANSWER, NO_ANSWER),
]


@pytest.mark.parametrize(("response", "flexible", "strict"), PICKS)
def test_a_label_is_read_however_it_is_given(response: str, flexible: Verdict, strict: Verdict) -> None:
    check = Choice().check(response, "A", ARC)
    assert (check.flexible, check.strict) == (flexible, strict)


COLOURS = {
    "choices": [
        {"label": label, "text": text}
        for label, text in zip("ABCD", ["red", "blue", "green", "dark blue"], strict=True)
    ]
}

DENIALS = [
    ("Option A is wrong", None),
    ("It can't be (C).", None),
    ("I would rule out option C.", None),
    ("Neither A nor B", None),
    ("It is not blue", None),
    ("Not (A).", None),
    ("A, B, C, D", None),
    ("A and B", None),
    (r"\boxed{A, B}", None),
    ("not A, it is B", "B"),
    ("Option A is wrong, so the answer is B", "B"),
    ("Option A is incorrect. Option B is correct.", "B"),
    ("B is correct because A is wrong", "B"),
    ("The answer is B, not A.", "B"),
    ("It isn't A or C. So B.", "B"),
    ("The answer isn't (A); it's (B).", "B"),
    ("The correct answer is option C, since option A is wrong", "C"),
    ("I don't think it's option D, but option C", "C"),
    ("The sky is dark blue", "D"),
    ("B is right and A is wrong", "B"),
    ("B is right but A is not", "B"),
    ("The answer is not A but B.", "B"),
    ("Options A, B and D are wrong, so C", "C"),
    ("Neither red nor blue, but green", "C"),
    ("B. Option A is wrong because red is warm.", "B"),
    ("A. The others are wrong.", "A"),
    ("A: wrong\nB: right\nC: wrong", "B"),
    ("(A) No\n(B) Yes", "B"),
    ("Option A does not make sense.", None),
    ("Option A, which is red, is wrong.", None),
    ("Option C seems unlikely.", None),
    ("I don't think A is right.", None),
    ("I doubt it is (A)", None),
    ("It is not the case that A is correct", None),
    ("There is no way it is A.", None),
    ("The answer is anything but A", None),
    ("All except B are wrong", None),
    ("(A) is less likely than (B)", None),
    ("#### not B", None),
    ("<answer>not B</answer>", None),
]

UNASSERTED = [
    "(A), (B), (C), (D)",
    "A. B. C. D.",
    "A\nB\nC\nD",
    "red, blue, green",
    "A. red\nB. blue\nC. green\nD. dark blue",
    "A. A warm colour\nB. A cold colour\nC. A mixed one",
    "Possible answers:\nA. red\nB. blue\nC. green\nD. dark blue",
    "Answer choices: (A) red (B) blue (C) green (D) dark blue",
    "Option A or option B",
    "Both A and B are correct",
    r"\boxed{A or B}",
    "Is (A) the answer? No.",
    "Could it be blue?",
    "If A is correct, then pigs fly.",
    "First consider option A. Then there is option B.",
    "Red is warm. Blue is cold.",
]

ASSERTED = [
    # what people and models write when B is their answer
    "Looking at the options, red is warm and green is cold. Therefore, the correct answer is B: blue.",
    "Let's analyze each option:\n\nA. red: warm.\nB. blue: cold.\nC. green: no.\n\nTherefore, it must be B.",
    "B) blue\n\nExplanation: (A) is red, which is wrong.",
    "B) blue is the correct answer. A) red is not. C) green isn't either.",
    "B. Blue is a cold colour because it has a short wavelength.",
    "B\n\nExplanation: the sky is blue, not red.",
    "B - blue",
    "Based on this, option B is the most appropriate.",
    "Between (A) and (B), I choose (B).",
    "I'd go with B.",
    "That leaves B.",
    "Hence option (B) is correct.",
    "So, B is the answer.",
    "The answer is blue, since red is warm.",
    "Out of the options, (B) fits.",
    "The sky appears blue due to Rayleigh scattering.",
    "The answer is B. A dog knows that.",
    "The answer is B. I think so.",
    "The answer is B because A is not blue",
    "The answer is A. No, the answer is B.",
    "The answer is A. Wait, no, it is B.",
    "Could it be (A)? No, (B).",
]


@pytest.mark.parametrize(("response", "label"), DENIALS)
def test_what_is_only_ruled_out_is_no_answer(response: str, label: str | None) -> None:
    assert Choice().extract(response, COLOURS) == label


@pytest.mark.parametrize("response", UNASSERTED)
def test_choices_that_are_listed_asked_or_supposed_are_no_answer(response: str) -> None:
    assert Choice().check(response, "A", COLOURS).flexible is NO_ANSWER


@pytest.mark.parametrize("response", ASSERTED)
def test_the_last_choice_that_is_asserted_is_the_answer(response: str) -> None:
    assert Choice().extract(response, COLOURS) == "B"


@pytest.mark.parametrize("rest", ["A. red\nB. blue", "A) is warm.\nB) is cold."])
def test_a_declared_choice_stays_strict_where_the_choices_are_gone_through_after_it(rest: str) -> None:
    check = Choice().check(f"Answer: B\n\n{rest}", "B", COLOURS)
    assert (check.flexible, check.strict) == (CORRECT, CORRECT)


NAMES = ["water", "heat", "friction", "gravity"]
NAMED = {"choices": [{"label": label, "text": text} for label, text in zip("ABCD", NAMES, strict=True)]}


@pytest.mark.parametrize(
    "response",
    [
        "Salt water", "The answer is salt water.", "The answer is no water", "Everything but water", "specific heat",
        "The answer is specific heat", "The answer is heat loss", "The answer is lack of friction.", "without friction",
        "The answer is zero gravity", "the absence of gravity", "The answer is the opposite of gravity",
        "All but friction", "It is sea water and heat",
    ],
)  # fmt: skip
def test_a_choice_is_not_named_by_a_longer_name_or_by_its_absence(response: str) -> None:
    assert Choice().extract(response, NAMED) is None


@pytest.mark.parametrize(
    "response",
    [
        "Water.", "water", "the water", "The water!", "it is water", "It's water.", "The answer is water.",
        "I think it's water",
        "Plants need water to grow.", "It is the water that evaporates", "So water is what freezes.", "Water, please.",
        "Well, water makes the most sense", "The answer is: **water**", "It is caused by water", "It releases water.",
        "This is because of water.", "The answer is water because ice melts.", "Water evaporates from the lake.",
    ],
)  # fmt: skip
def test_a_choice_is_named_by_its_text_whatever_small_words_stand_around_it(response: str) -> None:
    assert Choice().extract(response, NAMED) == "A"


@pytest.mark.parametrize(
    "response",
    [
        "Answer: All but D", "D is a common misconception", "D is a trap", "D is a distractor.", "D is tempting",
        "Option D is unrelated.", "Answer: D, but B is also right", "Answer: D, possibly B",
        "D is right, and B works too.",
    ],
)  # fmt: skip
def test_a_label_that_is_denied_or_shares_its_place_is_no_answer(response: str) -> None:
    assert Choice().extract(response, NAMED) is None


@pytest.mark.parametrize("response", ["dİe", "The answer is DİE.", "It is dıe"])
def test_letters_that_only_look_alike_break_nothing(response: str) -> None:
    choices = {"choices": [{"label": "A", "text": "die"}, {"label": "B", "text": "live"}]}
    assert Choice().check(response, "A", choices).flexible in (CORRECT, NO_ANSWER)


def test_a_choice_that_denies_another_one_can_be_given() -> None:
    choices = {"choices": [{"label": "A", "text": "enough"}, {"label": "B", "text": "not enough"}]}
    assert Choice().extract("The information is not enough", choices) == "B"


@pytest.mark.parametrize("response", ["1", "(1)", "The answer is 1.", "1) dry palms", "dry palms", r"\boxed{1}"])
def test_labels_may_be_numbers(response: str) -> None:
    check = Choice().check(response, "1", NUMBERED)
    assert (check.flexible, check.answer) == (CORRECT, "1")


def test_a_number_is_no_label_where_the_labels_are_letters() -> None:
    assert Choice().check("The answer is 1.", "A", ARC).flexible is NO_ANSWER


def test_a_choice_inside_a_longer_choice_is_not_taken_for_it() -> None:
    choices = {"choices": [{"label": "A", "text": "oil"}, {"label": "B", "text": "palm oil"}]}
    assert Choice().check("It is palm oil.", "B", choices).flexible is CORRECT


def test_without_choices_the_letters_are_labels() -> None:
    assert Choice().check("The answer is C", "C", None).flexible is CORRECT
    assert Choice().extract("The answer is (D)") == "D"


@pytest.mark.parametrize("gold", ["1", "4"])
def test_without_choices_a_gold_that_is_a_number_makes_numbers_labels(gold: str) -> None:
    checks = [Choice().check(response, gold, None) for response in (gold, f"The answer is ({gold}).", "3")]
    assert [(check.flexible, check.strict) for check in checks] == [(CORRECT, CORRECT)] * 2 + [(WRONG, WRONG)]
    assert Choice().extract(f"The answer is {gold}.") == gold


def test_a_gold_that_is_no_label_is_unparsable() -> None:
    assert Choice().check("A", "Z", ARC).flexible is Verdict.GOLD_UNPARSABLE


def test_a_cut_choice_is_truncated_unless_it_is_wrong_for_sure() -> None:
    assert Choice().check("The answer is A", "A", ARC, truncated=True).flexible is Verdict.TRUNCATED
    assert Choice().check(r"\boxed{B} since", "A", ARC, truncated=True).flexible is WRONG


@pytest.mark.parametrize(
    ("response", "flexible", "strict"),
    [
        ("Paris", CORRECT, CORRECT),
        (" Paris\n", CORRECT, CORRECT),
        ("<think>London?</think>Paris", CORRECT, CORRECT),
        ("paris.", CORRECT, WRONG),
        ("**Paris**", CORRECT, WRONG),
        ("The answer is Paris.", CORRECT, WRONG),
        ("It must be\nParis", CORRECT, WRONG),
        (r"\boxed{Paris}", CORRECT, WRONG),
        (r"\boxed{\text{Paris}}", CORRECT, WRONG),
        ("“Paris”", CORRECT, WRONG),
        ("‘Paris.’", CORRECT, WRONG),
        ("«Paris»", CORRECT, WRONG),
        ("- Paris", CORRECT, WRONG),
        ("It must be\n• **Paris**", CORRECT, WRONG),
        ("Paris is it", WRONG, WRONG),
        ("London", WRONG, WRONG),
        ("The answer is London.\nParis", WRONG, WRONG),
        ("", NO_ANSWER, NO_ANSWER),
    ],
)
def test_exact_wants_the_words_and_strict_wants_them_alone(response: str, flexible: Verdict, strict: Verdict) -> None:
    check = Exact().check(response, "Paris", None)
    assert (check.flexible, check.strict) == (flexible, strict)


@pytest.mark.parametrize(
    "gold", ["The answer is 42", "#### a heading", r"\boxed{x}", "Answer: yes\nor no", "...", "?!"]
)
def test_a_response_that_is_the_exact_gold_is_right_whatever_marks_it_holds(gold: str) -> None:
    check = Exact().check(f" {gold}\n", gold, None)
    assert (check.flexible, check.strict) == (CORRECT, CORRECT)


@pytest.mark.parametrize(("gold", "response"), [("it's", "It’s"), ("- 5", "- 5"), ("- Paris", "Paris")])
def test_exact_reads_the_gold_as_it_reads_the_response(gold: str, response: str) -> None:
    assert Exact().check(response, gold, None).flexible is CORRECT


def test_exact_takes_no_sign_for_a_bullet() -> None:
    assert Exact().check("- 5", "5", None).flexible is WRONG


def test_exact_marks_are_not_each_other() -> None:
    assert Exact().check("?", "!", None).flexible is WRONG


def test_exact_never_accepts_a_cut_response() -> None:
    assert Exact().check("Paris", "Paris", None, truncated=True).flexible is Verdict.TRUNCATED


@pytest.mark.parametrize("task", ["Math", "Choice", "Exact", "Program", "Gym"])
def test_every_built_task_is_found_by_its_name(task: str) -> None:
    assert task_for(Dataset.model_validate({"uri": "x.jsonl", "task": task})).name == task


@pytest.mark.parametrize(
    "response",
    ["The correct option is A - because dry palms rub most.", "So it is A – since B is wet.", "So A - it fits."],
)
def test_a_reason_may_follow_a_claim_behind_a_dash(response: str) -> None:
    assert Choice().check(response, "A", None).flexible is Verdict.CORRECT
    assert Choice().check(response, "B", None).flexible is Verdict.WRONG


@pytest.mark.parametrize(
    "response", ["So it is A - C.", "The correct option is A - it is wrong.", "It is A - if B is not."]
)
def test_a_dash_between_labels_or_before_a_denial_makes_no_claim(response: str) -> None:
    assert Choice().check(response, "A", None).flexible is Verdict.NO_ANSWER
