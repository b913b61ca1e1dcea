"""`selfimprove sweep`: the gap against the cut of a score, as a table, JSON and a plot; and generators x verifiers."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove.api.selecting import Weighting
from selfimprove.errors import UserError
from selfimprove.judgement import Question, judge
from selfimprove.samples_file import Samples, read_samples
from selfimprove.sweeps import matrix, sweep
from tests.unit.cli_support import as_json, selfimprove
from tests.unit.test_cli_measure import rows, write

Capture = pytest.CaptureFixture[str]


def samples_of(utility: np.ndarray, **scores: np.ndarray) -> Samples:
    """Of prompts x samples."""
    prompts, each = utility.shape
    return Samples(
        ids=tuple(f"p{i:03d}" for i in range(prompts)),
        prompt=np.repeat(np.arange(prompts), each),
        utility=utility.ravel().astype(float),
        scores={name: values.ravel().astype(float) for name, values in scores.items()},
        levels=(None,) * prompts,
    )


@st.composite
def scored(draw: st.DrawFn) -> Samples:
    prompts, each = draw(st.integers(1, 4)), draw(st.integers(2, 5))
    size = prompts * each
    utility = draw(st.lists(st.integers(0, 1), min_size=size, max_size=size))
    mc = draw(st.lists(st.integers(0, 9), min_size=size, max_size=size))
    return samples_of(np.reshape(utility, (prompts, each)), mc=np.reshape(mc, (prompts, each)) / 10)


@given(samples=scored(), kind=st.sampled_from(["Threshold", "TopK"]))
def test_every_point_is_what_measure_says_of_that_weighting(samples: Samples, kind: Any) -> None:
    for point in sweep(samples, "mc", kind, seed=0, resamples=100):
        number = int(point.parameter) if kind == "TopK" else point.parameter
        rule = Weighting.model_validate({"type": kind, "k" if kind == "TopK" else "threshold": number})
        found = judge(samples, Question({"mc": rule}, scores=("mc",), resamples=100))
        for name, shown in (("gap", "gap"), ("keep_rate", "keepRate"), ("filtered", "filtered")):
            estimate = point.figures[name]
            assert {"value": estimate.value, "low": estimate.low, "high": estimate.high} == pytest.approx(
                {each: found[shown][each] for each in ("value", "low", "high")}
            )


def test_the_round_sweep_of_a_tournament_is_its_threshold_sweep() -> None:
    survived = np.array([[0, 1, 2, 0], [2, 0, 1, 0]])
    found = sweep(samples_of(survived == 2, to=survived), "to", "Threshold", seed=0)
    assert [point.parameter for point in found] == [1, 2]
    assert [point.figures["gap"].value for point in found] == [0.25, 0.75]


@given(samples=scored())
def test_an_oracle_s_gap_grows_with_its_threshold_and_ends_at_what_is_solvable(samples: Samples) -> None:
    oracle = Samples(samples.ids, samples.prompt, samples.utility, {"oracle": samples.utility}, samples.levels)
    last = sweep(oracle, "oracle", "Threshold", [1.0], seed=0, resamples=100)[0]
    by_prompt = samples.utility.reshape(len(samples.ids), -1)
    assert last.figures["gap"].value == pytest.approx(by_prompt.max(axis=1).mean() - by_prompt.mean())


def test_cross_verification_has_a_cell_for_every_pair_that_was_scored() -> None:
    """A verifier that knows, one that prefers the wrong, and one that did not look at all samples."""
    one, two = np.array([[1, 0, 1, 0]] * 3), np.array([[0, 0, 0, 1]] * 3)
    generators = {"big": samples_of(one, knows=one, errs=1 - one), "small": samples_of(two, knows=two)}
    rules = dict.fromkeys(("knows", "errs"), Weighting(type="Threshold", threshold=1.0))
    found = matrix(generators, rules, seed=0)
    assert {g: {v: cell["gap"].value for v, cell in row.items()} for g, row in found.items()} == {
        "big": {"knows": 0.5, "errs": -0.5},
        "small": {"knows": 0.75},
    }
    assert found["big"]["knows"]["relative_gap"].value == 1


def test_a_matrix_refuses_a_quantile_of_a_verifier_that_gave_two_values_to_all_generators() -> None:
    one, two = np.array([[1, 0, 1, 0]]), np.array([[1, 2, 0, 1]])
    rules = {"vote": Weighting(type="Quantile", quantile=0.7)}
    with pytest.raises(
        UserError, match=r"^verifiers: Quantile .* vote is only 0 and 1, .*; give weighting \{type: Thr"
    ):
        matrix({"a": samples_of(one, vote=one), "b": samples_of(one, vote=1 - one)}, rules, seed=0)
    assert matrix({"a": samples_of(one, vote=one), "b": samples_of(one, vote=two)}, rules, seed=0)


def test_a_cell_says_the_label_mass_where_its_verifier_reads_labels() -> None:
    right = np.array([[0, 1], [1, 0]])
    plain = samples_of(right, vote=right, mc=right)
    samples = replace(plain, mass={"mc": np.array([0.5, 0.7, 1.0, np.nan])})
    cut = Weighting(type="Threshold", threshold=1)
    (row,) = matrix({"a": samples}, {"vote": cut, "mc": cut}, seed=0).values()
    assert "mass" not in row["vote"]
    assert row["mc"]["mass"].value == pytest.approx(0.8)
    assert row["mc"]["mass"].n == 2


def test_a_cell_whose_verifier_scored_nothing_has_no_gap_and_says_so() -> None:
    right, missing = np.array([[0.0, 1], [1, 0]]), np.full((2, 2), np.nan)
    half = np.array([[0, np.nan], [np.nan, 1]])
    cut = Weighting(type="Threshold", threshold=1)
    samples = samples_of(right, none=missing, half=half, all=right)
    (row,) = matrix({"a": samples}, dict.fromkeys(("none", "half", "all"), cut), seed=0).values()
    assert row["none"].keys() == {"unscored"}
    assert {name: cell["unscored"].value for name, cell in row.items()} == {"none": 1, "half": 0.5, "all": 0}
    assert "gap" in row["half"]


def test_cuts_of_few_prompts_come_with_the_warning_of_measure(tmp_path: Path, capfd: Capture) -> None:
    path = write(tmp_path, rows())
    options = (path, "--score", "cot", "--weighting", "Threshold")
    (said,) = as_json(capfd, "measure", path)["warnings"]
    assert as_json(capfd, "sweep", *options)["warnings"] == [said]
    assert selfimprove(capfd, "sweep", *options).err == f"warning: {said}\n"


def test_a_program_reads_every_cut(tmp_path: Path, capfd: Capture) -> None:
    found = as_json(capfd, "sweep", write(tmp_path, rows()), "--score", "cot", "--weighting", "Threshold:3,9")
    assert [point["threshold"] for point in found["points"]] == [3, 9]
    # At 9 the first prompt keeps one right sample, the second its right one: 1 - 3/8.
    assert found["points"][1]["gap"]["value"] == pytest.approx(0.625)
    assert (found["highestGapAt"], found["weighting"], found["nan"], found["reasons"]) == (9, "Threshold", 0, {})


def test_a_person_reads_a_table_and_a_caution(tmp_path: Path, capfd: Capture) -> None:
    text = selfimprove(capfd, "sweep", write(tmp_path, rows()), "--score", "cot").out
    assert text.startswith("2 prompts, 8 samples, cot by Quantile, 0 missing (percent, 95% intervals over prompts)\n")
    assert text.count("  highest gap") == 1
    assert "The highest of 19 gaps flatters" in text


def test_without_utility_the_keep_rate_is_given_and_the_gap_is_not(tmp_path: Path, capfd: Capture) -> None:
    path = write(tmp_path, rows(utility=None))
    assert "no gap: no sample has a utility" in selfimprove(capfd, "sweep", path, "--score", "cot").out
    found = as_json(capfd, "sweep", path, "--score", "cot")
    assert found["points"][0]["gap"] is found["highestGapAt"] is None
    assert found["points"][0]["keepRate"]["value"] > 0
    assert found["reasons"]["gap"] == "no sample has a utility"


def test_a_cut_that_keeps_only_what_nobody_has_graded_has_no_gap_and_the_reason(tmp_path: Path, capfd: Capture) -> None:
    highest = [row | ({"utility": None} if row["scores"]["cot"] > 8 else {}) for row in rows()]
    path = write(tmp_path, highest)
    found = as_json(capfd, "sweep", path, "--score", "cot", "--weighting", "Threshold:3,9")
    assert [point["gap"] and point["gap"]["n"] for point in found["points"]] == [2, None]
    assert found["reasons"]["gap"] == "at some cuts no sample that is kept has a utility"
    right = as_json(capfd, "sweep", write(tmp_path, rows(utility=1)), "--score", "cot", "--weighting", "Threshold:3")
    assert right["reasons"] == {"relativeGap": "every sample of every prompt with a gap is right"}


def test_it_draws_the_gap_with_its_interval(tmp_path: Path, capfd: Capture) -> None:
    plot = tmp_path / "gap.png"
    outcome = selfimprove(capfd, "sweep", write(tmp_path, rows()), "--score", "cot", "--plot", plot)
    assert outcome.code == 0, outcome.err
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_it_says_what_to_install(
    tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    outcome = selfimprove(capfd, "sweep", write(tmp_path, rows()), "--score", "cot", "--plot", tmp_path / "gap.png")
    assert outcome.code == 2
    assert "needs matplotlib; pip install 'selfimprove[plots]'" in outcome.err
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize(
    ("changed", "options", "message"),
    [
        ({}, [], "--score: is not given, and the samples have cot, mc; give one of them"),
        ({}, ["--score", "judge"], "--score: judge is in no row; there are cot, mc"),
        ({"scores": None}, [], "--score: the samples have no scores"),
        ({"scores": {"mc": None}}, [], "--score: mc is missing of every sample"),
        ({"scores": {"mc": 0.3}}, ["--weighting", "Softmax"], "mc is 0.3 always"),
        ({"scores": {"mc": 1}}, [], "mc is only 1, whose ties are kept or dropped as one"),
        ({}, ["--weighting", "Best"], "--weighting: Best is no weighting; give Quantile"),
        ({}, ["--weighting", "Quantile:0.5,1.5"], "--weighting: Quantile:1.5 has quantile 1.5"),
        (
            {},
            ["--weighting", "Threshold:0.5,inf"],
            "--weighting: Threshold:inf has threshold inf; give a finite number",
        ),
        ({}, ["--weighting", "Softmax:inf"], "--weighting: Softmax:inf has beta inf; give a finite number above 0"),
        ({}, ["--weighting", "TopK:"], "--weighting: TopK: has k missing"),
        ({}, ["--plot", "gap.txt"], "--plot: gap.txt names no picture"),
        ({}, ["--plot", "/no/such/place/gap.png"], "--plot: /no/such/place is no folder"),
        ({"utility": None}, ["--score", "mc", "--plot", "gap.png"], "--plot: there is no gap to draw"),
    ],
)
def test_what_does_not_fit_is_answered_in_one_line(
    tmp_path: Path, capfd: Capture, changed: dict[str, Any], options: list[str], message: str
) -> None:
    outcome = selfimprove(capfd, "sweep", write(tmp_path, rows(**changed)), *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err
    assert outcome.err.count("\n") == 1


def test_the_example_s_samples_behave_as_the_paper_s_verifiers(tmp_path: Path) -> None:
    """A threshold's gap rises and falls, a tournament's grows with its rounds, a coin's is none (section 6)."""
    import runpy

    example = runpy.run_path(str(Path(__file__).parents[2] / "examples" / "verification" / "samples.py"))
    random = np.random.default_rng(0)
    path = write(tmp_path, [row for number in range(100) for row in example["prompt"](random, number)])
    samples = read_samples(path)
    gaps = [point.figures["gap"].value for point in sweep(samples, "mc", "Threshold", seed=0)]
    assert max(gaps) > max(gaps[0], gaps[-1]) + 0.02
    rounds = [point.figures["gap"].value for point in sweep(samples, "tournament", "Threshold", seed=0)]
    assert rounds == sorted(rounds)
    (coin,) = sweep(samples, "coin", "Quantile", [0.7], seed=0)
    assert coin.figures["gap"].low is not None and coin.figures["gap"].low < 0
