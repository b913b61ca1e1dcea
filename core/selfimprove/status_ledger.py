"""The ledger that a status keeps.

A cluster's operator reads no storage: what it must remember stands in the status, where people see it, and is read back
from there. Nothing else is kept, so the loop decides on the very figures that are shown; `status_of` of what this gives
is the same status again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from selfimprove.api.spec import Spec
from selfimprove.api.status import HeldOutStatus, IterationStatus, Measure, Status, StepStatus, Versus
from selfimprove.ledger import Ledger, StepId, Usage
from selfimprove.loop import shards_of, steps_of, trains
from selfimprove.status_measures import TRAINING_MEASURES
from selfimprove.summaries import (
    Difference,
    Estimate,
    ManifestRef,
    Measures,
    PromptMeasures,
    Selected,
    Summary,
)

_STEP_NAME = re.compile(r"i(\d{3,})-([a-z]+)(?:-([a-z]+))?")
_NOWHERE = ManifestRef(uri="", sha256="")
Shards = Mapping[int, Summary]


def ledger_of_status(spec: Spec, status: Status) -> Ledger:
    """What is committed, failed and spent, as far as the loop needs it. `spec`: resolved."""
    committed = {step: shards for step, shards in _committed(spec, status) if shards}
    for step, summary in _figures(spec, status).items():
        if shards := committed.get(step):
            committed[step] = {**shards, min(shards): summary}
    usage = status.usage
    ledger = Ledger(
        committed=committed,
        usage=Usage(float(usage.gpu_seconds), usage.tokens, float(usage.wall_seconds)),
        gpu_seconds={row.iteration: float(row.gpu_seconds) for row in status.iterations},
        worked_on=_worked_on(status.step),
    )
    return _with_failures(ledger, status.step)


def step_of(name: str) -> StepId:
    """The step of a name as `i002-verify`. Raises `ValueError` for any other text."""
    found = _STEP_NAME.fullmatch(name)
    if found is None:
        raise ValueError(f"{name!r} names no step")
    return StepId(int(found[1]), found[2], found[3] or "")  # type: ignore[arg-type]


def to_ranges(shards: Iterable[int]) -> str | None:
    """Shards as a short text, `0-3,7`; None for none."""
    spans: list[list[int]] = []
    for shard in sorted(shards):
        if spans and shard == spans[-1][1] + 1:
            spans[-1][1] = shard
        else:
            spans.append([shard, shard])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in spans) or None


def from_ranges(text: str | None) -> set[int]:
    """The shards of such a text."""
    spans = (part.partition("-") for part in (text or "").split(",") if part)
    return {shard for low, _, high in spans for shard in range(int(low), int(high or low) + 1)}


def _committed(spec: Spec, status: Status) -> Iterator[tuple[StepId, Shards]]:
    """Every step that is done, wholly or in part; every iteration that was measured is."""
    last = status.latest.iteration if status.latest else -1
    for iteration in range(last + 1):
        for step in steps_of(spec, iteration):
            yield step, _blank(step, range(shards_of(spec, step)))
    step_status = status.step
    if step_status is not None:
        for name in (step_status.name, *(step_status.together or ())):
            yield step_of(name), _blank(step_of(name), from_ranges(step_status.done))
    for name in status.committed:
        yield step_of(name), _blank(step_of(name), range(shards_of(spec, step_of(name))))


def _blank(step: StepId, shards: Iterable[int]) -> Shards:
    return dict.fromkeys(shards, _empty(step))


@lru_cache(maxsize=4096)
def _empty(step: StepId) -> Summary:
    """What is known of a step of which no figure is kept, the same for every run."""
    return _summary(step)


def _summary(step: StepId, **more: object) -> Summary:
    known = {"step": step.step, "iteration": step.iteration, "split": step.split, "manifest": _NOWHERE}
    return Summary.model_validate({**known, **more})


def _figures(spec: Spec, status: Status) -> dict[StepId, Summary]:
    """The summaries of which the status keeps figures."""
    figures: dict[StepId, Summary] = {}
    if status.baseline:
        zero = StepId(0, "measure")
        figures[zero] = _summary(zero, measures=Measures(held_out=_held_out(status.baseline)))
    for row in status.iterations:
        figures |= _row(row)
    figures |= _best(spec, status, figures)
    return figures | _verified(status)


def _row(row: IterationStatus) -> dict[StepId, Summary]:
    """The steps of one iteration that its row tells of; its tokens stand with the first."""
    generate, select, measure = (StepId(row.iteration, name) for name in ("generate", "select", "measure"))
    found = {generate: _summary(generate, tokens=row.tokens)}
    manifest = ManifestRef(uri=row.manifest.uri, sha256=row.manifest.sha256) if row.manifest else _NOWHERE
    if row.examples is not None:
        selected = Selected(
            training=_training(row),
            examples=row.examples,
            hard_share_change=_estimate(row.hard_change),
            verifier=_estimates(row.verifier),
        )
        found[select] = _summary(select, selected=selected, manifest=manifest)
    if row.held_out is not None:
        measures = Measures(
            held_out=_held_out(row.held_out),
            versus_best=_difference(row.versus_best),
            tail_change=_estimate(row.tail_change, row.tail_prompts),
        )
        found[measure] = _summary(measure, measures=measures, manifest=manifest)
    return found


def _best(spec: Spec, status: Status, figures: Mapping[StepId, Summary]) -> dict[StepId, Summary]:
    """The best model's gain and its place, and its accuracy where its row is no longer kept."""
    best = status.best
    if best is None:
        return {}
    found: dict[StepId, Summary] = {}
    measure = StepId(best.iteration, "measure")
    kept = figures.get(measure)
    measures = (kept and kept.measures) or Measures(held_out=PromptMeasures(accuracy=_estimate(best.accuracy)))
    if trains(spec, best.iteration) and best.model_uri:
        checkpoint = best.model_uri.removeprefix(f"{status.run_uri}/")
        measures = measures.model_copy(update={"checkpoint": checkpoint})
    gain = best.gain
    if gain is not None:
        versus = Difference.model_validate({**_interval(gain), "iteration": 0, "n": 0})
        if gain.measured_on == "HeldOut":
            measures = measures.model_copy(update={"versus_baseline": versus})
        else:
            test = StepId(best.iteration, "measure", "test")
            found[test] = _summary(test, measures=Measures(held_out=PromptMeasures(), versus_baseline=versus))
    found[measure] = (kept or _summary(measure)).model_copy(update={"measures": measures})
    return found


