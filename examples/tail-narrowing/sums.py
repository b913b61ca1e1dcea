"""The sums of reasoning_gym's chain_sum with a worked solution each: the gym's own entries carry none.

A solution is written as the examples of chain-sum.yaml are: one step after the other, from the left.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from reasoning_gym import create_dataset

LEVELS = {"min_terms": 2, "max_terms": 4, "min_digits": 1, "max_digits": 2}


def write_sums(path: Path, size: int, seed: int, besides: Collection[str] = ()) -> set[str]:
    """Write at most `size` sums as JSON lines, none twice and none of `besides`; the expressions that were written."""
    made = create_dataset("chain_sum", size=size, seed=seed, **LEVELS)
    terms = {entry["metadata"]["expression"]: entry["metadata"]["num_terms"] for entry in made}
    rows = {expression: number for expression, number in terms.items() if expression not in besides}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(_row(*each)) + "\n" for each in rows.items()))
    return set(rows)


def _row(expression: str, terms: int) -> dict[str, str | int]:
    total, steps = worked(expression)
    solution = " ".join([*steps, f"The answer is {total}."])
    return {"expression": expression, "terms": terms, "solution": solution, "answer": str(total)}


def worked(expression: str) -> tuple[int, list[str]]:
    """The value of "14 + 3 - 6", and how it is reached: ["14 + 3 = 17.", "17 - 6 = 11."]."""
    first, *rest = expression.split()
    total, steps = int(first), []
    for sign, term in zip(rest[::2], rest[1::2], strict=True):
        before = total
        total = before + int(term) if sign == "+" else before - int(term)
        steps.append(f"{before} {sign} {term} = {total}.")
    return total, steps
