"""The loop as one pure function: what is committed decides what comes next, or that it is over and why.

Every executor asks here and nowhere else, so a run may move between machines, lose its executor, or be looked at by
`plan`, and the answer is the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

from selfimprove import stopping
from selfimprove.api.execution import StepName
from selfimprove.api.spec import Spec
from selfimprove.ledger import Ledger, StepId
from selfimprove.numerals import counted
from selfimprove.verifier_drift import drift

MAP_STEPS: frozenset[StepName] = frozenset(("generate", "verify", "resample", "evaluate"))
"""Steps that run once a shard of the prompts; the others run once."""

BASE = -1
"""n of the model that `spec.model` names. M_0 is the same, unless `selection.seedTraining` makes another of it."""


@dataclass(frozen=True)
class Step:
    """A step to do now: its shards that are not committed, and why it is next."""

    id: StepId
    reason: str
    shards: int
    missing: tuple[int, ...]


@dataclass(frozen=True)
class Stop:
    """The end: the rule that fired after which iteration, and n of the best model M_n (0: the base model)."""

    rule: str
    iteration: int
    best: int
    succeeded: bool
    message: str


def next_step(spec: Spec, ledger: Ledger) -> Step | Stop:
    """The first step that is not wholly committed, or the end of the run (design section 2).

    Stop rules are judged at the last iteration that was measured: one that is edited later takes back none that is
    done. `suspend` is not looked at: whether a step may start now is the executor's business, which step it is ours.
    """
    last = max(ledger.measured_iterations(), default=0)
    for iteration in count():
        for step in steps_of(spec, iteration):
            if step.step == "distill" and (message := stopping.nothing_to_learn(spec, ledger, iteration)):
                return _end(spec, ledger, iteration, "NothingToLearn", message)
            if missing := _missing(spec, ledger, step):
                return _failed(spec, ledger, iteration) or _step(spec, ledger, step, missing)
        if iteration >= last and (rule := stopping.fired(spec, ledger, iteration)):
            return _end(spec, ledger, iteration, *rule)
    raise AssertionError("unreachable: maxIterations ends every run")


def steps_of(spec: Spec, iteration: int) -> list[StepId]:
    """The steps of an iteration in their order, as this spec wants them.

    Iteration 0 only looks at M_0, after training it on the reference solutions where `selection.seedTraining` says so.
    """
    if iteration == 0:
        seed: list[StepName] = [] if spec.selection.seed_training == "None" else ["distill"]
        looks: list[StepName] = ["evaluate", "measure"]
        return [StepId(0, name) for name in (*seed, *looks)]
    resample: list[StepName] = [] if spec.resampling.strategy == "None" else ["resample"]
    names: list[StepName] = ["generate", "verify", *resample, "select", "distill", "evaluate", "measure"]
    return [StepId(iteration, name) for name in names]


def shards_of(spec: Spec, step: StepId) -> int:
    """In how many shards a step runs."""
    return spec.generation.shards if step.step in MAP_STEPS else 1


def trains(spec: Spec, iteration: int) -> bool:
    """Whether M_n is a checkpoint of this run, and not the model that `spec.model` names."""
    return iteration > 0 or (iteration == 0 and spec.selection.seed_training != "None")


def adopts(spec: Spec, step: StepId) -> bool:
    """Whether another run did a step that this one takes over. The test set is looked at once more."""
    return spec.resume_from is not None and step.iteration <= spec.resume_from.iteration and not step.split


@dataclass(frozen=True)
class Left:
    """What is still to come if no rule but maxIterations fires, as far as what is committed can tell."""

    iterations: int
    """Iterations that are not done, the current one included."""
    samples: int
    tokens: int
    unknown: tuple[str, ...]
    """Kinds of steps to come of which nobody knows what they cost: `samples` and `tokens` are without them."""


SAMPLING: frozenset[StepName] = frozenset(("generate", "resample", "evaluate"))
"""Steps whose rows are samples."""


Cost = Callable[[Ledger, StepName, str], tuple[float, float] | None]
"""Samples and tokens that a shard of a kind of step (its name and split) comes to; None where nobody knows."""


def mean_cost(ledger: Ledger, name: StepName, split: str) -> tuple[float, float] | None:
    """What committed shards of this kind of step came to on average; None while there is none."""
    like = [s for id, shards in ledger.committed.items() if id[1:] == (name, split) for s in shards.values()]
    if not like:
        return None
    rows = sum(summary.rows for summary in like) if name in SAMPLING else 0
    return rows / len(like), sum(summary.tokens for summary in like) / len(like)


def left(spec: Spec, ledger: Ledger, cost: Cost = mean_cost) -> Left:
    """What is left in samples and tokens."""
    if isinstance(next_step(spec, ledger), Stop):
        return Left(0, 0, 0, ())
    todo: Counter[tuple[StepName, str]] = Counter()
    iterations = set()
    for step, missing in _remaining(spec, ledger):
        todo[step.step, step.split] += len(missing)
        iterations.add(step.iteration)
    costs = {kind: cost(ledger, *kind) for kind in todo}
    samples = sum(todo[kind] * each[0] for kind, each in costs.items() if each)
    tokens = sum(todo[kind] * each[1] for kind, each in costs.items() if each)
    unknown = tuple("-".join(filter(None, kind)) for kind, each in costs.items() if each is None)
    return Left(len(iterations - {0}), round(samples), round(tokens), unknown)


def too_often(failures: int, limit: int, last: str) -> str:
    """Why a step failed whose every try did. `last`: what the last one said."""
    times = "once" if failures == 1 else f"{failures} times"
    return f"failed {times}, more than execution.backoffLimit {limit}; the last time: {last}"


def _remaining(spec: Spec, ledger: Ledger) -> Iterator[tuple[StepId, tuple[int, ...]]]:
    """Every step up to maxIterations that is still to be done, with its missing shards."""
    best = stopping.best_iteration(ledger)
    for iteration in range(spec.max_iterations + 1):
        steps = steps_of(spec, iteration)
        if iteration == spec.max_iterations and spec.dataset.test:
            steps += _test_steps(best)
        for step in steps:
            if (missing := _missing(spec, ledger, step)) and not adopts(spec, step):
                yield step, missing


def _missing(spec: Spec, ledger: Ledger, step: StepId) -> tuple[int, ...]:
    done = ledger.shards_done(step)
    return tuple(shard for shard in range(shards_of(spec, step)) if shard not in done)


def _end(spec: Spec, ledger: Ledger, iteration: int, rule: str, message: str) -> Step | Stop:
    """The end, after the last look at the test set when there is one and there is something to look at.

    A run that kept nothing to train on in its first iteration has no result and fails; later, the best so far is one.
    """
    best = stopping.best_iteration(ledger)
    if rule == "NothingToLearn" and iteration == 1:
        return Stop(rule, iteration, best, False, message)
    if spec.dataset.test:
        for step in _test_steps(best):
            if missing := _missing(spec, ledger, step):
                reason = f"{rule} ended the loop after iteration {iteration}; {_test_reason(step, best)}"
                return _failed_step(spec, ledger, step) or _step(spec, ledger, step, missing, reason)
    return Stop(rule, iteration, best, True, f"{message}; {stopping.result(ledger)}")


def _test_steps(best: int) -> list[StepId]:
    models = sorted({0, best})
    return [*(StepId(n, "evaluate", "test") for n in models), StepId(best, "measure", "test")]


def _test_reason(step: StepId, best: int) -> str:
    if step.step == "measure":
        return f"M_{best}, the best, is compared with M_0 on the test set"
    return f"M_{step.iteration}, {'the best' if step.iteration == best else 'the baseline'}, answers the test set, once"


def _failed(spec: Spec, ledger: Ledger, iteration: int) -> Stop | None:
    """A step of this iteration that failed for good ends the run, also one that ran ahead of its neighbours' shards."""
    for step in steps_of(spec, iteration):
        if _missing(spec, ledger, step) and (stop := _failed_step(spec, ledger, step)):
            return stop
    return None


