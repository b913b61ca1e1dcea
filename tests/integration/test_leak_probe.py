"""`resampling.leakProbe` with a real engine: asked without the hint, counted, kept apart, never trained on."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from selfimprove.errors import TerminatedError
from selfimprove_workers import leak_probe, resample, select
from selfimprove_workers.leak_probe import PLAIN, REASONED
from tests.fixtures.chat_server import chat_server, says
from tests.integration.steps_support import Rows, Workshop, workshop

SOLUTION = "Three and four.\nThe answer is 7.\nDone"
STEERED = {"strategy": "StateReset", "schedule": "Paper", "target": 2, "maxRounds": 4, "leakProbe": True}
ANYTHING = {"methods": [{"type": "Likelihood", "weighting": {"type": "Threshold", "threshold": -50.0}}]}
BRUTE = {"strategy": "BruteForce", "target": 1, "maxRounds": 1, "leakProbe": True}


def steered(folder: Path, model: Path, **resampling: Any) -> Workshop:
    """All but p0 are brought to the target by prefixes that hold the answer."""
    rows = [{"id": f"p{i}", "question": f"What is {i} + 4?", "answer": "7", "rationale": SOLUTION} for i in range(4)]
    settings = {**STEERED, **resampling}
    shop = workshop(folder, model, rows, resampling=settings, selection={"acceptTruncated": True})
    shop.commit_answers({"p0": ["It is 7", "7"], **{f"p{i}": ["8"] for i in (1, 2, 3)}})
    return shop


def brute(folder: Path, model: Path, answers: list[str], **changes: Any) -> Workshop:
    """Everything that is drawn is accepted, and nothing plain was."""
    rows = [{"id": f"p{i}", "question": f"Say {i}", "answer": answer} for i, answer in enumerate(answers)]
    settings = {"resampling": BRUTE, "verification": ANYTHING, "selection": {"acceptTruncated": True}, **changes}
    shop = workshop(folder, model, rows, **settings)
    shop.commit_answers({f"p{i}": ["?"] for i in range(len(answers))}, logprob_sum=-1000.0)
    return shop


def probes(shop: Workshop) -> Rows:
    return shop.rows(shop.manifest("resample").tables["probe"], "sample")


def test_every_prompt_that_guidance_won_is_asked_once_without_the_hint(tiny_model: Path, tmp_path: Path) -> None:
    shop = steered(tmp_path, tiny_model)
    summary = resample.run(shop.context("resample"))
    found = probes(shop)
    assert sorted(row["prompt"] for row in found) == ["p1", "p2", "p3"]
    assert {(row["strategy"], row["prefix_length"]) for row in found} == {(PLAIN, 0)}
    assert summary.counts["probed"] == 3
    assert summary.counts["probeHeld"] == sum(row["verdict"] == "Correct" for row in found)
    assert summary.counts["probedReasoned"] == 0  # its reasoning was given


def test_its_tokens_are_counted_and_its_samples_are_no_ones_attempts(tiny_model: Path, tmp_path: Path) -> None:
    probed, plain = steered(tmp_path / "a", tiny_model), steered(tmp_path / "b", tiny_model, leakProbe=False)
    summary, without = (resample.run(shop.context("resample")) for shop in (probed, plain))
    assert summary.tokens == without.tokens + summary.counts["probeTokens"]
    assert summary.counts["probeTokens"] == sum(len(row["tokens"]) for row in probes(probed))
    assert summary.rows == without.rows
    assert summary.counts["tried"] == without.counts["tried"]


def test_what_it_draws_never_trains(tiny_model: Path, tmp_path: Path) -> None:
    shop = steered(tmp_path, tiny_model)
    resample.run(shop.context("resample"))
    select.run(shop.context("select"))
    examples = shop.rows(shop.manifest("select").parts, "example")
    assert {row["strategy"] for row in examples} == {"", "StateReset"}
    assert not {tuple(row["tokens"]) for row in examples} & {tuple(row["tokens"]) for row in probes(shop)}


def test_a_solution_of_its_own_is_asked_from_its_reasoning_too(tiny_model: Path, tmp_path: Path) -> None:
    first = brute(tmp_path / "first", tiny_model, ["none"] * 6)
    resample.run(first.context("resample"))
    said = {row["prompt"]: row["text"] for row in first.rows(first.manifest("resample").parts, "sample")}
    last_words = [said[f"p{i}"].split()[-1] if len(said[f"p{i}"].split()) > 1 else "none" for i in range(6)]
    shop = brute(tmp_path / "second", tiny_model, last_words)
    summary = resample.run(shop.context("resample"))
    reasoned = [row for row in probes(shop) if row["strategy"] == REASONED]
    assert 0 < len(reasoned) == summary.counts["probedReasoned"]
    tokenizer = shop.models.tokenizer(tiny_model)
    for row in reasoned:
        given = tokenizer.decode(row["tokens"][: row["prefix_length"]])
        assert said[row["prompt"]].startswith(given)
        assert last_words[int(row["prompt"][1:])] not in given.split()
    assert summary.counts["probed"] == summary.counts["probeHeld"] == 6


@pytest.mark.parametrize("budget", [8, 16, 40, 90, 140, 1000])
@pytest.mark.parametrize("strategy", ["StateReset", "BruteForce"])
def test_within_the_budget_whatever_is_won_is_probed(
    strategy: str, budget: int, tiny_model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    if strategy == "StateReset":
        shop = steered(tmp_path, tiny_model, maxTokens=budget)
    else:
        shop = brute(tmp_path, tiny_model, ["x"] * 6, resampling={**BRUTE, "maxTokens": budget})
    summary = resample.run(shop.context("resample"))
    decided = shop.rows(shop.manifest("resample").tables["decision"], "decision")
    assert summary.tokens <= budget
    assert summary.counts.get("probed", 0) == len({row["prompt"] for row in decided if row["reason"] == "accepted"})
    assert "unprobed" not in summary.counts
    told = [line for line in caplog.messages if "pays for no further turn in round" in line]
    assert len(told) == ("outOfTokens" in summary.counts) == (summary.counts["mastered"] < summary.counts["tail"])


def test_how_many_were_short_when_the_tokens_ended_is_counted_and_told(
    tiny_model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = {**BRUTE, "maxTokens": 3 * 8 + 7, "leakProbe": False}
    shop = brute(tmp_path, tiny_model, ["x"] * 6, resampling=settings)
    summary = resample.run(shop.context("resample"))
    assert summary.counts["outOfTokens"] == 6 - summary.counts["accepted"] > 0
    assert (
        f"spec.resampling.maxTokens: what is left of 31 pays for no further turn in round 1 of 1; "
        f"{summary.counts['outOfTokens']} prompts still have fewer than 1 accepted samples" in caplog.messages
    )


def test_what_a_teacher_took_beyond_its_measure_is_missing_in_the_probe_and_told(
    tiny_model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Four cheap critiques in round 1, and one in round 2 that takes all that was kept back."""
    spent = iter([5] * 4)
    with chat_server(reply=lambda question, before: says("Look at it once more.", next(spent, 1000))) as server:
        teacher = {"apiURL": server.url, "model": "big", "parallelism": 1}
        settings = {"strategy": "Interactive", "target": 2, "maxRounds": 2, "leakProbe": True, "maxTokens": 200}
        shop = brute(tmp_path, tiny_model, ["x"] * 4, resampling={**settings, "teacher": teacher})
        summary = resample.run(shop.context("resample"))
    assert summary.counts["accepted"] == summary.counts["unprobed"] == summary.counts["outOfTokens"] == 4
    assert "spec.resampling.leakProbe: no tokens are left to probe 4 of the prompts won" in caplog.messages


def test_a_killed_probe_goes_on_where_it_stopped(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leak_probe, "AT_ONCE", 1)
    whole, torn = brute(tmp_path / "whole", tiny_model, ["x"] * 4), brute(tmp_path / "torn", tiny_model, ["x"] * 4)
    resample.run(whole.context("resample"))
    interruptions = 0
    probe = leak_probe.LeakProbe._probe

    def probe_and_stop(*given: Any) -> None:
        probe(*given)
        context.stopping.set()

    with monkeypatch.context() as patched:
        patched.setattr(leak_probe.LeakProbe, "_probe", probe_and_stop)
        for _ in range(20):
            context = torn.context("resample")
            with suppress(TerminatedError):
                resample.run(context)
                break
            interruptions += 1
    assert interruptions == 4
    assert probes(torn) == probes(whole)
    assert torn.manifest("resample").summary["counts"] == whole.manifest("resample").summary["counts"]
