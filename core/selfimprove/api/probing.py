"""How many samples `resampling.leakProbe` draws of a prompt that guidance has won."""

from __future__ import annotations

from selfimprove.api.selecting import Resampling


def most_draws(begun: bool) -> int:
    """How many samples a prompt is probed by at most; `begun`: its accepted sample begins with a given prefix."""
    return 1 if begun else 2


def most_draws_of(resampling: Resampling) -> int:
    """The same of any prompt of a run; 0 where it doesn't probe. All samples of StateReset begin with a prefix."""
    return most_draws(resampling.strategy == "StateReset") if resampling.leak_probe else 0
