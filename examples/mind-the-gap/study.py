"""Mind the Gap on one machine: two tasks, two generators, four verification methods, 16 samples a prompt.

    python examples/mind-the-gap/study.py [gcd] [chain-sum]

Makes the demo's checkpoint of seed 2 (examples/arithmetic) where `runs/` lacks it, has `selfimprove matrix` draw and
score what is missing, and writes the tables and plots of `results/`: whatever was done is kept, so the command may be
stopped and given again. Run it at the root of the repository, with the extras `workers` and `plots` installed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE / "results"
TASKS = ("gcd", "chain-sum")
DEMO = HERE.parent / "arithmetic" / "run.yaml"
TOGETHER = ("Likelihood.base", "MajorityVote")
"""Two filters that are asked together (Mind the Gap, Table 3)."""
SHOWN = (("utility", "accuracy"), ("coverage", "coverage"), ("passAtK.4", "pass@4"), ("passAtK.16", "pass@16"))


def main() -> None:
    RESULTS.mkdir(exist_ok=True)
    seed_2 = ["--set", "metadata.name=arithmetic-2", "--set", "seed=2"]
    selfimprove("run", DEMO, "--storage", "runs", *seed_2, "--json")
    for task in sys.argv[1:] or TASKS:
        output = Path("runs") / f"{task}-matrix"
        matrix = selfimprove("matrix", HERE / f"{task}.yaml", "-o", output, "--json")
        files = {each["name"]: output / f"{each['name']}.jsonl" for each in matrix["generators"]}
        measures = {name: measured(path, scores_of(matrix)) for name, path in files.items()}
        together = {name: measured(path, TOGETHER) for name, path in files.items()}
        sweeps = {name: swept(path, matrix) for name, path in files.items()}
        changes = {name: accuracy_change(next(iter(files.values())), path) for name, path in list(files.items())[1:]}
        document = {"matrix": matrix, "measures": measures, "together": together, "sweeps": sweeps, "changes": changes}
        (RESULTS / f"{task}.json").write_text(json.dumps(document) + "\n")
        (RESULTS / f"{task}.md").write_text(report(task, document))
        (RESULTS / f"{task}-matrix.png").write_bytes((output / "matrix.png").read_bytes())
        draw_sweeps(task, sweeps)
        draw_correlations(task, measures)
        print((RESULTS / f"{task}.md").read_text())


def selfimprove(*words: str | Path) -> Any:
    """The document of one command; what it has to say of its progress goes to standard error."""
    command = [sys.executable, "-m", "selfimprove", *map(str, words)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def measured(path: Path, scores: Iterable[str]) -> Any:
    """What each verifier is worth on one generator's samples, and what all of their filters together come to."""
    options = [word for name in scores for word in ("--score", name)]
    return selfimprove("measure", path, *options, "--weighting", "Quantile:0.7", "--json")


def accuracy_change(one: Path, other: Path) -> Any:
    """Accuracy of the second file's samples less that of the first's, paired by prompt."""
    from selfimprove.measures import columns, paired_change
    from selfimprove.measures.table import Table
    from selfimprove.samples_file import read_samples
    from selfimprove.summaries import document_of

    found = [read_samples(path) for path in (one, other)]
    first, second = (columns(Table(each.ids, each.prompt, each.utility))["accuracy"] for each in found)
    return document_of(paired_change(second - first, seed=0))


def scores_of(matrix: dict[str, Any]) -> list[str]:
    return [verifier["name"] for verifier in matrix["verifiers"]]


def swept(path: Path, matrix: dict[str, Any]) -> dict[str, Any]:
    """Every verifier's gap against the quantile that is cut at."""
    options = ("--weighting", "Quantile", "--json")
    return {name: selfimprove("sweep", path, "--score", name, *options) for name in scores_of(matrix)}


def report(task: str, document: dict[str, Any]) -> str:
    """The tables as Markdown."""
    measures = document["measures"]
    first = next(iter(measures.values()))
    lines = [f"# {task}: {first['prompts']} prompts x {first['samples'] // first['prompts']} samples", ""]
    lines += ["Percent and points, with 95% intervals over prompts.", ""]
    lines += generators(measures, document["changes"])
    lines += filters(measures, document["matrix"]["cells"])
    lines += filters_together(document["together"])
    lines += correlations(measures)
    return "\n".join(lines)


