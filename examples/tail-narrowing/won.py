"""What an arm won on the prompts that plain sampling left uncovered, what that cost, and what training made of it.

Every figure of two arms is paired by prompt: all arms have the same prompts and the same plain samples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from sound import is_sound

from selfimprove.artifacts import Manifest, Part, load_ledger, read_rows, require_manifest
from selfimprove.details import training_details
from selfimprove.gathering import gather, gather_checked
from selfimprove.measures import (
    Difficulty,
    Table,
    columns,
    difficulty_of,
    estimates,
    hard_share,
    hard_share_change,
    paired_change,
    paired_difference,
    pass_rate,
    scaled_target,
    table_of,
    tail_prompts,
)
from selfimprove.measures.bootstrap import expanded_tail, resample
from selfimprove.measures.perprompt import covered, member
from selfimprove.measures.table import Floats, Ints
from selfimprove.records import DECISION, EXAMPLE, PROMPT, SAMPLE
from selfimprove.run_record import read_record
from selfimprove.store import Store, open_store
from selfimprove_workers.choosing import ACCEPTED
from selfimprove_workers.consulting import CRITIQUE
from selfimprove_workers.guidance.base import Leak

VANILLA, BASELINE = "None", "BruteForce"
SOUND, PLAINLY, REASONED = "sound", "plainly", "reasoned"
"""Tests of what was won: its arithmetic is true; the leak probe's answer held, asked plainly or from its reasoning."""
PROBES = {"LeakProbe": PLAINLY, "LeakProbeReasoned": REASONED}
LEAKS = tuple(leak.value for leak in Leak)
SEED, RESAMPLES = 0, 10_000


@dataclass(frozen=True)
class Won:
    """What guidance brought for U prompts, each looked at until the first of its samples that counts."""

    tokens: Floats
    """[U] Sampled until then, the teacher's too; the leak probe's left out."""
    won: Floats
    """[U] 1 where a sample counted."""
    texts: dict[str, str]
    """Prompt -> that sample."""
    tried: int
    """Samples until then, of all U prompts."""


@dataclass(frozen=True)
class Arm:
    """One run. U: the training prompts without an accepted plain sample, the same in all arms, in one order."""

    store: Store
    accepted: Won
    right: Won
    """With right answers that were dropped as leaks among what counts."""
    asked: dict[str, Floats]
    """Test -> [U] 1 where it was made."""
    passed: dict[str, Floats]
    """Test -> [U] 1 where it was passed."""
    training: tuple[str, ...]
    """Ids of all training prompts."""
    examples: dict[str, Ints]
    """`plain` and `guided` -> [training] examples that are trained on."""
    difficulty: Difficulty | None
    counts: dict[str, int]
    """What `resample` counted."""

    def held_out(self, n: int) -> Table:
        """The held-out samples of M_n."""
        found = gather_checked(self.store, [step(self.store, f"i{n:03d}/evaluate")], ())
        return table_of([found.ids[at] for at in found.prompt], found.utility)

    @property
    def measured(self) -> list[int]:
        """n of the models M_1, M_2, ... that were measured."""
        return load_ledger(self.store).measured_iterations()[1:]

    @property
    def target(self) -> int:
        """Of `resampling.target`, what it comes to of the samples that a held-out prompt gets."""
        record = read_record(self.store)
        assert record is not None
        spec = record.resolved
        drawn, reference = spec.evaluation.samples_per_prompt, spec.generation.samples_per_prompt
        return scaled_target(spec.resampling.target, samples=drawn, reference=reference)


def plain_samples(folder: Path, steps: Sequence[str]) -> list[str]:
    """sha256 of what a run sampled in these steps."""
    store = open_store(str(folder))
    return [part.sha256 for name in steps for part in step(store, name).parts]


def arm_of(folder: Path) -> Arm:
    """Read iteration 1 of a run."""
    store = open_store(str(folder))
    plain = gather(store, step(store, "i001/generate").parts, step(store, "i001/verify").parts, ())
    passed = (plain.utility == 1) & ~plain.truncated
    counts = np.bincount(plain.prompt[passed], minlength=len(plain.ids))
    uncovered = [plain.ids[at] for at in np.flatnonzero(counts == 0)]
    guided = step(store, "i001/resample") if (folder / "i001/resample").exists() else None
    accepted, right = (_won(store, guided, uncovered, reasons) for reasons in ((ACCEPTED,), (ACCEPTED, *LEAKS)))
    tests = {SOUND: {prompt: is_sound(text) for prompt, text in accepted.texts.items()}, **_probes(store, guided)}
    return Arm(
        store=store,
        accepted=accepted,
        right=right,
        asked={test: _marks(uncovered, found) for test, found in tests.items()},
        passed={test: _marks(uncovered, [each for each in found if found[each]]) for test, found in tests.items()},
        training=tuple(plain.ids),
        examples=_examples(store, plain.ids),
        difficulty=_difficulty(store, plain.ids, table_of([plain.ids[at] for at in plain.prompt], plain.utility)),
        counts=dict(guided.summary["counts"]) if guided else {},
    )


