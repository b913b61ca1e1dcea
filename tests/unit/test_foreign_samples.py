"""Samples of anybody's as the verification methods see them, and what their scores are known by."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove.errors import UserError
from selfimprove_workers.foreign import Sample, samples_of, score_keys, whole_prompts


def row(question: str = "What is 3 + 4?", response: str = "7", **more: Any) -> dict[str, Any]:
    return {"question": question, "response": response, **more}


def identities(samples: list[Sample]) -> list[tuple[str, int]]:
    return [(sample.candidate.prompt, sample.candidate.sample) for sample in samples]


def test_rows_that_ask_the_same_are_one_prompt_and_are_numbered() -> None:
    found = samples_of([row(), row("Another?"), row(response="8")], "f")
    prompts = [prompt for prompt, _ in identities(found)]
    assert prompts[0] == prompts[1] != prompts[2]
    assert [sample for _, sample in identities(found)] == [0, 1, 0]
    assert [sample.row["response"] for sample in found] == ["7", "8", "7"]


def test_ids_that_are_given_are_kept() -> None:
    found = samples_of([row(prompt="p", sample=5), row(prompt=7, sample=0)], "f")
    assert identities(found) == [("p", 5), ("7", 0)]


def test_a_chat_stands_in_for_a_question() -> None:
    chat = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "3 + 4?"}]
    assert samples_of([{"messages": chat, "response": "7"}], "f")[0].candidate.messages == chat


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "f: holds no samples"),
        (["text"], "f: row 1 is a str; give one object a row"),
        ([row(), {"response": "7"}], "f: row 2 has no question"),
        ([row(question=" ")], "f: row 1 has no question"),
        ([row(response=None)], "f: row 1 has no response"),
        ([row(prompt="")], "f: row 1 has a prompt that is no id"),
        ([row(sample="first")], "f: row 1 has a sample that is no number"),
        ([row(messages=[{"role": "user"}])], "f: row 1 has messages that are no chat"),
        ([row(prompt="p", sample=0), row(prompt="p", sample=0)], "f: prompt p has sample 0 twice"),
        ([row(prompt="p"), row("Another?", prompt="p")], "f: prompt p asks two different questions"),
    ],
)
def test_a_row_that_can_not_be_is_named(rows: list[Any], message: str) -> None:
    with pytest.raises(UserError, match=f"^{message}"):
        samples_of(rows, "f")


def test_a_score_is_known_by_its_own_words_and_where_samples_compete_by_all_of_its_prompt() -> None:
    rows = [row(prompt="p"), row(prompt="p", response="8"), row("Another?", prompt="q")]
    before, after = samples_of(rows, "f"), samples_of([rows[0], row(prompt="p", response="9"), rows[2]], "f")

    def changed(compares: bool) -> list[bool]:
        pairs = zip(score_keys("r", before, compares), score_keys("r", after, compares), strict=True)
        return [one != other for one, other in pairs]

    assert changed(compares=False) == [False, True, False]
    assert changed(compares=True) == [True, True, False]
    assert not set(score_keys("r", before, False)) & set(score_keys("another recipe", before, False))


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.integers(1, 8))
def test_batches_are_whole_prompts_and_nothing_is_lost(prompts: list[int], at_least: int) -> None:
    samples = samples_of([row(f"Question {prompt}?", prompt=prompt) for prompt in prompts], "f")
    keyed = [(sample, str(number)) for number, sample in enumerate(samples)]
    batches = list(whole_prompts(keyed, at_least))
    assert [each for batch in batches for each in batch] == keyed
    owners = [{sample.candidate.prompt for sample, _ in batch} for batch in batches]
    assert all(not one & other for one, other in pairwise(owners))
    assert all(len(batch) >= at_least for batch in batches[:-1])
