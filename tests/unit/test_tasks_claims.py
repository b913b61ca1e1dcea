"""The one answer in words that a response gives: what is taken for it, and that a mention or a denial is not."""

from __future__ import annotations

import time

import pytest

from selfimprove_workers.tasks import Exact, Verdict
from selfimprove_workers.tasks.claims import claim_of
from selfimprove_workers.tasks.extract import declared

PARIS = [
    "The capital of France is Paris.", "It's Paris.", "I think it's Paris.", "I think that the capital is Paris.",
    "**Paris** is the capital of France.", "The capital is **Paris**.", "Capital: Paris", 'The capital is "Paris".',
    "The capital of France is Paris, which lies on the Seine.", "The answer is Paris. It lies on the Seine.",
    "So it is Paris (the city of light).", "It lies on the Seine.\n\n**Paris**", "Sure!\n\nThe capital is Paris.",
    "The capital is:\n```\nParis\n```", "```python\nprint('London')\n```\n**Paris**", "France -> Paris",
    "The capital is\n\\[\n\\text{Paris}\n\\]",
]  # fmt: skip
NOT_PARIS = [
    "It is not Paris.", "The capital isn't Paris.", "I doubt that the capital of France is Paris.",
    "London, not Paris.",
    "It's Paris or London.", "It's either London or Paris.", "Is it Paris?", "Some say the capital is Paris.",
    "The capital of France is Paris, but I chose London.", "**Paris** or London", "**Paris** and **London**",
    "I first thought **Paris**, but London it must be.", "The capital is London. Paris is a city.",
    "It might be Paris.",
    "The answer is Paris. No, London.", "Paris\nLondon", "Note: Paris",
    "It is false that the capital is Paris.",
    "The opposite of London is Paris, so the answer is London.", "The capital is London, which is not Paris.",
    "It's Paris\n\nWait, London.", "The capital is big because it is Paris.", "Paris is it", "London = not Paris",
    "The wrong answer is: Paris. The right one is London.",
    "```\nParis\n```\n```\nLondon\n```",
]  # fmt: skip
YES = [
    "Yes, it is.", "Yes, because 7 is prime.", "Yes, because no even number divides it.", "**Yes**, it follows.",
    "Yes.\n\nEvery one of them is a dolphin and that is enough.", "Yes - it follows.", "The answer is Yes, because so.",
    "The answer is **Yes**. All ants are dolphins.", "Therefore so.\n\nYes.", "\\boxed{\\text{Yes}}", "`Yes`",
]  # fmt: skip
NOT_YES = [
    "Yes or no?", "Yes and no.", "Yes, no, maybe.", "No, wait, yes or no.", "Yes, but actually no.", "Yes? No.",
    "Yes, however it does not follow.", "Yes is wrong.", "It is not yes.", "Yes, sure!\n\nNo", "Yesterday", "Yes/No",
    "The answer is no, though yes is tempting.", "Yes, let me think. So the answer: No", "Yes, it seems so. No.",
    "Yes, we can check. Therefore it does not.", "Yes, sure, I can help with that.\nThe capital is London.\n\nLondon",
]  # fmt: skip


@pytest.mark.parametrize(("gold", "response"), [*(("Paris", each) for each in PARIS), *(("Yes", each) for each in YES)])
def test_an_answer_in_words_is_read_from_what_says_it(gold: str, response: str) -> None:
    check = Exact().check(response, gold, None)
    assert (check.flexible, check.answer) == (Verdict.CORRECT, gold.lower())


@pytest.mark.parametrize(
    ("gold", "response"), [*(("Paris", each) for each in NOT_PARIS), *(("Yes", each) for each in NOT_YES)]
)
def test_an_answer_that_is_denied_doubted_asked_or_only_mentioned_is_wrong(gold: str, response: str) -> None:
    assert Exact().check(response, gold, None).flexible is Verdict.WRONG


@pytest.mark.parametrize(
    ("response", "claim"),
    [
        ("33408/63864 = 464/887", "464/887"),
        ("So $465 = 3 \\times 5$", "3 \\times 5$"),
        ("E = 0, G = 9", "E = 0, G = 9"),
        ("a = 1 and b = 2", "a = 1 and b = 2"),
        ("So it is not 465 = 3", "not 465 = 3"),
        ("The sorted list is: pear, fig", "pear, fig"),
        ("Sorted words: pear, fig", "pear, fig"),
        ("The result is 3.0 - 2.0i.", "3.0 - 2.0i."),
        ("The call lasted 99 days.", "99 days."),
        ('{\n "a": 1\n}', '{\n "a": 1\n}'),
    ],
)
def test_the_shortest_reading_is_the_answer_in_the_line(response: str, claim: str) -> None:
    assert claim_of(response, declared(response))[-1] == claim


def test_every_reading_is_of_the_same_claim_the_longest_first() -> None:
    assert claim_of("London is big.\nIt is **Paris**.", None) == ("It is **Paris**.", "Paris")
    assert claim_of(" \n", None) == ()


@pytest.mark.parametrize(
    "response",
    ["is " * 50_000, "**a** " * 20_000, "x = " * 50_000, "yes, " * 50_000, " (a b" * 30_000, "```\n" * 40_000,
     "\\[ a " * 40_000, "a: " * 50_000, "the answer is " + "Yes. A " * 20_000, "a is b, which " * 40],
)  # fmt: skip
def test_a_response_full_of_claims_costs_little(response: str) -> None:
    began = time.process_time()
    claim_of(response, declared(response))
    assert time.process_time() - began < 0.3
