"""Where everything of a run lies, relative to its store: one place that spells keys, so that no two parts disagree."""

from __future__ import annotations

import re

from selfimprove.ledger import StepId

RUN = "run.json"
"""The run as it was begun: its spec, resolved."""

FAILURE = "failure.json"
"""Why the last `selfimprove run` could not go on."""

PROMPTS = "prompts"
"""The folder of the prompt sets, committed by the same protocol as a step."""

_STEP_MANIFEST = re.compile(r"i\d{3,}/[a-z]+(-[A-Za-z]+)?/\d{5,}/manifest\.json")
_WRITTEN = re.compile(
    rf"{PROMPTS}/(?:manifest\.json$|attempt-)|i\d{{3,}}/[a-z]+(?:-[A-Za-z]+)?/\d{{5,}}/|probe-[0-9a-f]+$"
)
_ATTEMPT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def step_folder(step: StepId, shard: int = 0) -> str:
    """The folder of one shard of one step: `i001/generate/00003`, `i000/evaluate-test/00000`."""
    name = f"{step.step}-{step.split}" if step.split else step.step
    return f"i{step.iteration:03d}/{name}/{shard:05d}"


def manifest_key(folder: str) -> str:
    """The key whose existence commits the folder."""
    return f"{folder}/manifest.json"


def attempt_folder(folder: str, attempt: str) -> str:
    """The folder that one attempt, and nobody else, writes to. Raises `ValueError` for an id that is no plain name."""
    if not _ATTEMPT.fullmatch(attempt):
        raise ValueError(f"attempt id {attempt!r} must be letters, digits, '.', '_' and '-'")
    return f"{folder}/attempt-{attempt}"


def log_key(folder: str, attempt: str, rank: int = 0) -> str:
    """What a process logged in an attempt, as plain text; `rank` tells apart those that train together."""
    name = f"worker-{rank}.log" if rank else "worker.log"
    return f"{attempt_folder(folder, attempt)}/{name}"


def folder_of(key: str) -> str:
    """The committed folder that a key of an attempt belongs to."""
    return key.split("/attempt-", 1)[0]


def is_of_a_run(key: str) -> bool:
    """Whether a run writes under such a key: its record, its prompts, its iterations, and what probes a store."""
    return key in (RUN, FAILURE) or _WRITTEN.match(key) is not None


def is_step_manifest(key: str) -> bool:
    """Whether the key commits a step (and not the prompt sets, or a checkpoint's own file of that name)."""
    return _STEP_MANIFEST.fullmatch(key) is not None