def best_of(arms: Mapping[str, Arm]) -> str:
    """The strategy that newly covered most prompts per token."""
    won = {name: arm.accepted for name, arm in arms.items() if name != VANILLA}
    return max(won, key=lambda name: won[name].won.sum() / won[name].tokens.sum())


def document_of(arms: Mapping[str, Arm]) -> dict[str, Any]:
    """All figures as JSON values."""
    first = arms[VANILLA]
    levels = training_details(first.store, 1).levels
    return {
        "training": len(first.training),
        "uncovered": len(first.accepted.won),
        "levels": levels.to_json() if levels else None,
        "baseline": _held_out(first, 0, first),
        "arms": {name: _arm(name, arms) for name in arms},
        "iterations": {
            name: {n: _held_out(arm, n, first) | {"versusVanilla": _versus(arm, n, first)} for n in arm.measured}
            for name, arm in arms.items()
            if arm.measured[1:]
        },
    }


def _arm(name: str, arms: Mapping[str, Arm]) -> dict[str, Any]:
    arm, first = arms[name], arms[VANILLA]
    document = {
        "counts": arm.counts,
        "heldOut": _held_out(arm, 1, first) if arm.measured else None,
        "versusVanilla": _versus(arm, 1, first),
        "examples": _levels(arm, first),
    }
    if name != VANILLA:
        baseline = arms[BASELINE]
        document["won"] = _cost(arm.accepted, baseline.accepted)
        document["right"] = _cost(arm.right, baseline.right)
        document["survivors"] = {test: _survivors(arm, baseline, test) for test in arm.asked}
    return document


def _survivors(arm: Arm, baseline: Arm, test: str) -> dict[str, Any] | None:
    """What a prompt cost that passed a test as well; None where nothing was tested so."""
    if not arm.asked[test].any():
        return None
    passed, there = (replace(each.accepted, won=each.accepted.won * each.passed[test]) for each in (arm, baseline))
    return {**_cost(passed, there), "asked": int(arm.asked[test].sum())}


def _cost(won: Won, baseline: Won) -> dict[str, Any]:
    """Tokens for one prompt that was won, and that against what the baseline paid, if it won any.

    null: endless, since none was won.
    """

    def per_prompt(sums: Floats) -> Floats:
        return _divide(sums[:, 0], sums[:, 1])

    def ratio(sums: Floats) -> Floats:
        return _divide(sums[:, 0] * sums[:, 3], sums[:, 1] * sums[:, 2])

    values = np.stack([won.tokens, won.won, baseline.tokens, baseline.won], axis=1)
    return {
        "tried": won.tried,
        "tokens": int(won.tokens.sum()),
        "won": int(won.won.sum()),
        "covered": _mean(won.won),
        "cost": _interval(values, per_prompt),
        "ratio": _interval(values, ratio) if baseline.won.any() else None,
    }


def _interval(values: Floats, statistic: Callable[[Floats], Floats]) -> dict[str, float | None]:
    """A statistic of the sums of [U, m] over prompts, with its 95% interval by a bootstrap over prompts."""
    drawn = np.sort(statistic(resample(lambda counts: counts @ values, len(values), SEED, RESAMPLES)))
    cut = int(expanded_tail(len(values), 0.95) * RESAMPLES)
    found = {"value": statistic(values.sum(axis=0)[None])[0], "low": drawn[cut], "high": drawn[-1 - cut]}
    return {name: float(each) if np.isfinite(each) else None for name, each in found.items()}


def _divide(above: Floats, below: Floats) -> Floats:
    found: Floats = np.divide(above, below, out=np.full(above.shape, np.inf), where=below > 0)
    return found


def _held_out(arm: Arm, n: int, first: Arm) -> dict[str, Any]:
    """Accuracy of M_n, and its coverage of M_0's tail."""
    found = estimates(columns(arm.held_out(n), tail_prompts(first.held_out(0), first.target)), seed=SEED)
    return {"accuracy": found["accuracy"].to_json(), "tailCoverage": found["tail_coverage"].to_json()}


def _versus(arm: Arm, n: int, first: Arm) -> dict[str, Any] | None:
    """M_n of an arm less that of the vanilla loop, paired by prompt; the tail is M_0's. None where one is not there."""
    if arm is first or n not in arm.measured or n not in first.measured:
        return None
    now, then = arm.held_out(n), first.held_out(n)
    tail = member(now, tail_prompts(first.held_out(0), first.target))
    accuracy = paired_difference(now, then, 1, seed=SEED)
    coverage = paired_change((covered(now) - covered(then))[tail], seed=SEED)
    return {
        "accuracy": accuracy.to_json() if accuracy else None,
        "tailCoverage": coverage.to_json() if coverage else None,
    }


