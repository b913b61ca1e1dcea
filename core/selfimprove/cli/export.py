"""`selfimprove export`: a model of the run as a folder that others serve."""

from __future__ import annotations

from pathlib import Path

from selfimprove.artifacts import load_ledger
from selfimprove.cli import say
from selfimprove.cli.signals import terminable
from selfimprove.cli.where import Where
from selfimprove.export import export_model


def export(run: str, where: Where, iteration: int | None, output: Path) -> None:
    """Write the folder; its path goes to standard output, so that a script can take it from there."""
    handle = where.find(run)
    with terminable(f"nothing was written to {output}"):
        n = export_model(handle, load_ledger(handle.store), output, iteration)
    say(f"M_{n} of {handle.uri}; serve it with: vllm serve {output}")
    print(output)
