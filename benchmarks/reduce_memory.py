"""Peak memory of the steps that reduce, `select` and `measure`, against holding all rows in Python lists.

Makes 100,000 samples (of each of the models that are compared), commits them as the steps before do, and runs each
step in a process of its own. Both must stay under 1 GiB. Prints each peak, and the ratio to the process that reads the
same samples into lists first, as is usual.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pyarrow as pa

from selfimprove.api.execution import StepName
from selfimprove.api.resolve import Surroundings, resolve
from selfimprove.api.spec import Spec
from selfimprove.artifacts import PartWriter, read_rows, require_manifest, step_folder
from selfimprove.ledger import StepId
from selfimprove.records import SAMPLE, SCORE
from selfimprove.store import open_store
from selfimprove_workers.committing import Outcome, Recipe, commit_step
from selfimprove_workers.context import StepContext
from selfimprove_workers.desk import runner
from selfimprove_workers.models import ModelHouse
from selfimprove_workers.progress import Progress
from selfimprove_workers.prompts import ensure_prompts, load_prompts

SAMPLES_PER_PROMPT = 8
PROMPT_TOKENS, TOKENS, CHARACTERS = 120, 200, 800
ROWS_PER_PART = 4096
LIMIT = 1 << 30
WORKLOADS: dict[str, StepId] = {"select": StepId(1, "select"), "measure": StepId(1, "measure")}

Rows = list[dict[str, Any]]


def main() -> None:
    options = _options()
    if options.child:
        print(json.dumps(_work(options.child, Path(options.folder))))
        return
    with tempfile.TemporaryDirectory() as folder:
        prompts = _build(Path(folder), options.samples // SAMPLES_PER_PROMPT)
        print(f"{prompts * SAMPLES_PER_PROMPT:,} samples of {prompts:,} prompts, {TOKENS} tokens each")
        lists = _peak("lists", folder)
        print(f"  all rows in Python lists   {lists / 2**20:8,.0f} MiB")
        for name in WORKLOADS:
            peak = _peak(name, folder)
            verdict = "under" if peak < LIMIT else "OVER"
            print(f"  {name:10s}                 {peak / 2**20:8,.0f} MiB   1 to {lists / peak:.1f}, {verdict} 1 GiB")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--child", choices=["lists", *WORKLOADS], help=argparse.SUPPRESS)
    parser.add_argument("--folder", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


def _peak(name: str, folder: str) -> int:
    """Bytes that a process of its own needed at most."""
    command = [sys.executable, __file__, "--child", name, "--folder", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr}")
    return int(json.loads(done.stdout)["peak"])


def _work(name: str, folder: Path) -> dict[str, int]:
    if name == "lists":
        held = _everything(folder)
    else:
        held = runner(WORKLOADS[name].step)(_context(folder, WORKLOADS[name].step, WORKLOADS[name].iteration))
    assert held
    return {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def _everything(folder: Path) -> Rows:
    store = open_store(str(folder / "run"))
    parts = require_manifest(store, step_folder(StepId(1, "generate")))[0].parts
    return [row for batch in read_rows(store, parts, SAMPLE) for row in batch.to_pylist()]


def _build(folder: Path, prompts: int) -> int:
    """Commit prompts, and samples and scores of the training prompts and of the held-out ones for M_0 and M_1."""
    _write_dataset(folder, prompts)
    context = _context(folder, "generate", 1)
    ensure_prompts(context.store, context.spec, "made")
    trained, held_out = (len(load_prompts(context.store, split)) for split in ("train", "heldOut"))
    assert trained == held_out == prompts
    _commit(folder, StepId(1, "generate"), "p", prompts, part=SAMPLE)
    _commit(folder, StepId(1, "verify"), "p", prompts, part=SCORE)
    for iteration in (0, 1):
        _commit(folder, StepId(iteration, "evaluate"), "h", prompts, part=SAMPLE, score=SCORE)
    return prompts


def _commit(folder: Path, step: StepId, kind: str, prompts: int, **tables: pa.Schema) -> None:
    """Commit a step's tables: samples, scores, or both."""
    context = _context(folder, step.step, step.iteration)
    recipe, draw = Recipe({}, {"made": "by hand"}), random.Random(step.iteration)
    place = (context.store, context.folder, context.attempt, recipe.digest(context))
    writers = {name: PartWriter(*place, schema, table=name, adopt=False) for name, schema in tables.items()}
    for chunk in _chunks(prompts):
        samples = [_sample(f"{kind}{at}", index, draw) for at in chunk for index in range(SAMPLES_PER_PROMPT)]
        for name, writer in writers.items():
            rows = samples if tables[name] is SAMPLE else [_score(row, draw) for row in samples]
            writer.write(rows, len(chunk))
    parts = {name: writer.parts for name, writer in writers.items()}
    commit_step(context, recipe, Outcome(parts.pop("part"), prompts, tables=parts), time.monotonic())


def _chunks(prompts: int) -> Iterator[range]:
    size = ROWS_PER_PART // SAMPLES_PER_PROMPT
    for start in range(0, prompts, size):
        yield range(start, min(start + size, prompts))


def _sample(prompt: str, index: int, draw: random.Random) -> dict[str, Any]:
    return {
        "prompt": prompt,
        "sample": index,
        "strategy": "",
        "round": 0,
        "seed": draw.getrandbits(62),
        "text": f"{draw.getrandbits(64):x} ".ljust(CHARACTERS, "x"),
        "prompt_tokens": [draw.randrange(32_000)] * PROMPT_TOKENS,
        "tokens": [draw.randrange(32_000) for _ in range(TOKENS)],
        "prefix_length": 0,
        "logprob_sum": -draw.random(),
        "finish": "stop",
    }


def _score(row: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    right = draw.random() < 0.4
    verdict = "Correct" if right else "Wrong"
    return {
        "prompt": row["prompt"],
        "sample": row["sample"],
        "method": "GroundTruth",
        "score": float(right),
        "verdict": verdict,
        "strict_verdict": verdict,
    }


def _write_dataset(folder: Path, prompts: int) -> None:
    for name, kind in (("train", "p"), ("held-out", "h")):
        rows = ({"id": f"{kind}{at}", "prompt": f"{kind} {at}?", "answer": str(at)} for at in range(prompts))
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def _context(folder: Path, step: StepName, iteration: int) -> StepContext:
    document = {
        "model": {"uri": str(folder)},
        "dataset": {
            "uri": str(folder / "train.jsonl"),
            "fields": {"id": "id", "prompt": "prompt", "answer": "answer"},
            "task": "Math",
            "heldOut": {"uri": str(folder / "held-out.jsonl")},
        },
        "evaluation": {"samplesPerPrompt": SAMPLES_PER_PROMPT},
    }
    spec = resolve(Spec.model_validate(document), surroundings=Surroundings())
    store = open_store(str(folder / "run"))
    models = ModelHouse(store, spec)
    progress = Progress(StringIO())
    return StepContext(store, spec, StepId(iteration, step), 0, 1, "made", models, progress, threading.Event())


if __name__ == "__main__":
    main()
