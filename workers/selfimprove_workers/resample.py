"""The resample step: guided attempts at the tail, round after round, until a prompt has enough accepted samples.

The second phase of guided self-improvement (arXiv 2411.00750), with what it left open made exact: one batch a round, a
prompt leaves the pool the moment it reaches the target, tokens are counted before they are spent, and a killed step
goes on inside the round where it stopped.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any

from selfimprove.api.execution import StepName
from selfimprove.artifacts import step_folder
from selfimprove.ledger import StepId
from selfimprove.seeds import derive_seed
from selfimprove.summaries import Summary
from selfimprove_workers.adapting import VERSION, Adaptive
from selfimprove_workers.aside import Aside
from selfimprove_workers.book import Book
from selfimprove_workers.committing import Outcome, Recipe, commit_step
from selfimprove_workers.consulting import Consultant
from selfimprove_workers.context import StepContext
from selfimprove_workers.examining import judges_of, judging_settings
from selfimprove_workers.guidance import strategies_for
from selfimprove_workers.guidance.lacking import has_reference
from selfimprove_workers.guidance.leaks import VERSION as LEAKS_VERSION
from selfimprove_workers.judging import absolute_rules
from selfimprove_workers.leak_probe import LeakProbe
from selfimprove_workers.lessons import Lessons
from selfimprove_workers.sampling import Plan
from selfimprove_workers.tail import TailPrompt, find_tail
from selfimprove_workers.teachers import check_teacher, teacher_for
from selfimprove_workers.turns import Course, Fixed, can_be_guided
from selfimprove_workers.tutoring import Tutor

_HOW_TO_REACH = {"api_url", "credentials_secret_name", "parallelism", "deadline_seconds"}
"""What of a teacher may change during a run: who it is, and so what it says, stays the same."""
_ELSEWHERE: dict[str, Any] = {"teacher": _HOW_TO_REACH, "template": True, "critique_template": True}
"""What the settings leave out; the digests of templates are in the strategies' versions."""

_log = logging.getLogger(__name__)

STEPS_BEFORE: tuple[StepName, StepName] = ("generate", "verify")


def run(context: StepContext) -> Summary:
    """Guide the model through this shard's tail. Raises `UserError` for rules that can't be followed."""
    began = time.monotonic()
    before = [StepId(context.step.iteration, name) for name in STEPS_BEFORE]
    generate, verify = (step_folder(step, context.shard) for step in before)
    (generated, made), (verified, judged) = (context.input(step, context.shard) for step in before)
    tail = find_tail(context, generated, verified, keep_plain=_compares(context))
    winnable = [prompt for prompt in tail if not prompt.is_hopeless]
    hopeless = {"unreadableGold": n} if (n := len(tail) - len(winnable)) else {}
    course = _course(context, winnable)
    pool = [prompt for prompt in winnable if can_be_guided(course, prompt)]
    lacking = {**hopeless, **_lacking(course, tail, len(pool))}
    recipe = Recipe({generate: made, verify: judged}, {**_settings(context, course), **hopeless})
    digest = recipe.digest(context)
    gives = any(strategy.needs_prefix for strategy in course.strategies)
    book, aside = Book(context, digest, gives), Aside(context, digest)
    unpaid = _guide(context, course, book, aside, pool)
    counts = {"tail": len(tail), **lacking, **book.counts, **unpaid}
    counts["mastered"] = sum(prompt.accepted >= context.spec.resampling.target for prompt in tail)
    outcome = Outcome(book.samples.parts, len(tail), book.tokens, counts, book.tables)
    return commit_step(context, recipe, outcome, began)


def _guide(
    context: StepContext, course: Course, book: Book, aside: Aside, pool: Sequence[TailPrompt]
) -> dict[str, int]:
    """Rounds, then the leak probe; how many prompts `maxTokens` did not last for in either, where there are any."""
    if not pool:
        return {}
    check_teacher(context)
    tutor, teacher = Tutor(context, aside), teacher_for(context, aside)
    consultant = Consultant(context, teacher, book.critiques)
    unpaid = {"outOfTokens": Lessons(context, course, book, consultant, tutor).give(pool)}
    teacher.end_step()
    if context.spec.resampling.leak_probe:
        unpaid["unprobed"] = LeakProbe(context, book, tutor).run(pool)
    if unprobed := unpaid.get("unprobed"):
        _log.warning("spec.resampling.leakProbe: no tokens are left to probe %d of the prompts won", unprobed)
    return {name: count for name, count in unpaid.items() if count}


def _compares(context: StepContext) -> bool:
    """Whether a rule of acceptance looks at a prompt's other samples too."""
    rules = absolute_rules(context.spec)
    return any(judge.verifier.compares for judge in judges_of(context.spec) if judge.name in rules)


def _course(context: StepContext, tail: Sequence[TailPrompt]) -> Course:
    tokenizer = context.models.tokenizer(context.model_folder(context.sampling_iteration))
    strategies = strategies_for(context.spec.resampling, tokenizer, context.task)
    if context.spec.resampling.strategy != "Adaptive":
        return Fixed(strategies[0])
    seed = derive_seed(context.spec.seed, context.split, context.step.iteration, "resample", "Adaptive")
    return Adaptive(strategies, tail, seed)


def _lacking(course: Course, tail: Sequence[TailPrompt], guided: int) -> dict[str, int]:
    """How many prompts that could be won no strategy can guide, by why; said in a line if any. `guided`: the others."""
    winnable = [prompt.prompt for prompt in tail if not prompt.is_hopeless]
    known = sum(any(has_reference(each, prompt) for each in course.strategies) for prompt in winnable)
    lacking = {"noReference": len(winnable) - known, "noPrefix": known - guided}
    if guided < len(winnable):
        strategy = course.strategies[0]
        what = "reference solution" if strategy.needs_rationale else "answer"
        _log.warning(
            "spec.resampling.strategy: %s leaves out %d of the %d prompts of the tail: %d have no %s, of %d it has no "
            "part to be shown that leaves the answer to be found",
            *(strategy.name, len(winnable) - guided, len(tail), lacking["noReference"], what, lacking["noPrefix"]),
        )
    return {name: count for name, count in lacking.items() if count or name == "noReference"}


def _settings(context: StepContext, course: Course) -> dict[str, Any]:
    """What the rows of this step depend on, beside its inputs."""
    spec = context.spec
    return {
        "resampling": spec.resampling.model_dump(mode="json", by_alias=True, exclude=_ELSEWHERE),
        "strategies": {strategy.name: strategy.version for strategy in course.strategies},
        **({"leaks": LEAKS_VERSION} if any(strategy.leaks for strategy in course.strategies) else {}),
        **({"course": VERSION} if spec.resampling.strategy == "Adaptive" else {}),
        "sampling": vars(Plan.of_generation(spec)),
        "seed": spec.seed,
        "grading": spec.dataset.grading,
        "acceptTruncated": spec.selection.accept_truncated,
        "rules": {name: rule.to_json() for name, rule in absolute_rules(spec).items()},
        "methods": {judge.name: judge.verifier.version for judge in judges_of(spec)},
        **judging_settings(context, absolute_rules(spec)),
    }
