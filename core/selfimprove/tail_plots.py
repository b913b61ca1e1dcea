"""The tail of a run as pictures: coverage by level and iteration, accepted counts, lengths, perplexities.

Plain samples and guided ones are drawn in pictures of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from selfimprove.details import HeldOutDetails, TrainingDetails
from selfimprove.measures.spread import edges
from selfimprove.plotting import WIDTH, drawing, error_bars
from selfimprove.summaries import Estimate
from selfimprove.telemetry import Control, Counts, Levels, Spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OPTION = "--output"
_LEGEND = 3.0
"""Inches beside a picture for its legend."""
_MOST_APART, _WIDTH = 0.06, 0.6
"""Of an iteration's place on the axis: between the bars of two levels, and what those of all levels may take."""


@dataclass(frozen=True)
class Tail:
    """What there is to draw, by iteration."""

    held_out: Mapping[int, HeldOutDetails]
    training: Mapping[int, TrainingDetails]
    coverage: Mapping[int, Estimate]
    """n -> held-out tail coverage of M_n."""


def draw_tail(tail: Tail, folder: Path) -> list[Path]:
    """Write every picture for which something was noted, as PNG; their paths, none where nothing was.

    Raises `UserError` where a file can't be written.
    """
    return [path for picture in PICTURES for path in picture(tail, folder)]


def _coverage(tail: Tail, folder: Path) -> Iterator[Path]:
    """Held out where there is such; else of the training prompts, of the model that sampled them."""
    held_out = {n: each.levels for n, each in tail.held_out.items() if each.levels}
    training = {n: each.levels for n, each in tail.training.items() if each.levels}
    found = held_out or training
    if not found:
        return
    path = folder / "coverage-by-level.png"
    which, x = ("held-out", "model M_n") if held_out else ("training", "iteration")
    with drawing(
        path, f"Coverage of {which} prompts by level", x, "percent, 95% interval", OPTION, WIDTH + _LEGEND
    ) as axes:
        names = found[min(found)].names
        for name, shift in zip(names, _shifts(len(names)), strict=True):
            _line(axes, {n: e for n, levels in found.items() if (e := _of(levels, name))}, f"level {name}", shift)
        _line(axes, tail.coverage if held_out else {}, "held-out tail", color="black", marker="s")
        control = next((each.control for each in tail.held_out.values() if each.control), None)
        if control and 0 in tail.coverage:
            _control(axes, tail.coverage[0], control)
        axes.set_xticks(sorted(found))
        axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0), borderaxespad=0.0)
    yield path


def _control(axes: Axes, chosen: Estimate, control: Control) -> None:
    samples = "1 sample" if control.samples == 1 else f"{control.samples} samples"
    label = f"M_0 drawn again ({samples} a draw)"
    axes.axhline(100 * (chosen.value + control.rise.value), color="black", linestyle="--", linewidth=1, label=label)


def _of(levels: Levels, name: str) -> Estimate | None:
    return levels.coverage[levels.names.index(name)] if name in levels.names else None


def _shifts(lines: int) -> list[float]:
    """How far to the left or right of an iteration each line's bars stand, never on it: that is the tail's place."""
    apart = min(_MOST_APART, _WIDTH / max(lines, 1))
    left = [-apart * (place + 1) for place in reversed(range(lines // 2))]
    return left + [apart * (place + 1) for place in range(lines - lines // 2)]


def _line(
    axes: Axes,
    found: Mapping[int, Estimate],
    label: str,
    shift: float = 0.0,
    color: str | None = None,
    marker: str = "o",
) -> None:
    if not found:
        return
    values, bars = [100 * e.value for e in found.values()], error_bars(list(found.values()))
    axes.errorbar([n + shift for n in found], values, yerr=bars, capsize=3, label=label, color=color, marker=marker)


def _accepted(tail: Tail, folder: Path) -> Iterator[Path]:
    counts = {n: each.counts.accepted for n, each in tail.training.items() if each.counts and each.counts.accepted}
    title = "Right plain samples of a training prompt (accepted ones where no answers are known)"
    yield from _histogram(folder / "accepted-counts.png", title, counts)


def _guided(tail: Tail, folder: Path) -> Iterator[Path]:
    counts = {n: each.counts.guided for n, each in tail.training.items() if each.counts and each.counts.guided}
    yield from _histogram(folder / "accepted-counts-guided.png", "Accepted guided samples of a guided prompt", counts)


def _histogram(path: Path, title: str, found: Mapping[int, Counts]) -> Iterator[Path]:
    """The first iteration and the last beside each other."""
    shown = {n: found[n].histogram for n in _ends(list(found))}
    if not shown:
        return
    with drawing(path, title, "accepted samples", "percent of the prompts", OPTION) as axes:
        width = 0.8 / len(shown)
        for place, (n, histogram) in enumerate(shown.items()):
            at = [count - 0.4 + width * (place + 0.5) for count in range(len(histogram))]
            axes.bar(at, [100 * each / sum(histogram) for each in histogram], width, label=f"iteration {n}")
        axes.locator_params(axis="x", integer=True)
        axes.legend()
    yield path


def _lengths(tail: Tail, folder: Path) -> Iterator[Path]:
    lengths = {n: each.texts.length for n, each in tail.training.items() if each.texts}
    yield from _spreads(folder / "length.png", "Length of texts", "characters", lengths, "plain")
    yield from _spreads(folder / "length-guided.png", "Length of guided texts", "characters", lengths, "guided")


def _perplexities(tail: Tail, folder: Path) -> Iterator[Path]:
    found = {n: each.texts.perplexity for n, each in tail.training.items() if each.texts}
    yield from _spreads(folder / "perplexity.png", "Perplexity to the model that sampled", "perplexity", found, "plain")


def _spreads(path: Path, title: str, x: str, found: Mapping[int, Mapping[str, Spread]], kept: str) -> Iterator[Path]:
    """What trains, of the first iteration and the last, against the first of what there is to compare with."""
    ends = _ends([n for n, spreads in found.items() if kept in spreads])
    if not ends:
        return
    with drawing(path, title, x, "percent of the texts", OPTION) as axes:
        axes.set_xscale("log", base=2)
        for name in [name for name in AGAINST[kept] if name in found[ends[0]]][:1]:
            _steps(axes, found[ends[0]][name], AGAINST[kept][name])
        for n in ends:
            _steps(axes, found[n][kept], f"{kept} examples of iteration {n}")
        axes.legend()
    yield path


AGAINST = {
    "plain": {"reference": "reference solutions", "drawn": "all plain samples of the first"},
    "guided": {"reference": "reference solutions"},
}
"""What examples are drawn against: never plain samples in a picture of guided ones."""


def _steps(axes: Axes, spread: Spread, label: str) -> None:
    share = [100 * count / spread.samples for count in spread.histogram]
    axes.stairs(share, edges(spread), label=f"{label} ({spread.samples:,})", linewidth=1.5)


def _ends(iterations: Sequence[int]) -> list[int]:
    return sorted({min(iterations), max(iterations)}) if iterations else []


PICTURES: tuple[Callable[[Tail, Path], Iterator[Path]], ...] = (
    _coverage,
    _accepted,
    _guided,
    _lengths,
    _perplexities,
)
