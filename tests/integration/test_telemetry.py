"""What select and measure note of the tail: levels, counts, texts, yields and the control, from real rows."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from selfimprove.details import TrainingDetails, held_out_details, training_details
from selfimprove.ledger import StepId, ledger_of
from selfimprove.stopping import warnings
from selfimprove.summaries import Measures, PromptMeasures
from selfimprove.telemetry import Yield
from selfimprove_workers import generate, measure, resample, select, verify
from selfimprove_workers.chat import end_of_turn, render
from selfimprove_workers.choosing import COPY, KEPT, NO_REASONING, SPOKEN_OF
from selfimprove_workers.reading import REFERENCE, read_references
from selfimprove_workers.traits import guided_yields, traits_of
from tests.integration.steps_support import Rows, Workshop, workshop
from tests.integration.test_measure_step import commit_evaluated, held_out
from tests.integration.test_select_step import SOLUTION, STEERED, selected, sums
from tests.unit.loop_support import summary_of


def levelled(*levels: str | None) -> Rows:
    return [{**row, "level": level} for row, level in zip(sums(len(levels)), levels, strict=True)]


def told(shop: Workshop, iteration: int = 1) -> TrainingDetails:
    return training_details(shop.store, iteration)


def test_examples_and_coverage_are_told_by_level_beside_the_dataset(tiny_model: Path, tmp_path: Path) -> None:
    shop = workshop(tmp_path, tiny_model, levelled("2", "1", "2", "1"))
    selected(shop, {"p0": ["It is 7", "8"], "p1": ["7", "So 7"], "p2": ["8", "9"], "p3": ["7", "9"]})
    noted = told(shop)
    assert noted.levels is not None and noted.kept_levels is not None
    assert (noted.levels.basis, noted.levels.names, noted.levels.prompts) == ("Dataset", ["1", "2"], [2, 2])
    assert noted.levels.hard == ["2"]
    assert [each.value if each else None for each in noted.levels.coverage] == [1, 0.5]
    assert (noted.kept_levels.plain, noted.kept_levels.guided) == ([3, 1], [0, 0])
    assert noted.kept_levels.hard_share is not None
    assert noted.kept_levels.hard_share.value == 0.25
    assert noted.kept_levels.hard_share_change is None


def test_hard_levels_that_vanish_warn_by_the_summary_alone(tiny_model: Path, tmp_path: Path) -> None:
    prompts = levelled(*["1"] * 20, *["2"] * 20)
    shop = workshop(tmp_path, tiny_model, prompts)
    first = selected(shop, {row["id"]: ["It is 7", "So 7"] for row in prompts})
    answers = {row["id"]: ["It is 7", "So 7"] if row["level"] == "1" else ["8", "9"] for row in prompts}
    shop.commit_answers(answers, iteration=2)
    second = select.run(shop.context("select", 2))
    assert second.selected is not None and second.selected.hard_share_change is not None
    assert second.selected.hard_share_change.value == -0.5
    noted = told(shop, 2).kept_levels
    assert noted is not None
    assert (noted.compared_with, noted.hard_share_change) == (1, second.selected.hard_share_change)
    measured = [summary_of(StepId(n, "measure"), measures=Measures(held_out=PromptMeasures())) for n in (0, 1, 2)]
    (notice,) = warnings(shop.spec, ledger_of([first, second, *measured]))
    assert (notice.type, notice.reason) == ("TailNarrowing", "HardShareFell")


def test_levels_that_the_base_models_draw_chose_are_compared_from_the_next_draw_on(
    tiny_model: Path, tmp_path: Path
) -> None:
    shop = workshop(tmp_path, tiny_model, sums(8))
    easy, hard = ["It is 7", "So 7"], ["8", "9"]
    known = {f"p{n}": easy if n < 5 else hard for n in range(8)}
    selected(shop, known)
    for n in (2, 3):
        shop.commit_answers({**known, "p5": ["7", "9"]}, iteration=n)
        select.run(shop.context("select", n))
    noted = [told(shop, n) for n in (1, 2, 3)]
    assert {each.levels.basis for each in noted if each.levels} == {"PassRate"}
    assert {tuple(each.levels.names) for each in noted if each.levels} == {("100%", "0%")}
    assert [each.kept_levels.compared_with for each in noted if each.kept_levels] == [None, None, 2]


@pytest.fixture
def steered(tiny_model: Path, tmp_path: Path) -> Workshop:
    """p0 is mastered, p1 lacks one accepted sample; the second round of guidance gives it."""
    shop = workshop(
        tmp_path,
        tiny_model,
        sums(2, rationale=SOLUTION),
        resampling=STEERED,
        selection={"acceptTruncated": True},
    )
    shop.commit_answers({"p0": ["It is 7", "So 7"], "p1": ["8", "It is 7"]})
    resample.run(shop.context("resample"))
    select.run(shop.context("select"))
    return shop


@pytest.fixture
def guided(steered: Workshop) -> TrainingDetails:
    return told(steered)


def test_plain_and_guided_samples_are_counted_apart(guided: TrainingDetails) -> None:
    counts = guided.counts
    assert counts is not None and counts.accepted is not None and counts.guided is not None
    assert counts.accepted.histogram == [0, 1, 1]
    assert counts.plain.histogram == [0, 1, 1]
    assert counts.guided.histogram == [0, 1]
    assert counts.accepted.gini == pytest.approx(1 / 6)


def test_what_each_round_of_a_strategy_won_is_told_beside_what_plain_sampling_won(guided: TrainingDetails) -> None:
    plain, *rounds = guided.yields
    assert (plain.strategy, plain.round, plain.tried, plain.accepted) == ("", 0, 2, 1)
    assert [(each.strategy, each.round, each.tried, each.accepted) for each in rounds] == [
        ("StateReset", 1, 1, 0),
        ("StateReset", 2, 1, 1),
    ]
    assert all(each.tokens > 0 for each in guided.yields)
    assert rounds[0].per_thousand == 0 < rounds[1].per_thousand
    for each in guided.yields:
        assert each.rate is not None
        assert (each.rate.value, each.rate.n) == (pytest.approx(each.per_thousand), 1)  # p1 alone is tail


def test_a_prompt_whose_answer_cannot_be_read_is_in_no_count_and_no_yield(tiny_model: Path, tmp_path: Path) -> None:
    rows = [*sums(2), {**sums(3)[2], "answer": "???"}]
    shop = workshop(tmp_path, tiny_model, rows, resampling={"strategy": "BruteForce", "target": 2, "maxRounds": 1})
    shop.commit_answers({"p0": ["It is 7", "So 7"], "p1": ["8", "It is 7"], "p2": ["11", "11"]})
    resample.run(shop.context("resample"))
    select.run(shop.context("select"))
    found = told(shop)
    assert found.counts is not None and found.counts.accepted is not None
    assert found.counts.accepted.histogram == [0, 1, 1]
    assert [(each.strategy, each.tried) for each in found.yields] == [("", 2), ("BruteForce", 1)]


def test_leaks_are_told_by_the_strategy_and_the_round_that_they_are_of(tiny_model: Path, tmp_path: Path) -> None:
    shop = workshop(tmp_path, tiny_model, sums(2))
    turns = [("AnswerDriven", 1), ("AnswerDriven", 2), ("AnswerDriven", 2), ("StateReset", 2)]
    rows = [{"prompt": f"p{i % 2}", "sample": i, "strategy": s, "round": n} for i, (s, n) in enumerate(turns)]
    shop.commit_samples(rows)
    reasons = np.array([SPOKEN_OF, NO_REASONING, KEPT, COPY], dtype=np.int8)
    found = guided_yields(shop.store, [shop.manifest("generate")], reasons, seed=0)
    assert [(each.strategy, each.round, each.accepted, each.leaks) for each in found] == [
        ("AnswerDriven", 1, 0, {"speaks of the hint": 1}),
        ("AnswerDriven", 2, 1, {"answer without reasoning": 1}),
        ("StateReset", 2, 0, {"copy": 1}),
    ]


def test_what_is_won_for_a_thousand_tokens_has_an_interval_over_the_prompts(tiny_model: Path, tmp_path: Path) -> None:
    shop = workshop(tmp_path, tiny_model, sums(3), resampling={"strategy": "BruteForce", "target": 2, "maxRounds": 2})
    shop.commit_answers({"p0": ["It is 7", "8"], "p1": ["8", "9"], "p2": ["7", "So 7"]})
    resample.run(shop.context("resample"))
    select.run(shop.context("select"))
    plain, *rounds = told(shop).yields
    assert plain.rate is not None and plain.rate.low is not None and plain.rate.high is not None
    assert plain.rate.n == 2
    assert plain.rate.low < plain.per_thousand < plain.rate.high
    assert plain.rate.value == pytest.approx(plain.per_thousand)
    assert [each.rate.n if each.rate else None for each in rounds] == [2, 2]


def test_lengths_stand_beside_the_references_and_perplexity_is_of_what_was_sampled(guided: TrainingDetails) -> None:
    texts = guided.texts
    assert texts is not None
    assert {name: spread.samples for name, spread in texts.length.items()} == {
        "reference": 2,
        "drawn": 4,
        "plain": 3,
        "guided": 1,
    }
    assert texts.length["reference"].mean == len(SOLUTION)
    assert texts.length["drawn"].quantiles[0] >= 1
    assert set(texts.perplexity) == {"drawn", "plain", "guided"}
    assert texts.perplexity["guided"].quantiles[0] > 1


def test_a_prefix_that_was_given_is_in_no_yield_and_in_no_perplexity(
    steered: Workshop, guided: TrainingDetails
) -> None:
    rows = steered.rows(steered.manifest("resample").parts, "sample")
    assert rows[-1]["prefix_length"] > 0
    sampled = [len(row["tokens"]) - row["prefix_length"] for row in rows]
    _, *rounds = guided.yields
    assert [each.tokens for each in rounds] == sampled
    assert guided.texts is not None
    found = guided.texts.perplexity["guided"].mean
    assert found == pytest.approx(math.exp(-rows[-1]["logprob_sum"] / sampled[-1]))


def test_references_are_read_by_the_model_that_samples_and_stand_beside_what_was_kept(
    tiny_model: Path, tmp_path: Path
) -> None:
    rows = [{**row, "rationale": why} for row, why in zip(sums(3), ("3 + 4 = 7", None, "It is 7 " * 200), strict=True)]
    any_of_them = {"methods": [{"type": "Likelihood", "weighting": {"type": "Quantile", "quantile": 0.5}}]}
    shop = workshop(tmp_path, tiny_model, rows, verification=any_of_them, selection={"acceptTruncated": True})
    summary = generate.run(shop.context("generate"))
    (read, long) = sorted(
        shop.rows(shop.manifest("generate").tables["reference"], REFERENCE), key=lambda r: r["prompt"]
    )
    assert (long["tokens"], long["logprob_sum"]) == (0, 0)
    folder = shop.models.folder(0)
    tokenizer, engine = shop.models.tokenizer(folder), shop.models.engine(folder)
    plain = render(tokenizer, [{"role": "user", "content": rows[0]["question"]}], {})
    said = [*tokenizer.encode("3 + 4 = 7", add_special_tokens=False), end_of_turn(tokenizer)]
    (expected,) = engine.logprobs([plain], [said])
    assert read["logprob_sum"] == pytest.approx(float(expected.sum()), abs=1e-4)
    assert summary.counts["referenceTokens"] == len(plain) + len(said)
    verify.run(shop.context("verify"))
    select.run(shop.context("select"))
    texts = told(shop).texts
    assert texts is not None
    assert texts.perplexity["reference"].mean == pytest.approx(math.exp(-float(expected.mean())), rel=1e-4)
    assert {"reference", "drawn", "plain"} == set(texts.perplexity)


def test_references_that_were_read_are_read_once_whatever_stops_the_step(tiny_model: Path, tmp_path: Path) -> None:
    rows = [{**row, "rationale": "It is 7"} for row in sums(6)]
    shop = workshop(tmp_path, tiny_model, rows)
    done = read_references(shop.context("generate"), "d")
    again = read_references(shop.context("generate"), "d")
    assert [part.key for part in again.parts] == [part.key for part in done.parts]
    assert again.rows == 6


def test_perplexity_is_read_from_the_sums_of_log_probabilities(tiny_model: Path, tmp_path: Path) -> None:
    shop = workshop(tmp_path, tiny_model, sums(1))
    shop.commit_samples([{"prompt": "p0", "sample": 0, "tokens": [1, 2], "logprob_sum": -2 * math.log(3)}])
    (perplexity,) = traits_of(shop.store, shop.manifest("generate").parts).perplexity
    assert perplexity == pytest.approx(3)


def test_a_critique_s_tokens_count_for_the_strategy_that_asked_for_it(tiny_model: Path, tmp_path: Path) -> None:
    shop = workshop(
        tmp_path,
        tiny_model,
        sums(2),
        generation={"samplesPerPrompt": 2, "maxTokens": 8, "engine": "Transformers"},
        resampling={"strategy": "Interactive", "target": 2, "maxRounds": 1},
    )
    shop.commit_answers({"p0": ["It is 8", "So 7"], "p1": ["7", "It is 7"]})
    spent = resample.run(shop.context("resample")).tokens
    select.run(shop.context("select"))
    guided: list[Yield] = [each for each in told(shop).yields if each.strategy]
    assert {each.strategy for each in guided} == {"Interactive"}
    assert sum(each.tokens for each in guided) == spent > 0


def test_without_any_rule_that_accepts_nothing_is_told_of_yields(tiny_model: Path, tmp_path: Path) -> None:
    rows = [{"id": f"p{i}", "question": f"Say {i}"} for i in range(2)]
    shop = workshop(tmp_path, tiny_model, rows, verification={"methods": [{"type": "Likelihood"}]})
    selected(shop, {"p0": ["a", "b"], "p1": ["c", "d"]})
    noted = told(shop)
    assert (noted.yields, noted.levels, noted.kept_levels) == ([], None, None)
    assert noted.counts is not None
    assert noted.counts.accepted is None


def test_held_out_coverage_is_told_by_level_and_the_base_model_has_its_control(
    tiny_model: Path, tmp_path: Path
) -> None:
    shop = held_out(tmp_path, tiny_model, resampling={"target": 4}, generation={"samplesPerPrompt": 4})
    for n, texts in enumerate((["7", "8", "8", "9"], ["7", "7", "8", "9"])):
        commit_evaluated(shop, n, texts)
        measure.run(shop.context("measure", n))
    zero, one = (held_out_details(shop.store, n) for n in (0, 1))
    assert zero.control is not None
    # Half of the draws of two hold the one right sample, and every prompt is tail.
    assert (zero.control.samples, zero.control.target) == (2, 2)
    assert zero.control.chosen.value == zero.control.again.value == 0.5
    assert zero.control.rise.value == 0
    assert one.control is None
