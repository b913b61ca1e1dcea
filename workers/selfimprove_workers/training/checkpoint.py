"""The state of a training run in progress, so that a killed one goes on from where it was.

A state is `state/step-00000040/` under the attempt: the tensors as safetensors, then `state.json` with their sha256,
written last. Without that marker, or with one that doesn't match, a state is torn: it is ignored and the one before
taken. No pickle: the schedule and the random numbers are functions of the step, so tensors and a step say it all.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from selfimprove.artifacts import File, Manifest, attempt_folder, fetch_files, write_files
from selfimprove.errors import SurroundingsError
from selfimprove.store.base import Store
from selfimprove_workers.training.writing import writing

_log = logging.getLogger(__name__)

TENSORS = "state.safetensors"
KEPT = 2
"""States that stay: the newest, and the one before in case the newest is torn."""
_MARKER = re.compile(r"/attempt-[^/]+/state/step-(\d+)/state\.json$")
_SHARE = 20
"""Saving takes at most about one part in this many of the time."""


@dataclass(frozen=True)
class State:
    """Where a training run stood after as many steps as `curve` has rows."""

    tensors: dict[str, Tensor]
    curve: list[dict[str, Any]]


class States:
    """The states of one step, those of earlier attempts included when they did the same work (the same digest)."""

    steps: int = 0
    """Optimizer steps that the state which we saved or took up last stands after."""

    def __init__(
        self,
        store: Store,
        folder: str,
        attempt: str,
        digest: str,
        every_seconds: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._folder, self._attempt, self._digest = store, folder, attempt, digest
        self._every, self._clock = every_seconds, clock
        self._saved_at, self._took = clock(), 0.0

    def due(self) -> bool:
        """Whether it is time for the next state."""
        return self._clock() - self._saved_at >= max(self._every, _SHARE * self._took)

    def save(self, tensors: Mapping[str, Tensor], curve: list[dict[str, Any]]) -> None:
        """Store a state whole, then drop those that are no longer wanted. Raises `SurroundingsError`."""
        began = self._clock()
        prefix = f"state/step-{len(curve):08d}"
        with TemporaryDirectory(prefix="selfimprove-state-") as scratch:
            with writing(Path(scratch)):
                save_file({n: tensor.cpu().contiguous() for n, tensor in tensors.items()}, Path(scratch) / TENSORS)
            files = write_files(self._store, self._folder, self._attempt, Path(scratch), prefix)
        marker = {"digest": self._digest, "files": [file.to_json() for file in files], "curve": curve}
        key = f"{attempt_folder(self._folder, self._attempt)}/{prefix}/state.json"
        self._store.write(key, json.dumps(marker).encode())
        self.steps = len(curve)
        self._drop(self._markers()[KEPT:])
        self._saved_at, self._took = self._clock(), self._clock() - began

    def restore(self) -> State | None:
        """The newest state that is whole, of any attempt; None when there is none."""
        for key in self._markers():
            try:
                state = self._load(key)
            except (SurroundingsError, SafetensorError, FileNotFoundError, ValueError, KeyError) as error:
                _log.warning("%s/%s: not resumed from (%s)", self._store.uri, key, error)
            else:
                self.steps = len(state.curve)
                return state
        return None

    def clear(self) -> None:
        """Drop every state of the step: it is done."""
        self._drop(self._markers())

    def _markers(self) -> list[str]:
        """Markers of all attempts, the furthest state first."""
        keys = [entry.key for entry in self._store.list(f"{self._folder}/attempt-")]
        found = [(int(match[1]), key) for key in keys if (match := _MARKER.search(key))]
        return [key for _, key in sorted(found, reverse=True)]

    def _load(self, key: str) -> State:
        marker = json.loads(self._store.read(key))
        if marker["digest"] != self._digest:
            raise ValueError("made from other inputs or settings")
        files = [File.model_validate(file) for file in marker["files"]]
        listing = Manifest(step="distill", iteration=0, digest=self._digest, files=files, attempt=self._attempt)
        with TemporaryDirectory(prefix="selfimprove-state-") as scratch:
            folder = fetch_files(self._store, listing, Path(scratch) / "state")
            return State(load_file(folder / TENSORS), marker["curve"])

    def _drop(self, markers: list[str]) -> None:
        for marker in markers:
            folder = marker.rpartition("/")[0]
            self._store.delete([marker])  # first: what is left of a state must not look whole
            self._store.delete(entry.key for entry in self._store.list(f"{folder}/"))
