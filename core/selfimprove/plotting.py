"""Plots as files: matplotlib, which is an extra, is brought in only when a person asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from selfimprove.errors import UserError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

KINDS = (".png", ".svg", ".pdf")


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
def drawing(path: Path, title: str, x: str, y: str, option: str = "--plot") -> Iterator[Axes]:
    """Axes to draw on, written to the file at the end. Raises `UserError` where the file can't be written."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.3)
    yield axes
    try:
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise UserError(f"{option}: {path} can't be written ({error.strerror}); give another place") from error
