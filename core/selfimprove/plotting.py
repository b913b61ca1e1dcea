"""Plots as files: matplotlib, which is an extra, is brought in only when a person asks for one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from selfimprove.errors import UserError
from selfimprove.summaries import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KINDS = (".png", ".svg", ".pdf")
WIDTH = 7.0
"""Of a picture, in inches."""


def check_plot(path: Path | None) -> None:
    """Whether a plot can be drawn there, asked before any work is done. Raises `UserError`; None asks for none."""
    if path is None:
        return
    if path.suffix.lower() not in KINDS:
        raise UserError(f"--plot: {path} names no picture; give a file that ends in {', '.join(KINDS)}")
    if not path.parent.is_dir():
        raise UserError(f"--plot: {path.parent} is no folder; make it, or give another place")
    require_matplotlib("--plot", ", or leave it out")


def require_matplotlib(what: str, otherwise: str = "") -> None:
    """Whether anything can be drawn at all. Raises `UserError` that names `what` needs it."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise UserError(f"{what}: needs matplotlib; pip install 'selfimprove[plots]'{otherwise}") from error


@contextmanager
def drawing(path: Path, title: str, x: str, y: str, option: str = "--plot", width: float = WIDTH) -> Iterator[Axes]:
    """Axes to draw on, written to the file at the end. `width`: in inches.

    Raises `UserError` where the file can't be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, 4.5), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.3)
    yield axes
    _save(figure, path, option)


def band(estimates: Iterable[Estimate]) -> tuple[list[float], list[float]]:
    """The lower and the upper end of each interval, in percent; the value itself where there is none."""
    ends = [(e.value if e.low is None else e.low, e.value if e.high is None else e.high) for e in estimates]
    return [100 * low for low, _ in ends], [100 * high for _, high in ends]


def error_bars(estimates: Sequence[Estimate]) -> tuple[list[float], list[float]]:
    """How far each interval reaches below its value and above it, in percent, never less than 0."""
    low, high = band(estimates)
    values = [100 * e.value for e in estimates]
    below = [max(value - end, 0.0) for value, end in zip(values, low, strict=True)]
    above = [max(end - value, 0.0) for value, end in zip(values, high, strict=True)]
    return below, above


def heat_map(
    path: Path, title: str, rows: Sequence[str], columns: Sequence[str], values: Sequence[Sequence[float | None]]
) -> None:
    """A table in colours, written to the file: red below 0, blue above; a cell without a value stays empty.

    Raises `UserError` where the file can't be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2.5 + 1.1 * len(columns), 2 + 0.6 * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title)
    axes.set_xticks(range(len(columns)), columns, rotation=35, ha="right")
    axes.set_yticks(range(len(rows)), rows)
    known = [abs(value) for row in values for value in row if value is not None]
    most = max(known, default=0.0) or 1.0
    shown = [[float("nan") if value is None else value for value in row] for row in values]
    image = axes.imshow(shown, cmap="RdBu", vmin=-most, vmax=most, aspect="auto")
    for y, row in enumerate(values):
        for x, value in enumerate(row):
            dark = value is not None and abs(value) > 0.6 * most
            text = "-" if value is None else f"{value:+.1f}"
            axes.text(x, y, text, ha="center", va="center", color="white" if dark else "black")
    figure.colorbar(image, ax=axes)
    _save(figure, path, "--output")


def _save(figure: Figure, path: Path, option: str) -> None:
    try:
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise UserError(f"{option}: {path} can't be written ({error.strerror}); give another place") from error
