"""`selfimprove plot`: the tail of a run as pictures, from what its manifests note."""

from __future__ import annotations

from pathlib import Path

from selfimprove.artifacts import load_ledger
from selfimprove.cli.output import print_json
from selfimprove.cli.showing import notes_of_run
from selfimprove.cli.where import Where
from selfimprove.errors import UserError
from selfimprove.plotting import require_matplotlib
from selfimprove.tail_plots import Tail, draw_tail


def plot(run: str, where: Where, output: Path, as_json: bool) -> None:
    """Write the pictures and print their paths.

    Raises `UserError` without matplotlib, for a place that can't be written, or where nothing is noted yet.
    """
    require_matplotlib("plot")
    handle = where.find(run)
    ledger = load_ledger(handle.store)
    notes = notes_of_run(handle.store, ledger)
    measured = {n: found for n in ledger.measured_iterations() if (found := ledger.measures(n))}
    coverage = {n: found.held_out.tail_coverage for n, found in measured.items() if found.held_out.tail_coverage}
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--output: {output} can't be made a folder ({error.strerror}); give another place") from error
    paths = draw_tail(Tail(notes.held_out, notes.training, coverage), output)
    if not paths:
        raise UserError(f"{run}: notes nothing to draw yet; let it finish a select or measure step of this version")
    if as_json:
        print_json({"plots": [str(path) for path in paths]})
    else:
        print("\n".join(map(str, paths)))
