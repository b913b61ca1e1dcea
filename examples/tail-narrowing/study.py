"""Tail narrowing on one machine: two tasks, six ways to sample the tail again and none, from the same plain samples.

    python examples/tail-narrowing/study.py [--iterations N] [--so-far] [chain-sum] [gsm-symbolic]

Each arm is a run of its own, `runs/tail-narrowing/TASK-STRATEGY`, that differs in `resampling.strategy` alone. What is
before that step is sampled once, by `None`; the tables and plots of `results/` are written at the end. Whatever was
done is kept, so the command may be stopped and given again. `--iterations 3` lets `None` and the arm that won most per
token go on to M_3, and `--so-far` only reads what is there. Run it at the root of the repository, with the extras
`workers` and `plots` installed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from report import draw, report
from sums import write_sums
from won import BASELINE, VANILLA, Arm, arm_of, best_of, document_of, plain_samples

from selfimprove.errors import INTERRUPTED, TERMINATED

HERE = Path(__file__).parent
RESULTS = HERE / "results"
RUNS = Path("runs") / "tail-narrowing"
TASKS = ("chain-sum", "gsm-symbolic")
STRATEGIES = (VANILLA, "BruteForce", "AnswerDriven", "RationaleDriven", "StateReset", "Interactive", "Adaptive")
SHARED = ("i000/evaluate", "i001/generate")
"""Steps that all arms do alike: all that is sampled before `resample`."""
SUMS = {"held-out": (140, 900_000), "train": (180, 1_000)}
"""How many sums are made from which seed; the training set leaves out what is held out."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--iterations", type=int, default=1, metavar="N", help="of None and the best arm (default: 1)")
    parser.add_argument("--so-far", action="store_true", help="write the tables of what was done, and do no more")
    parser.add_argument("tasks", nargs="*", choices=[*TASKS, []], metavar="TASK", help=f"of {', '.join(TASKS)}")
    arguments = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    if not arguments.so_far:
        make_sums()
    whole = True
    for task in arguments.tasks or TASKS:
        whole &= arguments.so_far or do(task, arguments.iterations)
        if arms := comparable(task):
            write(task, document_of(arms))
        whole &= bool(arms)
    sys.exit(0 if whole else 1)


def write(task: str, document: dict[str, Any]) -> None:
    """The tables and plots of a task, the tables on the screen too."""
    (RESULTS / f"{task}.json").write_text(json.dumps(document, indent=1) + "\n")
    (RESULTS / f"{task}.md").write_text(report(task, document))
    draw(RESULTS, task, document)
    print((RESULTS / f"{task}.md").read_text(), flush=True)


def make_sums() -> None:
    """Write the prompts of chain-sum where they are missing: a run is begun with a file's name, not with its rows."""
    known: set[str] = set()
    for name, (size, seed) in SUMS.items():
        known |= write_sums(RUNS / f"chain-sum-{name}.jsonl", size, seed, known)


def do(task: str, iterations: int) -> bool:
    """All arms of a task, one iteration each; more of `None` and of the best. Whether all came to their end."""
    done = {strategy: begun_alike(task, strategy) and run(task, strategy, 1) for strategy in STRATEGIES}
    if iterations > 1 and (arms := {name: arm for name, arm in arms_of(task).items() if done[name]}):
        best = [best_of(arms)] if any(name != VANILLA for name in arms) else []
        done |= {strategy: run(task, strategy, iterations) for strategy in (VANILLA, *best) if done[strategy]}
    return all(done.values())


def comparable(task: str) -> dict[str, Arm]:
    """The arms that the tables can show; what they can't is told in a line."""
    arms = arms_of(task)
    if VANILLA not in arms:
        tell(f"{task}: {VANILLA}, which all is compared with, has selected nothing yet; no tables are written")
        return {}
    if BASELINE not in arms and len(arms) > 1:
        tell(f"{task}: {BASELINE}, which costs are compared with, has selected nothing yet; only {VANILLA} is shown")
        return {VANILLA: arms[VANILLA]}
    return arms


def arms_of(task: str) -> dict[str, Arm]:
    """The arms of a task that are through with sampling; `None`, which the others are compared with, must be whole."""
    folders = {strategy: folder(task, strategy) for strategy in STRATEGIES}
    return {name: arm_of(each) for name, each in folders.items() if (each / "i001/select/00000/manifest.json").exists()}


def begun_alike(task: str, strategy: str) -> bool:
    """Give an arm the plain samples of `None`; False, told in a line, where there are none."""
    missing = [step for step in SHARED if not (folder(task, VANILLA) / step / "00000/manifest.json").exists()]
    if strategy != VANILLA and missing:
        tell(f"{name_of(task, strategy)}: left out, since {name_of(task, VANILLA)} has not done {missing[0]}")
        return False
    share(task, strategy)
    return True


def share(task: str, strategy: str) -> None:
    """Lay the prompts and the plain samples of `None` where an arm that has not begun will look for them.

    Only parts are laid there, no step's manifest: the arm does each step itself and takes over what was sampled by its
    own settings from its own prompts, as it would go on from an attempt that was killed.
    """
    source, target = folder(task, VANILLA), folder(task, strategy)
    if strategy == VANILLA or (target / "run.json").exists():
        return
    shutil.copytree(source / "prompts", target / "prompts", dirs_exist_ok=True)
    for step in SHARED:
        without_manifest = shutil.ignore_patterns("manifest.json")
        shutil.copytree(source / step, target / step, ignore=without_manifest, dirs_exist_ok=True)


def run(task: str, strategy: str, iterations: int) -> bool:
    """An arm up to M_`iterations`, from where it stands; one that is further stays as it is. Whether it came there.

    One that does not is told in a line, and the others go on; a signal ends them all.
    """
    done = len([*folder(task, strategy).glob("i*/measure/00000/manifest.json")]) - 1
    changes = {
        "metadata.name": name_of(task, strategy),
        "resampling.strategy": strategy,
        "maxIterations": max(iterations, done),
    }
    sets = [word for field, value in changes.items() for word in ("--set", f"{field}={value}")]
    command = [sys.executable, "-m", "selfimprove", "run", HERE / f"{task}.yaml", "--storage", RUNS, "--json", *sets]
    code = subprocess.run([str(word) for word in command], check=False, stdout=subprocess.PIPE).returncode
    if code in (INTERRUPTED, TERMINATED) or code < 0:
        sys.exit(code if code > 0 else 128 - code)
    if code:
        tell(f"{name_of(task, strategy)}: ended with exit code {code}, its last line says why; the others go on")
        return False
    require_same(task, strategy)
    return True


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def require_same(task: str, strategy: str) -> None:
    """Stop where an arm did not begin with the samples of `None`, as after a copy that was cut short."""
    target = folder(task, strategy)
    if plain_samples(target, SHARED) != plain_samples(folder(task, VANILLA), SHARED):
        sys.exit(f"{target}: has plain samples of its own; delete it and give the command again")


def folder(task: str, strategy: str) -> Path:
    return RUNS / name_of(task, strategy)


def name_of(task: str, strategy: str) -> str:
    return f"{task}-{strategy.lower()}"


if __name__ == "__main__":
    main()
