"""Samples of anybody's as the verification methods see them, and what their scores are known by."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove.errors import UserError
from selfimprove_workers.foreign import read_row, score_keys
from selfimprove_workers.verifiers.base import Candidate
from selfimprove_workers.workfile import Known, WorkFile, work_file

Row = dict[str, Any]


def row(question: str = "What is 3 + 4?", response: str = "7", **more: Any) -> Row:
    return {"question": question, "response": response, **more}


def take(work: WorkFile, rows: list[Any]) -> WorkFile:
    work.take_in((read_row(each, number, "f") for number, each in enumerate(rows, 1)), "f")
    return work


def candidates(folder: Path, rows: list[Any], at_least: int = 1) -> list[list[Candidate]]:
    """The batches that a method gets."""
    with work_file(folder / "w") as work:
        take(work, rows).plan("m", "recipe", compares=False)
        return [[candidate for _, candidate in batch] for batch in work.open("m", False, at_least)]


def identities(folder: Path, rows: list[Any]) -> list[tuple[str, int]]:
    return [(each.prompt, each.sample) for batch in candidates(folder, rows) for each in batch]


def test_rows_that_ask_the_same_are_one_prompt_and_are_numbered(tmp_path: Path) -> None:
    (first, second), (third,) = candidates(tmp_path, [row(), row("Another?"), row(response="8")])
    assert first.prompt == second.prompt != third.prompt
    assert [first.sample, second.sample, third.sample] == [0, 1, 0]
    assert [first.text, second.text, third.text] == ["7", "8", "7"]


def test_ids_that_are_given_are_kept(tmp_path: Path) -> None:
    assert identities(tmp_path, [row(prompt="p", sample=5), row(prompt=7, sample=0)]) == [("p", 5), ("7", 0)]


def test_a_chat_stands_in_for_a_question(tmp_path: Path) -> None:
    chat = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "3 + 4?"}]
    assert candidates(tmp_path, [{"messages": chat, "response": "7"}])[0][0].messages == chat


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "f: holds no samples"),
        (["text"], "f: row 1 is a str; give one object a row"),
        ([row(), {"response": "7"}], "f: row 2 has no question"),
        ([row(question=" ")], "f: row 1 has no question"),
        ([row(response=None)], "f: row 1 has no response"),
        ([row(prompt="")], "f: row 1 has a prompt that is no id"),
        ([row(sample="first")], 'f: row 1 has sample "first"; give a whole number from 0'),
        ([row(sample=2**70)], "f: row 1 has sample 1180591620717411303424; give a whole number from 0 to below 2"),
        ([row(), row(scores="x")], 'f: row 2 has scores "x"; give an object of names and numbers'),
        ([row(scores={"mc": "high"})], 'f: row 1 has scores.mc "high"; give a number or null'),
        ([row(mass=0.5)], "f: row 1 has mass 0.5, which scoring keeps by method; give an object, or rename it"),
        ([row(messages=[{"role": "user"}])], "f: row 1 has messages that are no chat"),
        ([row(prompt="p", sample=0), row(prompt="p", sample=0)], "f: prompt p has sample 0 twice"),
        ([row(prompt="p"), row("Another?", prompt="p")], "f: prompt p asks two different questions"),
    ],
)
def test_a_row_that_can_not_be_is_named(rows: list[Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"^{message}"), work_file(tmp_path / "w") as work:
        take(work, rows)


def test_a_score_is_known_by_its_own_words_and_where_samples_compete_by_all_of_its_prompt() -> None:
    before, after = [("one", "7"), ("two", "8")], [("one", "7"), ("new", "9")]

    def changed(compares: bool) -> list[bool]:
        pairs = zip(score_keys("r", before, compares), score_keys("r", after, compares), strict=True)
        return [one != other for one, other in pairs]

    assert changed(compares=False) == [False, True]
    assert changed(compares=True) == [True, True]
    assert not set(score_keys("r", before, False)) & set(score_keys("another recipe", before, False))


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.integers(1, 8))
def test_batches_are_whole_prompts_and_nothing_is_lost(prompts: list[int], at_least: int) -> None:
    rows = [row(f"Question {prompt}?", str(at), prompt=prompt) for at, prompt in enumerate(prompts)]
    with TemporaryDirectory() as folder:
        batches = candidates(Path(folder), rows, at_least)
    assert sorted(int(each.text) for batch in batches for each in batch) == list(range(len(prompts)))
    owners = [{each.prompt for each in batch} for batch in batches]
    assert all(not one & other for one, other in pairwise(owners))
    assert all(len(batch) >= at_least for batch in batches[:-1])


def test_scores_outlive_a_command_that_was_stopped_and_its_samples_do_not(tmp_path: Path) -> None:
    rows = [row(prompt="p"), row(prompt="p", response="8"), row("Another?", prompt="q")]
    with work_file(tmp_path / "w") as work:
        assert take(work, rows).plan("m", "recipe", compares=False) == 0
        (key, _), *_ = next(work.open("m", False, 1))
        work.note({key: Known(0.5, 0.25, [{"text": "Hm.", "says": None}])})
    with work_file(tmp_path / "w") as work:
        assert work.samples == 0
        assert take(work, rows).plan("m", "recipe", compares=False) == 1
        assert work.plan("all", "recipe", compares=True) == 0
        assert [len(batch) for batch in work.open("m", False, 8)] == [2]


def test_where_samples_compete_all_of_an_open_prompt_are_scored_again(tmp_path: Path) -> None:
    rows = [row(prompt="p"), row(prompt="p", response="8"), row("Another?", prompt="q")]
    with work_file(tmp_path / "w") as work:
        take(work, rows).plan("m", "recipe", compares=True)
        ((first, _), *_), ((last, _),) = work.open("m", True, 1)
        work.note({first: Known(1.0, None, []), last: Known(0.0, None, [])})
    with work_file(tmp_path / "w") as work:
        assert take(work, rows).plan("m", "recipe", compares=True) == 1
        assert [[candidate.text for _, candidate in batch] for batch in work.open("m", True, 8)] == [["7", "8"]]


def test_two_commands_can_not_be_at_work_on_one_output(tmp_path: Path) -> None:
    with (
        work_file(tmp_path / "w"),
        pytest.raises(UserError, match="another command is at work on it; wait for its end"),
        work_file(tmp_path / "w"),
    ):
        pass