def generators(measures: dict[str, Any], changes: dict[str, Any]) -> list[str]:
    heads = ("generator", *(title for _, title in SHOWN), "accuracy against the first, paired")
    rows = [
        [name, *(value(at(found, field)) for field, _ in SHOWN), change(changes.get(name))]
        for name, found in measures.items()
    ]
    return table(heads, rows)


def filters(measures: dict[str, Any], cells: dict[str, Any]) -> list[str]:
    """Each verifier's filter by itself, on each generator's samples."""
    rows = []
    for generator, row in cells.items():
        for verifier, cell in row.items():
            score = measures[generator]["scores"][verifier]
            gaps = [change(cell["gap"]), change(cell["relativeGap"]), share(cell["keepRate"])]
            rows.append([generator, verifier, *gaps, value(score["auroc"]), str(score["nan"])])
    return table(("generator", "verifier", "gap", "relative gap", "kept", "AUROC", "no score"), rows)


def filters_together(together: dict[str, Any]) -> list[str]:
    heads = ("generator", f"filters of {' and '.join(TOGETHER)} together: gap", "relative gap", "kept", "empty")
    rows = []
    for name, found in together.items():
        gaps = [change(found["gap"]), change(found["relativeGap"])]
        rows.append([name, *gaps, share(found["keepRate"]), share(found["emptyFilterRate"])])
    return table(heads, rows)


def correlations(measures: dict[str, Any]) -> list[str]:
    pairs = [(name, pair) for name, found in measures.items() for pair in found["correlations"]]
    rows = [[name, " ~ ".join(p["scores"]), change(p["pearson"]), change(p["spearman"])] for name, p in pairs]
    return table(("generator", "scores", "Pearson within a prompt", "Spearman"), rows)


def table(heads: tuple[str, ...], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}", *(f"| {' | '.join(row)} |" for row in rows), ""]


def at(found: Any, path: str) -> Any:
    for name in path.split("."):
        found = found and found.get(name)
    return found


def share(found: Any) -> str:
    return f"{100 * found['value']:.0f}"


def value(found: Any) -> str:
    return "-" if found is None else f"{100 * found['value']:.1f} {interval(found, '.1f')}"


def change(found: Any) -> str:
    return "-" if found is None else f"{100 * found['value']:+.1f} {interval(found, '+.1f')}"


def interval(found: Any, form: str) -> str:
    return "" if found["low"] is None else f"[{100 * found['low']:{form}}, {100 * found['high']:{form}}]"


def draw_sweeps(task: str, sweeps: dict[str, Any]) -> None:
    """Gap against quantile, a panel a generator."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2 * len(sweeps), 4), layout="constrained")
    panels = figure.subplots(1, len(sweeps), sharey=True, squeeze=False)[0]
    for axes, (generator, verifiers) in zip(panels, sweeps.items(), strict=True):
        for name, found in verifiers.items():
            points = [point for point in found["points"] if point["gap"]]
            x = [point["quantile"] for point in points]
            axes.plot(x, [100 * point["gap"]["value"] for point in points], label=name, marker="o", markersize=3)
            low, high = ([100 * point["gap"][end] for point in points] for end in ("low", "high"))
            axes.fill_between(x, low, high, alpha=0.08)
        axes.axhline(0, color="black", linewidth=0.8)
        axes.set_title(f"{task}: samples of {generator}")
        axes.set_xlabel("quantile")
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("gap, points (95% intervals)")
    panels[-1].legend(fontsize=8)
    figure.savefig(RESULTS / f"{task}-sweep.png", dpi=110)


def draw_correlations(task: str, measures: dict[str, Any]) -> None:
    """Pearson between verifiers within a prompt, of the first generator's samples."""
    from selfimprove.plotting import heat_map

    generator, found = next(iter(measures.items()))
    names = list(found["scores"])
    known = {tuple(pair["scores"]): pair["pearson"] for pair in found["correlations"]}

    def cell(one: str, other: str) -> float | None:
        pair = known.get((one, other)) or known.get((other, one))
        return 100.0 if one == other else pair and 100 * pair["value"]

    values = [[cell(one, other) for other in names] for one in names]
    heat_map(RESULTS / f"{task}-correlations.png", f"{task}, samples of {generator}: 100 r", names, names, values)


if __name__ == "__main__":
    main()