def _levels(arm: Arm, first: Arm) -> dict[str, Any]:
    """What trains by level, and the share of the hard ones."""
    both = arm.examples["plain"] + arm.examples["guided"]
    found: dict[str, Any] = {name: int(counts.sum()) for name, counts in arm.examples.items()}
    found["prompts"] = int((both > 0).sum())
    if arm.difficulty is None:
        return found
    share = hard_share(arm.difficulty, both, seed=SEED)
    change = hard_share_change(arm.difficulty, both, first.examples["plain"], seed=SEED) if arm is not first else None
    return {
        **found,
        "byLevel": arm.difficulty.count(both).tolist(),
        "hardShare": share.to_json() if share else None,
        "hardShareChange": change.to_json() if change else None,
    }


def _mean(values: Floats) -> dict[str, Any]:
    return estimates({"mean": values}, seed=SEED)["mean"].to_json()


def _won(store: Store, guided: Manifest | None, uncovered: Sequence[str], reasons: Collection[str]) -> Won:
    """What counts is what was decided for one of these reasons."""
    if guided is None:
        return Won(np.zeros(len(uncovered)), np.zeros(len(uncovered)), {}, 0)
    decisions = _rows(store, guided.tables["decision"], DECISION, ("prompt", "sample", "reason"))
    counting = {(row["prompt"], row["sample"]) for row in decisions if row["reason"] in reasons}
    samples = _rows(store, guided.parts, SAMPLE, ("prompt", "sample", "round", "text", "tokens", "prefix_length"))
    critiques = _rows(store, guided.tables.get("critique", []), CRITIQUE, ("prompt", "round", "tokens"))
    first: dict[str, dict[str, Any]] = {}
    for row in sorted(samples, key=itemgetter("round")):
        if (row["prompt"], row["sample"]) in counting:
            first.setdefault(row["prompt"], row)
    spent, tried = Counter[str](), 0
    for row in [*samples, *critiques]:
        prompt, is_sample = row["prompt"], "sample" in row
        if row["round"] <= first.get(prompt, row)["round"]:
            spent[prompt] += len(row["tokens"]) - row["prefix_length"] if is_sample else row["tokens"]
            tried += is_sample and prompt in uncovered
    texts = {prompt: first[prompt]["text"] for prompt in uncovered if prompt in first}
    tokens = np.array([spent[prompt] for prompt in uncovered], dtype=np.float64)
    return Won(tokens, _marks(uncovered, texts), texts, tried)


def _probes(store: Store, guided: Manifest | None) -> dict[str, dict[str, bool]]:
    """Kind of probe -> prompt -> whether its answer held."""
    found: dict[str, dict[str, bool]] = {kind: {} for kind in PROBES.values()}
    fields = ("prompt", "strategy", "verdict", "finish")
    for row in _rows(store, guided.tables.get("probe", []), SAMPLE, fields) if guided else []:
        found[PROBES[row["strategy"]]][row["prompt"]] = row["verdict"] == "Correct" and row["finish"] == "stop"
    return found


def _examples(store: Store, training: Sequence[str]) -> dict[str, Ints]:
    rows = _rows(store, step(store, "i001/select").parts, EXAMPLE, ("prompt", "strategy"))
    counts = {
        "plain": Counter(row["prompt"] for row in rows if not row["strategy"]),
        "guided": Counter(row["prompt"] for row in rows if row["strategy"]),
    }
    return {kind: np.array([found[prompt] for prompt in training], dtype=np.int64) for kind, found in counts.items()}


def _difficulty(store: Store, training: Sequence[str], plain: Table) -> Difficulty | None:
    rows = _rows(store, require_manifest(store, "prompts")[0].tables["train"], PROMPT, ("prompt", "level", "rationale"))
    known = {row["prompt"]: row for row in rows}
    rate = dict(zip(plain.ids, pass_rate(plain), strict=True))
    return difficulty_of(
        [known[prompt]["level"] for prompt in training],
        [known[prompt]["rationale"] for prompt in training],
        np.array([rate[prompt] for prompt in training]),
    )


def _marks(prompts: Sequence[str], chosen: Collection[str]) -> Floats:
    return np.array([prompt in chosen for prompt in prompts], dtype=np.float64)


def _rows(store: Store, parts: Sequence[Part], schema: pa.Schema, fields: Sequence[str]) -> list[dict[str, Any]]:
    return [row for batch in read_rows(store, parts, schema, fields) for row in batch.to_pylist()]


def step(store: Store, name: str) -> Manifest:
    """What a step committed. Raises `FailedError` where it did not."""
    return require_manifest(store, f"{name}/00000")[0]
