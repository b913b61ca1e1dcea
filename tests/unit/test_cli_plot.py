"""The tail of a run on the command line: levels as bars in `status`, the rest by `--details`, pictures by `plot`."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from selfimprove import plotting
from selfimprove.details import HeldOutDetails, TrainingDetails, notes_of
from selfimprove.ledger import Ledger
from selfimprove.measures import counts_of, spreads_of
from selfimprove.report import Report, print_report
from selfimprove.summaries import PromptMeasures, Selected
from selfimprove.tail_plots import Tail, draw_tail
from selfimprove.tail_report import BAR, level_tables, tail_tables
from selfimprove.telemetry import Control, KeptLevels, Levels, PromptCounts, Texts, Yield
from tests.unit.cli_support import BuiltRun, as_json, built_run, estimate, measures, selfimprove

Capture = pytest.CaptureFixture[str]
LEVELS = Levels(
    basis="Dataset", names=["1", "5"], hard=["5"], prompts=[30, 10], coverage=[estimate(0.9), estimate(0.2)]
)
KEPT = KeptLevels(
    plain=[70, 10], guided=[1, 9], hard_share=estimate(0.125), hard_share_change=estimate(-0.1), compared_with=1
)
CONTROL = Control(samples=2, target=1, chosen=estimate(0.1), again=estimate(0.25), rise=estimate(0.15))
LEAKS = {"speaks of the hint": 3, "answer without reasoning": 1}


def training() -> TrainingDetails:
    random = np.random.default_rng(0)
    lengths = {name: random.lognormal(5, 0.5, 50) for name in ("reference", "drawn", "plain", "guided")}
    perplexities = {name: 1 + random.random(50) for name in ("drawn", "plain", "guided")}
    return TrainingDetails(
        levels=LEVELS,
        kept_levels=KEPT,
        counts=PromptCounts(
            accepted=counts_of(np.array([0, 1, 2])),
            plain=counts_of(np.array([0, 1, 1])),
            guided=counts_of(np.array([1])),
        ),
        texts=Texts(length=spreads_of(lengths), perplexity=spreads_of(perplexities)),
        yields=[
            Yield(strategy="", round=0, tried=20, accepted=1, tokens=4000),
            Yield(strategy="StateReset", round=1, tried=10, accepted=6, tokens=1500, rate=estimate(4.0)),
            Yield(strategy="AnswerDriven", round=1, tried=9, accepted=2, tokens=1000, leaks=LEAKS),
        ],
    )


@pytest.fixture
def told(tmp_path: Path) -> BuiltRun:
    """A run of one iteration whose manifests hold notes of the tail."""
    run = built_run(tmp_path).prompts().evaluate(0)
    zero, one = (HeldOutDetails(levels=LEVELS, control=control) for control in (CONTROL, None))
    run.step(0, "measure", settings=notes_of(zero), measures=measures(0, 0.5))
    run.generate(1).verify(1)
    selected = Selected(training=PromptMeasures(gap=estimate(0.1)), examples=2)
    run.step(1, "select", settings=notes_of(training()), selected=selected)
    run.distill(1).evaluate(1)
    held_out = measures(1, 0.6).held_out.model_copy(update={"tail_coverage": estimate(0.3)})
    return run.step(
        1, "measure", settings=notes_of(one), measures=measures(1, 0.6).model_copy(update={"held_out": held_out})
    )


def yields_of(text: str) -> list[str]:
    """The lines of the table of yields, blanks apart."""
    return [" ".join(line.split()) for line in text[text.index("What sampling brought on the tail") :].splitlines()]


def text_of(**details: dict[int, HeldOutDetails] | dict[int, TrainingDetails]) -> str:
    held_out, noted = details.get("held_out", {}), details.get("training", {})
    stream = io.StringIO()
    more = [*level_tables(held_out, noted), *tail_tables(held_out, noted)]  # type: ignore[arg-type]
    print_report(Report(Ledger(), "demo", more=more), stream)
    return stream.getvalue()


def line_of(text: str, beginning: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(beginning))


def test_status_shows_the_levels_as_bars_as_long_as_their_shares(told: BuiltRun, capfd: Capture) -> None:
    text = selfimprove(capfd, "status", told.folder).out
    part = text[text.index("Held-out coverage of M_1 by the dataset's levels (%)") :]
    easy, hard = (line_of(part, name) for name in ("1 ", "5 (hard)"))
    assert "90.0 [85.0, 95.0]" in easy
    assert "20.0 [15.0, 25.0]" in hard
    assert (easy.count("━"), hard.count("━")) == (int(0.9 * BAR), int(0.2 * BAR))
    assert "What sampling brought" not in text


def test_examples_are_shown_against_the_dataset_plain_and_guided_apart(told: BuiltRun, capfd: Capture) -> None:
    text = selfimprove(capfd, "status", told.folder).out
    part = text[text.index("Training examples of iteration 1 by the dataset's levels (%)") :]
    assert "of prompts" in part and "of plain examples" in part and "of guided examples" in part
    hard = [word for word in line_of(part, "5 (hard)").split() if "." in word]
    assert hard == ["25.0", "12.5", "90.0"]


def test_details_show_all_that_is_noted_of_the_tail(told: BuiltRun, capfd: Capture) -> None:
    text = selfimprove(capfd, "status", told.folder, "--details").out
    assert "+15.0 [+10.0, +20.0]" in text  # the control's rise
    assert "12.5 [7.5, 17.5]" in text  # the hard levels' share
    assert "-10.0 [-15.0, -5.0]" in text
    assert "1 / 0.444 / 0.667" in text  # prompts without any, Gini, divergence in bits
    assert "1 plain - 20 1 4,000 0.25 -" in yields_of(text)
    assert "1 StateReset 1 10 6 1,500 4.00 [3.95, 4.05] -" in yields_of(text)


def test_leaks_are_told_by_strategy_where_there_are_any(told: BuiltRun, capfd: Capture) -> None:
    lines = yields_of(selfimprove(capfd, "status", told.folder, "--details").out)
    assert "1 AnswerDriven 1 9 2 1,000 2.00 3 speaking of the hint, 1 without reasoning" in lines
    document = as_json(capfd, "status", told.folder, "--details", "--json")
    plain, state_reset, answer_driven = document["details"][-1]["training"]["yields"]
    assert (plain["leaks"], state_reset["leaks"], answer_driven["leaks"]) == ({}, {}, LEAKS)
    none = TrainingDetails(yields=[Yield(strategy="BruteForce", round=1, tried=9, accepted=2, tokens=1000)])
    assert "leaks" not in text_of(training={1: none})


def test_no_interval_of_a_level_hides_another_nor_does_the_legend_hide_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: dict[str, Figure] = {}
    monkeypatch.setattr(plotting, "_save", lambda figure, path, option: drawn.update({path.name: figure}))
    noted = {n: HeldOutDetails(levels=LEVELS) for n in (0, 1)}
    draw_tail(Tail(held_out=noted, training={}, coverage={n: estimate(0.1) for n in noted}), tmp_path)
    figure = drawn["coverage-by-level.png"]
    figure.draw_without_rendering()
    (axes,) = figure.axes
    at = [float(x) for line in axes.get_lines() if line.get_label()[0] != "_" for x in line.get_xdata()]
    at = at or [float(x) for bars in axes.containers for x in bars[0].get_xdata()]
    assert len(at) == len(set(at)) == 2 * (len(LEVELS.names) + 1)
    legend = axes.get_legend()
    assert legend is not None
    assert legend.get_window_extent().x0 > axes.get_window_extent().x1


def test_a_run_of_which_nothing_is_noted_has_no_such_tables() -> None:
    assert text_of(held_out={0: HeldOutDetails()}, training={1: TrainingDetails()}).splitlines()[1:] == [
        "",
        "Spent     0 tokens, 0 s in steps",
    ]


def test_a_terminal_that_knows_ascii_alone_gets_bars_too() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    print_report(Report(Ledger(), "demo", more=level_tables({0: HeldOutDetails(levels=LEVELS)}, {})), stream)
    stream.flush()
    assert b"----" in stream.buffer.getvalue()  # type: ignore[attr-defined]


def test_every_picture_of_which_something_is_noted_is_written(told: BuiltRun, tmp_path: Path, capfd: Capture) -> None:
    folder = tmp_path / "made" / "pictures"
    names = [Path(path).name for path in as_json(capfd, "plot", told.folder, "-o", folder)["plots"]]
    assert names == [
        "coverage-by-level.png",
        "accepted-counts.png",
        "accepted-counts-guided.png",
        "length.png",
        "length-guided.png",
        "perplexity.png",
    ]
    assert all((folder / name).read_bytes().startswith(b"\x89PNG") for name in names)


def test_a_count_s_axis_has_whole_numbers_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: dict[str, Figure] = {}
    monkeypatch.setattr(plotting, "_save", lambda figure, path, option: drawn.update({path.name: figure}))
    draw_tail(Tail(held_out={}, training={1: training()}, coverage={}), tmp_path)
    for name in ("accepted-counts.png", "accepted-counts-guided.png"):
        assert all(tick == int(tick) for tick in drawn[name].axes[0].get_xticks())


@pytest.mark.parametrize(("samples", "words"), [(1, "1 sample a draw"), (2, "2 samples a draw")])
def test_the_control_line_says_of_how_many_samples_it_is(
    samples: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: dict[str, Figure] = {}
    monkeypatch.setattr(plotting, "_save", lambda figure, path, option: drawn.update({path.name: figure}))
    noted = HeldOutDetails(levels=LEVELS, control=CONTROL.model_copy(update={"samples": samples}))
    draw_tail(Tail(held_out={0: noted}, training={}, coverage={0: estimate(0.1)}), tmp_path)
    legend = drawn["coverage-by-level.png"].axes[0].get_legend()
    assert legend is not None
    assert f"M_0 drawn again ({words})" in [text.get_text() for text in legend.get_texts()]


def test_a_run_of_which_nothing_is_noted_yet_says_so(tmp_path: Path, capfd: Capture) -> None:
    run = built_run(tmp_path).baseline()
    outcome = selfimprove(capfd, "plot", run.folder, "-o", tmp_path)
    assert outcome.code == 2
    assert "notes nothing to draw yet" in outcome.err


def test_a_place_that_can_t_be_a_folder_is_one_line(told: BuiltRun, tmp_path: Path, capfd: Capture) -> None:
    (tmp_path / "file").write_text("")
    outcome = selfimprove(capfd, "plot", told.folder, "-o", tmp_path / "file")
    assert outcome.code == 2
    assert f"--output: {tmp_path / 'file'} can't be made a folder" in outcome.err


def test_without_matplotlib_it_names_what_to_install(
    told: BuiltRun, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    outcome = selfimprove(capfd, "plot", told.folder)
    assert outcome.code == 2
    assert "plot: needs matplotlib; pip install 'selfimprove[plots]'" in outcome.err
