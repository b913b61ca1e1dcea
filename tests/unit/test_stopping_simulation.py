"""How often the loop calls a model regressed that did not change, and one that did.

The real measures and the real decision on simulated samples: 200 prompts whose chances of success differ widely, 4
samples each. Design section 2 explains why the rule asks for a 99.5% interval: with "0.02 below the best" alone an
unchanged model is called regressed in most runs.
"""

from __future__ import annotations

import numpy as np
import pytest

from selfimprove.ledger import Ledger
from selfimprove.loop import Step, next_step
from selfimprove.measures import Table, held_out_measures, table_of
from selfimprove.stopping import best_iteration
from tests.unit.loop_support import commit, selected, spec_of

PROMPTS, SAMPLES, ITERATIONS = 200, 4, 5
IDS = [f"p{i:03d}" for i in range(PROMPTS) for _ in range(SAMPLES)]


def samples(chance: np.ndarray, random: np.random.Generator) -> Table:
    return table_of(IDS, (random.random(len(IDS)) < np.repeat(chance, SAMPLES)).astype(float))


def run(seed: int, drop: float = 0.0) -> tuple[str, int]:
    """The rule that ends a run of models all alike, but for the last one's accuracy lower by `drop`, and when."""
    random = np.random.default_rng(seed)
    chance = random.beta(0.5, 0.5, PROMPTS)
    spec, ledger, tables = spec_of(maxIterations=ITERATIONS), Ledger(), list[Table]()
    while isinstance(step := next_step(spec, ledger), Step):
        if step.id.step != "measure":
            ledger = commit(ledger, step.id, selected=selected() if step.id.step == "select" else None)
            continue
        n = step.id.iteration
        worse = chance * (1 - drop / chance.mean())
        tables.append(samples(worse if n == ITERATIONS else chance, random))
        best = best_iteration(ledger)
        found = held_out_measures(
            tables[n],
            iteration=n,
            baseline=tables[0] if n else None,
            first=tables[1] if n > 1 else None,
            best=(best, tables[best]) if n else None,
            target=2,
            seed=seed,
            resamples=200,
        )
        ledger = commit(ledger, step.id, measures=found)
    return step.rule, step.iteration


def share_regressed(runs: int, drop: float = 0.0) -> float:
    return sum(run(seed, drop)[0] == "Regressed" for seed in range(runs)) / runs


def test_a_model_that_does_not_change_is_called_regressed_in_under_5_percent_of_runs():
    """3% are. A rule whose true rate is 10%, twice the limit, would pass with 400 runs once in some 3,000 times."""
    assert share_regressed(400) < 0.05


def test_a_real_drop_of_8_points_is_caught_in_most_runs():
    assert share_regressed(60, drop=0.08) > 0.75


@pytest.mark.parametrize("seed", range(3))
def test_the_whole_simulation_is_repeatable(seed: int):
    assert run(seed) == run(seed)
