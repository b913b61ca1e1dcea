"""Whether what selects can still tell right from wrong: judged once `select` is committed, so before `distill` is paid.

A model that verifies itself changes with every iteration, and the gap of a verifier that has become a coin is noise
that trains. Like every rule this one reads figures as they are shown, and is judged anew when the spec changes.
"""

from __future__ import annotations

from collections.abc import Mapping

from selfimprove.api.spec import Spec
from selfimprove.ledger import Ledger
from selfimprove.summaries import Estimate, as_shown

AUROC, AUROC_CHANGE, MASS_CHANGE = "auroc", "aurocChange", "massChange"
"""The figures of a method by which it is judged."""
CHANCE = 0.5
_WORDS = {AUROC_CHANGE: "AUROC", MASS_CHANGE: "mean label mass"}
_REMEDY = "spec.suspend holds the run before more is paid; mend it by a new run with another method or verifier"


def drift(spec: Spec, ledger: Ledger) -> tuple[str, str] | None:
    """(reason, message) when a verifier of the last selection got worse or is no better than chance; else None.

    Dropped: AUROC or label mass is below iteration 1's by more than `stopping.maxVerifierDrop`, and the 95% interval of
    the paired change excludes 0. AtChance: the 95% interval of AUROC begins at or below 0.5.
    """
    iteration = judged_iteration(ledger)
    if iteration is None:
        return None
    figures = _figures(ledger, iteration)
    if dropped := _dropped(figures, spec.stopping.max_verifier_drop, iteration):
        return "Dropped", f"{dropped}; {_REMEDY}"
    if at_chance := _at_chance(figures, iteration):
        return "AtChance", f"{at_chance}; {_REMEDY}"
    return None


def judged_iteration(ledger: Ledger) -> int | None:
    """The last iteration whose verifiers were measured; None while there is none, as without answers and labels."""
    return max((id.iteration for id in ledger.committed if _figures(ledger, id.iteration)), default=None)


def _figures(ledger: Ledger, iteration: int) -> Mapping[str, Estimate]:
    selected = ledger.selected(iteration)
    return (selected.verifier if selected else None) or {}


def _dropped(figures: Mapping[str, Estimate], limit: float, iteration: int) -> str | None:
    for figure, words in _WORDS.items():
        method, change = _of(figures, figure)
        if change is None or change.low is None or change.high is None:
            continue
        if as_shown(change.value) < -limit and as_shown(change.high) < 0:
            return (
                f"{words} of {method} on the training prompts fell by {-change.value:.4f} from iteration 1 to "
                f"{iteration}, more than stopping.maxVerifierDrop {limit:g} (95% interval of the change "
                f"{change.low:+.4f} to {change.high:+.4f})"
            )
    return None


def _at_chance(figures: Mapping[str, Estimate], iteration: int) -> str | None:
    method, auroc = _of(figures, AUROC)
    if auroc is None or auroc.low is None or auroc.high is None or as_shown(auroc.low) > CHANCE:
        return None
    verdict = (
        f"which is worse than chance, {CHANCE:g}: it prefers wrong samples"
        if as_shown(auroc.high) < CHANCE
        else f"which can't be told from chance, {CHANCE:g}: what it keeps may be no better than what was sampled"
    )
    return (
        f"AUROC of {method} on the training prompts of iteration {iteration} is {auroc.value:.4f} (95% interval "
        f"{auroc.low:.4f} to {auroc.high:.4f}), {verdict}"
    )


def _of(figures: Mapping[str, Estimate], figure: str) -> tuple[str, Estimate | None]:
    """The method whose figure this is, and the figure: there is at most one."""
    for name, estimate in figures.items():
        method, _, which = name.rpartition(".")
        if which == figure:
            return method, estimate
    return "", None
