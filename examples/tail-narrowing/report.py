"""The study's figures as tables and plots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

Figures = Mapping[str, Any]

BASELINE = "BruteForce"
TESTS = ("sound", "plainly", "reasoned")
LEAKS = ("copy", "speaks of the hint", "answer without reasoning")
CRITIQUES = ("given", "states the answer", "nonsense", "too long", "no wrong attempt")
COLOURS = {"newly covered": "tab:gray", "sound": "tab:green", "plainly": "tab:orange", "reasoned": "tab:blue"}


def report(task: str, document: Figures) -> str:
    """The tables as Markdown."""
    arms = document["arms"]
    guided = {name: arm for name, arm in arms.items() if "won" in arm}
    looked_at = {name: arm for name, arm in arms.items() if arm["heldOut"]}
    baseline = document["baseline"]
    costs = ("strategy", "samples", "tokens", "newly covered", "%", "tokens a prompt", "times BruteForce's")
    held_out = ("model", "accuracy", "less None's", "coverage of the tail", "less None's")
    m_0 = ["M_0", value(baseline["accuracy"]), "", value(baseline["tailCoverage"]), ""]
    lines = [
        f"# {task}",
        "",
        f"{document['training']} training prompts, {document['uncovered']} of them without a right plain sample; "
        f"{baseline['accuracy']['n']} held-out prompts, {baseline['tailCoverage']['n']} of them without one by M_0 "
        "(the tail). Percent and points, with 95% intervals over prompts.",
        "",
        "Tokens that were sampled for one newly covered prompt (critiques counted, prompts and the leak probe not):",
        "",
        *table(costs, [_won(name, arm["won"]) for name, arm in guided.items()]),
        "The same were right answers let be that are dropped as leaks:",
        "",
        *table(costs, [_won(name, arm["right"]) for name, arm in guided.items()]),
        "Of prompts whose first accepted sample passes a test as well:",
        "",
        *table(
            ("strategy", "test", "passed", "tokens a prompt", "times BruteForce's"),
            [row for name, arm in guided.items() for row in _survivors(name, arm["survivors"])],
        ),
        *_levels(document),
        "Held out, after one iteration:",
        "",
        *table(
            held_out,
            [
                m_0,
                *(_held_out(name, arm["heldOut"], arm["versusVanilla"]) for name, arm in looked_at.items()),
            ],
        ),
        "Right samples that were dropped as leaks, and what came of critiques (empty: none):",
        "",
        *table(
            ("strategy", *LEAKS, *(f"critique {outcome}" for outcome in CRITIQUES)),
            [_dropped(name, arm["counts"]) for name, arm in guided.items()],
        ),
    ]
    if document["iterations"]:
        rows = [
            _held_out(f"{name}, M_{n}", found, found["versusVanilla"])
            for name, models in document["iterations"].items()
            for n, found in models.items()
        ]
        lines += ["Held out, iteration by iteration, against None's of the same one:", "", *table(held_out, rows)]
    return "\n".join(lines)


def _won(name: str, won: Figures) -> list[str]:
    covered = value(won["covered"])
    return [name, f"{won['tried']:,}", f"{won['tokens']:,}", str(won["won"]), covered, *_costs(name, won)]


def _survivors(name: str, survivors: Figures) -> Iterable[list[str]]:
    for test in TESTS:
        if found := survivors[test]:
            yield [name, test, f"{found['won']} of {found['asked']}", *_costs(name, found)]


def _costs(name: str, found: Figures) -> list[str]:
    return [amount(found["cost"], ",.0f"), "1" if name == BASELINE else amount(found["ratio"], ".2f")]


def _levels(document: Figures) -> list[str]:
    levels = document["levels"]
    if levels is None:
        return []
    whole = ["all prompts", "", "", *shares(levels["prompts"]), "", ""]
    rows = [whole, *(_trained(name, arm["examples"], len(levels["names"])) for name, arm in document["arms"].items())]
    named = {"Dataset": "level", "ReferenceSteps": "lines", "PassRate": "pass rate"}[levels["basis"]]
    heads = [f"{named} {name}{' (hard)' if name in levels['hard'] else ''}" for name in levels["names"]]
    head = ("trained on", "examples", "prompts", *heads, "hard", "less None's")
    return ["What trains, by level, plain and guided examples together:", "", *table(head, rows)]


def _trained(name: str, examples: Figures, levels: int) -> list[str]:
    counts = f"{examples['plain']} + {examples['guided']}"
    change = examples.get("hardShareChange")
    by_level = shares(examples["byLevel"]) if sum(examples["byLevel"]) else ["-"] * levels
    hard = value(examples["hardShare"]) if examples["hardShare"] else "-"
    return [name, counts, str(examples["prompts"]), *by_level, hard, points(change) if change else ""]


def _held_out(name: str, found: Figures, versus: Figures | None) -> list[str]:
    changes = [points(versus[each]) if versus and versus[each] else "" for each in ("accuracy", "tailCoverage")]
    return [name, value(found["accuracy"]), changes[0], value(found["tailCoverage"]), changes[1]]


def _dropped(name: str, counts: Figures) -> list[str]:
    names = [*LEAKS, *(f"critique.{outcome}" for outcome in CRITIQUES)]
    return [name, *(str(counts.get(each, "")) for each in names)]


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    named = list(heads)
    return [f"| {' | '.join(named)} |", f"|{'---|' * len(named)}", *(f"| {' | '.join(row)} |" for row in rows), ""]


def shares(counts: Iterable[int]) -> list[str]:
    found = list(counts)
    return [f"{100 * count / sum(found):.0f}" for count in found]


def value(found: Figures) -> str:
    return f"{100 * found['value']:.1f} {interval(found, '.1f')}"


def points(found: Figures) -> str:
    return f"{100 * found['value']:+.1f} {interval(found, '+.1f')}"


def interval(found: Figures, form: str) -> str:
    low, high = found.get("low"), found.get("high")
    return "" if low is None or high is None else f"[{100 * low:{form}}, {100 * high:{form}}]"


def amount(found: Figures | None, form: str) -> str:
    """A cost; endless where nothing was won. None: there is nothing to compare it with."""
    if found is None:
        return "-"
    each = {name: "endless" if found[name] is None else format(found[name], form) for name in ("value", "low", "high")}
    return each["value"] if found["value"] is None else f"{each['value']} [{each['low']}, {each['high']}]"


def draw(folder: Path, task: str, document: Figures) -> None:
    """Write the plots, as PNG, beside the tables."""
    _draw_costs(folder / f"{task}-cost.png", task, document)
    _draw_held_out(folder / f"{task}-held-out.png", task, document)
    if document["levels"]:
        _draw_levels(folder / f"{task}-levels.png", task, document)
    if document["iterations"]:
        _draw_iterations(folder / f"{task}-iterations.png", task, document)


def _draw_costs(path: Path, task: str, document: Figures) -> None:
    """Tokens for one newly covered prompt, all of them and those that pass each test."""
    guided = {name: arm for name, arm in document["arms"].items() if "won" in arm}
    figure, axes = _axes(f"{task}: tokens for one newly covered prompt (95% intervals)")
    for place, (name, colour) in enumerate(COLOURS.items()):
        costs = [{"newly covered": arm["won"], **arm["survivors"]}[name] for arm in guided.values()]
        rows = {row: each["cost"] for row, each in enumerate(costs) if each and each["won"]}
        _bars(axes, rows, 0.18 * (place - 1.5), colour, name)
    axes.set_xscale("log")
    axes.set_yticks(range(len(guided)), list(guided))
    axes.invert_yaxis()
    figure.legend(fontsize=8, loc="outside lower center", ncols=4)
    figure.savefig(path, dpi=110)


def _draw_held_out(path: Path, task: str, document: Figures) -> None:
    """Held-out accuracy and coverage of the tail less the vanilla loop's."""
    versus = {name: arm["versusVanilla"] for name, arm in document["arms"].items() if arm["versusVanilla"]}
    figure, axes = _axes(f"{task}: M_1 less the vanilla loop's, points (95% intervals, paired by prompt)")
    names = {"accuracy": "accuracy", "tailCoverage": "coverage of the tail"}
    for place, (name, label) in enumerate(names.items()):
        rows = {row: _percent(found[name]) for row, found in enumerate(versus.values()) if found[name]}
        _bars(axes, rows, 0.2 * (place - 0.5), ("tab:blue", "tab:orange")[place], label)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(range(len(versus)), list(versus))
    axes.invert_yaxis()
    figure.legend(fontsize=8, loc="outside lower center", ncols=4)
    figure.savefig(path, dpi=110)


