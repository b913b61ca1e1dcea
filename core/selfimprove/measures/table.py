"""Samples of one model as a few parallel arrays: all that any measure needs, and small enough to hold 10^6 of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Table:
    """n plain samples of one model over P prompts. Plain and guided samples never meet in one table.

    Made by `table_of`. A sample without a verdict has utility NaN and is left out of what needs utility.
    """

    ids: tuple[str, ...]
    """The P prompt ids, sorted."""
    prompt: Ints
    """[n] Index into `ids`."""
    utility: Floats
    """[n] 0 or 1, NaN where nothing is known."""
    strict_utility: Floats | None = None
    """[n] The same by the strict check."""
    weight: Floats | None = None
    """[n] What the combined filters give; 0 where dropped. None: nothing filters."""
    accepted: Floats | None = None
    """[n] 1 where it passed every absolute rule that is set, else 0; NaN where a rule can't tell, as the ground truth
    can't without an answer that can be read. None: no rule is absolute."""

    @cached_property
    def samples(self) -> Ints:
        """[P] Samples a prompt."""
        return np.bincount(self.prompt, minlength=len(self.ids))

    @cached_property
    def passed(self) -> Floats | None:
        """[n] What stands for acceptance in coverage and tail: utility where recorded, else acceptance, else None."""
        if np.isfinite(self.utility).any():
            return self.utility
        return self.accepted if self.accepted is not None and np.isfinite(self.accepted).any() else None


def table_of(
    prompts: Sequence[str],
    utility: Sequence[float | None] | Floats | None = None,
    *,
    strict_utility: Sequence[float | None] | Floats | None = None,
    weight: Sequence[float] | Floats | None = None,
    accepted: Sequence[bool | float | None] | Bools | Floats | None = None,
) -> Table:
    """A table from one entry a sample, in any order; `prompts` holds each sample's prompt id.

    None and NaN in a utility or in `accepted` both mean unknown; a NaN weight counts as 0 (`weighting` has counted it
    as missing). Raises `ValueError` when a length differs, a utility is neither 0 nor 1, or a weight is negative or
    infinite.
    """
    ids, n = sorted(set(prompts)), len(prompts)
    place = {prompt: i for i, prompt in enumerate(ids)}
    return Table(
        ids=tuple(ids),
        prompt=np.fromiter((place[prompt] for prompt in prompts), dtype=np.int64, count=n),
        utility=np.full(n, np.nan) if utility is None else _utility("utility", utility, n),
        strict_utility=None if strict_utility is None else _utility("strict_utility", strict_utility, n),
        weight=None if weight is None else _weight(weight, n),
        accepted=None if accepted is None else _utility("accepted", accepted, n),
    )


def _utility(name: str, values: Sequence[bool | float | None] | Bools | Floats, n: int) -> Floats:
    array: Floats = _sized(name, np.asarray(values, dtype=np.float64), n)
    wrong = array[np.isfinite(array) & (array != 0) & (array != 1)]
    if wrong.size or np.isinf(array).any():
        raise ValueError(f"{name}: {wrong[0] if wrong.size else np.inf:g} is neither 0 nor 1; use NaN for unknown")
    return array


def _weight(values: Sequence[float] | Floats, n: int) -> Floats:
    array: Floats = np.nan_to_num(_sized("weight", np.asarray(values, dtype=np.float64), n), nan=0.0, posinf=-1.0)
    if (array < 0).any():
        raise ValueError("weight: a weight is negative or infinite")
    return array


def _sized(name: str, array: npt.NDArray[Any], n: int) -> npt.NDArray[Any]:
    if array.shape != (n,):
        raise ValueError(f"{name}: {array.shape} values for {n} samples")
    return array