def _verified(status: Status) -> dict[StepId, Summary]:
    """Verdicts, and what was left without a score, are those of the last iteration that was verified."""
    last = status.latest.iteration if status.latest else 0
    names = (*status.committed, *((status.step.name, *(status.step.together or ())) if status.step else ()))
    verified = [step.iteration for step in map(step_of, names) if step.step == "verify"]
    step = StepId(max([last, *verified]), "verify")
    return {step: _summary(step, counts=dict(status.verdicts))} if status.verdicts else {}


def _worked_on(step: StepStatus | None) -> frozenset[StepId]:
    """The step at hand, once a pod of it has run."""
    return frozenset() if step is None or step.prompts is None else frozenset((step_of(step.name),))


def _with_failures(ledger: Ledger, step: StepStatus | None) -> Ledger:
    if step is None or not (step.failures or step.state == "Failed"):
        return ledger
    id, message = step_of(step.name), step.message or ""
    ledger = replace(ledger, failures={id: step.failures or 0}, causes={id: message})
    return ledger.with_fatal(id, message) if step.state == "Failed" else ledger


def _training(row: IterationStatus) -> PromptMeasures:
    return PromptMeasures(**_measures(row))


def _held_out(found: HeldOutStatus) -> PromptMeasures:
    return PromptMeasures(accuracy=_estimate(found.accuracy), pass_at_k=_estimates(found.pass_at_k), **_measures(found))


def _measures(found: IterationStatus | HeldOutStatus) -> dict[str, Estimate | None]:
    return {name: _estimate(getattr(found, name)) for name in TRAINING_MEASURES}


def _estimates(found: Mapping[str, Measure] | None) -> dict[str, Estimate] | None:
    return {name: estimate for name, measure in (found or {}).items() if (estimate := _estimate(measure))} or None


def _estimate(measure: Measure | None, n: int | None = None) -> Estimate | None:
    if measure is None:
        return None
    low, high = (None if bound is None else float(bound) for bound in (measure.low, measure.high))
    return Estimate(value=float(measure.value), low=low, high=high, n=n)


def _difference(versus: Versus | None) -> Difference | None:
    if versus is None:
        return None
    return Difference.model_validate({**_interval(versus), "iteration": versus.iteration, "n": versus.n})


def _interval(measure: Measure) -> dict[str, float]:
    value, low, high = (float(bound or "nan") for bound in (measure.value, measure.low, measure.high))
    return {"value": value, "low": low, "high": high, "low995": low, "high995": high}
