"""The tail of a run as tables: levels as bars, how unequally prompts are served, texts, and what guidance won.

From the notes in the manifests alone. Plain samples and guided ones stand in columns or rows of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from selfimprove.details import Guidance, HeldOutDetails, TrainingDetails
from selfimprove.guidance_counts import in_words, leaks_in_words
from selfimprove.report import NOTHING, Column, Titled, percent, points, table
from selfimprove.telemetry import Control, Counts, KeptLevels, Levels, Spread, Yield

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

BAR = 24
"""Columns of a whole bar."""
_BASIS = {
    "Dataset": "the dataset's levels",
    "ReferenceSteps": "steps of the reference solution",
    "PassRate": "M_0's pass rate, in fifths",
}


def level_tables(held_out: Mapping[int, HeldOutDetails], training: Mapping[int, TrainingDetails]) -> list[Titled]:
    """Coverage and examples of each level as bars, of the last model and the last selection; easiest level first."""
    tables: list[Titled] = []
    for n, levels in _last({n: each.levels for n, each in held_out.items()}):
        tables.append(_coverage_bars(f"Held-out coverage of M_{n} by {_BASIS[levels.basis]} (%)", levels))
    for n, levels in _last({n: each.levels for n, each in training.items()}):
        if kept := training[n].kept_levels:
            tables.append(
                _example_bars(f"Training examples of iteration {n} by {_BASIS[levels.basis]} (%)", levels, kept)
            )
    return tables


def tail_tables(held_out: Mapping[int, HeldOutDetails], training: Mapping[int, TrainingDetails]) -> list[Titled]:
    """All the rest, by iteration."""
    controls = [each.control for each in held_out.values() if each.control]
    return [
        *map(_control, controls),
        _hard_shares(training),
        _counts(training),
        _texts(training),
        _yields(training),
    ]


def guidance_table(guidance: Mapping[int, Guidance]) -> Titled:
    """What `resample` counted, one line a kind of count."""
    rows = [
        (n, each.strategy, *line) for n, each in guidance.items() for line in in_words(each.counts, each.tokens).items()
    ]
    columns = [
        Column("iteration", lambda at: str(rows[at][0])),
        Column("strategy", lambda at: rows[at][1]),
        Column("of", lambda at: rows[at][2]),
        Column("counted", lambda at: rows[at][3], "left"),
    ]
    return table("What guidance came to", columns, range(len(rows)))


def _last(found: Mapping[int, Levels | None]) -> Iterator[tuple[int, Levels]]:
    having = {n: levels for n, levels in found.items() if levels}
    if having:
        yield max(having), having[max(having)]


def _coverage_bars(title: str, levels: Levels) -> Titled:
    heads = ["level", "prompts", "coverage", ""]
    rows = [
        [_marked(name, levels), f"{prompts:,}", percent(covered), _bar(covered.value if covered else 0)]
        for name, prompts, covered in zip(levels.names, levels.prompts, levels.coverage, strict=True)
    ]
    return title, _grid(heads, rows)


def _example_bars(title: str, levels: Levels, kept: KeptLevels) -> Titled:
    """The shares of the prompts, of the plain examples, and of the guided ones where there are any."""
    groups = {"of prompts": levels.prompts, "of plain examples": kept.plain}
    groups |= {"of guided examples": kept.guided} if any(kept.guided) else {}
    heads = ["level", *(head for name in groups for head in (name, ""))]
    rows: list[list[RenderableType]] = []
    for at, name in enumerate(levels.names):
        shares = [counts[at] / sum(counts) if any(counts) else 0.0 for counts in groups.values()]
        rows.append(
            [_marked(name, levels), *(cell for share in shares for cell in (f"{100 * share:.1f}", _bar(share)))]
        )
    return title, _grid(heads, rows)


def _marked(name: str, levels: Levels) -> str:
    return f"{name} (hard)" if name in levels.hard else name


def _bar(share: float) -> RenderableType:
    from rich.progress_bar import ProgressBar

    return ProgressBar(total=1, completed=share, width=BAR)


def _grid(heads: Sequence[str], rows: Sequence[Sequence[RenderableType]]) -> Table:
    from rich import box
    from rich.table import Table

    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True)
    for index, head in enumerate(heads):
        grid.add_column(head, justify="right" if head and index else "left", no_wrap=True)
    for row in rows:
        grid.add_row(*row)
    return grid


def _control(control: Control) -> Titled:
    columns = [
        Column("samples a draw", lambda _: str(control.samples)),
        Column("chosen by one draw", lambda _: percent(control.chosen)),
        Column("in the second", lambda _: percent(control.again)),
        Column("rise", lambda _: points(control.rise)),
    ]
    return table("Control: coverage of a held-out tail when nothing changed, both draws of M_0 (%)", columns, [0])


def _hard_shares(training: Mapping[int, TrainingDetails]) -> Titled:
    kept = {n: each.kept_levels for n, each in training.items() if each.kept_levels and each.kept_levels.hard_share}
    columns = [
        Column("iteration", str),
        Column("hard levels", lambda n: percent(kept[n].hard_share)),
        Column("change", lambda n: points(kept[n].hard_share_change)),
        Column("since iteration", lambda n: str(kept[n].compared_with or NOTHING)),
    ]
    return table("Share of hard levels in the plain training examples (%, change paired by prompt)", columns, [*kept])


def _counts(training: Mapping[int, TrainingDetails]) -> Titled:
    found = {n: each.counts for n, each in training.items() if each.counts}
    columns = [
        Column("iteration", str),
        *_inequality("right (else accepted)", {n: each.accepted for n, each in found.items()}),
        *_inequality("plain examples", {n: each.plain for n, each in found.items()}),
        *_inequality("guided", {n: each.guided for n, each in found.items()}),
    ]
    return table(
        "How unequally prompts are served (Gini 0 to 1; divergence from equal counts in bits)", columns, [*found]
    )


def _inequality(name: str, found: Mapping[int, Counts | None]) -> list[Column]:
    """Prompts without any, Gini and divergence; no column where no iteration has them."""
    if not any(found.values()):
        return []

    def number(value: float | None) -> str:
        return NOTHING if value is None else f"{value:.3f}"

    def cell(n: int) -> str:
        counts = found[n]
        if counts is None:
            return NOTHING
        return f"{counts.histogram[0]:,} / {number(counts.gini)} / {number(counts.divergence)}"

    return [Column(f"{name}: none / Gini / bits", cell)]


def _texts(training: Mapping[int, TrainingDetails]) -> Titled:
    rows = [
        (n, name, spread, each.texts.perplexity.get(name))
        for n, each in training.items()
        if each.texts
        for name, spread in each.texts.length.items()
    ]
    columns = [
        Column("iteration", lambda at: str(rows[at][0])),
        Column("texts", lambda at: rows[at][1]),
        Column("number", lambda at: f"{rows[at][2].samples:,}"),
        Column("characters", lambda at: _spread(rows[at][2], ",.0f")),
        Column("perplexity", lambda at: _spread(rows[at][3], ".2f")),
    ]
    return table("Texts: median [5%, 95%] (perplexity of the model that sampled them)", columns, range(len(rows)))


def _spread(spread: Spread | None, form: str) -> str:
    if spread is None:
        return NOTHING
    low, _, middle, _, high = (format(value, form) for value in spread.quantiles)
    return f"{middle} [{low}, {high}]"


def _rate(found: Yield) -> str:
    rate = found.rate
    if rate is None or rate.low is None or rate.high is None:
        return f"{found.per_thousand:.2f}"
    return f"{rate.value:.2f} [{rate.low:.2f}, {rate.high:.2f}]"


def _yields(training: Mapping[int, TrainingDetails]) -> Titled:
    rows: list[tuple[int, Yield]] = [(n, found) for n, each in training.items() for found in each.yields]
    columns = [
        Column("iteration", lambda at: str(rows[at][0])),
        Column("strategy", lambda at: rows[at][1].strategy or "plain"),
        Column("round", lambda at: str(rows[at][1].round or NOTHING)),
        Column("tried", lambda at: f"{rows[at][1].tried:,}"),
        Column("accepted", lambda at: f"{rows[at][1].accepted:,}"),
        Column("tokens", lambda at: f"{rows[at][1].tokens:,}"),
        Column("accepted / 1,000 tokens", lambda at: _rate(rows[at][1])),
    ]
    if any(found.leaks for _, found in rows):
        columns.append(Column("dropped as leaks", lambda at: leaks_in_words(rows[at][1].leaks) or NOTHING, "left"))
    return table("What sampling brought on the tail of the training prompts", columns, range(len(rows)))