def _failed_step(spec: Spec, ledger: Ledger, step: StepId) -> Stop | None:
    failures, limit = ledger.failures.get(step, 0), spec.execution.backoff_limit
    cause = ledger.fatal.get(step)
    if cause is None and failures > limit:
        cause = too_often(failures, limit, ledger.causes.get(step) or "see its logs")
    if cause is None:
        return None
    return Stop("Failed", step.iteration, stopping.best_iteration(ledger), False, f"{step.name}: {cause}")


def _step(spec: Spec, ledger: Ledger, step: StepId, missing: tuple[int, ...], reason: str = "") -> Step:
    shards = shards_of(spec, step)
    reason = reason or _why_adopted(spec, step) or REASONS[step.step](spec, ledger, step.iteration)
    if len(missing) < shards:
        reason = f"{shards - len(missing)} of {shards} shards of {step.name} are committed"
    if failures := ledger.failures.get(step, 0):
        cause = ledger.causes.get(step)
        reason += f"; {failures} of its attempts failed" + (f", the last one: {cause}" if cause else "")
    return Step(step, reason, shards, missing)


def _why_adopted(spec: Spec, step: StepId) -> str | None:
    resume = spec.resume_from
    return f"it is taken over from {resume.uri}" if resume and adopts(spec, step) else None


