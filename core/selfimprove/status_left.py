"""What is left of a run as far as its status tells.

A status keeps no figures of single steps: of an iteration it has the tokens of all its steps together, of its samples
how many were graded and how many held-out prompts were compared. The rest is said to be unknown.
"""

from __future__ import annotations

from dataclasses import replace

from selfimprove.api.execution import StepName
from selfimprove.api.spec import Spec
from selfimprove.api.status import Status
from selfimprove.ledger import Ledger
from selfimprove.loop import Cost, Left, left
from selfimprove.status_ledger import ledger_of_status
from selfimprove.verdicts import UTILITY


def left_of_status(spec: Spec, status: Status) -> Left:
    """What is still to come if no rule but maxIterations fires. `spec`: resolved."""
    ahead = left(spec, ledger_of_status(spec, status), _cost(spec, status))
    done = _measured(status)
    at_hand = sum(row.tokens for row in status.iterations if row.iteration > done)
    return replace(ahead, tokens=max(ahead.tokens - at_hand, 0))


def _cost(spec: Spec, status: Status) -> Cost:
    """Samples of a step by its kind, and the tokens of a whole iteration with its last step."""
    graded = sum(count for name, count in status.verdicts.items() if name in UTILITY)
    samples = {"generate": graded, "evaluate": _held_out(status) * _each(spec)}
    tokens = _mean_tokens(status)

    def cost(ledger: Ledger, name: StepName, split: str) -> tuple[float, float] | None:
        if split or name == "resample":
            return None
        if name in samples:
            return (samples[name] / spec.generation.shards, 0.0) if samples[name] else None
        if tokens is None:
            return None
        return 0.0, tokens if name == "measure" else 0.0

    return cost


def _measured(status: Status) -> int:
    return status.latest.iteration if status.latest else 0


def _mean_tokens(status: Status) -> float | None:
    """Tokens of a whole iteration, of those that are done; None before one is."""
    spent = [row.tokens for row in status.iterations if row.iteration <= _measured(status)]
    return sum(spent) / len(spent) if spent else None


def _held_out(status: Status) -> int:
    """Held-out prompts, as many as were compared."""
    return next((row.versus_best.n for row in reversed(status.iterations) if row.versus_best), 0)


def _each(spec: Spec) -> int:
    return spec.evaluation.samples_per_prompt
