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
from selfimprove.plotting import drawing
from selfimprove.summaries import Estimate
from selfimprove.telemetry import Control, Counts, Levels, Spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OPTION = "--output"


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
    with drawing(path, f"Coverage of {which} prompts by level", x, "percent, 95% interval", OPTION) as axes:
        for name in found[min(found)].names:
            _line(axes, {n: e for n, levels in found.items() if (e := _of(levels, name))}, f"level {name}")
        _line(axes, tail.coverage if held_out else {}, "held-out tail", color="black", marker="s")
        control = next((each.control for each in tail.held_out.values() if each.control), None)
        if control and 0 in tail.coverage:
            _control(axes, tail.coverage[0], control)
        axes.set_xticks(sorted(found))
        axes.legend()
    yield path


def _control(axes: Axes, chosen: Estimate, control: Control) -> None:
    label = f"M_0 drawn again ({control.samples} samples a draw)"
    axes.axhline(100 * (chosen.value + control.rise.value), color="black", linestyle="--", linewidth=1, label=label)


def _of(levels: Levels, name: str) -> Estimate | None:
    return levels.coverage[levels.names.index(name)] if name in levels.names else None


def _line(axes: Axes, found: Mapping[int, Estimate], label: str, color: str | None = None, marker: str = "o") -> None:
    if not found:
        return
    below = [100 * (e.value - (e.value if e.low is None else e.low)) for e in found.values()]
    above = [100 * ((e.value if e.high is None else e.high) - e.value) for e in found.values()]
    values = [100 * e.value for e in found.values()]
    errors = [[max(each, 0.0) for each in side] for side in (below, above)]
    axes.errorbar(list(found), values, yerr=errors, capsize=3, label=label, color=color, marker=marker)


def _accepted(tail: Tail, folder: Path) -> Iterator[Path]:
    counts = {n: each.counts.accepted for n, each in tail.training.items() if each.counts and each.counts.accepted}
    yield from _histogram(folder / "accepted-counts.png", "Accepted plain samples of a training prompt", counts)


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
        axes.legend()
    yield path


def _lengths(tail: Tail, folder: Path) -> Iterator[Path]:
    yield from _spreads(tail, folder / "length.png", "Length of texts", "characters", "length", "plain")


def _guided_lengths(tail: Tail, folder: Path) -> Iterator[Path]:
    path = folder / "length-guided.png"
    yield from _spreads(tail, path, "Length of guided texts", "characters", "length", "guided")


def _perplexities(tail: Tail, folder: Path) -> Iterator[Path]:
    path = folder / "perplexity.png"
    yield from _spreads(tail, path, "Perplexity of the model's own texts", "perplexity", "perplexity", "plain")


def _spreads(tail: Tail, path: Path, title: str, x: str, quantity: str, kept: str) -> Iterator[Path]:
    """What trains, of the first iteration and the last, against the references, else against all that was drawn."""
    found: dict[int, Mapping[str, Spread]] = {
        n: spreads
        for n, each in tail.training.items()
        if each.texts and kept in (spreads := getattr(each.texts, quantity))
    }
    if not found:
        return
    ends = _ends(list(found))
    with drawing(path, title, x, "percent of the texts", OPTION) as axes:
        axes.set_xscale("log", base=2)
        basis = "reference" if "reference" in found[ends[0]] else "drawn"
        if basis == "reference" or kept == "plain":
            label = "reference solutions" if basis == "reference" else f"all drawn in iteration {ends[0]}"
            _steps(axes, found[ends[0]][basis], label)
        for n in ends:
            _steps(axes, found[n][kept], f"{kept} examples of iteration {n}")
        axes.legend()
    yield path


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
    _guided_lengths,
    _perplexities,
)
