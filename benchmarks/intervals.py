"""How often the intervals of the measures hold the truth, and how wide they are, against a plain bootstrap's.

    python benchmarks/intervals.py [--draws 500] [--resamples 400] [--chances NAME]

Prompts are drawn from populations whose truth is known: chances of success by several laws, one of them with 70% of
prompts that are never solved, some samples each, filtered by a threshold, a quantile or a softmax of a score that half
knows. The alternative is the percentile bootstrap over the same resamples. Exit 1 when a measure of 12 prompts or more
is held in less than 90% of the draws in more than 3% of the cells.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from selfimprove.measures import columns, estimates, ranges_of, table_of
from selfimprove.measures.bootstrap import resampled_means
from selfimprove.measures.table import Floats

POPULATION = 20_000
PROMPTS, SAMPLES = (12, 24, 46, 100, 200), (4, 8, 16, 64)
MEASURES = ("accuracy", "gap", "relative_gap", "pass@4", "pass@8")
WANTED, ALLOWED = 0.9, 0.03

Random = np.random.Generator
CHANCES: dict[str, Callable[[Random], Floats]] = {
    "Beta(0.5, 0.5)": lambda random: random.beta(0.5, 0.5, POPULATION),
    "Beta(0.3, 0.3)": lambda random: random.beta(0.3, 0.3, POPULATION),
    "Beta(4, 1)": lambda random: random.beta(4, 1, POPULATION),
    "Beta(12, 2)": lambda random: random.beta(12, 2, POPULATION),
    "Beta(40, 2)": lambda random: random.beta(40, 2, POPULATION),
    "Beta(1, 20)": lambda random: random.beta(1, 20, POPULATION),
    "uniform": lambda random: random.random(POPULATION),
    "70% never": lambda random: random.beta(2, 5, POPULATION) * (random.random(POPULATION) >= 0.7),
    "50% never": lambda random: random.random(POPULATION) * (random.random(POPULATION) >= 0.5),
}
FILTERS: dict[str, Callable[[Floats], Floats]] = {
    "threshold": lambda scores: (scores > 1.5).astype(np.float64),
    "quantile": lambda scores: (scores >= np.quantile(scores, 0.7, axis=1, keepdims=True)).astype(np.float64),
    "softmax": lambda scores: np.exp(scores - scores.max(axis=1, keepdims=True)),
}


@dataclass(frozen=True)
class Cell:
    """One measure of one population, for one number of prompts."""

    name: str
    measure: str
    held: float
    """Share of draws whose interval holds the truth."""
    plainly: float
    """The same of the plain bootstrap."""
    wider: float
    """Mean width over the plain bootstrap's."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--resamples", type=int, default=400)
    parser.add_argument("--chances", choices=list(CHANCES), action="append")
    arguments = parser.parse_args()
    cells = []
    for cell in simulated(arguments.chances or list(CHANCES), arguments.draws, arguments.resamples):
        cells.append(cell)
        print(f"{cell.name}, {cell.measure}: {cell.held:.3f}, plain {cell.plainly:.3f}, {cell.wider:.2f} x as wide")
    for measure in MEASURES:
        report(measure, [cell for cell in cells if cell.measure == measure])
    low = sum(cell.held < WANTED for cell in cells)
    print(f"in all: {low} of {len(cells)} cells below {WANTED:.0%} (wanted: {ALLOWED:.0%} of them at most)")
    sys.exit(low > ALLOWED * len(cells))


def report(measure: str, cells: list[Cell]) -> None:
    for name, held in (("ours", [cell.held for cell in cells]), ("plain", [cell.plainly for cell in cells])):
        below = sum(each < WANTED for each in held)
        print(f"{measure}, {name}: median {np.median(held):.3f}, least {min(held):.3f}, {below} of {len(held)} below")
    wider = [cell.wider for cell in cells]
    print(f"{measure}: {np.median(wider):.2f} x as wide in the median, {np.quantile(wider, 0.9):.2f} x in one of ten")


def simulated(chances: list[str], draws: int, resamples: int) -> Iterator[Cell]:
    random = np.random.default_rng(5)
    for law in chances:
        for samples in SAMPLES:
            for name, weigh in FILTERS.items():
                population = measured(random, CHANCES[law](random), samples, weigh)
                for prompts in PROMPTS:
                    picks = random.integers(0, POPULATION, (draws, prompts))
                    for measure in MEASURES if name == "threshold" else MEASURES[1:3]:
                        if measure in population:
                            where = f"{law}, {samples} samples, {name}, {prompts} prompts"
                            yield held(where, measure, population, picks, resamples)


def measured(random: Random, chance: Floats, samples: int, weigh: Callable[[Floats], Floats]) -> dict[str, Floats]:
    """The columns of a whole population."""
    utility = (random.random((POPULATION, samples)) < chance[:, None]).astype(np.float64)
    weight = weigh(0.7 * utility + random.normal(size=utility.shape))
    ids = np.repeat(np.arange(POPULATION), samples).astype(str).tolist()
    return columns(table_of(ids, utility.ravel(), weight=weight.ravel()))


def held(name: str, measure: str, population: dict[str, Floats], picks: np.ndarray, resamples: int) -> Cell:
    true = float(np.nanmean(population[measure]))
    ours, plain, widths = 0, 0, ([], [])
    for seed, pick in enumerate(picks):
        values = population[measure][pick]
        if np.isfinite(values).sum() < 2:
            continue
        limits = ranges_of({"accuracy": population["accuracy"][pick]})
        found = estimates({measure: values}, seed=seed, resamples=resamples, ranges=limits)[measure]
        low, high = np.nanquantile(resampled_means(values[:, None], seed, resamples), [0.025, 0.975])
        ours += found.low <= true <= found.high
        plain += low <= true <= high
        widths[0].append(found.high - found.low)
        widths[1].append(high - low)
    count = len(widths[0])
    return Cell(name, measure, ours / count, plain / count, float(np.mean(widths[0]) / max(np.mean(widths[1]), 1e-9)))


if __name__ == "__main__":
    main()
