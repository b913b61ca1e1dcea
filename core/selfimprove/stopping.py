"""When a run stops paying, which model is its result, and what to warn of (design section 2, Stops).

One small function a rule, each a pure function of the spec and what is committed, so that raising a limit reopens a
finished run and a changed rule is judged anew. Every message names its numbers, and every rule reads them as they are
shown, to four decimals: a cluster remembers no others, and a person must be able to check the decision.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from selfimprove.api.spec import Spec
from selfimprove.ledger import Ledger, StepId
from selfimprove.numerals import counted
from selfimprove.summaries import Difference, Estimate, as_shown
from selfimprove.unscored import Unscored, unscored
from selfimprove.verifier_drift import drift

Rule = Callable[[Spec, Ledger, int], str | None]


@dataclass(frozen=True)
class Notice:
    """Something that a person should know and that ends nothing: a type (a condition's, where one is for it), the
    reason in a word, and the message."""

    type: str
    reason: str
    message: str


def fired(spec: Spec, ledger: Ledger, iteration: int) -> tuple[str, str] | None:
    """The first rule that says to stop after the measure of this iteration, and its message; None to go on."""
    for name, rule in RULES.items():
        if message := rule(spec, ledger, iteration):
            return name, message
    return None


def warnings(spec: Spec, ledger: Ledger) -> list[Notice]:
    """What to warn of, as of the last iteration that was measured; of verifiers, as of the last that was selected."""
    drifted = drift(spec, ledger)
    found = [Notice("VerifierDrift", *drifted)] if drifted else []
    for last in ledger.measured_iterations()[-1:]:
        if narrowed := _narrowing(ledger, last):
            found.append(Notice("TailNarrowing", *narrowed))
        if message := _unmeasured(ledger, last):
            found.append(Notice("NotMeasured", "AnswersUnread", message))
        if message := _without_interval(ledger, last):
            found.append(Notice("NotMeasured", "OnePrompt", message))
    return found


def best_iteration(ledger: Ledger, before: int | None = None) -> int:
    """n of the best model M_n by held-out accuracy, the earlier one of equals; M_0 counts.

    `before` looks only at the iterations before that one (what `measure` compares with). Without held-out answers the
    last measured model, or 0 while there is none.
    """
    measured = [n for n in ledger.measured_iterations() if before is None or n < before]
    accuracies = {n: as_shown(estimate.value) for n in measured if (estimate := _accuracy(ledger, n))}
    if accuracies:
        return max(accuracies, key=lambda n: (accuracies[n], -n))
    return measured[-1] if measured else 0


def best_reason(ledger: Ledger) -> str:
    """Why the best model is the best, for people; says so when nothing beat M_0 or nothing could be compared."""
    best = best_iteration(ledger)
    accuracy, baseline = _accuracy(ledger, best), _accuracy(ledger, 0)
    if not ledger.measured_iterations():
        return "M_0 stands until something is measured"
    if accuracy is None:
        return f"M_{best} is the last checkpoint: without held-out answers no model can be called better"
    if best == 0:
        return f"no iteration beat M_0, whose held-out accuracy is {accuracy.value:.4f}"
    over = f", M_0's {baseline.value:.4f}" if baseline else ""
    return f"M_{best} has the highest held-out accuracy: {accuracy.value:.4f}{over}"


def result(ledger: Ledger) -> str:
    """What the run comes to: the best model and its gain, on the test set when it was looked at."""
    best, reason = best_iteration(ledger), best_reason(ledger)
    chosen, test = ledger.measures(best), ledger.measures(best, "test")
    if test and test.versus_baseline:
        return f"{reason}; on the test set {_change(test.versus_baseline)}"
    if best and chosen and chosen.versus_baseline:
        return f"{reason}; {_change(chosen.versus_baseline)}, measured on the prompts that chose it"
    return reason


def nothing_to_learn(spec: Spec, ledger: Ledger, iteration: int) -> str | None:
    """The message when `select` of this iteration is committed and left nothing to train on; else None."""
    selected = ledger.selected(iteration)
    if selected is None or selected.examples > 0:
        return None
    verify = StepId(iteration, "verify")
    worst = _worst_scored(spec, ledger, verify)
    if cause := (
        _unread_answers(ledger, verify) or _cut_short(spec, ledger, verify) or _no_scores(spec, ledger, verify, worst)
    ):
        return cause
    prompts, empty = selected.training.prompts, selected.training.empty_filter_rate
    notes = [f"the filter was empty for {empty:.0%} of them"] if empty is not None else []
    notes += [str(worst)] if worst else []
    share = f" ({'; '.join(notes)})" if notes else ""
    if spec.distillation.method == "DPO":
        return (
            f"i{iteration:03d}-select found no pair in {prompts:,} prompts{share}: method DPO needs a sample that is "
            "kept and one of the same prompt that is not and scores lower; begin a run with a weighting that parts "
            "more prompts, more generation.samplesPerPrompt, or distillation.method SFT"
        )
    own = spec.resampling.strategy
    other = "a resampling.strategy" if own == "None" else f"another resampling.strategy than {own}, or more maxRounds"
    return (
        f"i{iteration:03d}-select kept no sample of {prompts:,} prompts{share}; begin a run with a "
        f"weighting that keeps more, more generation.samplesPerPrompt, or {other}"
    )


def _unmeasured(ledger: Ledger, iteration: int) -> str | None:
    """Why nothing that needs answers was measured of a model whose prompts have some."""
    unread = _unread_answers(ledger, StepId(iteration, "evaluate"))
    return f"accuracy, gap and coverage were not measured: {unread}" if unread else None


def _without_interval(ledger: Ledger, iteration: int) -> str | None:
    """Why nothing that is measured of a model can be told from chance."""
    accuracy = _accuracy(ledger, iteration)
    if accuracy is None or accuracy.n != 1:
        return None
    return (
        f"the figures of M_{iteration} are of one held-out prompt: they have no interval, and Regressed can't be "
        "judged; begin a run with more held-out prompts, by dataset.heldOut"
    )


def _unread_answers(ledger: Ledger, step: StepId) -> str | None:
    """The message when no gold answer could be read: then no sample can be right, and no usual remedy helps."""
    verdicts = ledger.verdicts(step)
    unread = verdicts["GoldUnparsable"]
    if not unread or unread < verdicts.total():
        return None
    return (
        f"{step.name} could read none of the dataset's answers ({unread:,} samples are GoldUnparsable); "
        "begin a run with another dataset.fields.answer, dataset.answerPattern or dataset.task"
    )


def _cut_short(spec: Spec, ledger: Ledger, step: StepId) -> str | None:
    """The message when most samples were cut by length, which no weighting lets in."""
    verdicts = ledger.verdicts(step)
    cut, samples = verdicts["Truncated"], verdicts.total()
    if spec.selection.accept_truncated or 2 * cut <= samples:
        return None
    return (
        f"{step.name} found {cut:,} of {samples:,} samples cut at generation.maxTokens {spec.generation.max_tokens}, "
        "and such are never kept; begin a run with a greater generation.maxTokens, or a prompt that asks for less"
    )


def _no_scores(spec: Spec, ledger: Ledger, step: StepId, worst: Unscored | None) -> str | None:
    """The message when a method scored no sample at all, which no weighting mends, and nothing else left none."""
    if worst is None or worst.missing < worst.samples or _none_is_right(spec, ledger, step):
        return None
    return (
        f"{step.name} scored too few samples: {worst}, and such are never kept; begin a run with "
        f"{_to_score_more(worst)}, or without {worst.name}"
    )


def _worst_scored(spec: Spec, ledger: Ledger, step: StepId) -> Unscored | None:
    """The method that scored the fewest samples, where it scored no more than half."""
    worst = next(iter(unscored(spec, ledger.committed.get(step, {}).values())), None)
    return worst if worst is not None and worst.mostly else None


def _none_is_right(spec: Spec, ledger: Ledger, step: StepId) -> bool:
    """Whether the task's own check, where it selects, left no sample by itself."""
    selects = any(method.type == "GroundTruth" for method in spec.methods)
    return selects and not ledger.verdicts(step)["Correct"]


def _to_score_more(found: Unscored) -> str:
    """What lets a method score what it did not, by why it may not have."""
    field, method = found.field, found.method
    match method.type:
        case "MajorityVote":
            return "a dataset.template or dataset.system that says how to answer, or another dataset.task"
        case "Likelihood":
            return f"a {field}.verifier with a longer context, or less generation.maxTokens"
        case "Tournament":
            return f"a {field}.verifier whose context has room for two samples, or less generation.maxTokens"
        case "MultipleChoice":
            mass = f"less {field}.minMass than {method.min_mass:g}, " if method.min_mass else ""
            return f"{mass}other {field}.labels, another {field}.template or verifier"
        case _:
            return f"another {field}.verifier or template, more generation.maxTokens, which critiques have too"


def _max_iterations(spec: Spec, ledger: Ledger, iteration: int) -> str | None:
    if iteration < spec.max_iterations:
        return None
    are = "is" if iteration == 1 else "are"
    return (
        f"{counted(iteration, 'iteration')} {are} done, and maxIterations is {spec.max_iterations}; raise it to go on"
    )


def _converged(spec: Spec, ledger: Ledger, iteration: int) -> str | None:
    limit, patience = spec.stopping.min_gap, spec.stopping.patience
    if iteration < patience:
        return None
    gaps = {n: _gap(ledger, n) for n in range(iteration - patience + 1, iteration + 1)}
    below = {n: found for n, found in gaps.items() if found and as_shown(found[0].value) < limit}
    if len(below) < patience:
        return None
    shown = ", ".join(f"{gap.value:.4f} {where} in iteration {n}" for n, (gap, where) in below.items())
    return (
        f"the gap was below stopping.minGap {limit:g} for {patience} iterations in a row: {shown}; "
        f"{_sureness([gap for gap, _ in below.values()], limit)}; lower minGap or raise stopping.patience to go on"
    )


def _sureness(gaps: list[Estimate], limit: float) -> str:
    """How sure it is that the gaps are below the limit: patience asks it of their values alone."""
    known = [(gap.low, gap.high, gap.n) for gap in gaps if gap.low is not None and gap.high is not None]
    if not known:
        return "how sure that is nobody can say, since too few prompts were measured for an interval"
    shown = ", ".join(f"{low:+.4f} to {high:+.4f}" for low, high, _ in known)
    sure = sum(high < limit for _, high, _ in known)
    verdict = "all below it" if sure == len(gaps) else f"{sure} of {len(gaps)} wholly below it"
    prompts = f" over {known[-1][2]} prompts" if known[-1][2] else ""
    return f"95% intervals {shown}{prompts}, {verdict}"


def _gap(ledger: Ledger, iteration: int) -> tuple[Estimate, str] | None:
    """The gap that convergence is judged by and where it was measured; that of M_0 alone is no iteration's."""
    measures, selected = ledger.measures(iteration), ledger.selected(iteration)
    if measures and measures.held_out.gap:
        return measures.held_out.gap, "held out"
    if selected and selected.training.gap:
        return selected.training.gap, "in training"
    return None


def _regressed(spec: Spec, ledger: Ledger, iteration: int) -> str | None:
    measures, limit = ledger.measures(iteration), spec.stopping.max_regression
    versus = measures.versus_best if measures else None
    if versus is None or as_shown(versus.value) >= -limit or as_shown(versus.high995) >= 0:
        return None
    return (
        f"held-out accuracy of M_{iteration} is {-versus.value:.4f} below that of M_{versus.iteration}, the best before"
        f" it: more than stopping.maxRegression {limit:g}, and the 99.5% interval of the paired difference, "
        f"{versus.low995:+.4f} to {versus.high995:+.4f} over {versus.n} prompts, excludes 0"
    )


def _tail_narrowing(spec: Spec, ledger: Ledger, iteration: int) -> str | None:
    narrowed = _narrowing(ledger, iteration) if spec.stopping.on_tail_narrowing == "Stop" else None
    return narrowed[1] if narrowed else None


def _narrowing(ledger: Ledger, iteration: int) -> tuple[str, str] | None:
    """(reason, message) of what narrows: the tail that nobody trains on is named first."""
    found = [
        (reason, message)
        for reason, message in (
            ("CoverageFell", _coverage_fell(ledger, iteration)),
            ("HardShareFell", _hard_share_fell(ledger, iteration)),
        )
        if message
    ]
    return (found[0][0], "; ".join(message for _, message in found)) if found else None


def _coverage_fell(ledger: Ledger, iteration: int) -> str | None:
    """Compared with iteration 1, not 0: a tail chosen by one draw rises in the next even when nothing changed."""
    measures = ledger.measures(iteration)
    change = measures.tail_change if measures and iteration >= 2 else None
    if change is None or (ends := _ends_of_fall(change)) is None:
        return None
    return (
        f"coverage of the held-out tail ({change.n} prompts) fell by {-change.value:.4f} from iteration 1 to "
        f"{iteration} ({ends})"
    )


def _hard_share_fell(ledger: Ledger, iteration: int) -> str | None:
    selected = ledger.selected(iteration)
    change = selected.hard_share_change if selected else None
    if change is None or (ends := _ends_of_fall(change)) is None:
        return None
    return (
        f"the share of the hardest levels in the plain training examples fell by {-change.value:.4f} up to iteration "
        f"{iteration} ({ends})"
    )


def _ends_of_fall(change: Estimate) -> str | None:
    """The interval of a change that is below 0 for sure; else None."""
    if change.low is None or change.high is None or as_shown(change.high) >= 0:
        return None
    return f"95% interval of the change {change.low:+.4f} to {change.high:+.4f}"


def _budget_spent(spec: Spec, ledger: Ledger, iteration: int) -> str | None:
    """Judged between iterations only: one that has begun is finished, since half of one is worth nothing.

    In a cluster one has begun when a pod of it has run, whatever became of that.
    """
    if ledger.begun(iteration + 1):
        return None
    budget, usage = spec.stopping.budget, ledger.usage
    spent = (
        ("gpuSeconds", usage.gpu_seconds, budget.gpu_seconds),
        ("tokens", usage.tokens, budget.tokens),
        ("wallSeconds", usage.wall_seconds, budget.wall_seconds),
    )
    over = [f"{used:,.0f} of {limit:,} {name}" for name, used, limit in spent if limit is not None and used >= limit]
    return f"stopping.budget is spent: {', '.join(over)}; raise it to go on" if over else None


RULES: dict[str, Rule] = {
    "Regressed": _regressed,
    "Converged": _converged,
    "TailNarrowing": _tail_narrowing,
    "MaxIterations": _max_iterations,
    "BudgetSpent": _budget_spent,
}
"""In the order in which they are asked: what was learned of the model before what the user allowed, and the budget
last, so that tokens spent on the test set after the end never rename it."""


def _accuracy(ledger: Ledger, iteration: int) -> Estimate | None:
    measures = ledger.measures(iteration)
    return measures.held_out.accuracy if measures else None


def _change(versus: Difference) -> str:
    return f"{versus.value:+.4f} against M_{versus.iteration} (95% interval {versus.low:+.4f} to {versus.high:+.4f})"
