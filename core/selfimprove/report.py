"""What a run found, as tables that a person reads: on a terminal in colour, through a pipe the same without.

Percent and points throughout, every measure with its 95% interval, and never a number cut to fit: a table is as wide as
its numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from typing import IO, TYPE_CHECKING, Literal, NamedTuple

from selfimprove.details import Diversity, HeldOutDetails, Update
from selfimprove.ledger import Ledger, StepId, Usage
from selfimprove.stopping import result
from selfimprove.summaries import Difference, Estimate, Measures, PromptMeasures, Selected, as_shown

if TYPE_CHECKING:
    from rich.table import Table

NOTHING = "-"
PASS_COLUMNS = 5
LINE, LABEL = 110, 10
"""Sentences are wrapped at so many columns, their labels take so many of them."""
WIDEST = 1000
"""Wider than any table: so rich never squeezes one, on a pipe or on a narrow terminal."""


@dataclass(frozen=True)
class Report:
    """All that the tables say of a run."""

    ledger: Ledger
    heading: str
    """One line: the run's name, its state, how far it is."""
    best: int | None = None
    """n of the best model M_n, once one is known."""
    checkpoint: str | None = None
    """Where the best model lies; for M_0 the source it came from."""
    stop: str | None = None
    """The rule that stopped the run, and why."""
    now: str | None = None
    """What is being done at this moment, where more is known of it than the plan."""
    ahead: str | None = None
    """The next step, and why, while none did."""
    warnings: Sequence[str] = ()
    hint: str | None = None
    """Where more is to be had than was looked at."""
    left_out: Sequence[str] = ()
    """What the prompt sets lost when they were loaded, where that was asked for."""
    details: Mapping[int, HeldOutDetails] = field(default_factory=dict)
    """What is noted of M_n beside its measures, where that was asked for."""
    more: Sequence[Titled] = ()
    """Tables of other notes, which stand last."""


def print_report(report: Report, file: IO[str]) -> None:
    """Print heading, tables and conclusions."""
    from rich.console import Console

    console = Console(file=file, highlight=False, width=WIDEST)
    console.print(report.heading, style="bold", markup=False)
    for title, rows in (*_tables(report), *report.more):
        if rows is not None:
            console.print(f"\n{title}", markup=False)
            console.print(rows)
    console.print()
    for label, text in conclusions(report):
        console.print("\n".join(_wrapped(label, text)), markup=False, soft_wrap=True)


def ending(rule: str, message: str, ledger: Ledger) -> str:
    """Why a run stopped: the rule and its numbers, without the result, which stands in lines of its own."""
    return f"{rule}: {message}".removesuffix(f"; {result(ledger)}")


def conclusions(report: Report) -> list[tuple[str, str]]:
    """The (label, sentence) pairs under the tables: why it stopped, what is best, by how much, where, at what cost."""
    first = (("Stopped", report.stop), ("Now", report.now), ("Next", report.ahead))
    lines = [(label, text) for label, text in first if text]
    lines += [("Warning", text) for text in report.warnings]
    lines += [("Prompts", text) for text in report.left_out]
    if report.best is not None:
        lines += _best(report.ledger, report.best)
    if report.checkpoint:
        lines.append(("Model", report.checkpoint))
    lines.append(("Spent", _usage(report.ledger.usage)))
    return [*lines, ("More", report.hint)] if report.hint else lines


def _usage(usage: Usage) -> str:
    gpus = f", {usage.gpu_seconds:,.0f} GPU-seconds" if usage.gpu_seconds else ""
    return f"{usage.tokens:,} tokens, {usage.wall_seconds:,.0f} s in steps{gpus}"


def _best(ledger: Ledger, best: int) -> list[tuple[str, str]]:
    """What was measured of the best model, and on which prompts: those that chose it, or `dataset.test`."""
    tried = len(ledger.measured_iterations()) > 1
    base = ", the base model: nothing beat it" if tried else ", the base model: no other is measured yet"
    lines = [("Best", f"{_name(best)}{'' if best else base}")]
    for split, label in (("", "Held out"), ("test", "Test set")):
        measures = ledger.measures(best, split)
        if measures is not None:
            bias = "" if split or not best else "; measured on the prompts that chose it"
            lines.append((label, _sentence(measures) + bias))
    return lines


def _wrapped(label: str, text: str) -> list[str]:
    kept_whole = re.sub(r"(?<=,) (?=\S+\])", "\N{NO-BREAK SPACE}", text)  # an interval stays on one line
    lines = wrap(kept_whole, LINE - LABEL, break_long_words=False, break_on_hyphens=False)
    labels = [label, *[""] * len(lines)]
    joined = (f"{name:<{LABEL}}{line}" for name, line in zip(labels, lines, strict=False))
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in joined]


