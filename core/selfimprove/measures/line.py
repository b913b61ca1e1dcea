"""A straight line through a few points, with the exact t interval of its slope: models are too few for a bootstrap."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin, sqrt, tan

import numpy as np

from selfimprove.measures.table import Floats
from selfimprove.summaries import Estimate


@dataclass(frozen=True)
class Line:
    """y = intercept + slope x, by least squares over n points."""

    intercept: float
    slope: Estimate
    """With its 95% interval; without one where two points leave nothing to judge it by."""
    _centre: float
    _spread: float
    _noise: float | None

    def at(self, x: Floats) -> Floats:
        """[m] The line."""
        height: Floats = self.intercept + self.slope.value * x
        return height

    def half_width(self, x: Floats) -> Floats | None:
        """[m] Half of the 95% interval of the line itself; None without an interval."""
        if self._noise is None or self.slope.n is None:
            return None
        t = t_quantile(self.slope.n - 2)
        wide: Floats = t * self._noise * np.sqrt(1 / self.slope.n + (x - self._centre) ** 2 / self._spread)
        return wide


def fit_line(x: Floats, y: Floats) -> Line | None:
    """The line through (x, y), [n] each; None where fewer than two different x leave no line to draw.

    The interval takes the points' scatter around the line as normal and alike everywhere.
    """
    n, centre = len(x), float(np.mean(x)) if len(x) else 0.0
    spread = float(np.sum((x - centre) ** 2))
    if n < 2 or len(np.unique(x)) < 2:
        return None
    slope = float(np.sum((x - centre) * (y - np.mean(y))) / spread)
    intercept = float(np.mean(y)) - slope * centre
    if n == 2:
        return Line(intercept, Estimate(value=slope, n=n), centre, spread, None)
    noise = sqrt(float(np.sum((y - intercept - slope * x) ** 2)) / (n - 2))
    half = t_quantile(n - 2) * noise / sqrt(spread)
    return Line(intercept, Estimate(value=slope, low=slope - half, high=slope + half, n=n), centre, spread, noise)


def t_quantile(freedom: int, level: float = 0.95) -> float:
    """The t that holds |T| with probability `level` under so many degrees of freedom (1 or more), by bisection."""
    low, high = 0.0, pi / 2
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < level else (low, middle)
    return tan(high) * sqrt(freedom)


def _within(angle: float, freedom: int) -> float:
    """P(|T| <= t) for t = sqrt(freedom) tan(angle): the finite sums of Abramowitz and Stegun, 26.7.3 and 26.7.4."""
    odd = freedom % 2
    term, total = (cos(angle), 0.0) if odd else (1.0, 0.0)
    for k in range(1 + odd, freedom, 2):
        total += term
        term *= cos(angle) ** 2 * k / (k + 1)
    return 2 / pi * (angle + sin(angle) * total) if odd else sin(angle) * total
