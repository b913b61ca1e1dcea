"""Measures as the status shows them: decimal strings, bounded in number."""

from __future__ import annotations

from selfimprove.api.status import Gain, HeldOutStatus, Latest, ManifestStatus, Measure, Versus
from selfimprove.ledger import Ledger, StepId
from selfimprove.summaries import Difference, Estimate, PromptMeasures, as_shown

TRAINING_MEASURES = ("gap", "relative_gap", "keep_rate", "coverage", "tail_coverage")
PASS_AT_K_SHOWN = 4


def decimal(value: float) -> str:
    """A figure as a status keeps it."""
    return f"{as_shown(value):.4f}"


def measure_of(estimate: Estimate | None) -> Measure | None:
    """An estimate as decimal strings."""
    if estimate is None:
        return None
    low, high = (None if bound is None else decimal(bound) for bound in (estimate.low, estimate.high))
    return Measure(value=decimal(estimate.value), low=low, high=high)


def held_out_of(ledger: Ledger, iteration: int) -> HeldOutStatus | None:
    """The held-out measures of M_n, once they are there."""
    measures = ledger.measures(iteration)
    if measures is None:
        return None
    found = measures.held_out
    return HeldOutStatus(accuracy=measure_of(found.accuracy), pass_at_k=_pass_at_k(found), **training_of(found))


def training_of(found: PromptMeasures) -> dict[str, Measure | None]:
    """The measures that training prompts and held-out ones have in common, by the names of their fields."""
    return {name: measure_of(getattr(found, name)) for name in TRAINING_MEASURES}


def latest_of(ledger: Ledger) -> Latest | None:
    """The last measured iteration: gap on the training prompts, the rest held out where there is such."""
    measured = ledger.measured_iterations()
    if not measured:
        return None
    n = measured[-1]
    measures, selected = ledger.measures(n), ledger.selected(n)
    held_out = measures.held_out if measures else None
    training = selected.training if selected else None
    tail = (held_out.tail_coverage if held_out else None) or (training.tail_coverage if training else None)
    return Latest(
        iteration=n,
        gap=_value(training.gap if training else None),
        tail_coverage=_value(tail),
        accuracy=_value(held_out.accuracy if held_out else None),
    )


def gain_of(ledger: Ledger, best: int) -> Gain | None:
    """How much better the best is than M_0: on the test set where that was looked at, else on the held-out prompts."""
    test, chosen = ledger.measures(best, "test"), ledger.measures(best)
    if test and test.versus_baseline:
        return Gain(**_interval(test.versus_baseline), measured_on="Test")
    if best and chosen and chosen.versus_baseline:
        return Gain(**_interval(chosen.versus_baseline), measured_on="HeldOut")
    return None


def versus_best_of(ledger: Ledger, iteration: int) -> Versus | None:
    """M_n against the best before it, with the interval that the Regressed rule reads."""
    measures = ledger.measures(iteration)
    found = measures.versus_best if measures else None
    if found is None:
        return None
    shown = {"value": found.value, "low": found.low995, "high": found.high995}
    return Versus(iteration=found.iteration, n=found.n, **{name: decimal(value) for name, value in shown.items()})


def tail_change_of(ledger: Ledger, iteration: int) -> tuple[Measure | None, int | None]:
    """The change of held-out tail coverage since iteration 1, and over how many prompts."""
    measures = ledger.measures(iteration)
    change = measures.tail_change if measures else None
    return measure_of(change), change.n if change else None


def verifier_of(ledger: Ledger, iteration: int) -> dict[str, Measure] | None:
    """The figures that VerifierDrift is judged by, where `select` had any."""
    selected = ledger.selected(iteration)
    found = (selected.verifier if selected else None) or {}
    return {name: shown for name, estimate in found.items() if (shown := measure_of(estimate))} or None


def manifest_of(ledger: Ledger, iteration: int) -> ManifestStatus | None:
    """The manifest in which the rest of an iteration's measures stand: of `measure`, or of `select` before that."""
    for step in ("measure", "select"):
        summary = ledger.summary(StepId(iteration, step))
        if summary is not None:
            return ManifestStatus(uri=summary.manifest.uri, sha256=summary.manifest.sha256)
    return None


def _interval(difference: Difference) -> dict[str, str]:
    return {name: decimal(getattr(difference, name)) for name in ("value", "low", "high")}


def _value(estimate: Estimate | None) -> str | None:
    return None if estimate is None else decimal(estimate.value)


def _pass_at_k(found: PromptMeasures) -> dict[str, Measure] | None:
    """pass@k for the smallest and the largest k and two between."""
    if not found.pass_at_k:
        return None
    by_k = sorted(found.pass_at_k.items(), key=lambda item: int(item[0]))
    last = len(by_k) - 1
    places = sorted({round(i * last / (PASS_AT_K_SHOWN - 1)) for i in range(PASS_AT_K_SHOWN)})
    return {by_k[i][0]: shown for i in places if (shown := measure_of(by_k[i][1])) is not None}
