"""Samples before the judges: what `verify`, `resample` and `evaluate` share of checking answers and scoring samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from selfimprove.api.selecting import OtherModel
from selfimprove.api.spec import Spec
from selfimprove.filtering import GROUND_TRUTH, methods_of
from selfimprove_workers.chat import lint_verifier
from selfimprove_workers.context import StepContext
from selfimprove_workers.models import VERIFIER
from selfimprove_workers.prompts import PromptRow
from selfimprove_workers.sampling import Plan
from selfimprove_workers.tasks.base import Check
from selfimprove_workers.verifiers import verifier_for
from selfimprove_workers.verifiers.base import Candidate, LabelReader, MethodScore, Tools, Verifier
from selfimprove_workers.verifiers.ground_truth import GroundTruth

SAMPLE_COLUMNS = ["prompt", "sample", "text", "prompt_tokens", "tokens", "prefix_length", "logprob_sum", "finish"]
"""What of a SAMPLE row a judge may look at."""


CRITIQUE_TOKENS = "critiqueTokens"
"""What critiques came to is counted under this name, beside what the samples did."""

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Judge:
    """One verification method of the spec, ready to score."""

    name: str
    """The method column of its rows."""
    verifier: Verifier
    source: OtherModel | None = None
    """Another model than the run's own, where the method asks for one."""


def judges_of(spec: Spec) -> list[Judge]:
    """The methods of a spec. Raises `UserError` for one that is not built yet or set up wrongly."""
    return [Judge(name, verifier_for(method), method.verifier) for name, method in methods_of(spec).items()]


@dataclass(frozen=True)
class Scored:
    """SCORE rows of whole prompts. A row has, beside its columns, what is counted of it (`unparsed` and `tokens`) and
    `critiques`, its VOTE rows."""

    rows: Rows
    prompts: int

    @property
    def counts(self) -> dict[str, int]:
        """How many samples got which verdict, how many no score by which method, and what the critiques came to."""
        counts = Counter(row["verdict"] for row in self.rows if row["verdict"] is not None)
        counts.update(f"noScore.{row['method']}" for row in self.rows if row["score"] is None)
        return {**counts, **critique_counts(self.rows)}

    @property
    def votes(self) -> Rows:
        """VOTE rows of the critiques that the scores come from."""
        return [vote for row in self.rows for vote in row["critiques"]]


def critique_counts(rows: Rows) -> dict[str, int]:
    """Critiques that say nothing, by method, and tokens of all of them; empty where there are none."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts.update({f"unparsed.{row['method']}": row["unparsed"], CRITIQUE_TOKENS: row["tokens"]})
    return {name: count for name, count in counts.items() if count}


def judging_settings(context: StepContext, names: Collection[str] | None = None) -> dict[str, Any]:
    """What scores depend on beside the samples, for a manifest: which other models, how critiques are drawn, the seed.

    Of all methods, or of those of these names. Empty where none asks another model or draws anything: scores of a
    model's own labels depend on none of it.
    """
    judges = [judge for judge in judges_of(context.spec) if names is None or judge.name in names]
    others = {judge.name: context.models.verifier_identity(judge.source) for judge in judges if judge.source}
    settings: dict[str, Any] = {"verifiers": others} if others else {}
    if any(judge.verifier.draws for judge in judges):
        settings["critiques"] = vars(_critiques(context.spec))
    if any(judge.verifier.draws or judge.verifier.compares for judge in judges if judge.verifier.needs_model):
        settings["judgingSeed"] = context.spec.seed
    return settings


def check_judges(context: StepContext) -> None:
    """Look over whom the methods ask, before any weight is loaded. Raises `UserError` for what can't be asked so."""
    for judge in judges_of(context.spec):
        if not judge.verifier.needs_model:
            continue
        if judge.source is None:
            tokenizer = context.models.tokenizer(context.model_folder(context.sampling_iteration))
        else:
            context.models.check_verifier_engine(judge.source)
            tokenizer = context.models.verifier_tokenizer(judge.source)
            kwargs = context.spec.generation.chat_template_kwargs
            lint_verifier(tokenizer, context.prompts, kwargs, f"{VERIFIER}.chatTemplate")
        if isinstance(judge.verifier, LabelReader):
            judge.verifier.check(tokenizer)


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
        scores = GroundTruth().score(self.tools(None), graded)
        return [
            _row(candidate, GROUND_TRUTH, score, candidate.check)
            for candidate, score in zip(graded, scores, strict=True)
        ]

    def score_rows(self, judge: Judge, batch: Sequence[Candidate]) -> list[dict[str, Any]]:
        """SCORE rows of one method, one for each sample. `batch` holds all samples of each of its prompts."""
        scores = judge.verifier.score(self.tools(judge.source), batch)
        return [self.row(judge, candidate, score) for candidate, score in zip(batch, scores, strict=True)]

    def row(self, judge: Judge, candidate: Candidate, score: MethodScore) -> dict[str, Any]:
        """The SCORE row of one score."""
        return _row(candidate, judge.name, score)

    def tools(self, source: OtherModel | None) -> Tools:
        """What a method may use that asks this model, or (None) the run's own."""
        context = self._context
        engine = context.engine if source is None else partial(context.models.verifier_engine, source)
        return Tools(
            engine=engine,
            own=source is None,
            template_kwargs=context.spec.generation.chat_template_kwargs,
            grading=self._grading,
            seed=context.seed,
            request=_critiques(context.spec).request,
            stop_if_asked=context.stop_if_asked,
        )

    def _candidate(self, row: Mapping[str, Any]) -> Candidate:
        prompt, task = self._prompts[row["prompt"]], self._context.task
        truncated = row["finish"] == "length" and not self._accept_truncated
        # the check may read a text by what its gold is (a number, a name), and a vote is taken without a gold
        answer = None if truncated else task.extract(row["text"], prompt.extra)
        return Candidate(
            prompt=prompt.id,
            sample=row["sample"],
            messages=prompt.messages,
            text=row["text"],
            prompt_tokens=row["prompt_tokens"],
            tokens=row["tokens"],
            prefix_length=row["prefix_length"],
            logprob_sum=row["logprob_sum"],
            check=self._check(prompt, row["text"], truncated),
            answer=answer,
        )

    def _check(self, prompt: PromptRow, text: str, truncated: bool) -> Check | None:
        """The verdicts; None where no gold answer is known. A Gym task's scorer may know what its prompt does not."""
        if prompt.answer is None and self._context.task.name != "Gym":
            return None
        return self._context.task.check(text, prompt.answer or "", prompt.extra, truncated)


def _critiques(spec: Spec) -> Plan:
    """As plain samples are drawn, but that stop strings are made for answers."""
    return replace(Plan.of_generation(spec), samples=1, stop=())


def _row(candidate: Candidate, method: str, score: MethodScore, check: Check | None = None) -> dict[str, Any]:
    whose = {"prompt": candidate.prompt, "sample": candidate.sample, "method": method}
    return {
        **whose,
        "score": score.score,
        "mass": score.mass,
        "unparsed": score.unparsed,
        "tokens": score.tokens,
        "critiques": [{**whose, "vote": vote, **said._asdict()} for vote, said in enumerate(score.critiques)],
        "verdict": check.flexible.value if check else None,
        "strict_verdict": check.strict.value if check else None,
        "answer": check.answer if check else None,
    }
