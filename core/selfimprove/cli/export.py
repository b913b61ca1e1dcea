"""`selfimprove export`: a model of the run as a folder that others serve."""

from __future__ import annotations

from pathlib import Path

from selfimprove.artifacts import load_ledger
from selfimprove.cli import say
from selfimprove.export import export_model
from selfimprove.runs import find


def export(run: str, storage: str | None, iteration: int | None, output: Path) -> None:
    """Write the folder; its path goes to standard output, so that a script can take it from there."""
    handle = find(run, storage)
    n = export_model(handle, load_ledger(handle.store), output, iteration)
    say(f"M_{n} of {handle.uri}; serve it with: vllm serve {output}")
    print(output)