def _why_generate(spec: Spec, ledger: Ledger, iteration: int) -> str:
    return (
        f"no stop rule fired after i{iteration - 1:03d}-measure: iteration {iteration} of at most "
        f"{spec.max_iterations} begins with samples of M_{iteration - 1}"
    )


def _why_verify(spec: Spec, ledger: Ledger, iteration: int) -> str:
    names = ", ".join(method.name or method.type for method in spec.methods)
    return "every sample of generate is scored" + (f" by {names}" if names else "")


def _why_resample(spec: Spec, ledger: Ledger, iteration: int) -> str:
    resampling = spec.resampling
    return (
        f"strategy {resampling.strategy} follows verify: prompts with fewer than {resampling.target} "
        "accepted samples are sampled again"
    )


def _why_select(spec: Spec, ledger: Ledger, iteration: int) -> str:
    if spec.resampling.strategy == "None":
        return "all samples are scored, and resampling.strategy is None"
    return f"all samples are scored, and strategy {spec.resampling.strategy} is done with the tail"


def _why_distill(spec: Spec, ledger: Ledger, iteration: int) -> str:
    if iteration == 0:
        return "selection.seedTraining: the base model is trained on the reference solutions first, which makes M_0"
    selected = ledger.selected(iteration)
    start = _start(spec, iteration)
    verb, what = ("kept", "example") if spec.distillation.method == "SFT" else ("made", "pair")
    kept = f"{verb} {counted(selected.examples, what)}" if selected else "is committed"
    them = "it" if selected and selected.examples == 1 else "them"
    reason = f"i{iteration:03d}-select {kept}: M_{iteration} is trained on {them}, from {start}"
    drifted = drift(spec, ledger)
    return f"{reason}; VerifierDrift, {drifted[0]}: {drifted[1]}" if drifted else reason


def _start(spec: Spec, iteration: int) -> str:
    if spec.distillation.start_from == "Previous":
        return f"M_{iteration - 1}"
    return "the base model" if trains(spec, 0) else "M_0"


def _why_evaluate(spec: Spec, ledger: Ledger, iteration: int) -> str:
    if iteration == 0:
        return "M_0 answers the held-out prompts first: the baseline of all that follows"
    return f"the checkpoint of M_{iteration} is committed: it answers the held-out prompts"


def _why_measure(spec: Spec, ledger: Ledger, iteration: int) -> str:
    against = "" if iteration == 0 else ", compared with M_0 and the best before it"
    return f"all held-out answers of M_{iteration} are committed: they are measured{against}"


REASONS: dict[StepName, Callable[[Spec, Ledger, int], str]] = {
    "generate": _why_generate,
    "verify": _why_verify,
    "resample": _why_resample,
    "select": _why_select,
    "distill": _why_distill,
    "evaluate": _why_evaluate,
    "measure": _why_measure,
}
