"""`selfimprove scaling`: relative gap against pre-training compute, a line for each family, with its interval."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove.measures.line import fit_line, t_quantile
from tests.unit.cli_support import as_json, selfimprove

Capture = pytest.CaptureFixture[str]
SUDOKU = Path(__file__).parents[2] / "examples" / "verification" / "sudoku.csv"
ENDS = "model,flops,relativeGap,low,high\n"
HEAD = "family,model,flops,parameters,tokens,relativeGap\n"


def table(folder: Path, text: str, name: str = "models.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(("freedom", "t"), [(1, 12.7062), (2, 4.3027), (3, 3.1824), (4, 2.7764), (30, 2.0423)])
def test_t_is_that_of_the_tables(freedom: int, t: float) -> None:
    assert t_quantile(freedom) == pytest.approx(t, abs=1e-4)


@given(
    slope=st.floats(-5, 5),
    intercept=st.floats(-5, 5),
    x=st.lists(st.integers(0, 50), min_size=3, max_size=9, unique=True),
)
def test_a_line_is_found_again(slope: float, intercept: float, x: list[int]) -> None:
    at = np.array(x, dtype=float)
    line = fit_line(at, intercept + slope * at)
    assert line is not None
    assert line.slope.value == pytest.approx(slope, abs=1e-9)
    assert line.intercept == pytest.approx(intercept, abs=1e-6)


def test_the_slope_s_interval_holds_the_truth_in_92_to_98_percent_of_draws() -> None:
    """Five models a family, as in the paper."""
    random, x = np.random.default_rng(0), np.arange(5.0)
    lines = [fit_line(x, 0.1 * x + random.normal(0, 0.3, 5)) for _ in range(2000)]
    slopes = [line.slope for line in lines if line]
    inside = [s.low is not None and s.high is not None and s.low <= 0.1 <= s.high for s in slopes]
    assert len(inside) == 2000
    assert 0.92 <= np.mean(inside) <= 0.98


def test_flops_are_six_times_parameters_times_tokens_unless_given(tmp_path: Path, capfd: Capture) -> None:
    rows = "a,small,,0.5B,12T,0.1\na,large,1e24,,,0.3\n"
    (family,) = as_json(capfd, "scaling", table(tmp_path, HEAD + rows))["families"]
    assert [model["flops"] for model in family["models"]] == [pytest.approx(6 * 0.5e9 * 12e12), 1e24]
    assert family["slopePerDecade"]["value"] == pytest.approx(0.2 / np.log10(1e24 / 3.6e22))
    assert (family["slopePerDecade"]["low"], family["reason"]) == (None, "two models leave no interval")


def test_each_family_has_its_own_line(tmp_path: Path, capfd: Capture) -> None:
    rows = [("a", n, 10**n, 0.1 * n - 2) for n in (21, 22, 23)] + [("b", n, 10**n, 0.3) for n in (21, 22, 23)]
    text = HEAD + "".join(f"{family},{name},{flops},,,{gap}\n" for family, name, flops, gap in rows)
    found = as_json(capfd, "scaling", table(tmp_path, text))["families"]
    assert [round(family["slopePerDecade"]["value"], 9) for family in found] == [0.1, 0.0]


def test_an_estimate_of_measure_is_a_relative_gap(tmp_path: Path, capfd: Capture) -> None:
    rows = [
        {"model": f"m{n}", "flops": 10**n, "relativeGap": {"value": n / 10, "low": 0.0, "high": 1.0, "n": 9}}
        for n in (1, 2)
    ]
    path = table(tmp_path, "".join(json.dumps(row) + "\n" for row in rows), "models.jsonl")
    (family,) = as_json(capfd, "scaling", path)["families"]
    assert family["family"] == "all"
    assert family["models"][0]["relativeGap"] == {"value": 0.1, "low": 0.0, "high": 1.0, "n": None}


def test_the_paper_s_sudoku_is_one_large_model_and_no_trend_that_is_sure(tmp_path: Path, capfd: Capture) -> None:
    plot = tmp_path / "scaling.png"
    text = selfimprove(capfd, "scaling", SUDOKU, "--plot", plot).out
    assert "Qwen-2  Qwen-2-72B    3.02e+24  +20.8\n" in text
    assert "Qwen-2  +11.0 [-5.3, +27.3], 4 models\n" in text
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_one_model_is_shown_and_draws_no_line(tmp_path: Path, capfd: Capture) -> None:
    text = selfimprove(capfd, "scaling", table(tmp_path, HEAD + "a,m,1e22,,,0.1\n")).out
    assert text.splitlines()[-1] == "a       -, 1 model  (one model draws no line)"


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        (HEAD, "models.csv", "holds no models"),
        (HEAD + "a,,1e22,,,0.1\n", "models.csv", "row 1 has no model; give its name as `model`"),
        (HEAD.replace("model", "Model") + "a,,1e22,,,0.1\n", "models.csv", "row 1 has no model among family, Model, "),
        (HEAD + "a,m,,7B,,0.1\n", "models.csv", "row 1 has neither flops nor both parameters and tokens"),
        (HEAD + "a,m,,seven,4T,0.1\n", "models.csv", "row 1 has parameters seven; give a number above 0"),
        (HEAD + "a,m,0,,,0.1\n", "models.csv", "row 1 has flops 0; give a number above 0"),
        (HEAD + "a,m,1e22,,,\n", "models.csv", "row 1 has no relativeGap; give a share"),
        (HEAD + "a,m,1e22,,,20.81\n", "models.csv", "row 1 has relativeGap 20.81, above all there is to gain"),
        (ENDS + "a,1e22,0.1,0.3,0.2\n", "models.csv", "row 1 has low 0.3 above its relativeGap 0.1; give an interval"),
        (ENDS + "a,1e22,0.1,,0.05\n", "models.csv", "row 1 has high 0.05 below its relativeGap 0.1; give an interval"),
        (ENDS + "a,1e22,0.1,0.0,20.0\n", "models.csv", "row 1 has high 20, above all there is to gain; give a share"),
        (ENDS + "a,1e22,0.1,0.05,inf\n", "models.csv", "row 1 has high inf; give a share"),
        (HEAD + "a,m,1e22,,,nan\n", "models.csv", "row 1 has relativeGap nan; give a share"),
        (HEAD + "a,m,1e22,,,0.1\na,m,1e23,,,0.1\n", "models.csv", "row 2 has model m a second time"),
        ("[1]\n", "models.jsonl", "row 1 is a list; give one object a row"),
        ("{\n", "models.jsonl", "row 1 is not JSON"),
        ("", "models.txt", "is no table; give .csv or .jsonl"),
    ],
)
def test_a_table_that_can_t_be_read_is_refused_in_one_line(
    tmp_path: Path, capfd: Capture, text: str, name: str, message: str
) -> None:
    outcome = selfimprove(capfd, "scaling", table(tmp_path, text, name))
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err
    assert outcome.err.count("\n") == 1


def test_a_table_that_is_not_there_is_one_line(tmp_path: Path, capfd: Capture) -> None:
    outcome = selfimprove(capfd, "scaling", tmp_path / "none.csv")
    assert outcome.code == 2
    assert "no such file; give a table of models" in outcome.err


def test_spaces_around_names_and_values_of_a_csv_mean_nothing(tmp_path: Path, capfd: Capture) -> None:
    plain = as_json(capfd, "scaling", table(tmp_path, "model,flops,relativeGap\na,1e18,0.1\nb,1e19,0.2\n"))
    spaced = table(tmp_path, "model , flops, relativeGap\na , 1e18, 0.1\n b, 1e19 , 0.2 \n")
    assert as_json(capfd, "scaling", spaced) == plain
