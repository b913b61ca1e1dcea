"""How difficult each prompt is: by the dataset's own levels, else by its reference solution, else by M_0's pass rate.

M_0's pass rate is a level chosen by a draw: in that same draw the hardest level looks worse than it is. So shares and
coverage by such levels are compared from the next draw on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from selfimprove.measures.table import Bools, Floats, Ints
from selfimprove.telemetry import Basis

MOST_LEVELS = 12
"""More than these are joined into bands."""
BANDS = 5
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_SENTENCE = re.compile(r"[.!?](?:\s+|$)")
_ANSWER_LINE = re.compile(r"\n[ \t]*####[^\n]*\Z")


@dataclass(frozen=True)
class Difficulty:
    """The levels of P prompts, easiest first."""

    basis: Basis
    names: tuple[str, ...]
    level: Ints
    """[P] Index into `names`; -1 for a prompt without one."""
    ordered: bool = True
    """False where the levels are words and nothing is known of how hard they are."""

    @property
    def prompts(self) -> Ints:
        """[levels] Prompts of each level."""
        return self.count(np.ones(len(self.level), dtype=np.int64))

    @property
    def hard(self) -> tuple[str, ...]:
        """The hardest levels, as many as hold at most half of the prompts, at least one; none where not ordered."""
        return self.names[len(self.names) - self._hard_levels :]

    @property
    def is_hard(self) -> Bools:
        """[P] Whether a prompt is of one of these."""
        found: Bools = self.level >= len(self.names) - self._hard_levels
        return found

    def count(self, counts: Ints) -> Ints:
        """[levels] The sum of [P] counts over each level's prompts."""
        known = self.level >= 0
        found: Ints = np.zeros(len(self.names), dtype=np.int64)
        np.add.at(found, self.level[known], counts[known])
        return found

    @property
    def _hard_levels(self) -> int:
        if not self.ordered:
            return 0
        held = np.cumsum(self.prompts[::-1])
        return max(1, int((2 * held <= held[-1]).sum()))


def difficulty_of(levels: Sequence[str | None], references: Sequence[str | None], rate: Floats) -> Difficulty | None:
    """The first of the three that tells prompts apart; None where none does.

    `levels`, `references`: [P] the dataset's fields; `rate`: [P] M_0's share of accepted samples, NaN where unknown.
    """
    return _by_name(levels, rate) or _by_steps(steps_of(references)) or _by_rate(rate)


def steps_of(references: Sequence[str | None]) -> Ints:
    """[P] Steps of each reference: lines with text; sentences where no reference has two lines. 0 without one.

    The last line of GSM8K's, `#### 72`, is the answer and no step.
    """
    texts = [_ANSWER_LINE.sub("", (text or "").strip()) for text in references]
    lines = np.array([sum(bool(line.strip()) for line in text.splitlines()) for text in texts], dtype=np.int64)
    if lines.max(initial=0) > 1:
        return lines
    return np.array([sum(map(bool, map(str.strip, _SENTENCE.split(text)))) for text in texts], dtype=np.int64)


def _by_name(levels: Sequence[str | None], rate: Floats) -> Difficulty | None:
    names = sorted({level for level in levels if level is not None})
    if len(names) < 2:
        return None
    numbers = {name: found for name in names if (found := _number(name)) is not None}
    if len(names) > MOST_LEVELS:
        if len(numbers) < len(names):
            return None
        values = np.array([np.nan if level is None else numbers[level] for level in levels])
        return _banded("Dataset", values, "{:g}".format)
    at = np.array([-1 if level is None else names.index(level) for level in levels], dtype=np.int64)
    if len(numbers) == len(names):
        hardness = np.array([numbers[name] for name in names])
    else:
        hardness = -np.array([_mean(rate[at == i]) for i in range(len(names))])
    order = np.argsort(hardness, kind="stable")
    place = np.append(np.argsort(order), -1)
    ordered = bool(np.isfinite(hardness).all())
    return Difficulty("Dataset", tuple(names[i] for i in order), place[at], ordered)


def _by_steps(steps: Ints) -> Difficulty | None:
    known = np.unique(steps[steps > 0])
    if len(known) < 2:
        return None
    if len(known) > MOST_LEVELS:
        values = np.where(steps > 0, steps, np.nan)
        return _banded("ReferenceSteps", values, "{:g}".format)
    level = np.where(steps > 0, np.searchsorted(known, steps), -1)
    return Difficulty("ReferenceSteps", tuple(map(str, known)), level)


def _by_rate(rate: Floats) -> Difficulty | None:
    """Quintiles of prompts; prompts of one rate are of one level, so there may be fewer."""
    if len(np.unique(rate[np.isfinite(rate)])) < 2:
        return None
    return _banded("PassRate", -rate, lambda end: f"{abs(end):.0%}")


def _banded(basis: Basis, hardness: Floats, shown: Callable[[float], str]) -> Difficulty | None:
    known = np.isfinite(hardness)
    values, place, size = np.unique(hardness[known], return_inverse=True, return_counts=True)
    middle = (np.cumsum(size) - size / 2) / known.sum()
    band = np.unique((BANDS * middle).astype(np.int64), return_inverse=True)[1].reshape(-1)
    level = np.full(len(hardness), -1, dtype=np.int64)
    level[known] = band[place.reshape(-1)]
    bounds = [values[band == i] for i in range(band[-1] + 1)]
    if len(bounds) < 2:
        return None
    ends = [(shown(float(each[0])), shown(float(each[-1]))) for each in bounds]
    return Difficulty(basis, tuple(low if low == high else f"{low} to {high}" for low, high in ends), level)


def _number(name: str) -> float | None:
    found = _NUMBER.findall(name)
    return float(found[0]) if len(found) == 1 else None


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")
