"""Generated sets: no two share a seed or a question, and what is dropped is counted."""

# ruff: noqa: E501 (expected lines stand on one line, so that they can be searched for)
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfimprove.api.source import Dataset, HeldOut
from selfimprove.api.spec import Spec
from selfimprove.errors import UserError
from selfimprove_workers.datasets import PromptSets, load_sets
from selfimprove_workers.datasets.gym import plan_sets


def load(uri: str, **dataset: Any) -> PromptSets:
    return load_sets(Spec.model_validate({"model": {"uri": "m"}, "dataset": {"uri": uri, "task": "Gym", **dataset}}))


def questions(sets: PromptSets, name: str) -> set[bytes]:
    return {draft.question for draft in sets.drafts[name]}


def test_a_tenth_is_generated_for_holding_out_with_seeds_of_its_own() -> None:
    sets = load("gym://chain_sum?size=200&seed=7")
    assert sets.sources["train"]["seeds"] == [7, 207]
    assert sets.sources["heldOut"]["seeds"] == [207, 227]
    assert not questions(sets, "train") & questions(sets, "heldOut")


def test_small_numbers_repeat_and_what_repeats_is_dropped_from_training_and_counted() -> None:
    sets = load("gym://chain_sum?size=300&min_terms=2&max_terms=2&max_digits=1", heldOut={"fraction": 0.2})
    dropped, train, held = sets.dropped["train"], sets.drafts["train"], sets.drafts["heldOut"]
    assert dropped["duplicates"] > 0
    assert dropped["contaminated"] > 0
    assert len(train) + dropped["duplicates"] + dropped["contaminated"] == 300
    assert len(held) + sets.dropped["heldOut"]["duplicates"] == 60
    assert len(questions(sets, "train") | questions(sets, "heldOut")) == len(train) + len(held)


def test_the_test_set_keeps_its_questions_and_the_others_give_way() -> None:
    uri = "gym://chain_sum?min_terms=2&max_terms=2&max_digits=1&size="
    sets = load(uri + "100", heldOut={"uri": uri + "60"}, test={"uri": uri + "40"})
    assert sets.dropped["test"]["contaminated"] == 0
    assert sets.dropped["heldOut"]["contaminated"] > 0
    assert sum(len(drafts) for drafts in sets.drafts.values()) == len(
        set.union(*(questions(sets, n) for n in sets.drafts))
    )


def test_the_same_uri_gives_the_same_prompts() -> None:
    first, again = load("gym://gsm_symbolic?size=20&seed=3"), load("gym://gsm_symbolic?size=20&seed=3")
    assert [draft.row for draft in first.drafts["train"]] == [draft.row for draft in again.drafts["train"]]


def test_fields_reach_the_metadata() -> None:
    sets = load("gym://chain_sum?size=20&min_terms=2&max_terms=4", fields={"difficulty": "metadata.num_terms"})
    assert set(sets.levels("train")) <= {"2", "3", "4"}
    sets = load("gym://gsm_symbolic?size=10", fields={"rationale": "metadata.answer_cot"})
    draft = sets.drafts["train"][0]
    assert draft.row.rationale is not None
    assert draft.row.rationale.endswith(f"#### {draft.row.answer}")


def test_options_take_the_types_of_the_tasks_own_settings() -> None:
    sets = load("gym://chain_sum?size=10&allow_negation=true&max_digits=2")
    assert sets.sources["train"]["config"] == {"allow_negation": True, "max_digits": 2}


REFUSED = [
    ("gym://chain_sums?size=9", {}, "spec.dataset.uri: gym://chain_sums?size=9: there is no task chain_sums; there are 106, such as chain_sum"),
    ("gym://chain_sum?terms=9", {}, "spec.dataset.uri: chain_sum has no setting terms; it has allow_negation, max_digits, max_terms, min_digits, min_terms"),
    ("gym://chain_sum?min_terms=0", {}, "spec.dataset.uri: gym://chain_sum?min_terms=0 is refused by chain_sum: min_terms must be positive; mend its settings"),
    ("gym://chain_sum?min_terms=two", {}, "spec.dataset.uri: min_terms=two is no int; mend it"),
    ("gym://chain_sum?size=0", {}, "spec.dataset.uri: gym://chain_sum?size=0: size and seed must be whole numbers (size from 1); mend them"),
    ("gym://chain_sum?seed=-1", {}, "spec.dataset.uri: gym://chain_sum?seed=-1: size and seed must be whole numbers (size from 1); mend them"),
    ("gym://chain_sum?size=9", {"fields": {"difficulty": "metadata.difficulty"}}, "spec.dataset.fields.difficulty: metadata.difficulty is a struct in item 0 of gym://chain_sum?size=9; name one of metadata.difficulty.num_terms, metadata.difficulty.num_digits"),
    ("gym://chain_sum?size=9", {"fields": {"rationale": "metadata.cot"}}, "spec.dataset.fields.rationale: metadata.cot is not in item 0 of gym://chain_sum?size=9; there is difficulty, expression, num_digits, num_terms, source_dataset, source_index"),
    ("gym://chain_sum?size=100", {"heldOut": {"uri": "gym://chain_sum?size=50&seed=43"}}, "spec.dataset.heldOut.uri: gym://chain_sum?size=50&seed=43 uses seeds 43 to 92, and spec.dataset.uri uses 0 to 99: they would share questions; give seed=100 or none"),
    ("gym://chain_sum?size=100", {"test": {"uri": "gym://chain_sum?size=50&seed=105"}}, "spec.dataset.test.uri: gym://chain_sum?size=50&seed=105 uses seeds 105 to 154, and spec.dataset.uri uses 100 to 109: they would share questions; give seed=110 or none"),
]  # fmt: skip


@pytest.mark.parametrize(("uri", "dataset", "message"), REFUSED)
def test_a_broken_generated_set_is_refused_in_one_line(uri: str, dataset: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        load(uri, **dataset)
    assert str(caught.value) == message


@settings(deadline=None, max_examples=50)
@given(
    st.integers(1, 500), st.integers(0, 500), st.integers(1, 500), st.none() | st.integers(0, 1500),
    st.none() | st.integers(1, 100),
)  # fmt: skip
def test_sets_that_are_planned_never_share_a_seed(
    size: int, seed: int, held_size: int, held_seed: int | None, limit: int | None
) -> None:
    uri = f"gym://chain_sum?size={held_size}" + (f"&seed={held_seed}" if held_seed is not None else "")
    dataset = Dataset(uri=f"gym://chain_sum?size={size}&seed={seed}", task="Gym")
    try:
        plan = plan_sets(dataset, HeldOut(uri=uri, limit=limit))
    except UserError:
        assert held_seed is not None
        return
    one, other = plan["train"], plan["heldOut"]
    assert not set(range(one.start, one.end)) & set(range(other.start, other.end))
