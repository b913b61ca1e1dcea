"""The example at three seeds, and the table of the README: what was gained, strict and flexible side by side.

    python examples/arithmetic/seeds.py [--storage runs] [SEED ...]

Each seed is a run of its own, `arithmetic-SEED`, resumed where it stood; the prompts are the same, every draw differs.
Exit 1 when the 95% interval of a held-out gain, paired by prompt, does not exclude 0.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

MANIFEST = Path(__file__).with_name("run.yaml")
COLUMNS = (
    "seed",
    "flexible M_0",
    "flexible best",
    "gain (paired)",
    "strict M_0",
    "strict best",
    "gain (paired)",
    "tail coverage",
    "minutes",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--storage", default="runs")
    parser.add_argument("seeds", nargs="*", type=int, default=[0, 1, 2])
    arguments = parser.parse_args()
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    excluded = [report(seed, arguments.storage) for seed in arguments.seeds]
    sys.exit(not all(excluded))


def report(seed: int, storage: str) -> bool:
    """Print one row; whether the gain's interval excludes 0."""
    run(seed, storage)
    measures = manifest(seed, storage, "i001/measure")["summary"]["measures"]
    baseline = manifest(seed, storage, "i000/measure")["summary"]["measures"]["heldOut"]
    held_out, gain = measures["heldOut"], measures["versusBaseline"]
    cells = [
        str(seed),
        estimate(baseline["accuracy"]),
        estimate(held_out["accuracy"]),
        change(gain),
        estimate(baseline["strictAccuracy"]),
        estimate(held_out["strictAccuracy"]),
        change(measures["strictVersusBaseline"]),
        f"{percent(baseline['tailCoverage'])} to {percent(held_out['tailCoverage'])}",
        f"{seconds(seed, storage) / 60:.1f}",
    ]
    print(f"| {' | '.join(cells)} |", flush=True)
    return bool(gain["low"] > 0)


def run(seed: int, storage: str) -> None:
    """The run of one seed, to its end."""
    sets = [f"metadata.name=arithmetic-{seed}", f"seed={seed}"]
    command = [sys.executable, "-m", "selfimprove", "run", str(MANIFEST), "--storage", storage, "--json"]
    subprocess.run([*command, *(word for each in sets for word in ("--set", each))], check=True, stdout=subprocess.PIPE)


def manifest(seed: int, storage: str, step: str) -> dict[str, Any]:
    """A step's committed manifest: the figures in full, where the status shortens them."""
    path = Path(storage, f"arithmetic-{seed}", step, "00000", "manifest.json")
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def seconds(seed: int, storage: str) -> float:
    """Spent in all steps."""
    paths = Path(storage, f"arithmetic-{seed}").glob("i*/*/*/manifest.json")
    return sum(float(json.loads(path.read_text())["summary"]["seconds"]) for path in paths)


def percent(found: dict[str, float]) -> str:
    """A value without its interval."""
    return f"{100 * found['value']:.1f}%"


def estimate(found: dict[str, float]) -> str:
    """A value with its 95% interval."""
    return f"{100 * found['value']:.1f}% [{100 * found['low']:.1f}, {100 * found['high']:.1f}]"


def change(found: dict[str, float]) -> str:
    """A difference in points with its 95% interval."""
    return f"{100 * found['value']:+.1f} [{100 * found['low']:+.1f}, {100 * found['high']:+.1f}]"


if __name__ == "__main__":
    main()
