"""What holds for every strategy and every setting, with a real engine: hints, budgets, counts, seeds, resuming."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfimprove.api.selecting import StrategyName
from selfimprove.artifacts import PartWriter
from selfimprove.errors import TerminatedError, UserError
from selfimprove_workers import consulting, evaluate, resample, select, tutoring
from selfimprove_workers.chat import render
from tests.fixtures.chat_server import ChatServer, chat_server, says
from tests.integration.steps_support import Rows, Workshop, but_for_rounding, workshop

ANSWER, REFERENCE, CRITIQUE = "48151623", "xylophone", "zeppelin"
STRATEGIES = [name for name in get_args(StrategyName) if name != "None"]
ANYTHING = {"methods": [{"type": "Likelihood", "weighting": {"type": "Threshold", "threshold": -50.0}}]}
SOLUTION = f"First the {REFERENCE} counts.\nThen the second one does.\nSo it is {ANSWER}."


@pytest.fixture(scope="module")
def server() -> Iterator[ChatServer]:
    with chat_server(reply=lambda question, before: says(f"Look at the {CRITIQUE} in your second step.")) as server:
        yield server


def shop_of(folder: Path, model: Path, server: ChatServer, resampling: dict[str, Any], **changes: Any) -> Workshop:
    rows = [{"id": f"p{i}", "question": f"Add {i}.", "answer": ANSWER, "rationale": SOLUTION} for i in range(5)]
    teacher = {"apiURL": server.url, "model": "big"}
    taught = {"teacher": teacher} if resampling["strategy"] in ("Interactive", "Adaptive") else {}
    defaults = {"verification": ANYTHING, "selection": {"acceptTruncated": True}}
    shop = workshop(folder, model, rows, **{**defaults, "resampling": {**resampling, **taught}, **changes})
    shop.commit_answers({f"p{i}": ["So 9", f"Say {i}"] for i in range(5)}, logprob_sum=-1000.0)
    return shop


def guided_rows(shop: Workshop) -> Rows:
    return shop.rows(shop.manifest("resample").parts, "sample")


def reasons(shop: Workshop) -> list[str]:
    return [row["reason"] for row in shop.rows(shop.manifest("resample").tables["decision"], "decision")]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_no_hint_is_in_any_prompt_that_trains(
    strategy: str, tiny_model: Path, tmp_path: Path, server: ChatServer
) -> None:
    shop = shop_of(tmp_path, tiny_model, server, {"strategy": strategy, "target": 6, "maxRounds": 6})
    resample.run(shop.context("resample"))
    select.run(shop.context("select"))
    examples = shop.rows(shop.manifest("select").parts, "example")
    assert examples
    assert strategy == "Adaptive" or {row["strategy"] for row in examples} == {strategy}
    tokenizer = shop.models.tokenizer(tiny_model)
    for row in [*examples, *guided_rows(shop)]:
        plain = render(tokenizer, [{"role": "user", "content": f"Add {row['prompt'][1:]}."}], {})
        assert row["prompt_tokens"] == plain
        text = tokenizer.decode(row["prompt_tokens"])
        assert not any(hint in text for hint in (ANSWER, REFERENCE, CRITIQUE, "So 9", "for you alone"))


@pytest.mark.parametrize(
    ("strategy", "template"),
    [
        ("AnswerDriven", "Walrus {{ answer }}: {{ question }}"),
        ("RationaleDriven", "Walrus {{ rationale }}: {{ question }}"),
        ("Interactive", "Walrus {{ critique }}"),
    ],
)
def test_no_hint_of_a_template_of_a_user_s_own_trains_and_the_manifest_names_its_digest(
    strategy: str, template: str, tiny_model: Path, tmp_path: Path, server: ChatServer
) -> None:
    resampling = {"strategy": strategy, "target": 4, "maxRounds": 2, "template": template}
    shop = shop_of(tmp_path, tiny_model, server, resampling)
    resample.run(shop.context("resample"))
    settings = shop.manifest("resample").settings
    assert "own@" in settings["strategies"][strategy]
    tokenizer = shop.models.tokenizer(tiny_model)
    rows = guided_rows(shop)
    assert rows
    assert not any("Walrus" in tokenizer.decode(row["prompt_tokens"]) for row in rows)


def test_adaptive_uses_several_strategies_and_repeats_itself(
    tiny_model: Path, tmp_path: Path, server: ChatServer
) -> None:
    """Nothing wins here, so that prompts go up from the weakest hint."""
    resampling = {"strategy": "Adaptive", "target": 6, "maxRounds": 4}
    right = {"verification": {"methods": [{"type": "GroundTruth"}]}}
    one, other = (shop_of(tmp_path / name, tiny_model, server, resampling, **right) for name in ("one", "other"))
    for shop in (one, other):
        resample.run(shop.context("resample"))
    assert len({row["strategy"] for row in guided_rows(one)}) > 2
    assert {row["strategy"] for row in guided_rows(one) if row["round"] == 1} <= {"BruteForce", "Interactive"}
    assert guided_rows(one) == guided_rows(other)


@pytest.mark.parametrize(
    ("strategy", "rounds", "task"),
    [("AnswerDriven", 8, "Math"), ("BruteForce", 128, "Math"), ("BruteForce", 32, "Program")],
)
def test_the_worst_case_is_that_of_the_paper(
    strategy: str, rounds: int, task: str, tiny_model: Path, tmp_path: Path, server: ChatServer
) -> None:
    """Eight plain samples a prompt, and one more in each of 8 guided rounds, or of 128 plain ones: 16, or 136.

    Of programs one in each of 32: 40.
    """
    resampling = {"strategy": strategy, "target": 4, "maxRounds": rounds}
    tokens = {"maxTokens": 1, "engine": "Transformers", "samplesPerPrompt": 8}
    rows = [{"id": "p0", "question": "Add 0.", "answer": ANSWER}]
    dataset = {"task": task}
    shop = workshop(tmp_path, tiny_model, rows, resampling=resampling, generation=tokens, dataset=dataset)
    shop.commit_answers({"p0": ["9"] * 8})
    summary = resample.run(shop.context("resample"))
    assert summary.counts["tried"] == summary.tokens == rounds
    assert max(row["sample"] for row in guided_rows(shop)) + 1 == 8 + rounds


ANY_SETTINGS = st.fixed_dictionaries(
    {
        "strategy": st.sampled_from(STRATEGIES),
        "target": st.integers(1, 4),
        "maxRounds": st.integers(1, 4),
        "samplesPerRound": st.integers(1, 2),
        "maxTokens": st.none() | st.integers(1, 300),
        "leakProbe": st.booleans(),
    }
)


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(ANY_SETTINGS, st.sampled_from([-50.0, -8.5]), st.integers(0, 2**32))
def test_whatever_the_settings_budgets_and_pools_hold_and_a_torn_step_ends_like_a_whole_one(
    tiny_model: Path, server: ChatServer, resampling: dict[str, Any], threshold: float, luck: int
) -> None:
    resampling = {name: value for name, value in resampling.items() if value is not None}
    weighting = {"type": "Threshold", "threshold": threshold}
    changes = {"verification": {"methods": [{"type": "Likelihood", "weighting": weighting}]}}
    with tempfile.TemporaryDirectory() as folder:
        whole, torn = (shop_of(Path(folder, name), tiny_model, server, resampling, **changes) for name in "wt")
        summary = resample.run(whole.context("resample"))
        run_torn(torn, random.Random(luck))
        assert summary.tokens <= resampling.get("maxTokens", summary.tokens)
        require_fair_turns(whole, resampling)
        assert guided_rows(torn) == but_for_rounding(guided_rows(whole))
        assert reasons(torn) == reasons(whole)
        assert torn.manifest("resample").summary["counts"] == summary.counts
        assert torn.manifest("resample").summary["tokens"] == summary.tokens


def require_fair_turns(shop: Workshop, resampling: dict[str, Any]) -> None:
    """Nobody who has enough is sampled again, and nobody twice in a round."""
    accepted: Counter[str] = Counter()
    rounds: dict[tuple[str, int], int] = {}
    for row, reason in zip(guided_rows(shop), reasons(shop), strict=True):
        turn = (row["prompt"], row["round"])
        if turn not in rounds:
            assert accepted[row["prompt"]] < resampling["target"]
        rounds[turn] = rounds.get(turn, 0) + 1
        accepted[row["prompt"]] += reason == "accepted"
    assert set(rounds.values()) <= {resampling["samplesPerRound"]}
    assert all(round <= resampling["maxRounds"] for _, round in rounds)


def run_torn(shop: Workshop, lot: random.Random) -> None:
    """Run a step that is told to stop after about every other part that it writes."""
    parts = 0
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tutoring, "SECONDS_A_PART", 0.0)
        patched.setattr(consulting, "SECONDS_A_PART", 0.0)
        write = PartWriter.write

        def write_and_perhaps_stop(writer: Any, *rows: Any) -> Any:
            nonlocal parts
            parts += 1
            if lot.random() < 0.5:
                context.stopping.set()
            return write(writer, *rows)

        patched.setattr(PartWriter, "write", write_and_perhaps_stop)
        for _ in range(400):
            context = shop.context("resample")
            with suppress(TerminatedError):
                resample.run(context)
                return
    raise AssertionError(f"no end after {parts} parts")


def test_a_template_that_can_not_be_rendered_is_told_of_at_the_run_s_first_step(
    tiny_model: Path, tmp_path: Path, server: ChatServer
) -> None:
    broken = {"strategy": "AnswerDriven", "target": 4, "template": "{{ question }} {{ answer }} {{ 1/0 }}"}
    shop = shop_of(tmp_path, tiny_model, server, broken)
    with pytest.raises(UserError, match=r"^spec\.resampling\.template: can't be rendered \(division by zero\)"):
        evaluate.run(shop.context("evaluate", 0))
