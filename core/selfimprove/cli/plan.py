"""`selfimprove plan`: what would be done next and why, from what is committed alone; it does and creates nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import NamedTuple

from selfimprove.api import Spec, resolved_defaults
from selfimprove.artifacts import PROMPTS, load_ledger, read_manifest
from selfimprove.cli.output import print_json
from selfimprove.cli.where import Where
from selfimprove.ledger import Ledger, StepId
from selfimprove.loop import Left, Step, Stop, left, next_step, shards_of, steps_of
from selfimprove.runs import RunHandle
from selfimprove.store import Store


class Bound(NamedTuple):
    """The most that settings allow, of kinds of steps that have not run yet and so have no mean."""

    samples: int
    tokens: int


def plan(run: str, where: Where, sets: Sequence[str], as_json: bool) -> None:
    """Print the plan of a run, which need not have begun."""
    handle = where.look(run, sets)
    ledger = load_ledger(handle.store)
    decision, ahead = next_step(handle.spec, ledger), left(handle.spec, ledger)
    most = at_most(handle.spec, ledger, prompt_counts(handle.store), ahead.unknown)
    if as_json:
        print_json(_document(handle, ledger, decision, ahead, most))
    else:
        print("\n".join(_lines(handle, decision, ahead, most)))


def prompt_counts(store: Store) -> Mapping[str, int]:
    """Prompts of each split; empty before the dataset was loaded for the first time."""
    found = read_manifest(store, PROMPTS)
    return {split: sum(part.rows for part in parts) for split, parts in found[0].tables.items()} if found else {}


def at_most(spec: Spec, ledger: Ledger, prompts: Mapping[str, int], kinds: Sequence[str]) -> Bound | None:
    """What the missing steps of these kinds may come to; None before the prompts are counted, zero without kinds."""
    steps = [step for step in _missing(spec, ledger) if step.step in kinds and step.step in _SAMPLES]
    if steps and not prompts:
        return None
    bounds = [_bound(spec, prompts, step) for step in steps]
    return Bound(sum(bound.samples for bound in bounds), sum(bound.tokens for bound in bounds))


def _missing(spec: Spec, ledger: Ledger) -> Iterator[StepId]:
    for iteration in range(spec.max_iterations + 1):
        yield from (s for s in steps_of(spec, iteration) if len(ledger.shards_done(s)) < shards_of(spec, s))


def _bound(spec: Spec, prompts: Mapping[str, int], step: StepId) -> Bound:
    samples = prompts.get("heldOut" if step.step == "evaluate" else "train", 0) * _SAMPLES[step.step](spec)
    tokens = spec.evaluation.max_tokens if step.step == "evaluate" else None
    return Bound(samples, samples * (tokens or spec.generation.max_tokens))


_SAMPLES: dict[str, Callable[[Spec], int]] = {
    "generate": lambda spec: spec.generation.samples_per_prompt,
    "resample": lambda spec: spec.resampling.max_rounds * spec.resampling.samples_per_round,
    "evaluate": lambda spec: spec.evaluation.samples_per_prompt,
}
"""Samples that a prompt may get in each step that samples; of resample if it never reaches the target."""


def _document(
    handle: RunHandle, ledger: Ledger, decision: Step | Stop, ahead: Left, most: Bound | None
) -> dict[str, object]:
    return {
        "name": handle.run.metadata.name,
        "runURI": handle.uri,
        "begun": handle.begun,
        "next": _next(decision) if isinstance(decision, Step) else None,
        "stop": asdict(decision) if isinstance(decision, Stop) else None,
        "left": {**asdict(ahead), "unknown": list(ahead.unknown), "atMostUnknown": most._asdict() if most else None},
        "spent": {"tokens": ledger.usage.tokens, "wallSeconds": round(ledger.usage.wall_seconds, 1)},
        "resolved": resolved_defaults(handle.run.spec, handle.spec),
    }


def _next(step: Step) -> dict[str, object]:
    name, iteration, missing = step.id.name, step.id.iteration, list(step.missing)
    return {"step": name, "iteration": iteration, "shards": step.shards, "missing": missing, "reason": step.reason}


def _lines(handle: RunHandle, decision: Step | Stop, ahead: Left, most: Bound | None) -> list[str]:
    lines = [f"{handle.run.metadata.name} at {handle.uri}{'' if handle.begun else ' (not begun)'}"]
    if isinstance(decision, Stop):
        lines += ["Next  nothing: the run is over", f"Why   {decision.rule}: {decision.message}"]
    else:
        lines += [f"Next  {decision.id.name}", f"Why   {decision.reason}", *_left_lines(ahead, most)]
    resolved = resolved_defaults(handle.run.spec, handle.spec)
    return [*lines, "Defaults that were resolved", *(f"  {path}: {value}" for path, value in resolved.items())]


def _left_lines(ahead: Left, most: Bound | None) -> Iterator[str]:
    iterations = f"{ahead.iterations} {'iteration' if ahead.iterations == 1 else 'iterations'} at most"
    known = f"; about {ahead.samples:,} samples and {ahead.tokens:,} tokens" if ahead.samples or ahead.tokens else ""
    yield f"Left  {iterations}{known}"
    if ahead.unknown:
        bound = "not known before the dataset is loaded"
        if most is not None and not most.samples:
            bound = "no samples; what they cost is not known before one has run"
        elif most is not None:
            bound = f"at most {most.samples:,} samples and {most.tokens:,} sampled tokens"
        yield f"      and of steps that never ran yet ({', '.join(ahead.unknown)}): {bound}"