def percent(estimate: Estimate | None) -> str:
    """A share as percent with its interval: `29.4 [25.2, 33.6]`."""
    return _interval(estimate, "{:.1f}")


def points(estimate: Estimate | Difference | None) -> str:
    """A difference of shares as signed points with its interval: `+4.7 [+1.9, +7.5]`."""
    return _interval(estimate, "{:+.1f}")


def number(estimate: Estimate | None) -> str:
    """A plain number with its interval: `2.31 [2.10, 2.52]`."""
    return _interval(estimate, "{:.2f}", times=1)


Show = Callable[["Estimate | None"], str]


def _interval(estimate: Estimate | Difference | None, form: str, times: float = 100) -> str:
    if estimate is None:
        return NOTHING
    value = _rounded(estimate.value, form, times)
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} [{_rounded(estimate.low, form, times)}, {_rounded(estimate.high, form, times)}]"


def _rounded(value: float, form: str, times: float = 100) -> str:
    """From the figure that the status keeps: what has every digit, and what has four, then show the same."""
    return form.format(times * as_shown(value))


def _sentence(measures: Measures) -> str:
    """What is known of it: a cluster's status keeps no strict figures, and of a test set the gain alone."""
    held_out, strict_gain = measures.held_out, measures.strict_versus_baseline
    strict = f", strict {percent(held_out.strict_accuracy)} %" if held_out.strict_accuracy else ""
    accuracy = f"accuracy {percent(held_out.accuracy)} %{strict}"
    if measures.versus_baseline is None:
        return accuracy
    strict = f", strict {points(strict_gain)}" if strict_gain else ""
    gain = f"paired by prompt against M_0 {points(measures.versus_baseline)} points{strict}"
    return f"{accuracy}; {gain}" if held_out.accuracy else gain


Titled = tuple[str, "Table | None"]
"""A title and its table; None when there is nothing to show yet."""


class Column(NamedTuple):
    """One column of a table: its heading, and how a row's cell is read."""

    heading: str
    cell: Callable[[int], str]
    justify: Literal["left", "right"] = "right"
    """The first column's is always left."""


def _tables(report: Report) -> list[Titled]:
    more = [_update(report), _diversity(report), _effective_diversity(report)]
    return [_training(report), _held_out(report), _pass_at_k(report), *more]


def _training(report: Report) -> Titled:
    ledger = report.ledger
    rows = sorted({step.iteration for step in ledger.committed if ledger.selected(step.iteration)})
    columns = [
        Column("iteration", str),
        Column("gap", lambda n: points(_found(ledger, n).gap)),
        Column("relative gap", lambda n: points(_found(ledger, n).relative_gap)),
        Column("kept", lambda n: short_percent(_found(ledger, n).keep_rate)),
        Column("coverage", lambda n: percent(_found(ledger, n).coverage)),
        Column("tail coverage", lambda n: percent(_found(ledger, n).tail_coverage)),
        *([Column("weakest AUROC", lambda n: _auroc(ledger, n))] if any(_auroc(ledger, n) for n in rows) else []),
        Column("examples", lambda n: f"{_selected(ledger, n).examples:,}"),
        Column("tokens", lambda n: f"{_spent(ledger, n)[0]:,}"),
        _time(ledger),
    ]
    return table("Training prompts, of the model that sampled them (%)", columns, rows)


def _auroc(ledger: Ledger, n: int) -> str:
    """Of the method that is surely below chance, or may tell right from wrong least; empty where none was judged."""
    found = _selected(ledger, n).verifier or {}
    return next((f"{name.rpartition('.')[0]} {percent(e)}" for name, e in found.items() if name.endswith(".auroc")), "")


def _time(ledger: Ledger) -> Column:
    """Seconds in steps, or of GPUs where these are what an executor counts by iteration."""
    if ledger.gpu_seconds:
        return Column("GPU-seconds", lambda n: f"{ledger.gpu_seconds.get(n, 0.0):,.0f}")
    return Column("seconds", lambda n: f"{_spent(ledger, n)[1]:,.0f}")


def _held_out(report: Report) -> Titled:
    def of(n: int) -> PromptMeasures:
        return _measured(report.ledger, n).held_out

    rows = [n for n in report.ledger.measured_iterations() if report.ledger.measures(n)]
    strict = [Column("strict", lambda n: percent(of(n).strict_accuracy))]
    columns = [
        Column("model", lambda n: f"{_name(n)}{' best' if n == report.best else ''}"),
        Column("accuracy", lambda n: percent(of(n).accuracy)),
        *(strict if any(of(n).strict_accuracy for n in rows) else []),
        Column("gain on M_0, paired", lambda n: _gain(_measured(report.ledger, n))),
        Column("gap", lambda n: points(of(n).gap)),
        Column("tail coverage", lambda n: percent(of(n).tail_coverage)),
    ]
    return table("Held-out prompts (%)", columns, rows, report.best)