def _draw_levels(path: Path, task: str, document: Figures) -> None:
    """The share of each level among all prompts and among what each arm trains on."""
    levels = document["levels"]
    counts = {"all prompts": levels["prompts"]}
    counts |= {name: arm["examples"]["byLevel"] for name, arm in document["arms"].items()}
    counts = {name: found for name, found in counts.items() if sum(found)}
    figure, axes = _axes(f"{task}: what trains, by level (percent)")
    before = [0.0] * len(counts)
    for at, name in enumerate(levels["names"]):
        widths = [100 * found[at] / sum(found) for found in counts.values()]
        axes.barh(range(len(counts)), widths, left=before, label=name)
        before = [left + width for left, width in zip(before, widths, strict=True)]
    axes.set_yticks(range(len(counts)), list(counts))
    axes.invert_yaxis()
    figure.legend(fontsize=8, loc="outside lower center", ncols=len(levels["names"]))
    figure.savefig(path, dpi=110)


def _draw_iterations(path: Path, task: str, document: Figures) -> None:
    """Held-out coverage of the tail, model by model."""
    figure, axes = _axes(f"{task}: held-out coverage of M_0's tail (percent, 95% intervals)")
    for place, (name, models) in enumerate(document["iterations"].items()):
        found = [_percent(each["tailCoverage"]) for each in (document["baseline"], *models.values())]
        ends = [[each["value"] - each["low"] for each in found], [each["high"] - each["value"] for each in found]]
        at = [n + 0.03 * place for n in (0, *map(int, models))]
        axes.errorbar(at, [each["value"] for each in found], yerr=ends, marker="o", markersize=4, capsize=2, label=name)
    last = max(int(n) for models in document["iterations"].values() for n in models)
    axes.set_xticks(range(last + 1), [f"M_{n}" for n in range(last + 1)])
    figure.legend(fontsize=8, loc="outside lower center", ncols=4)
    figure.savefig(path, dpi=110)


def _axes(title: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, fontsize=10)
    axes.grid(alpha=0.3)
    return figure, axes


def _percent(found: Figures) -> dict[str, float]:
    return {end: 100 * found[end] for end in ("value", "low", "high")}


def _bars(axes: Axes, rows: Mapping[int, Figures], shift: float, colour: str, label: str) -> None:
    """Values with their intervals; one without an upper end goes on as an arrow."""
    if not rows:
        return
    y, x = [row + shift for row in rows], [found["value"] for found in rows.values()]
    below = [found["value"] - found["low"] for found in rows.values()]
    above = [0.0 if found["high"] is None else found["high"] - found["value"] for found in rows.values()]
    axes.errorbar(x, y, xerr=[below, above], fmt="o", markersize=4, capsize=2, color=colour, label=label)
    for at, found in zip(y, rows.values(), strict=True):
        if found["high"] is None:
            more = [[0], [found["value"]]]
            axes.errorbar(found["value"], at, xerr=more, xlolims=True, fmt="none", color=colour)
