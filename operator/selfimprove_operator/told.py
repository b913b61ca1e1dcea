"""Whether a worker can be told its run at all: an order is one variable of its environment, which Linux limits."""

from __future__ import annotations

import json
from typing import Any

from selfimprove.api.problem import Problem
from selfimprove.api.spec import Run, Spec
from selfimprove.ledger import StepId
from selfimprove_operator.jobs import colocated, order_of

MOST_BYTES = 120_000
"""Of an order: Linux takes 131,072 a variable (MAX_ARG_STRLEN), and later steps' orders are a little longer."""
_FIELD_DEPTH = 2
"""The steps from `spec` to a field: `dataset`, `fewShot`."""


def too_long(run: Run, spec: Spec, run_uri: str) -> list[Problem]:
    """The part of a spec that takes most of an order that is too long. `spec`: resolved."""
    step = StepId(1, "generate")
    order = order_of(run.metadata.to_json(), spec, run_uri, [step, *colocated(spec, step)], 1)
    size = len(order.encode())
    if size <= MOST_BYTES:
        return []
    field, part = _largest("spec", json.loads(order)["spec"])
    return [
        Problem(
            field,
            f"takes {part:,} of the {size:,} bytes that a worker would be told, and it can be told {MOST_BYTES:,}; "
            f"shorten it, {size - MOST_BYTES:,} bytes must go",
        )
    ]


def _largest(path: str, value: Any, depth: int = 0) -> tuple[str, int]:
    """The field that takes most bytes, or the item in it that takes more than half of those."""
    parts: dict[str, Any] = {}
    if isinstance(value, dict):
        parts = {f"{path}.{name}": part for name, part in value.items()}
    elif isinstance(value, list):
        parts = {f"{path}[{index}]": part for index, part in enumerate(value)}
    if parts:
        largest = max(parts, key=lambda part: _bytes(parts[part]))
        if depth < _FIELD_DEPTH or 2 * _bytes(parts[largest]) > _bytes(value):
            return _largest(largest, parts[largest], depth + 1)
    return path, _bytes(value)


def _bytes(value: object) -> int:
    """The size of a value as an order has it."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
