"""Samples as a person asks for them: joined with their scores and with what became of them, prompt by prompt.

Only the rows of the prompts that are shown are ever held, so that a run of any size can be read.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc

from selfimprove.api.execution import StepName
from selfimprove.api.spec import Spec
from selfimprove.artifacts import PROMPTS, Manifest, Part, read_manifest, read_rows, step_folder
from selfimprove.cli.filters import Filter
from selfimprove.cli.reasons import with_reasons
from selfimprove.errors import UserError
from selfimprove.ledger import Ledger, StepId
from selfimprove.records import DECISION, GIVEN, PROMPT, SAMPLE, SCORE, VOTE
from selfimprove.store.base import Store

Row = dict[str, Any]
Key = tuple[str, int]

_SHOWN = [
    "prompt",
    "sample",
    "strategy",
    "round",
    "text",
    "prefix_length",
    "finish",
    "verdict",
    "strict_verdict",
    "answer",
]
_DRAWING = ("generate", "resample", "evaluate")
CRITICAL = ("verify", "evaluate")
"""The steps whose samples are shown with the critiques of them."""
_VERDICT = ["verdict", "strict_verdict", "answer"]


@dataclass(frozen=True)
class Reader:
    """The samples of one step of one iteration."""

    store: Store
    spec: Spec
    ledger: Ledger
    wanted: Filter

    @cached_property
    def iteration(self) -> int:
        """The iteration that is read. Raises `UserError` when it has no such samples."""
        have = sorted({step.iteration for step in self.ledger.committed if self._is_wanted(step)})
        if not have:
            raise UserError(f"--step: {self.store.uri} has no samples of {self.wanted.step} yet; run it first")
        if self.wanted.iteration is not None and self.wanted.iteration not in have:
            raise UserError(f"--iteration: {self._elsewhere(self.wanted.iteration, have)}")
        return have[-1] if self.wanted.iteration is None else self.wanted.iteration

    def _elsewhere(self, asked: int, have: Sequence[int]) -> str:
        """What there is instead: the iterations that have such samples, and the steps of the one that was asked for."""
        iterations = f"{'iteration' if len(have) == 1 else 'iterations'} {', '.join(map(str, have))}"
        missing = f"{asked} has no samples of {self.wanted.step}; there are those of {iterations}"
        committed = {step.step for step in self.ledger.committed if step.iteration == asked and not step.split}
        others = " and ".join(f"--step {name}" for name in _DRAWING if name in committed)
        return f"{missing}; iteration {asked} only has {others}" if others else missing

    def prompts(self) -> list[Row]:
        """Each prompt with its samples, at most `limit` of them. Raises `UserError` for an id that is not there."""
        ids = self._ids()
        if self.wanted.prompt and not ids:
            raise UserError(f"--prompt: {self.wanted.prompt} has no samples here; run without --prompt to see ids")
        asked = {row["prompt"]: row for row in self._prompt_rows(ids)}
        samples = self._samples(ids)
        return [{**asked.get(id, {"prompt": id}), "samples": samples[id]} for id in ids]

    def _is_wanted(self, step: StepId) -> bool:
        return step.step == self.wanted.step and not step.split

    def _ids(self) -> list[str]:
        if self.wanted.prompt:
            present = self._rows(self._parts(), SAMPLE, ["prompt"], [self.wanted.prompt])
            return [self.wanted.prompt] if next(present, None) else []
        names = self._tail() if self.wanted.tail else self._names()
        return [name for _, name in zip(range(self.wanted.limit), names, strict=False)]

    def _names(self) -> Iterator[str]:
        """Prompt ids in the order of their first sample; resample comes back to a prompt round after round."""
        seen: set[str] = set()
        for batch in read_rows(self.store, self._parts(), SAMPLE, ["prompt"]):
            names = [name for name in pc.unique(batch["prompt"]).to_pylist() if name not in seen]
            seen.update(names)
            yield from names

    def _tail(self) -> list[str]:
        """The prompts with fewer accepted plain samples than the target, scaled by what a held-out prompt gets."""
        accepted: Counter[str] = Counter()
        verdicts, column = self._verdicts(), self._counted
        for row in self._rows(self._parts(), SAMPLE, ["prompt", "sample", column], None):
            verdict = row[column] or verdicts.get((row["prompt"], row["sample"]))
            accepted[row["prompt"]] += verdict == "Correct"
        return [name for name, count in accepted.items() if count < self._target()]

    @property
    def _counted(self) -> str:
        """The verdict that is the utility."""
        return "strict_verdict" if self.spec.dataset.grading == "Strict" else "verdict"

    def _target(self) -> float:
        target = float(self.spec.resampling.target)
        if self.wanted.step != "evaluate":
            return target
        return target * self.spec.evaluation.samples_per_prompt / self.spec.generation.samples_per_prompt

    def _verdicts(self) -> dict[Key, str]:
        if self.wanted.drawn_by != "generate":
            return {}
        column = self._counted
        rows = self._rows(self._parts("verify"), SCORE, ["prompt", "sample", column], None)
        found = {(row["prompt"], row["sample"]): row[column] for row in rows if row[column]}
        if not found:
            raise UserError("--tail: needs samples with a verdict, and these have none; leave it out")
        return found

    def _samples(self, ids: Sequence[str]) -> Mapping[str, list[Row]]:
        scores, decisions, critiques = self._scores(ids), self._decisions(ids), self._critiques(ids)
        given = self._given(ids)
        found: dict[str, list[Row]] = defaultdict(list)
        for row in self._rows(self._parts(), SAMPLE, _SHOWN, ids):
            key = (row["prompt"], row["sample"])
            said = {"critiques": critiques[key]} if self.wanted.step in CRITICAL else {}
            begun = {"given": given[key]} if key in given else {}
            judged = _judged(row, scores[key])
            found[row.pop("prompt")].append({**row, **begun, **judged, **decisions.get(key, {}), **said})
        return defaultdict(list, {name: with_reasons(self.spec, rows) for name, rows in found.items()})

    def _scores(self, ids: Sequence[str]) -> Mapping[Key, list[Row]]:
        found: dict[Key, list[Row]] = defaultdict(list)
        for row in self._rows([*self._parts("verify"), *self._parts(table="score")], SCORE, None, ids):
            found[row["prompt"], row["sample"]].append(row)
        return found

    def _critiques(self, ids: Sequence[str]) -> Mapping[Key, list[Row]]:
        """What was said of each sample, by method and vote."""
        found: dict[Key, list[Row]] = defaultdict(list)
        step = cast(StepName, self.wanted.step)
        parts = self._parts(step, "critique") if step in CRITICAL else []
        for row in self._rows(parts, VOTE, None, ids):
            found[row.pop("prompt"), row.pop("sample")].append(row)
        return found

    def _given(self, ids: Sequence[str]) -> dict[Key, int]:
        """How many characters of a sample's text were given; nothing of runs before this was noted."""
        parts = self._parts("resample", "given") if self.wanted.step == "resample" else []
        return {(row["prompt"], row["sample"]): row["characters"] for row in self._rows(parts, GIVEN, None, ids)}

    def _decisions(self, ids: Sequence[str]) -> dict[Key, Row]:
        """What select decided, or, of guided samples that it has not seen yet, what resample did."""
        first = self._parts("resample", "decision") if self.wanted.step == "resample" else []
        parts = [] if self.wanted.step == "evaluate" else self._parts("select", "decision")
        return {
            (row["prompt"], row["sample"]): {
                "kept": row["weight"] > 0,
                "weight": row["weight"],
                "reason": row["reason"],
            }
            for row in self._rows([*first, *parts], DECISION, None, ids)
        }

    def _prompt_rows(self, ids: Sequence[str]) -> Iterator[Row]:
        found = read_manifest(self.store, PROMPTS)
        split = "heldOut" if self.wanted.step == "evaluate" else "train"
        parts = found[0].tables.get(split, []) if found else []
        for row in self._rows(parts, PROMPT, ["prompt", "messages", "answer", "level"], ids):
            yield {"prompt": row["prompt"], "level": row["level"], "gold": row["answer"], "messages": row["messages"]}

    def _parts(self, step: StepName | None = None, table: str = "") -> list[Part]:
        """The parts, or those of an extra table, of every committed shard of a step; verify has none of `evaluate`."""
        if step == "verify" and self.wanted.step == "evaluate":
            return []
        id = StepId(self.iteration, step or cast(StepName, self.wanted.drawn_by))
        manifests = (self._manifest(id, shard) for shard in sorted(self.ledger.committed.get(id, {})))
        return [part for m in manifests if m for part in (m.tables.get(table, []) if table else m.parts)]

    def _manifest(self, step: StepId, shard: int) -> Manifest | None:
        found = read_manifest(self.store, step_folder(step, shard))
        return found[0] if found else None

    def _rows(
        self, parts: Sequence[Part], schema: pa.Schema, columns: Sequence[str] | None, ids: Iterable[str] | None
    ) -> Iterator[Row]:
        wanted = None if ids is None else pa.array(list(ids), pa.string())
        for batch in read_rows(self.store, parts, schema, columns):
            kept = batch if wanted is None else batch.filter(pc.is_in(batch["prompt"], wanted))
            yield from kept.to_pylist()


def _judged(row: Row, scores: Iterable[Row]) -> Row:
    """The verdict, of the sample itself or of its ground-truth check, and the score of every method."""
    rows = list(scores)
    verdict = next((score for score in rows if score["verdict"]), row)
    found = row if row["verdict"] else verdict
    return {**{name: found[name] for name in _VERDICT}, "scores": {score["method"]: score["score"] for score in rows}}
