"""Specs, summaries and a ledger in a line or two, for the tests of the loop and its stop rules."""

from __future__ import annotations

from typing import Any

from selfimprove.api.execution import StepName
from selfimprove.api.spec import Spec
from selfimprove.ledger import Ledger, StepId
from selfimprove.loop import Step, Stop, next_step
from selfimprove.summaries import (
    Difference,
    Estimate,
    ManifestRef,
    Measures,
    PromptMeasures,
    Selected,
    Summary,
)

PLAIN: list[StepName] = ["generate", "verify", "select", "distill", "evaluate", "measure"]


def spec_of(*, test: bool = False, shards: int = 1, strategy: str = "None", **fields: Any) -> Spec:
    dataset: dict[str, Any] = {"uri": "file:///train.jsonl", "task": "Math"}
    if test:
        dataset["test"] = {"uri": "file:///test.jsonl"}
    return Spec.model_validate(
        {
            "model": {"uri": "hf://lab/base"},
            "dataset": dataset,
            "generation": {"shards": shards},
            "resampling": {"strategy": strategy},
            **fields,
        }
    )


def summary_of(step: StepId, shard: int = 0, **fields: Any) -> Summary:
    manifest = ManifestRef(uri=f"file:///run/{step.name}/{shard}", sha256="0" * 64)
    named = {"step": step.step, "iteration": step.iteration, "split": step.split, "shard": shard, "manifest": manifest}
    return Summary.model_validate({**named, **fields})


def difference(value: float, low: float, high: float, iteration: int = 0, n: int = 200) -> Difference:
    return Difference(iteration=iteration, value=value, low=low, high=high, low995=low, high995=high, n=n)


def measures(
    accuracy: float | None = None,
    gap: float | None = None,
    versus_best: Difference | None = None,
    versus_baseline: Difference | None = None,
    tail_change: Estimate | None = None,
    checkpoint: str | None = None,
) -> Measures:
    held_out = PromptMeasures(
        accuracy=None if accuracy is None else Estimate(value=accuracy),
        gap=None if gap is None else Estimate(value=gap),
    )
    return Measures(
        held_out=held_out,
        versus_best=versus_best,
        versus_baseline=versus_baseline,
        tail_change=tail_change,
        checkpoint=checkpoint,
    )


def selected(examples: int = 10, gap: float | None = None) -> Selected:
    training = PromptMeasures(gap=None if gap is None else Estimate(value=gap), prompts=20, empty_filter_rate=1.0)
    return Selected(training=training, examples=examples)


def commit(ledger: Ledger, step: StepId, shards: int = 1, **fields: Any) -> Ledger:
    for shard in range(shards):
        ledger = ledger.with_commit(summary_of(step, shard, **fields))
    return ledger


def after(*found: Measures, spec: Spec | None = None, selections: dict[int, Selected] | None = None) -> Ledger:
    """The ledger in which M_0, M_1, ... have been measured with these outcomes, everything before committed."""
    spec = spec or spec_of()
    ledger = Ledger()
    while isinstance(step := next_step(spec.model_copy(update={"max_iterations": 1000}), ledger), Step):
        n = step.id.iteration
        if n == len(found):
            return ledger
        fields: dict[str, Any] = {"tokens": 10, "rows": 5}
        if step.id.step == "measure":
            fields["measures"] = found[n]
        if step.id.step == "select":
            fields["selected"] = (selections or {}).get(n, selected())
        ledger = commit(ledger, step.id, step.shards, **fields)
    return ledger


def stop(spec: Spec, ledger: Ledger) -> Stop:
    answer = next_step(spec, ledger)
    assert isinstance(answer, Stop), f"the loop goes on with {answer}"
    return answer


def step(spec: Spec, ledger: Ledger) -> Step:
    answer = next_step(spec, ledger)
    assert isinstance(answer, Step), f"the loop stopped with {answer}"
    return answer
