"""One value a prompt for every measure: the bootstrap then works on prompts, never on samples.

NaN stands for a prompt for which the measure is not defined; the mean over prompts leaves it out.
"""

from __future__ import annotations

from collections.abc import Collection
from math import comb

import numpy as np

from selfimprove.measures.table import Bools, Floats, Ints, Table


def columns(table: Table, tail: Collection[str] = ()) -> dict[str, Floats]:
    """Every measure of a table that can be had, each [P] with NaN where a prompt has none.

    accuracy (J_x), strict_accuracy, gap and relative_gap (Mind the Gap, Definitions 2.1 and 2.2), keep_rate,
    empty_filter, coverage, tail_coverage (over the prompt ids in `tail`), pass@1, pass@2, pass@4, ...
    """
    found: dict[str, Floats] = {}
    accuracy = mean_utility(table)
    if np.isfinite(accuracy).any():
        found["accuracy"] = accuracy
        found |= {f"pass@{k}": values for k, values in pass_at_k(table).items()}
    if table.strict_utility is not None and np.isfinite(table.strict_utility).any():
        found["strict_accuracy"] = mean_utility(table, strict=True)
    if table.weight is not None:
        found |= _kept(table, table.weight)
        if "accuracy" in found:
            found["gap"] = _gap(table, table.weight, accuracy)
            found["relative_gap"] = _divide(found["gap"], 1 - accuracy)
    if table.passed is not None:
        found["coverage"] = covered(table)
        found["tail_coverage"] = np.where(member(table, tail), found["coverage"], np.nan)
    return found


def mean_utility(table: Table, strict: bool = False) -> Floats:
    """[P] J_x, the share of a prompt's samples that are correct, by the strict check when asked for."""
    values = table.strict_utility if strict else table.utility
    if values is None:
        return np.full(len(table.ids), np.nan)
    known, ones = counts_of_known(table, values)
    return _divide(ones, known)


def covered(table: Table) -> Floats:
    """[P] 1 for a prompt with at least one correct sample (an accepted one where no answer is known), else 0."""
    if table.passed is None:
        return np.full(len(table.ids), np.nan)
    known, passed = counts_of_known(table, table.passed)
    return np.where(known > 0, (passed > 0).astype(np.float64), np.nan)


def pass_rate(table: Table) -> Floats:
    """[P] The share of a prompt's samples that are correct (accepted, where no answer is known); NaN where unknown."""
    if table.passed is None:
        return np.full(len(table.ids), np.nan)
    known, passed = counts_of_known(table, table.passed)
    return np.where(known > 0, passed / table.samples, np.nan)


def tail_prompts(table: Table, target: int) -> frozenset[str]:
    """Ids of the prompts with fewer than `target` correct samples (accepted ones where no answer is known).

    Empty when neither is known: there is no tail then, which is not the same as a tail of nobody.
    """
    if table.passed is None:
        return frozenset()
    known, passed = counts_of_known(table, table.passed)
    return frozenset(table.ids[i] for i in np.flatnonzero((known > 0) & (passed < target)))


def scaled_target(target: int, *, samples: int, reference: int) -> int:
    """`resampling.target` is meant for `reference` samples a prompt: what it comes to of `samples`, rounded up."""
    return max(1, -(-target * samples // reference))


def pass_at_k(table: Table, ks: Collection[int] | None = None) -> dict[int, Floats]:
    """1 - C(n-c, k) / C(n, k) by prompt: unbiased for the chance that one of k samples is correct.

    k = 1, 2, 4, ... unless given. A prompt with fewer than k samples of known utility has none (NaN); a k beyond every
    prompt is left out.
    """
    known, correct = counts_of_known(table, table.utility)
    most = int(known.max(initial=0))
    chosen = [1 << i for i in range(most.bit_length())] if ks is None else sorted(ks)
    pairs, where = np.unique(np.stack([known, correct]), axis=1, return_inverse=True)
    where = where.reshape(-1)
    return {k: np.array([_pass_at_k(int(n), int(c), k) for n, c in pairs.T])[where] for k in chosen if k <= most}


def member(table: Table, ids: Collection[str]) -> Bools:
    """[P] Whether each prompt of the table is among `ids`."""
    wanted = frozenset(ids)
    return np.fromiter((prompt in wanted for prompt in table.ids), dtype=bool, count=len(table.ids))


def _pass_at_k(n: int, c: int, k: int) -> float:
    """Exact integers: a product of floats loses the last digits at n = 128."""
    return 1 - comb(n - c, k) / comb(n, k) if k <= n else float("nan")


def counts_of_known(table: Table, values: Floats) -> tuple[Ints, Ints]:
    """[P] How many samples of a prompt have a known 0 or 1, and how many of those are 1."""
    size = len(table.ids)
    known = np.bincount(table.prompt[np.isfinite(values)], minlength=size)
    return known, np.bincount(table.prompt[values == 1], minlength=size)


def _kept(table: Table, weight: Floats) -> dict[str, Floats]:
    kept = np.bincount(table.prompt[weight > 0], minlength=len(table.ids))
    return {"keep_rate": kept / table.samples, "empty_filter": (kept == 0).astype(np.float64)}


def _gap(table: Table, weight: Floats, accuracy: Floats) -> Floats:
    """[P] J_x(f[w]) - J_x(f); 0 where nothing is kept, since a prompt with an empty filter keeps all its samples.

    NaN where some are kept and the utility of none of them is known: what is kept may be right or wrong.
    Weights are brought to at most 1 a prompt first: constant ones give exactly 0, and tiny ones do not vanish.
    """
    size, known = len(table.ids), np.isfinite(table.utility)
    empty = np.bincount(table.prompt[weight > 0], minlength=size) == 0
    weight = np.where(known, weight, 0.0)
    top = np.zeros(size)
    np.maximum.at(top, table.prompt, weight)
    scaled = np.divide(weight, top[table.prompt], out=np.zeros_like(weight), where=weight > 0)
    total = np.bincount(table.prompt, scaled, size)
    right = np.bincount(table.prompt, scaled * (table.utility == 1), size)
    return np.where(empty, accuracy, _divide(right, total)) - accuracy


def _divide(above: Floats | Ints, below: Floats | Ints) -> Floats:
    """`above / below`, NaN where below is 0 (a prompt that is all correct has no relative gap)."""
    ratio: Floats = np.divide(above, below, out=np.full(above.shape, np.nan), where=below != 0)
    return ratio