def _gain(measures: Measures) -> str:
    """Of a model whose gain is not kept, what `Regressed` was judged by, where that was a comparison with M_0 too."""
    versus = measures.versus_best
    if measures.versus_baseline is None and versus is not None and versus.iteration == 0:
        return f"{points(versus)} at 99.5%"
    return points(measures.versus_baseline)


def _pass_at_k(report: Report) -> Titled:
    rows = [n for n in report.ledger.measured_iterations() if _measured(report.ledger, n).held_out.pass_at_k]
    ks = sorted({int(k) for n in rows for k in _curve(report.ledger, n)})

    def column(k: int) -> Column:
        return Column(f"pass@{k}", lambda n: percent(_curve(report.ledger, n).get(str(k))))

    columns = [Column("model", _name), *(column(k) for k in _spread(ks, PASS_COLUMNS))]
    return table("Held-out pass@k (%)", columns, rows, report.best)


def _update(report: Report) -> Titled:
    """Mind the Gap, section 2.1: the gain that filtering promised, and what training made of it."""
    found = {n: each.update for n, each in report.details.items() if each.update}

    def column(heading: str, figure: Callable[[Update], Estimate | None]) -> Column:
        return Column(heading, lambda n: points(figure(found[n])))

    columns = [
        Column("model", _name),
        Column("from", lambda n: _name(found[n].previous)),
        column("predicted gap", lambda update: update.predicted_gap),
        column("realised gain", lambda update: update.realised_gain),
        column("strict gain", lambda update: update.strict_realised_gain),
        column("eps_update", lambda update: update.eps_update),
    ]
    return table("Held-out gap of the model before, and the gain that came of it (points, paired)", columns, [*found])


def _diversity(report: Report) -> Titled:
    found = {n: each.diversity for n, each in report.details.items() if each.diversity}

    def column(heading: str, figure: Callable[[Diversity], Estimate | None], show: Show) -> Column:
        return Column(heading, lambda n: show(figure(found[n])))

    columns = [
        Column("model", _name),
        column("answered (%)", lambda diversity: diversity.answered, percent),
        column("distinct answers", lambda diversity: diversity.distinct_answers, number),
        column("entropy (bits)", lambda diversity: diversity.entropy, number),
    ]
    return table("Held-out answers to a prompt", columns, [*found])


def _effective_diversity(report: Report) -> Titled:
    found = {n: each.pass_at_k_change for n, each in report.details.items() if each.pass_at_k_change}
    ks = _spread(sorted({int(k) for each in found.values() for k in each}), PASS_COLUMNS)

    def column(k: int) -> Column:
        return Column(f"pass@{k}", lambda n: points(found[n].get(str(k))))

    title = "Effective diversity: held-out pass@k less that of M_0 (points, paired)"
    return table(title, [Column("model", _name), *map(column, ks)], [*found])


def table(title: str, columns: Sequence[Column], rows: Sequence[int], best: int | None = None) -> Titled:
    """A row for each number, which the columns know what to make of; `best`: the one to stand out."""
    from rich import box
    from rich.table import Table

    found = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True)
    for index, column in enumerate(columns):
        found.add_column(column.heading, justify="left" if index == 0 else column.justify, no_wrap=True)
    for row in rows:
        found.add_row(*(column.cell(row) for column in columns), style="bold" if row == best else None)
    return title, found if rows else None


def _name(n: int) -> str:
    return f"M_{n}"


def short_percent(estimate: Estimate | None) -> str:
    """A share as percent without its interval: `29.4`."""
    return NOTHING if estimate is None else _rounded(estimate.value, "{:.1f}")


def _selected(ledger: Ledger, n: int) -> Selected:
    return ledger.selected(n) or Selected(training=PromptMeasures(), examples=0)


def _found(ledger: Ledger, n: int) -> PromptMeasures:
    return _selected(ledger, n).training


def _measured(ledger: Ledger, n: int) -> Measures:
    return ledger.measures(n) or Measures(held_out=PromptMeasures())


def _curve(ledger: Ledger, n: int) -> dict[str, Estimate]:
    return _measured(ledger, n).held_out.pass_at_k or {}


def _spent(ledger: Ledger, n: int) -> tuple[int, float]:
    """Tokens and seconds of everything committed for an iteration."""
    done = [summary for step in _steps(ledger, n) for summary in ledger.committed[step].values()]
    return sum(summary.tokens for summary in done), sum(summary.seconds for summary in done)


def _steps(ledger: Ledger, n: int) -> list[StepId]:
    return [step for step in ledger.committed if step.iteration == n]


def _spread(values: Sequence[int], most: int) -> list[int]:
    """At most so many of the values, first and last among them, evenly between."""
    if len(values) <= most:
        return list(values)
    return [values[round(i * (len(values) - 1) / (most - 1))] for i in range(most)]
