"""Two runs by the held-out prompts that they share: the best model of one against that of the other, paired by prompt.

A prompt is shared when its id, its question and its gold answer are the same in both; one whose dataset gives no ids by
question and gold alone. What stands before the question (a system message, worked examples) may differ, and is among
the settings then.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from selfimprove.api.flat import flat
from selfimprove.api.spec import Spec
from selfimprove.artifacts import PROMPTS, load_ledger, read_manifest, read_rows, require_manifest, step_folder
from selfimprove.errors import UserError
from selfimprove.few_prompts import too_few
from selfimprove.filtering import methods_of, weigh
from selfimprove.gathering import gather_checked
from selfimprove.ledger import StepId
from selfimprove.loop import shards_of
from selfimprove.measures import RESAMPLES, Table, columns, estimates, paired_change, ranges_of, table_of
from selfimprove.measures.bootstrap import Range
from selfimprove.prompt_ids import content_id
from selfimprove.records import PROMPT
from selfimprove.runs import RunHandle
from selfimprove.seeds import bootstrap_seed
from selfimprove.stopping import best_iteration
from selfimprove.summaries import document_of

WHERE = ("spec.storage", "spec.execution", "spec.suspend")
"""Settings of where and whether a run runs: they are no part of what it does."""
_FIGURES = {"accuracy": "accuracy", "strict_accuracy": "strictAccuracy", "gap": "gap"}
_NO_ANSWERS = "no shared prompt has answers that can be read in both runs"


@dataclass(frozen=True)
class Asked:
    """A held-out prompt: what makes it the same one elsewhere."""

    content: str
    """The question and the gold."""
    has_own_id: bool
    """Whether its dataset gives it one."""


@dataclass(frozen=True)
class Side:
    """One run: its best model, and that model's held-out samples."""

    handle: RunHandle
    model: int
    """n of M_n."""
    asked: Mapping[str, Asked]
    """By id."""


def compare_runs(
    one: RunHandle, other: RunHandle, *, seed: int | None = None, resamples: int = RESAMPLES
) -> dict[str, Any]:
    """Every figure of both and the change from `one` to `other`, as JSON values, and the settings that differ.

    `seed`: of every interval; without one each run's figures have the seed that it measures by, so that a figure of a
    run whose prompts are all shared has the interval that `status` shows, and the change has that of `one`. Raises
    `UserError` for a run that has measured nothing yet, and when no prompt is shared.
    """
    sides = [_side(one), _side(other)]
    shared = _shared(sides[0].asked, sides[1].asked)
    if not shared:
        raise UserError(
            f"{one.uri} and {other.uri}: share no held-out prompt (by id where the dataset has one, question and gold "
            "answer); compare runs that are held to the same prompts"
        )
    names = [{id: id for id in shared}, {id: name for name, id in shared.items()}]
    tables = [_table(side, named) for side, named in zip(sides, names, strict=True)]
    seeds = [bootstrap_seed(run.spec.seed) if seed is None else seed for run in (one, other)]
    figures = _compared(tables, seeds, resamples)
    return {
        "runs": [_named(side) for side in sides],
        "sharedPrompts": len(shared),
        "notShared": [len(side.asked) - len(shared) for side in sides],
        "figures": figures,
        "settings": differing(one.spec, other.spec),
        "reasons": _reasons(figures),
        "warnings": [*_same(sides), *too_few(figures)],
    }


def _same(sides: Sequence[Side]) -> list[str]:
    """A run beside itself: the change has an interval all the same, which is chance alone."""
    one, other = sides
    if one.handle.uri != other.handle.uri:
        return []
    return [f"both are {one.handle.uri}: nothing is compared but its best model with itself; give another run"]


def differing(one: Spec, other: Spec) -> list[dict[str, Any]]:
    """Every resolved setting that differs, None where one run has none of it."""
    left, right = flat(one), flat(other)
    paths = [path for path in {**left, **right} if left.get(path) != right.get(path)]
    return [
        {"field": path, "values": [left.get(path), right.get(path)]}
        for path in sorted(paths)
        if not path.startswith(WHERE)
    ]


