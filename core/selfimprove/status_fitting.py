"""A status within its bound. What old iterations lose first is what no stop rule reads and storage keeps.

Rules read old rows for their gaps (`stopping.patience`) and accuracies, so that a row goes whole only where nothing
else would do.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeVar

from selfimprove.api.status import HeldOutStatus, IterationStatus, Measure, Status

MAX_BYTES = 16_000
"""Of the resource as JSON (design section 3)."""
_WHOLE = 2
"""Rows that stay as they are: that of the iteration at hand, and of the last that was measured."""
_VALUES = ("relative_gap", "keep_rate", "coverage", "tail_coverage")
Row = TypeVar("Row", IterationStatus, HeldOutStatus)


def fitting(status: Status, beside: int) -> Status:
    """The status with as much of its iterations as fit. `beside`: bytes of the resource that are not of its status.

    The status alone keeps within the bound always; the whole resource as far as shorter rows can make it.
    """
    for shorter in (_without_pass_at_k, _with_bare_values):
        for place in range(len(status.iterations) - _WHOLE):
            if size_of(status) + beside <= MAX_BYTES:
                return status
            status = _changed(status, place, shorter)
    while status.iterations and size_of(status) > MAX_BYTES:
        status = status.model_copy(update={"iterations": status.iterations[1:]})
    return status


def size_of(status: Status) -> int:
    """Bytes of a status as it is stored."""
    return len(json.dumps(status.to_json(), separators=(",", ":")).encode())


def _changed(status: Status, place: int, change: Callable[[IterationStatus], IterationStatus]) -> Status:
    rows = list(status.iterations)
    rows[place] = change(rows[place])
    return status.model_copy(update={"iterations": rows})


def _without_pass_at_k(row: IterationStatus) -> IterationStatus:
    held_out = row.held_out and row.held_out.model_copy(update={"pass_at_k": None})
    return row.model_copy(update={"held_out": held_out})


def _with_bare_values(row: IterationStatus) -> IterationStatus:
    """A row of values, intervals only of gaps, accuracy and what it was compared with; no figures of warnings."""
    gone = dict.fromkeys(("tail_change", "tail_prompts", "hard_change", "verifier"))
    held_out = row.held_out and _values_of(row.held_out)
    return _values_of(row).model_copy(update={**gone, "held_out": held_out})


def _values_of(row: Row) -> Row:
    found = {name: measure for name in _VALUES if (measure := getattr(row, name)) is not None}
    return row.model_copy(update={name: Measure(value=measure.value) for name, measure in found.items()})
