"""How long a person waits for `selfimprove --help` and `plan`, against importing nothing but what the CLI stands on.

    python benchmarks/startup.py [--rounds 7]

`plan` is asked of a run of two iterations in a folder. Medians; the ratio is to `python -c "import typer, rich,
pydantic, yaml"` in the same run. Exit 1 when --help takes 0.4 s or more, plan 1 s or more, or either imports torch.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUN = """
apiVersion: selfimprove.dev/v1alpha1
kind: SelfImprovementRun
metadata: {name: startup}
spec:
  model: {uri: ./model}
  dataset: {uri: "gym://chain_sum?size=64", task: Gym}
"""
WANTED = {"selfimprove --help": 0.4, "selfimprove plan": 1.0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.yaml")
        path.write_text(RUN)
        commands = {
            "bare imports": [sys.executable, "-c", "import typer, rich, pydantic, yaml"],
            "selfimprove --help": [sys.executable, "-m", "selfimprove", "--help"],
            "selfimprove plan": [sys.executable, "-m", "selfimprove", "plan", str(path), "--storage", folder],
        }
        medians = {
            name: statistics.median(seconds(command) for _ in range(rounds)) for name, command in commands.items()
        }
        heavy = [name for name, command in commands.items() if imports_torch(command)]
    for name, median in medians.items():
        print(f"{name:20} {median:6.3f} s   {median / medians['bare imports']:.2f} of the bare imports")
    print(f"import torch: {', '.join(heavy) or 'none'}")
    sys.exit(bool(heavy) or any(medians[name] >= limit for name, limit in WANTED.items()))


def seconds(command: list[str]) -> float:
    """Wall-clock seconds of one process."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def imports_torch(command: list[str]) -> bool:
    """Whether the process imports torch, as the interpreter itself lists its imports."""
    shown = [command[0], "-X", "importtime", *command[1:]]
    listing = subprocess.run(shown, check=True, capture_output=True, text=True).stderr
    return any(line.rsplit("|", 1)[-1].strip() == "torch" for line in listing.splitlines())


if __name__ == "__main__":
    main()