def _side(handle: RunHandle) -> Side:
    ledger = load_ledger(handle.store)
    if not ledger.measured_iterations():
        raise UserError(f"{handle.uri}: has measured no model yet; compare it after i000-measure")
    found = read_manifest(handle.store, PROMPTS)
    parts = found[0].tables.get("heldOut", []) if found else []
    asked = {
        row["prompt"]: _asked(row)
        for batch in read_rows(handle.store, parts, PROMPT, ["prompt", "messages", "answer"])
        for row in batch.to_pylist()
    }
    return Side(handle, best_iteration(ledger), asked)


def _asked(row: Mapping[str, Any]) -> Asked:
    messages = row["messages"] or []
    question = messages[-1]["content"] if messages else ""
    return Asked(json.dumps([question, row["answer"]]), row["prompt"] != content_id(messages))


def _shared(one: Mapping[str, Asked], other: Mapping[str, Asked]) -> dict[str, str]:
    """Ids of one run -> those of the same prompts in the other."""
    same = {id: id for id, asked in one.items() if other.get(id) == asked}
    mine, others = _by_question(one, same), _by_question(other, same)
    return same | {mine[content]: others[content] for content in mine.keys() & others.keys()}


def _by_question(asked: Mapping[str, Asked], same: Mapping[str, str]) -> dict[str, str]:
    """What is asked -> the id of the prompt, of those that have none of their own and are not paired yet.

    Of conversations that end in the same question none: what was said before may be another.
    """
    left = {id: each.content for id, each in asked.items() if not each.has_own_id and id not in same}
    often = Counter(left.values())
    return {content: id for id, content in left.items() if often[content] == 1}


def _table(side: Side, names: Mapping[str, str]) -> Table:
    """The best model's held-out samples of the prompts that have names, under its own run's verification."""
    spec, store, step = side.handle.spec, side.handle.store, StepId(side.model, "evaluate")
    manifests = [require_manifest(store, step_folder(step, shard))[0] for shard in range(shards_of(spec, step))]
    found = gather_checked(store, manifests, methods_of(spec))
    weight = weigh(spec, found.scores, found.prompt, len(found.ids))
    kept = np.flatnonzero(np.array([id in names for id in found.ids], dtype=bool)[found.prompt])
    return table_of(
        [names[found.ids[at]] for at in found.prompt[kept]],
        found.utility[kept],
        strict_utility=found.strict_utility[kept],
        weight=weight[kept],
    )


def _compared(tables: Sequence[Table], seeds: Sequence[int], resamples: int) -> dict[str, Any]:
    """Name -> what both have and the change, over the prompts where both are known."""
    found = [columns(table) for table in tables]
    ranges = [ranges_of(each) for each in found]

    def figure(name: str) -> dict[str, Any]:
        pair = [each.get(name, np.full(len(tables[0].ids), np.nan)) for each in found]
        known = np.isfinite(pair[0]) & np.isfinite(pair[1])
        limits: Range = (-2.0, 2.0) if name == "gap" else (-1.0, 1.0)
        both = [np.where(known, values, np.nan) for values in pair]
        means = [
            estimates({name: values}, seed=seed, resamples=resamples, ranges=limits_of).get(name)
            for values, limits_of, seed in zip(both, ranges, seeds, strict=True)
        ]
        change = paired_change(both[1] - both[0], seed=seeds[0], resamples=resamples, limits=limits)
        return {"values": [document_of(mean) for mean in means], "change": document_of(change)}

    by_k = [k for k in found[0] if k.startswith("pass@") and k in found[1]]
    named = {shown: figure(name) for name, shown in _FIGURES.items()}
    return {**named, "passAtK": {name.removeprefix("pass@"): figure(name) for name in by_k}}


def _reasons(figures: Mapping[str, Any]) -> dict[str, str]:
    """Why a figure is null."""
    return {
        name: _NO_ANSWERS if None in each["values"] else "fewer than two shared prompts have it in both runs"
        for name, each in figures.items()
        if name != "passAtK" and each["change"] is None
    }


def _named(side: Side) -> dict[str, Any]:
    return {"name": side.handle.run.metadata.name, "uri": side.handle.uri, "model": side.model}
