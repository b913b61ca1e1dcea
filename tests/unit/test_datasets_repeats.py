"""A question that stands twice is refused: of many some are named, all are counted, and the remedy works."""

from __future__ import annotations

import pytest

from selfimprove.errors import UserError
from selfimprove_workers.datasets.repeats import refuse_repeats, refuse_shared_questions
from selfimprove_workers.datasets.rows import Draft, PromptRow, question_key

FIELD = "spec.dataset"
FIELDS = {"train": FIELD, "heldOut": f"{FIELD}.heldOut"}


def drafts(name: str, *questions: str) -> list[Draft]:
    """The prompts of a file, a line each."""
    return [
        Draft(PromptRow(f"{name}{at}", [], None, None, None, None), f"line {at} of {name}", question_key(question))
        for at, question in enumerate(questions, 1)
    ]


def repeated(*questions: str, uri: str = "ds.jsonl") -> str:
    with pytest.raises(UserError) as caught:
        refuse_repeats(drafts("ds.jsonl", *questions), FIELD, uri)
    return str(caught.value)


def shared(held: list[str], **uris: str) -> str:
    sets = {"train": drafts("a.jsonl", "p", "q", "r", "s"), "heldOut": drafts("h.jsonl", *held)}
    with pytest.raises(UserError) as caught:
        refuse_shared_questions(sets, FIELDS, uris)
    return str(caught.value)


def test_one_repeat_is_named() -> None:
    line = "spec.dataset.uri: line 3 of ds.jsonl asks the same as line 1 of ds.jsonl; remove one"
    assert repeated("p", "q", " P ") == line


def test_of_many_three_are_named_and_all_are_counted() -> None:
    assert repeated("p", "q", "p", "p") == (
        "spec.dataset.uri: 2 rows ask the same as another: line 3 of ds.jsonl as line 1 of ds.jsonl, "
        "line 4 of ds.jsonl as line 1 of ds.jsonl; remove these"
    )
    line = repeated("p", "q", *["p", "q"] * 600)
    assert line.startswith("spec.dataset.uri: 1,200 rows ask the same as another: line 3 of ds.jsonl as line 1")
    assert line.endswith(", line 5 of ds.jsonl as line 1 of ds.jsonl and 1,197 more; remove these")


@pytest.mark.parametrize("uri", ["hf://lab/set", "package://gsm8k"])
def test_of_a_set_that_others_publish_a_copy_is_the_remedy(uri: str) -> None:
    assert repeated("p", "p", uri=uri).endswith("; give a copy of your own without that")


def test_questions_of_two_sets_are_named_and_counted_alike() -> None:
    line = "spec.dataset.heldOut.uri: line 2 of h.jsonl asks the same as line 1 of a.jsonl of spec.dataset; remove it"
    assert shared(["x", "p"], train="a.jsonl", heldOut="h.jsonl") == f"{line} from one of them"
    assert shared(["p", "q", "r", "s"], train="a.jsonl", heldOut="h.jsonl") == (
        "spec.dataset.heldOut.uri: 4 rows ask the same as another: line 1 of h.jsonl as line 1 of a.jsonl of "
        "spec.dataset, line 2 of h.jsonl as line 2 of a.jsonl of spec.dataset, line 3 of h.jsonl as line 3 of a.jsonl "
        "of spec.dataset and 1 more; remove these from one of them"
    )


def test_where_one_of_two_sets_is_a_user_s_own_that_one_is_mended() -> None:
    assert shared(["p"], train="hf://lab/set", heldOut="h.jsonl").endswith("; remove it from one of them")
    assert shared(["p"], train="hf://lab/set", heldOut="hf://lab/set").endswith(
        "; give a copy of your own without that"
    )


def test_what_stands_once_is_not_spoken_of() -> None:
    refuse_repeats(drafts("ds.jsonl", "p", "q"), FIELD, "ds.jsonl")
    refuse_shared_questions({"train": drafts("a", "p"), "heldOut": drafts("b", "q")}, FIELDS, {"train": "a"})
