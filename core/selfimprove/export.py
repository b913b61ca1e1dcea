"""A model of a run as a plain folder that anybody serves: weights checked against the manifest, and an honest card.

The folder appears whole or not at all. The base model, which a run may well end with, is fetched by a worker process,
since the core knows no model library.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from selfimprove.artifacts import Manifest, fetch_files, read_manifest, step_folder
from selfimprove.card import model_card
from selfimprove.errors import SurroundingsError, UserError
from selfimprove.ledger import Ledger, StepId
from selfimprove.loop import trains
from selfimprove.retention import kept_models
from selfimprove.runs import RunHandle
from selfimprove.stopping import best_iteration
from selfimprove.store.base import Store
from selfimprove.store.disk import explained, make_folder
from selfimprove.worker_process import have_done


def export_model(run: RunHandle, ledger: Ledger, output: Path, iteration: int | None = None) -> int:
    """Write M_n (the best one when `iteration` is None) as the folder `output`; gives n.

    Raises `UserError` when `output` holds something, or the run has no such model (any more), `SurroundingsError` when
    the model's files are lost.
    """
    n = best_iteration(ledger) if iteration is None else iteration
    if _is_taken(output):
        raise UserError(f"--output: {output} exists and is not an empty folder; choose another one, or empty it")
    with _appearing(Path(os.path.realpath(output))) as model:  # a link stays one, and what it names is filled
        if trains(run.spec, n):
            fetch_files(run.store, _checkpoint(run.store, ledger, n), model)
        else:
            _fetch_base(run, model)
        (model / "README.md").write_text(model_card(run, ledger, n), encoding="utf-8")
    return n


def _is_taken(output: Path) -> bool:
    with explained(str(output)):
        return output.exists() and (not output.is_dir() or any(output.iterdir()))


def _checkpoint(store: Store, ledger: Ledger, n: int) -> Manifest:
    found = read_manifest(store, step_folder(StepId(n, "distill")))
    made = sorted(step.iteration for step in ledger.committed if step.step == "distill")
    if found is None:
        have = ", ".join(f"M_{i}" for i in sorted({0, *made}))
        raise UserError(f"--iteration: {n} has made no model in {store.uri}; there is {have}")
    manifest = found[0]
    if _present(store, manifest):
        return manifest
    if n in kept_models(ledger):
        place = f"{store.uri}/{step_folder(StepId(n, 'distill'))}"
        raise SurroundingsError(
            f"{place}: the files of M_{n} are missing, which retention never prunes; restore them, or give --iteration"
        )
    raise UserError(f"--iteration: M_{n} was pruned from {store.uri}; only the best and the last model are kept")


def _present(store: Store, manifest: Manifest) -> bool:
    """Whether anything is left of the checkpoint: a pruned one is gone as a whole, a damaged one is not."""
    folder = step_folder(StepId(manifest.iteration, "distill"))
    there = {entry.key for entry in store.list(f"{folder}/attempt-")}
    return any(file.key in there for file in manifest.files)


def _fetch_base(run: RunHandle, model: Path) -> None:
    order = {"model": run.spec.model.to_json(), "storage": run.spec.storage.to_json(), "output": str(model)}
    failure = f"model.uri: {run.spec.model.uri} could not be fetched; the lines above say why"
    have_done("fetch-model", json.dumps(order), failure)


@contextmanager
def _appearing(output: Path) -> Iterator[Path]:
    """A folder to write to that becomes `output` when all went well, and else vanishes."""
    make_folder(output.absolute().parent)
    with explained(str(output)):
        scratch = Path(mkdtemp(prefix=f".{output.name}-", dir=output.absolute().parent))
        try:
            yield scratch / "model"
            (scratch / "model").rename(output)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
