"""The generate step with a real engine, interrupted: what was drawn is drawn once, whichever prompts it completes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from selfimprove.api.execution import Storage
from selfimprove.artifacts import load_ledger
from selfimprove.errors import TerminatedError
from selfimprove.retention import removals
from selfimprove_workers import aside, evaluate, generate
from selfimprove_workers.context import StepContext
from selfimprove_workers.engines.base import SampleRequest
from tests.integration.steps_support import Rows, Workshop, workshop

PROMPTS, SAMPLES = 4, 4
SAMPLING = {"samplesPerPrompt": SAMPLES, "maxTokens": 24, "engine": "Transformers", "temperature": 1.0}


class KilledError(BaseException):
    """As good as `kill -9`: nobody handles it."""


def shop_of(folder: Path, model: Path) -> Workshop:
    rows: Rows = [{"id": f"p{i}", "question": f"What is {i} + 4?", "answer": "7"} for i in range(PROMPTS)]
    return workshop(folder, model, rows, generation=SAMPLING)


def after(samples: int, do: Callable[[], Any], context: StepContext) -> StepContext:
    """The context, in which something happens once so many samples of this attempt are drawn."""
    reach = context.progress.reach

    def reached(done: int, tokens: int, note: str = "") -> None:
        reach(done, tokens, note)
        if done >= samples:
            do()

    context.progress.reach = reached  # type: ignore[method-assign]
    return context


def killed() -> None:
    raise KilledError


def asked_of(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many samples the engine is asked for, call by call."""
    engine, asked = shop.models.engine(shop.models.folder(0)), list[int]()
    sample = engine.sample

    def counted(requests: Sequence[SampleRequest], progress: Any = None) -> Any:
        asked.append(len(requests))
        return sample(requests, progress)

    monkeypatch.setattr(engine, "sample", counted)
    return asked


def rows_of(shop: Workshop) -> Rows:
    rows = shop.rows(shop.manifest("generate").parts, "sample")
    return [{name: row[name] for name in ("prompt", "sample", "seed", "tokens", "finish")} for row in rows]


@pytest.fixture
def undisturbed(tiny_model: Path, tmp_path: Path) -> Rows:
    shop = shop_of(tmp_path / "whole", tiny_model)
    generate.run(shop.context("generate"))
    return rows_of(shop)


@pytest.mark.parametrize("drawn", [1, 6, 11])
def test_a_signal_keeps_every_sample_that_was_drawn_and_says_how_many_those_are(
    tiny_model: Path, tmp_path: Path, undisturbed: Rows, monkeypatch: pytest.MonkeyPatch, drawn: int
) -> None:
    shop = shop_of(tmp_path / "torn", tiny_model)
    asked = asked_of(shop, monkeypatch)
    context = shop.context("generate")
    with pytest.raises(TerminatedError) as stopped:
        generate.run(after(drawn, context.stopping.set, context))
    said = re.fullmatch(
        r"stopped by a signal; (\d) of 4 prompts are kept(?:, and (\d+) samples of others)?", str(stopped.value)
    )
    assert said, str(stopped.value)
    kept = int(said[1]) * SAMPLES + int(said[2] or 0)
    assert kept >= drawn
    assert context.prompts_done == int(said[1]) + int(said[2] or 0)
    generate.run(shop.context("generate"))
    assert asked == [PROMPTS * SAMPLES, PROMPTS * SAMPLES - kept]
    assert rows_of(shop) == undisturbed


def test_a_kill_loses_what_was_drawn_since_samples_were_put_aside_and_no_more(
    tiny_model: Path, tmp_path: Path, undisturbed: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "SECONDS_BETWEEN", 0.0)
    shop = shop_of(tmp_path / "torn", tiny_model)
    asked = asked_of(shop, monkeypatch)
    with pytest.raises(KilledError):
        generate.run(after(7, killed, shop.context("generate")))
    generate.run(shop.context("generate"))
    assert asked == [PROMPTS * SAMPLES, PROMPTS * SAMPLES - 6]
    assert rows_of(shop) == undisturbed


def test_other_settings_take_nothing_that_was_put_aside(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = shop_of(tmp_path, tiny_model)
    context = shop.context("generate")
    with pytest.raises(TerminatedError):
        generate.run(after(6, context.stopping.set, context))
    hotter = shop.with_spec(generation={"temperature": 1.5})
    asked = asked_of(hotter, monkeypatch)
    generate.run(hotter.context("generate"))
    assert asked == [PROMPTS * SAMPLES]


def test_evaluate_keeps_what_it_drew_as_well(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = shop_of(tmp_path, tiny_model).with_spec(dataset={"heldOut": {"fraction": 0.5}})
    asked = asked_of(shop, monkeypatch)
    context = shop.context("evaluate", 0)
    with pytest.raises(TerminatedError, match="samples of others"):
        evaluate.run(after(1, context.stopping.set, context))
    summary = evaluate.run(shop.context("evaluate", 0))
    assert asked[1] < asked[0] == summary.rows


def test_what_was_put_aside_is_in_no_manifest_and_may_go_once_the_step_is_done(
    tiny_model: Path, tmp_path: Path
) -> None:
    shop = shop_of(tmp_path, tiny_model)
    context = shop.context("generate")
    with pytest.raises(TerminatedError):
        generate.run(after(6, context.stopping.set, context))
    (key,) = (entry.key for entry in shop.store.list() if "aside-" in entry.key)
    assert removals(shop.store, Storage(), load_ledger(shop.store)) == []
    generate.run(shop.context("generate"))
    going = removals(shop.store, Storage(), load_ledger(shop.store))
    assert [(removal.key, removal.reason) for removal in going] == [(key, "put aside by a step that is done")]
