"""The measure step on committed held-out samples: what it notes beside its measures, and that the status tells it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from selfimprove.api.spec import Run
from selfimprove.artifacts import digest_of
from selfimprove.comparing import compare_runs
from selfimprove.details import held_out_details
from selfimprove.records import SAMPLE
from selfimprove.runs import RunHandle
from selfimprove.summaries import Estimate
from selfimprove_workers import measure
from selfimprove_workers.aside import Aside
from selfimprove_workers.committing import Outcome, Recipe, commit_step
from selfimprove_workers.scorebook import Scorebook
from selfimprove_workers.verify import CRITIQUES, score_samples
from tests.integration.steps_support import PLAIN, Rows, Workshop, workshop

VOTE = {"methods": [{"type": "MajorityVote", "weighting": {"type": "Quantile", "quantile": 0.5}}]}


def held_out(folder: Path, model: Path, count: int = 6, **changes: Any) -> Workshop:
    """A workshop with so many held-out prompts, whose answer is 7."""
    rows: Rows = [{"id": f"p{i}", "question": f"What is {i} + 4?", "answer": "7"} for i in range(count)]
    shop = workshop(folder, model, rows, verification=VOTE, **changes)
    asked = [{**row, "id": f"h{i}", "question": f"And {i} + 5?"} for i, row in enumerate(rows)]
    (folder / "held-out.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked))
    return shop


def commit_evaluated(shop: Workshop, iteration: int, *texts: Sequence[str]) -> None:
    """Commit samples of the held-out prompts by M_`iteration`, checked and scored; several `texts` take turns."""
    context = shop.context("evaluate", iteration)
    recipe = Recipe({}, {"by": "hand", "texts": list(map(list, texts))})
    digest = recipe.digest(context)
    samples = context.writer(digest, SAMPLE)
    for number, prompt in enumerate(context.prompts):
        drawn = enumerate(texts[number % len(texts)])
        rows = [{**PLAIN, "prompt": prompt.id, "sample": i, "text": text} for i, text in drawn]
        samples.write(rows, 1)
    of_these = digest_of(digest, "scores")
    scores = Scorebook(context, of_these, table="score")
    score_samples(context, samples.parts, scores, Aside(context, of_these, CRITIQUES))
    outcome = Outcome(samples.parts, len(context.prompts), tables={"score": scores.parts})
    commit_step(context, recipe, outcome, time.monotonic())


def value(estimate: Estimate | None) -> float | None:
    return None if estimate is None else round(estimate.value, 6)


@pytest.fixture
def measured(tiny_model: Path, tmp_path: Path) -> Workshop:
    """M_0 is right in two of four samples that agree, M_1 in three, M_2 in one."""
    shop = held_out(tmp_path, tiny_model)
    for n, texts in enumerate((["7", "7", "8", "9"], ["7", "7", "7", "9"], ["7", "8", "8", "9"])):
        commit_evaluated(shop, n, texts)
        measure.run(shop.context("measure", n))
    return shop


def test_the_gain_of_an_iteration_stands_beside_the_gap_that_promised_it(measured: Workshop) -> None:
    one, two = (held_out_details(measured.store, n).update for n in (1, 2))
    assert one is not None and two is not None
    # The vote keeps the two samples that agree: 2/4 right become 2/2; training reached 3/4.
    assert (one.previous, value(one.predicted_gap), value(one.realised_gain)) == (0, 0.5, 0.25)
    assert value(one.eps_update) == 0.25
    assert (two.previous, value(two.predicted_gap), value(two.realised_gain)) == (1, 0.25, -0.5)
    assert value(two.eps_update) == 0.75


def test_the_base_model_was_made_by_nothing(measured: Workshop) -> None:
    zero = held_out_details(measured.store, 0)
    assert (zero.update, zero.pass_at_k_change) == (None, None)
    assert zero.diversity is not None
    assert value(zero.diversity.distinct_answers) == 3
    assert value(zero.diversity.entropy) == 1.5


def test_effective_diversity_is_told_against_the_base_model(measured: Workshop) -> None:
    changes = held_out_details(measured.store, 2).pass_at_k_change
    assert {k: value(change) for k, change in (changes or {}).items()} == {
        "1": -0.25,
        "2": round(0.5 - 5 / 6, 6),
        "4": 0,
    }


def test_the_model_before_is_among_the_inputs(measured: Workshop) -> None:
    inputs = measured.manifest("measure", 2).inputs
    assert {name.partition("/")[0] for name in inputs} == {"i000", "i001", "i002"}


@pytest.mark.parametrize(("target", "tail"), [(4, 3), (2, 0)])
def test_a_held_out_prompt_is_tail_by_as_much_as_it_is_sampled(
    target: int, tail: int, tiny_model: Path, tmp_path: Path
) -> None:
    """Of 8 plain samples a training prompt needs `target` right ones, of 4 a held-out one needs half of that."""
    sampled = {"generation": {"samplesPerPrompt": 8}, "evaluation": {"samplesPerPrompt": 4}}
    shop = held_out(tmp_path, tiny_model, 3, resampling={"target": target}, **sampled)
    commit_evaluated(shop, 0, ["7", "8", "8", "9"])
    summary = measure.run(shop.context("measure", 0))
    assert summary.measures is not None
    assert summary.measures.held_out.tail_prompts == tail


def test_without_answers_the_notes_say_what_is_unknown(tiny_model: Path, tmp_path: Path) -> None:
    shop = workshop(tmp_path, tiny_model, [{"id": "p0", "question": "Why?"}], verification=VOTE)
    for n in (0, 1):
        commit_evaluated(shop, n, ["7", "8"])
        measure.run(shop.context("measure", n))
    noted = held_out_details(shop.store, 1)
    assert noted.update is not None
    assert noted.update.realised_gain is None
    assert "has an answer that can be read" in (noted.update.reason or "")
    assert (noted.diversity, noted.pass_at_k_change) == (None, None)


@pytest.mark.parametrize("seed", [0, 5])
def test_compare_gives_every_figure_of_a_run_the_interval_that_status_shows(
    seed: int, tiny_model: Path, tmp_path: Path
) -> None:
    shop = held_out(tmp_path, tiny_model, count=41, seed=seed)
    texts = ["7 7 7", "7 8 8", "7 7", "7 7 8 8 8", "8 8 9 7 7 7 9", "8 8 8 9"]
    commit_evaluated(shop, 0, *(text.split() for text in texts))
    found = measure.run(shop.context("measure", 0)).measures
    assert found is not None
    manifest = {"apiVersion": "selfimprove.dev/v1alpha1", "kind": "SelfImprovementRun", "metadata": {"name": "one"}}
    run = Run.model_validate({**manifest, "spec": shop.spec.to_json()})
    handle = RunHandle(run, shop.spec, shop.store, shop.store.uri)
    figures = compare_runs(handle, handle)["figures"]
    shown = {
        "accuracy": found.held_out.accuracy,
        "strictAccuracy": found.held_out.strict_accuracy,
        "gap": found.held_out.gap,
        **{f"pass@{k}": each for k, each in (found.held_out.pass_at_k or {}).items()},
    }
    compared = {**figures, **{f"pass@{k}": each for k, each in figures["passAtK"].items()}}
    for name, estimate in shown.items():
        assert estimate is not None and estimate.low != estimate.high, name
        for value in compared[name]["values"]:
            assert (value["low"], value["high"]) == pytest.approx((estimate.low, estimate.high), abs=1e-8), name
