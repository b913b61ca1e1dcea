"""How long and how much memory the measures take, against the same bootstrap written prompt by prompt.

    python benchmarks/measures.py [--prompts 10000] [--samples 128]

gap, relative gap, pass@k and coverage together with their intervals (2,000 resamples), then AUROC, on one core. The
alternative draws the prompts of each resample and means their figures, which is what one writes first; it is timed on
one resample in fifty. Then `selfimprove measure` over the same samples as JSON lines, a process of its own: its peak
memory against the size of the file. Exit 1 when a figure is worse than wanted.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[threads] = "1"

import numpy as np

from selfimprove.measures import columns, estimates
from selfimprove.measures.table import Floats, Table
from selfimprove.measures.verifiers import auroc

WANTED_SECONDS, WANTED_AUROC, WANTED_MIB = 3.0, 40.0, 1024
RESAMPLES, TIMED = 2000, 40


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, default=10_000)
    parser.add_argument("--samples", type=int, default=128)
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    table, score = made(arguments.prompts, arguments.samples)
    print(f"{arguments.prompts:,} prompts x {arguments.samples} samples, {RESAMPLES:,} resamples, one core")

    began = time.monotonic()
    found = columns(table)
    estimates(found, seed=0, resamples=RESAMPLES)
    ours = time.monotonic() - began
    theirs = by_hand(found)
    print(f"gap, relative gap, pass@k, coverage: {ours:.2f} s (wanted: {WANTED_SECONDS} s)")
    print(f"drawn prompt by prompt: {theirs:.1f} s, {theirs / ours:.1f} x")
    print(f"peak memory so far: {peak_mib():.0f} MiB (wanted: {WANTED_MIB} MiB)")

    began = time.monotonic()
    ordered = auroc(score, table.utility, table.prompt, len(table.ids))
    estimates({"auroc": ordered}, seed=0, resamples=RESAMPLES)
    judged = time.monotonic() - began
    print(f"AUROC within prompts: {judged:.2f} s (wanted: {WANTED_AUROC} s)")
    memory = peak_mib()
    command_line(table, score)
    sys.exit(not (ours < WANTED_SECONDS and judged < WANTED_AUROC and memory < WANTED_MIB))


def made(prompts: int, samples: int) -> tuple[Table, Floats]:
    """Samples of a model of middling ability and a verifier of middling worth."""
    random = np.random.default_rng(0)
    prompt = np.repeat(np.arange(prompts), samples)
    utility = (random.random(prompts * samples) < random.beta(1, 2, prompts)[prompt]).astype(np.float64)
    score = random.normal(size=len(prompt)) + utility
    ids = tuple(f"p{n:06d}" for n in range(prompts))
    return Table(ids, prompt, utility, weight=(score > 1).astype(np.float64)), score


def by_hand(found: dict[str, Floats]) -> float:
    """Seconds that all resamples would take, one after another."""
    random, values = np.random.default_rng(0), list(found.values())
    size = len(values[0])
    began = time.monotonic()
    for _ in range(TIMED):
        drawn = random.integers(0, size, size)
        for column in values:
            np.nanmean(column[drawn]) if np.isfinite(column).any() else None
    return (time.monotonic() - began) * RESAMPLES / TIMED


def command_line(table: Table, score: Floats) -> None:
    """`selfimprove measure` on the same samples."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "samples.jsonl"
        with path.open("w") as file:
            for i, (place, utility, value) in enumerate(zip(table.prompt, table.utility, score, strict=True)):
                row = {"prompt": table.ids[place], "sample": i, "utility": int(utility), "scores": {"mc": float(value)}}
                file.write(json.dumps(row) + "\n")
        command = [sys.executable, "-m", "selfimprove", "measure", str(path), "--weighting", "Quantile:0.7", "--json"]
        began = time.monotonic()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds, size = time.monotonic() - began, path.stat().st_size / 2**20
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"selfimprove measure, {len(score):,} lines ({size:.0f} MiB): {seconds:.0f} s, {used:.0f} MiB at its peak")


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
