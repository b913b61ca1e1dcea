"""The select step on committed samples, scores and guided samples: what trains, at which weight, what is measured."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from selfimprove.details import training_details
from selfimprove.errors import FailedError
from selfimprove.ledger import ledger_of
from selfimprove.summaries import Summary
from selfimprove.verifier_drift import drift
from selfimprove_workers import generate, resample, select, verify
from selfimprove_workers.training_set import TALLY
from tests.integration.steps_support import Rows, Workshop, workshop

SOLUTION = "Three and four.\nThe answer is 7.\nDone"
STEERED = {"strategy": "StateReset", "schedule": "Paper", "target": 2, "maxRounds": 2}
"""Its second round gives the answer away, so that a model of random weights has accepted guided samples."""
EVERYONE = {"type": "Likelihood", "weighting": {"type": "Threshold", "threshold": -100.0}}


def sums(count: int, **columns: Any) -> Rows:
    return [{"id": f"p{i}", "question": f"What is {i} + 4?", "answer": "7", **columns} for i in range(count)]


def selected(shop: Workshop, answers: dict[str, list[str]], **common: Any) -> Summary:
    shop.commit_answers(answers, **common)
    return select.run(shop.context("select"))


def examples(shop: Workshop, iteration: int = 1) -> Rows:
    return shop.rows(shop.manifest("select", iteration).parts, "example")


def reasons(shop: Workshop) -> dict[tuple[str, int], str]:
    rows = shop.rows(shop.manifest("select").tables["decision"], "decision")
    return {(row["prompt"], row["sample"]): row["reason"] for row in rows}


def tally(shop: Workshop, iteration: int = 1) -> dict[str, dict[str, Any]]:
    return {row["prompt"]: row for row in shop.rows(shop.manifest("select", iteration).tables["tally"], TALLY)}


def test_accepted_samples_train_as_they_were_sampled_and_prompts_weigh_alike(tiny_model: Path, tmp_path: Path) -> None:
    shop = workshop(tmp_path, tiny_model, sums(2, level="easy"))
    summary = selected(shop, {"p0": ["It is 7", "So 7", "8"], "p1": ["8", "7", "9"]})
    sampled = {(row["prompt"], row["sample"]): row for row in shop.rows(shop.manifest("generate").parts, "sample")}
    found = examples(shop)
    assert {(row["prompt"], row["sample"]): row["weight"] for row in found} == {
        ("p0", 0): 0.5,
        ("p0", 1): 0.5,
        ("p1", 1): 1,
    }
    for row in found:
        origin = sampled[row["prompt"], row["sample"]]
        assert (row["tokens"], row["prompt_tokens"]) == (origin["tokens"], origin["prompt_tokens"])
        assert (row["iteration"], row["strategy"], row["level"]) == (1, "", "easy")
    assert summary.selected is not None
    assert (summary.selected.examples, summary.selected.prompts_in_training) == (3, 2)
    assert summary.counts == {"kept": 3, "notAccepted": 3, "level.easy": 3}


def test_every_sample_is_decided_once_with_a_reason(tiny_model: Path, tmp_path: Path) -> None:
    shop = workshop(tmp_path, tiny_model, sums(1), selection={"perPromptCap": 1})
    selected(shop, {"p0": ["It is 7", "It  is 7", "8", "So 7", "Thus 7"]})
    found = reasons(shop)
    assert [found["p0", i] for i in (0, 1, 2)].count("duplicate") == 1
    assert found["p0", 2] == "not accepted"
    assert sorted(found.values()) == ["duplicate", "kept", "not accepted", "over the cap", "over the cap"]


def test_a_sample_cut_by_length_does_not_train_unless_it_may(tiny_model: Path, tmp_path: Path) -> None:
    plain = {"verification": {"methods": [EVERYONE]}}
    strict = workshop(tmp_path / "strict", tiny_model, sums(1), **plain)
    selected(strict, {"p0": ["It is 7"]}, finish="length")
    assert reasons(strict) == {("p0", 0): "truncated"}
    lenient = workshop(tmp_path / "lenient", tiny_model, sums(1), selection={"acceptTruncated": True}, **plain)
    selected(lenient, {"p0": ["It is 7"]}, finish="length")
    assert reasons(lenient) == {("p0", 0): "kept"}


def test_a_missing_score_is_no_low_score(tiny_model: Path, tmp_path: Path) -> None:
    vote = {"type": "MajorityVote", "weighting": {"type": "Threshold", "threshold": 0.4}}
    shop = workshop(tmp_path, tiny_model, sums(1), verification={"methods": [vote]})
    selected(shop, {"p0": ["It is 8", "Surely 8", "no idea", "7"]})
    assert list(reasons(shop).values()) == ["kept", "kept", "no score", "not accepted"]


def test_a_prompt_whose_filter_is_empty_is_measured_and_does_not_train(tiny_model: Path, tmp_path: Path) -> None:
    shop = workshop(tmp_path, tiny_model, sums(2))
    summary = selected(shop, {"p0": ["8", "9"], "p1": ["7", "8"]})
    assert {row["prompt"] for row in examples(shop)} == {"p1"}
    assert summary.selected is not None
    training = summary.selected.training
    assert (training.prompts, training.samples, training.empty_filter_rate) == (2, 4, 0.5)
    assert training.accuracy is not None
    assert training.accuracy.value == 0.25
    assert training.gap is not None
    assert training.gap.value == 0.25


def test_nothing_selected_is_committed_as_such_for_the_loop_to_see(tiny_model: Path, tmp_path: Path) -> None:
    shop = workshop(tmp_path, tiny_model, sums(1))
    summary = selected(shop, {"p0": ["8"]})
    assert summary.selected is not None
    assert (summary.selected.examples, examples(shop)) == (0, [])


def test_without_answers_what_needs_them_is_null_and_the_rest_is_there(tiny_model: Path, tmp_path: Path) -> None:
    rows = [{"id": f"p{i}", "question": f"Say {i}"} for i in range(2)]
    shop = workshop(tmp_path, tiny_model, rows, verification={"methods": [{"type": "Likelihood"}]})
    summary = selected(shop, {"p0": ["a", "b", "c"], "p1": ["d", "e", "f"]})
    assert summary.selected is not None
    training = summary.selected.training
    assert training.accuracy is training.gap is training.coverage is None
    assert training.keep_rate is not None
    assert all(row["accepted"] is None for row in tally(shop).values())


def test_a_prompt_whose_answer_cannot_be_read_is_in_no_measure_and_no_tail(tiny_model: Path, tmp_path: Path) -> None:
    read, unread = sums(2)
    shop = workshop(tmp_path, tiny_model, [read, {**unread, "answer": r"\frac{\frac"}])
    summary = selected(shop, {"p0": ["It is 7", "8"], "p1": ["7", "9"]})
    assert summary.selected is not None
    training = summary.selected.training
    assert training.accuracy is not None and training.coverage is not None
    assert (training.accuracy.value, training.accuracy.n, training.coverage.n) == (0.5, 1, 1)
    assert not tally(shop)["p1"]["tail"]


def guided(folder: Path, model: Path, **changes: Any) -> Workshop:
    """p0 is mastered, p1 lacks one accepted sample and is guided to it."""
    settings = {"resampling": STEERED, "selection": {"acceptTruncated": True}, **changes}
    shop = workshop(folder, model, sums(2, rationale=SOLUTION, level="easy"), **settings)
    shop.commit_answers({"p0": ["It is 7", "So 7"], "p1": ["8", "It is 7"]})
    resample.run(shop.context("resample"))
    return shop


def test_guided_samples_train_beside_plain_ones_and_are_in_no_measure(tiny_model: Path, tmp_path: Path) -> None:
    shop = guided(tmp_path, tiny_model)
    summary = select.run(shop.context("select"))
    ours = [row for row in examples(shop) if row["prompt"] == "p1"]
    assert [(row["strategy"], row["weight"]) for row in ours] == [("", 0.5), ("StateReset", 0.5)]
    assert ours[0]["prompt_tokens"] == ours[1]["prompt_tokens"]
    assert summary.selected is not None
    assert (summary.selected.examples, summary.selected.guided_examples) == (4, 1)
    assert summary.counts["level.easy"] == 3
    assert summary.selected.training.samples == 4
    assert summary.selected.training.accuracy is not None
    assert summary.selected.training.accuracy.value == 0.75
    assert reasons(shop)["p1", 2] == "not accepted"
    assert tally(shop)["p1"]["guided"] == 2


def test_no_word_of_a_hint_is_in_what_trains_but_what_the_model_said_itself(tiny_model: Path, tmp_path: Path) -> None:
    hint = "48151623"
    rows = [{**row, "answer": hint} for row in sums(3)]
    shop = workshop(
        tmp_path,
        tiny_model,
        rows,
        generation={"samplesPerPrompt": 2, "maxTokens": 8, "temperature": 1.0, "engine": "Transformers"},
        resampling={"strategy": "AnswerDriven", "target": 8, "maxRounds": 2},
        verification={"methods": [EVERYONE]},
        selection={"acceptTruncated": True},
    )
    for step in (generate, verify, resample, select):
        step.run(shop.context(step.__name__.rpartition(".")[2]))
    found = examples(shop)
    assert {row["strategy"] for row in found} == {"", "AnswerDriven"}
    tokenizer = shop.models.tokenizer(tiny_model)
    by_prompt = defaultdict(set)
    for row in found:
        text = tokenizer.decode(row["prompt_tokens"])
        assert hint not in text
        assert "final answer to what follows" not in text
        by_prompt[row["prompt"]].add(tuple(row["prompt_tokens"]))
    assert all(len(different) == 1 for different in by_prompt.values())


def test_shards_meet_in_one_training_set(tiny_model: Path, tmp_path: Path) -> None:
    generation = {"shards": 3, "engine": "Transformers"}
    shop = workshop(tmp_path, tiny_model, sums(9), generation=generation)
    summary = selected(shop, {f"p{i}": ["It is 7", "8"] for i in range(9)})
    assert {row["prompt"] for row in examples(shop)} == {f"p{i}" for i in range(9)}
    assert summary.prompts == 9
    assert len([name for name in shop.manifest("select").inputs if "/generate/" in name]) == 3


def test_the_tail_that_coverage_is_over_stays_that_of_iteration_1(tiny_model: Path, tmp_path: Path) -> None:
    shop = workshop(tmp_path, tiny_model, sums(3), resampling={"target": 2})
    selected(shop, {"p0": ["7", "It is 7"], "p1": ["8", "9"], "p2": ["8", "7"]})
    assert {prompt for prompt, row in tally(shop).items() if row["tail"]} == {"p1", "p2"}
    shop.commit_answers({"p0": ["8", "9"], "p1": ["8", "7"], "p2": ["9", "9"]}, iteration=2)
    summary = select.run(shop.context("select", 2))
    assert {prompt for prompt, row in tally(shop, 2).items() if row["tail"]} == {"p1", "p2"}
    assert summary.selected is not None
    assert summary.selected.training.tail_prompts == 2
    assert summary.selected.training.tail_coverage is not None
    assert summary.selected.training.tail_coverage.value == 0.5
    assert {row["iteration"] for row in examples(shop, 2)} == {2}


def test_a_verifier_that_lost_its_way_is_told_of_before_anything_trains(tiny_model: Path, tmp_path: Path) -> None:
    vote = {"type": "MajorityVote", "weighting": {"type": "Quantile", "quantile": 0.5}}
    shop = workshop(tmp_path, tiny_model, sums(8), verification={"methods": [vote]})
    first = selected(shop, {f"p{i}": ["It is 7", "So 7", "8"] for i in range(8)})
    shop.commit_answers({f"p{i}": ["It is 8", "So 8", "7"] for i in range(8)}, iteration=2)
    second = select.run(shop.context("select", 2))
    assert first.selected is not None and second.selected is not None
    assert {name: e.value for name, e in (first.selected.verifier or {}).items()} == {"MajorityVote.auroc": 1}
    change = (second.selected.verifier or {})["MajorityVote.aurocChange"]
    assert (change.value, change.n) == (-1, 8)
    said = drift(shop.spec, ledger_of([first, second]))
    assert said is not None
    assert said[0] == "Dropped"
    noted = training_details(shop.store, 2)
    assert noted.verifiers["MajorityVote"]["auroc"].value == 0
    assert noted.diversity is not None
    assert noted.diversity.distinct_answers is not None
    assert noted.diversity.distinct_answers.value == 2


def test_the_task_s_own_verdicts_are_no_verifier(tiny_model: Path, tmp_path: Path) -> None:
    shop = workshop(tmp_path, tiny_model, sums(1))
    summary = selected(shop, {"p0": ["7", "8"]})
    assert summary.selected is not None
    assert summary.selected.verifier is None


def test_selecting_again_from_the_same_inputs_gives_the_same_rows(tiny_model: Path, tmp_path: Path) -> None:
    shop = workshop(tmp_path, tiny_model, sums(4), selection={"perPromptCap": 2})
    selected(shop, {f"p{i}": ["It is 7", "So 7", "Thus 7", "7"] for i in range(4)})
    before = (examples(shop), reasons(shop), shop.manifest("select").digest)
    shop.store.delete(["i001/select/00000/manifest.json"])
    select.run(shop.context("select"))
    assert (examples(shop), reasons(shop), shop.manifest("select").digest) == before


def test_a_shard_that_was_not_verified_is_missed(tiny_model: Path, tmp_path: Path) -> None:
    shop = workshop(tmp_path, tiny_model, sums(1))
    shop.commit_samples([{"prompt": "p0", "sample": 0}])
    with pytest.raises(FailedError, match="i001/verify/00000"):
        select.run(shop.context("select"))


def test_selecting_needs_no_model_library() -> None:
    code = "import sys, selfimprove_workers.select; print([m for m in ('torch', 'transformers') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


DPO = {"method": "DPO"}


def pairs(shop: Workshop) -> Rows:
    return shop.rows(shop.manifest("select").parts, "pair")


def test_preferences_are_pairs_of_a_kept_and_a_dropped_sample_as_they_were_sampled(
    tiny_model: Path, tmp_path: Path
) -> None:
    shop = workshop(tmp_path, tiny_model, sums(3, level="easy"), distillation=DPO)
    answers = {"p0": ["It is 7", "8", "So 7", "9", "10"], "p1": ["8", "7"], "p2": ["7", "It is 7"]}
    summary = selected(shop, answers)
    sampled = {(row["prompt"], row["sample"]): row for row in shop.rows(shop.manifest("generate").parts, "sample")}
    found = pairs(shop)
    assert [(row["prompt"], row["weight"]) for row in found] == [("p0", 0.5), ("p0", 0.5), ("p1", 1)]
    assert {row["chosen_sample"] for row in found[:2]} == {0, 2}
    assert {row["rejected_sample"] for row in found[:2]} < {1, 3, 4}
    for row in found:
        chosen, rejected = (sampled[row["prompt"], row[f"{which}_sample"]] for which in ("chosen", "rejected"))
        assert (row["chosen_tokens"], row["rejected_tokens"]) == (chosen["tokens"], rejected["tokens"])
        assert row["prompt_tokens"] == chosen["prompt_tokens"] == rejected["prompt_tokens"]
        assert (row["iteration"], row["strategy"], row["level"]) == (1, "", "easy")
    assert summary.counts == {
        "kept": 3,
        "noPair": 2,
        "notAccepted": 4,
        "pairs": 3,
        "promptsWithoutPair": 1,
        "level.easy": 3,
    }
    assert summary.selected is not None
    assert (summary.rows, summary.selected.examples, summary.selected.prompts_in_training) == (3, 3, 2)
    assert [tally(shop)[f"p{i}"]["examples"] for i in range(3)] == [2, 1, 0]


HEEDED = {
    "methods": [{"type": "GroundTruth", "weight": 3}, {"type": "MajorityVote"}],
    "combine": "Weighted",
    "weighting": {"type": "Threshold", "threshold": 0.5},
}
OUTVOTED = {"p0": ["It is 7", "8", "So 8", "Well 8"], "p1": ["7", "So 7", "8", "9", "10"]}
"""The right sample of p0 has fewer votes than any wrong one, but is right, which counts three times as much."""


def test_preferences_go_by_the_weighted_score_that_the_filter_cuts(tiny_model: Path, tmp_path: Path) -> None:
    shop = workshop(tmp_path, tiny_model, sums(2), distillation=DPO, verification=HEEDED)
    selected(shop, OUTVOTED)
    found = {(row["prompt"], row["chosen_sample"]) for row in pairs(shop)}
    assert found == {("p0", 0), ("p1", 0), ("p1", 1)}


def test_the_cap_keeps_the_highest_of_the_weighted_score(tiny_model: Path, tmp_path: Path) -> None:
    everyone = {**HEEDED, "weighting": {"type": "Threshold", "threshold": 0.0}}
    shop = workshop(tmp_path, tiny_model, sums(2), verification=everyone, selection={"perPromptCap": 1})
    selected(shop, OUTVOTED)
    assert [row["sample"] for row in examples(shop) if row["prompt"] == "p0"] == [0]


def test_a_guided_sample_is_preferred_to_what_the_model_says_by_itself(tiny_model: Path, tmp_path: Path) -> None:
    settings = {"resampling": STEERED, "selection": {"acceptTruncated": True}, "distillation": DPO}
    shop = workshop(tmp_path, tiny_model, sums(1, rationale=SOLUTION), **settings)
    shop.commit_answers({"p0": ["8", "9"]})
    resample.run(shop.context("resample"))
    select.run(shop.context("select"))
    given = {row["sample"]: row["tokens"] for row in shop.rows(shop.manifest("resample").parts, "sample")}
    found = pairs(shop)
    assert found and all(row["strategy"] == "StateReset" for row in found)
    assert all(row["chosen_tokens"] == given[row["chosen_sample"]] for row in found)
    assert {row["rejected_sample"] for row in found} <= {0, 1}


def test_samples_that_are_all_kept_or_all_dropped_make_no_pair_and_are_counted(
    tiny_model: Path, tmp_path: Path
) -> None:
    shop = workshop(tmp_path, tiny_model, sums(2), distillation=DPO)
    summary = selected(shop, {"p0": ["7", "It is 7"], "p1": ["8", "9"]})
    assert summary.selected is not None
    assert (summary.selected.examples, pairs(shop)) == (0, [])
    assert summary.counts == {"notAccepted": 2, "noPair": 2, "pairs": 0, "promptsWithoutPair": 2}


def replaying(folder: Path, model: Path, replay: str, **selection: Any) -> Workshop:
    """Three iterations by hand; iteration 2 says again what 1 said, and something of its own."""
    shop = workshop(folder, model, sums(2, level="easy"), selection={"replay": replay, **selection})
    answers = {
        1: {"p0": ["It is 7", "8"], "p1": ["So 7", "Thus 7"]},
        2: {"p0": ["It  is 7", "Surely 7"], "p1": ["8", "9"]},
        3: {"p0": ["8", "9"], "p1": ["Hence 7", "9"]},
    }
    for iteration, texts in answers.items():
        shop.commit_answers(texts, iteration=iteration)
        select.run(shop.context("select", iteration))
    return shop


def drawn_by(shop: Workshop, iteration: int) -> list[tuple[int, str, int]]:
    found = shop.rows(shop.manifest("select", iteration).parts, "example")
    return sorted((row["iteration"], row["prompt"], row["sample"]) for row in found)


OF_1 = [(1, "p0", 0), (1, "p1", 0), (1, "p1", 1)]
OF_3 = [(3, "p1", 0)]


def test_without_replay_an_iteration_trains_on_its_own_data_only(tiny_model: Path, tmp_path: Path) -> None:
    shop = replaying(tmp_path, tiny_model, "None")
    assert drawn_by(shop, 2) == [(2, "p0", 0), (2, "p0", 1)]
    assert drawn_by(shop, 3) == OF_3


def test_replay_of_the_previous_iteration_takes_what_it_drew_and_not_what_it_replayed(
    tiny_model: Path, tmp_path: Path
) -> None:
    shop = replaying(tmp_path, tiny_model, "Previous")
    assert drawn_by(shop, 1) == OF_1
    assert drawn_by(shop, 2) == [(1, "p1", 0), (1, "p1", 1), (2, "p0", 0), (2, "p0", 1)]  # p0's old one is said again
    assert drawn_by(shop, 3) == [(2, "p0", 0), (2, "p0", 1), *OF_3]


def test_replay_of_all_takes_every_earlier_iterations_own_data_once(tiny_model: Path, tmp_path: Path) -> None:
    shop = replaying(tmp_path, tiny_model, "All", deduplicate=False)
    assert drawn_by(shop, 3) == [*OF_1, (2, "p0", 0), (2, "p0", 1), *OF_3]
    manifest = shop.manifest("select", 3)
    assert manifest.summary["counts"]["replayed"] == 5
    assert manifest.summary["counts"]["level.easy"] == 1
    assert {"i001/select/00000", "i002/select/00000"} <= set(manifest.inputs)
    found = shop.rows(manifest.parts, "example")
    assert [row["weight"] for row in found] == pytest.approx([1 / 3] * 6)  # what is old weighs as much as what is new


def test_what_is_replayed_is_decided_once_and_in_no_measure(tiny_model: Path, tmp_path: Path) -> None:
    shop = replaying(tmp_path, tiny_model, "All")
    manifest = shop.manifest("select", 3)
    assert sum(part.rows for part in manifest.tables["decision"]) == 4
    assert manifest.summary["selected"]["training"]["samples"] == 4
    assert tally(shop, 3)["p1"]["examples"] == 3


def test_pairs_are_replayed_as_they_were_made_and_trained_on(tiny_model: Path, tmp_path: Path) -> None:
    shop = workshop(tmp_path, tiny_model, sums(2), selection={"replay": "All"}, distillation=DPO)
    for iteration, texts in {
        1: {"p0": ["It is 7", "8"], "p1": ["So 7", "9"]},
        2: {"p0": ["It  is 7", "6"], "p1": ["5", "9"]},
        3: {"p0": ["8", "9"], "p1": ["Hence 7", "9"]},
    }.items():
        shop.commit_answers(texts, iteration=iteration)
        select.run(shop.context("select", iteration))
    made = {n: shop.rows(shop.manifest("select", n).parts, "pair") for n in (1, 2, 3)}
    assert [(row["iteration"], row["prompt"]) for row in made[2]] == [(2, "p0"), (1, "p1")]  # p0's is said again
    assert [(row["iteration"], row["prompt"]) for row in made[3]] == [(3, "p1"), (1, "p0"), (1, "p1")]
    (old,) = [row for row in made[3] if (row["iteration"], row["prompt"]) == (1, "p1")]
    (first,) = [row for row in made[1] if row["prompt"] == "p1"]
    assert {**old, "weight": 1.0} == first
    assert old["weight"] == 0.5
    counts = shop.manifest("select", 3).summary["counts"]
    assert (counts["pairs"], counts["replayed"]) == (1, 2)


def test_the_cap_holds_for_old_and_new_together(tiny_model: Path, tmp_path: Path) -> None:
    shop = replaying(tmp_path, tiny_model, "All", perPromptCap=2)
    found = drawn_by(shop, 3)
    assert [prompt for _, prompt, _ in found].count("p1") == 2
    assert OF_3[0] in found
