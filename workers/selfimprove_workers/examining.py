"""Samples before the judges: what `verify`, `resample` and `evaluate` share of checking answers and scoring samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from selfimprove.api.source import ModelSource
from selfimprove.api.spec import Spec
from selfimprove_workers.context import StepContext
from selfimprove_workers.judging import GROUND_TRUTH, methods_of
from selfimprove_workers.models import model_folder
from selfimprove_workers.prompts import PromptRow
from selfimprove_workers.tasks.base import Check
from selfimprove_workers.verifiers import verifier_for
from selfimprove_workers.verifiers.base import Candidate, Tools, Verifier
from selfimprove_workers.verifiers.ground_truth import GroundTruth

SAMPLE_COLUMNS = ["prompt", "sample", "text", "prompt_tokens", "tokens", "prefix_length", "logprob_sum", "finish"]
"""What of a SAMPLE row a judge may look at."""


@dataclass(frozen=True)
class Judge:
    """One verification method of the spec, ready to score."""

    name: str
    """The method column of its rows."""
    verifier: Verifier
    source: ModelSource | None = None
    """Another model than the run's own, where the method asks for one."""


def judges_of(spec: Spec) -> list[Judge]:
    """The methods of a spec. Raises `UserError` for one that is not built yet or set up wrongly."""
    return [Judge(name, verifier_for(method), method.verifier) for name, method in methods_of(spec).items()]


class Examiner:
    """Checks and scores samples of a step's own prompts."""

    def __init__(self, context: StepContext) -> None:
        self._context = context
        self._prompts = {prompt.id: prompt for prompt in context.prompts}
        self._grading = context.spec.dataset.grading
        self._accept_truncated = context.spec.selection.accept_truncated

    def candidates(self, rows: Sequence[Mapping[str, Any]]) -> list[Candidate]:
        """SAMPLE rows, with `SAMPLE_COLUMNS` at least, as the methods see them: their answers checked."""
        if self._context.task.at_once == 1:
            return [self._candidate(row) for row in rows]
        with ThreadPoolExecutor(self._context.task.at_once) as threads:
            return list(threads.map(self._candidate, rows))

    def verdict_rows(self, batch: Sequence[Candidate]) -> list[dict[str, Any]]:
        """SCORE rows of the task's verdicts, for the samples whose prompt has a gold answer."""
        graded = [candidate for candidate in batch if candidate.graded]
        scores = GroundTruth().score(self._tools(None), graded)
        return [
            _row(candidate, GROUND_TRUTH, score.score, None, candidate.check)
            for candidate, score in zip(graded, scores, strict=True)
        ]

    def score_rows(self, judge: Judge, batch: Sequence[Candidate]) -> list[dict[str, Any]]:
        """SCORE rows of one method, one for each sample. `batch` holds all samples of each of its prompts."""
        scores = judge.verifier.score(self._tools(judge.source), batch)
        return [_row(c, judge.name, score.score, score.mass) for c, score in zip(batch, scores, strict=True)]

    def _candidate(self, row: Mapping[str, Any]) -> Candidate:
        prompt, task = self._prompts[row["prompt"]], self._context.task
        truncated = row["finish"] == "length" and not self._accept_truncated
        check = self._check(prompt, row["text"], truncated)
        return Candidate(
            prompt=prompt.id,
            sample=row["sample"],
            messages=prompt.messages,
            text=row["text"],
            prompt_tokens=row["prompt_tokens"],
            tokens=row["tokens"],
            prefix_length=row["prefix_length"],
            logprob_sum=row["logprob_sum"],
            check=check,
            answer=None if truncated else check.answer if check else task.extract(row["text"], prompt.extra),
        )

    def _check(self, prompt: PromptRow, text: str, truncated: bool) -> Check | None:
        """The verdicts; None where no gold answer is known. A Gym task's scorer may know what its prompt does not."""
        if prompt.answer is None and self._context.task.name != "Gym":
            return None
        return self._context.task.check(text, prompt.answer or "", prompt.extra, truncated)

    def _tools(self, source: ModelSource | None) -> Tools:
        context = self._context
        if source is None:
            return Tools(context.engine, True, context.spec.generation.chat_template_kwargs, self._grading)
        folder = partial(model_folder, source, context.spec.storage, "spec.verification.methods.verifier")
        return Tools(lambda: context.models.engine(folder()), own=False, grading=self._grading)


def _row(
    candidate: Candidate, method: str, score: float | None, mass: float | None, check: Check | None = None
) -> dict[str, Any]:
    return {
        "prompt": candidate.prompt,
        "sample": candidate.sample,
        "method": method,
        "score": score,
        "mass": mass,
        "verdict": check.flexible.value if check else None,
        "strict_verdict": check.strict.value if check else None,
        "answer": check.answer if check else None,
    }
