"""The tables under `run` and `status`: every number whole, on a pipe and on any terminal."""

from __future__ import annotations

import io

import pytest

from selfimprove.details import Diversity, HeldOutDetails, Update
from selfimprove.ledger import Ledger, ledger_of
from selfimprove.report import Report, percent, points, print_report
from selfimprove.summaries import Estimate, ManifestRef, Measures, PromptMeasures, Summary


def text_of(report: Report) -> str:
    stream = io.StringIO()
    print_report(report, stream)
    return stream.getvalue()


def measured(n: int, held_out: PromptMeasures) -> Summary:
    manifest = ManifestRef(uri="file:///run", sha256="0")
    return Summary(step="measure", iteration=n, manifest=manifest, measures=Measures(held_out=held_out))


def with_curve(*ks: int) -> Ledger:
    wide = Estimate(value=0.123, low=0.1, high=1.0)
    return ledger_of([measured(0, PromptMeasures(accuracy=wide, pass_at_k={str(k): wide for k in ks}))])


def test_a_share_is_percent_with_its_interval_and_a_difference_is_signed_points() -> None:
    estimate = Estimate(value=0.294, low=0.252, high=0.336)
    assert percent(estimate) == "29.4 [25.2, 33.6]"
    assert points(estimate) == "+29.4 [+25.2, +33.6]"


def test_what_could_not_be_measured_is_a_dash_and_never_a_zero() -> None:
    assert percent(None) == "-"
    text = text_of(Report(ledger_of([measured(0, PromptMeasures())]), "demo"))
    assert " 0.0" not in text


def test_a_run_without_anything_measured_has_no_tables() -> None:
    assert text_of(Report(Ledger(), "demo: not running", ahead="i000-evaluate: the baseline")) == (
        "demo: not running\n\nNext      i000-evaluate: the baseline\nSpent     0 tokens, 0 s in steps\n"
    )


@pytest.mark.parametrize("columns", ["20", "80", "300"])
def test_tables_are_as_wide_as_their_numbers_whatever_the_terminal(
    columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    text = text_of(Report(with_curve(1, 2, 4), "demo"))
    assert text.count("12.3 [10.0, 100.0]") == 4
    assert "…" not in text


def test_of_many_k_five_are_shown_the_smallest_and_the_largest_among_them() -> None:
    text = text_of(Report(with_curve(1, 2, 4, 8, 16, 32, 64, 128), "demo"))
    shown = [word for word in text.split() if word.startswith("pass@") and word != "pass@k"]
    assert (len(shown), shown[0], shown[-1]) == (5, "pass@1", "pass@128")


def test_sentences_are_wrapped_but_neither_an_interval_nor_a_path_is() -> None:
    path = "/somewhere/" + "deep" * 40
    interval = "[+15.0, +35.0]"
    text = text_of(Report(Ledger(), "demo", stop=" ".join([f"gain {interval}"] * 20), checkpoint=path))
    assert text.count(interval) == 20
    assert f"Model     {path}\n" in text
    assert max(len(line) for line in text.splitlines() if path not in line) <= 110


def test_warnings_stand_beside_the_result() -> None:
    assert "Warning   the tail narrows\n" in text_of(Report(Ledger(), "demo", warnings=["the tail narrows"]))


def test_a_figure_that_no_row_knows_has_no_column() -> None:
    known = PromptMeasures(accuracy=Estimate(value=0.5), strict_accuracy=Estimate(value=0.4))
    assert " strict" in text_of(Report(ledger_of([measured(0, known)]), "demo"))
    assert " strict" not in text_of(Report(ledger_of([measured(0, PromptMeasures(accuracy=known.accuracy))]), "demo"))


def test_gpu_seconds_are_told_where_they_are_counted() -> None:
    assert "0 s in steps, 90 GPU-seconds\n" in text_of(Report(Ledger().with_gpu_seconds(1, 90.0), "demo"))


def test_details_tell_what_training_made_of_the_gap_and_how_answers_differ() -> None:
    half = Estimate(value=0.25, low=0.2, high=0.3, n=9)
    update = Update(previous=0, predicted_gap=half, realised_gain=half)
    diversity = Diversity(answered=half, distinct_answers=Estimate(value=2.5, low=2, high=3), entropy=half)
    noted = HeldOutDetails(update=update, diversity=diversity, pass_at_k_change={"1": half, "8": half})
    report = Report(
        ledger_of([measured(0, PromptMeasures()), measured(1, PromptMeasures())]), "demo", details={1: noted}
    )
    text = text_of(report)
    assert "Held-out gap of the model before, and the gain that came of it (points, paired)" in text
    assert "+25.0 [+20.0, +30.0]" in text
    assert "2.50 [2.00, 3.00]" in text
    assert "Effective diversity: held-out pass@k less that of M_0 (points, paired)" in text
    assert "eps_update" not in text_of(Report(report.ledger, "demo"))
