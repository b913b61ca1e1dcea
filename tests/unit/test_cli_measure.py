"""`selfimprove measure`: any scored samples, without a run."""

from __future__ import annotations

# ruff: noqa: E501 (expected lines stand on one line, so that they can be searched for)
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.unit.cli_support import as_json, selfimprove

# Two prompts x 4 samples: the first with 2 right, the second with 1; mc finds the right ones of the first only.
UTILITY = {"p1": [1, 0, 1, 0], "p2": [0, 0, 0, 1]}
MC = {"p1": [0.9, 0.1, 0.8, 0.2], "p2": [0.9, 0.1, 0.1, 0.1]}
MARKS = {"p1": [9, 2, 8, 3], "p2": [1, 2, 3, 10]}


def rows(**fixed: Any) -> list[dict[str, Any]]:
    return [
        {"prompt": p, "sample": i, "utility": UTILITY[p][i], "scores": {"mc": MC[p][i], "cot": MARKS[p][i]}, "level": n}
        | fixed
        for n, p in enumerate(("p1", "p2"), 1)
        for i in range(4)
    ]


def write(folder: Path, document: list[Any], name: str = "samples.jsonl") -> Path:
    path = folder / name
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(document), path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in document))
    return path


def values(document: dict[str, Any], *names: str) -> list[float | None]:
    return [document[name] and round(document[name]["value"], 6) for name in names]


@pytest.mark.parametrize("name", ["samples.jsonl", "samples.parquet"])
def test_every_figure_is_the_definition_s(tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str) -> None:
    path = write(tmp_path, rows(), name)
    found = as_json(capfd, "measure", path, "--score", "mc", "--weighting", "Threshold:0.5")
    assert (found["prompts"], found["samples"]) == (2, 8)
    # p1: 2/4 to 2/2; p2: 1/4 to 0/1.
    assert values(found, "utility", "filtered", "gap") == [0.375, 0.5, 0.125]
    assert values(found, "relativeGap") == [round((1 + -0.25 / 0.75) / 2, 6)]
    assert found["relativeGap"]["skipped"] == 0
    assert values(found, "keepRate", "emptyFilterRate", "coverage") == [0.375, 0.0, 1.0]
    assert {k: round(e["value"], 6) for k, e in found["passAtK"].items()} == {"1": 0.375, "2": 0.666667, "4": 1.0}
    assert found["acceptedHistogram"] == [0, 1, 1]
    assert found["scores"]["mc"]["auroc"]["value"] == pytest.approx((1 + 1 / 3) / 2)
    assert found["gap"]["n"] == 2 and found["gap"]["low"] <= found["gap"]["value"] <= found["gap"]["high"]
    assert (found["scores"]["mc"]["ece"]["low"], found["scores"]["mc"]["ece"]["high"]) == (None, None)
    assert list(found["reasons"]) == ["scores.mc.ece.interval", "scores.mc.mass"]


@pytest.mark.parametrize("name", ["samples.jsonl", "samples.parquet"])
def test_the_label_mass_is_averaged_by_prompt(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    massed = [row | {"mass": {"mc": 0.9 if row["prompt"] == "p1" else 0.5 + 0.1 * row["sample"]}} for row in rows()]
    path = write(tmp_path, massed, name)
    found = as_json(capfd, "measure", path)
    prompts = {row["prompt"] for row in massed}
    means = [np.mean([row["mass"]["mc"] for row in massed if row["prompt"] == prompt]) for prompt in sorted(prompts)]
    mass = found["scores"]["mc"]["mass"]
    assert mass["value"] == pytest.approx(np.mean(means))
    assert mass["low"] < mass["value"] < mass["high"]
    assert mass["n"] == len(prompts)
    assert found["scores"]["cot"]["mass"] is None
    assert found["reasons"]["scores.cot.mass"] == "no sample has the probability mass that it read on labels"
    assert "label mass 7" in selfimprove(capfd, "measure", path).out


def test_rows_may_come_in_any_order(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    options = ("--weighting", "Quantile:0.6", "--by", "level")
    forward = as_json(capfd, "measure", write(tmp_path, rows(), "a.jsonl"), *options)
    assert as_json(capfd, "measure", write(tmp_path, rows()[::-1], "b.jsonl"), *options) == forward
    assert list(forward["byLevel"]) == ["1", "2"]
    assert forward["byLevel"]["1"]["utility"]["value"] == 0.5


def test_filters_meet_by_and_or_by_the_mean_of_their_ranks(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, rows())
    both = as_json(capfd, "measure", path, "--weighting", "Threshold:0.5", "--weighting", "cot=Threshold:9")
    assert values(both, "keepRate", "emptyFilterRate") == [0.125, 0.5]
    mean = as_json(capfd, "measure", path, "--combine", "Mean", "--weighting", "TopK:1")
    assert values(mean, "filtered") == [1.0]
    (pair,) = mean["correlations"]
    assert pair["scores"] == ["cot", "mc"]
    assert pair["spearman"]["value"] <= 1


def test_without_utility_the_rest_is_given_and_the_reason(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = as_json(capfd, "measure", write(tmp_path, rows(utility=None)), "--weighting", "Threshold:0.5")
    assert found["gap"] is found["utility"] is found["passAtK"] is found["acceptedHistogram"] is None
    assert found["reasons"]["gap"] == found["reasons"]["acceptedHistogram"] == "no sample has a utility"
    assert found["keepRate"]["value"] > 0
    assert found["scores"]["mc"] == {"nan": 0, "auroc": None, "ece": None, "brier": None, "mass": None}


def test_a_prompt_of_which_no_utility_is_known_is_in_no_histogram(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    samples = [{"prompt": p, "sample": n, "utility": u} for p, u in (("p", 1), ("q", 0), ("r", None)) for n in (0, 1)]
    found = as_json(capfd, "measure", write(tmp_path, samples))
    assert found["acceptedHistogram"] == [1, 0, 1]
    assert found["coverage"]["n"] == 2


def test_what_is_null_says_why(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = as_json(capfd, "measure", write(tmp_path, rows()), "--k", "2,16")
    assert found["passAtK"]["16"] is None
    assert found["reasons"]["passAtK.16"] == "no prompt has 16 samples with a utility; the most is 4"
    assert found["reasons"]["gap"] == "no weighting is given"
    assert found["reasons"]["scores.cot.ece"] == "9 is no probability, which goes from 0 to 1"
    alone = as_json(capfd, "measure", write(tmp_path, rows(utility=1)), "--weighting", "mc=Threshold:0.5")
    assert alone["relativeGap"] is None
    assert alone["reasons"]["relativeGap"] == "every sample of every prompt with a gap is right"


def test_scores_and_utilities_that_never_meet_say_so(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    apart = [row | ({"scores": {"mc": None}} if row["sample"] % 2 else {"utility": None}) for row in rows()]
    found = as_json(capfd, "measure", write(tmp_path, apart), "--score", "mc")
    assert found["scores"]["mc"] == {"nan": 4, "auroc": None, "ece": None, "brier": None, "mass": None}
    for figure in ("ece", "brier"):
        assert found["reasons"][f"scores.mc.{figure}"] == "no sample has both a score and a utility"


def test_a_k_is_too_high_for_the_samples_with_a_utility_not_for_all(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    unknown = [row | ({"utility": None} if row["sample"] > 1 else {}) for row in rows()]
    found = as_json(capfd, "measure", write(tmp_path, unknown), "--k", "3")
    assert found["reasons"]["passAtK.3"] == "no prompt has 3 samples with a utility; the most is 2"


def test_a_prompt_whose_kept_samples_have_no_utility_has_no_gap(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """p1 keeps two samples, and nobody knows whether they are right: what filtering gains there is unknown, not 0."""
    unknown = [
        row | ({"utility": None} if row["prompt"] == "p1" and row["scores"]["mc"] > 0.5 else {}) for row in rows()
    ]
    options = ("--score", "mc", "--weighting", "Threshold:0.5")
    found = as_json(capfd, "measure", write(tmp_path, unknown), *options)
    assert values(found, "gap", "filtered", "emptyFilterRate", "keepRate") == [-0.25, 0.0, 0.0, 0.375]
    assert [found[name]["n"] for name in ("gap", "filtered", "relativeGap", "utility")] == [1, 1, 1, 2]
    only = as_json(capfd, "measure", write(tmp_path, [row for row in unknown if row["prompt"] == "p1"]), *options)
    assert only["gap"] is only["relativeGap"] is None
    assert only["reasons"]["gap"] == only["reasons"]["relativeGap"] == "no sample that is kept has a utility"


@pytest.mark.filterwarnings("error")
def test_scores_as_large_as_a_float_can_be_are_weighed_and_nothing_is_said(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    large = [row | {"scores": dict.fromkeys(("a", "b"), (2 * row["scores"]["mc"] - 1) * 1.7e308)} for row in rows()]
    path = write(tmp_path, large)
    found = as_json(capfd, "measure", path, "--weighting", "Softmax:0.5")
    assert values(found, "filtered") == [0.5]
    assert [found["correlations"][0][name]["value"] for name in ("pearson", "spearman")] == pytest.approx([1, 1])
    assert selfimprove(capfd, "measure", path, "--weighting", "Softmax:1e-300").code == 0
    assert selfimprove(capfd, "sweep", path, "--score", "a", "--weighting", "Softmax").code == 0


def test_all_scores_missing_is_counted_and_never_0(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = as_json(capfd, "measure", write(tmp_path, rows(scores={"mc": None})), "--weighting", "Threshold:0.5")
    assert found["scores"]["mc"]["nan"] == 8
    assert values(found, "keepRate", "emptyFilterRate", "gap") == [0.0, 1.0, 0.0]


def test_a_quantile_of_scores_that_are_all_missing_keeps_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    found = as_json(capfd, "measure", write(tmp_path, rows(scores={"mc": None})), "--weighting", "Quantile:0.5")
    assert values(found, "keepRate", "emptyFilterRate") == [0.0, 1.0]


def test_a_level_that_is_no_number_is_none(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    known = [row | {"level": float("nan")} if row["prompt"] == "p1" else row for row in rows()]
    found = as_json(capfd, "measure", write(tmp_path, known), "--weighting", "Quantile:0.5", "--by", "level")
    assert list(found["byLevel"]) == ["2"]


def test_a_level_may_have_what_the_whole_file_has_not(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Of one level every score is 0 or 1, of another all are missing: a quantile of each is what it is."""
    known = [row | {"scores": {"mc": row["utility"] if row["level"] == 1 else 0.5}} for row in rows()]
    missing = [row | {"prompt": "p3", "level": 3, "scores": {"mc": None}} for row in rows()[:4]]
    found = as_json(capfd, "measure", write(tmp_path, known + missing), "--weighting", "Quantile:0.5", "--by", "level")[
        "byLevel"
    ]
    assert [values(found[level], "gap", "keepRate") for level in "123"] == [[0.5, 0.5], [0.0, 1.0], [0.0, 0.0]]


def test_scores_that_do_not_vary_have_no_correlation_and_the_reason(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, [row | {"scores": {"flat": 1, "mc": row["scores"]["mc"]}} for row in rows()])
    found = as_json(capfd, "measure", path)
    assert found["correlations"] == [{"scores": ["flat", "mc"], "pearson": None, "spearman": None}]
    assert found["reasons"]["correlations.flat~mc"] == "in no prompt do both scores vary"
    assert (
        "flat ~ mc         pearson -, spearman -  (in no prompt do both scores vary)"
        in selfimprove(capfd, "measure", path).out
    )


def test_a_person_reads_percent_and_reasons(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    outcome = selfimprove(capfd, "measure", write(tmp_path, rows()), "--by", "level")
    assert outcome.code == 0, outcome.err
    assert "gap               -  (no weighting is given)" in outcome.out
    assert "level 2: 1 prompts, 4 samples" in outcome.out
    assert "ece -, brier -, 0 missing  (9 is no probability, which goes from 0 to 1)" in outcome.out


def test_intervals_of_few_prompts_come_with_a_warning(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    said = "there are intervals of 2 prompts, and below 12 they are too narrow; n says of how many each is"
    path = write(tmp_path, rows())
    found = as_json(capfd, "measure", path, "--by", "level")
    assert found["warnings"] == [said]
    assert found["byLevel"]["1"]["warnings"] == []  # one prompt has no interval
    assert selfimprove(capfd, "measure", path).err == f"warning: {said}\n"
    assert selfimprove(capfd, "measure", path, "--by", "level").err == f"warning: {said}\n"
    many = [row | {"prompt": f"{row['prompt']}-{copy}"} for copy in range(6) for row in rows()]
    assert selfimprove(capfd, "measure", write(tmp_path, many, "many.jsonl")).err == ""


def test_a_file_of_several_levels_is_warned_of_once_by_the_level_of_the_fewest_prompts(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever the levels are called."""
    sizes = {"low": 3, "middle": 5, "high": 20}
    many = [
        row | {"prompt": f"{level}-{copy}", "level": level}
        for level, size in sizes.items()
        for copy in range(size)
        for row in rows()[:4]
    ]
    assert selfimprove(capfd, "measure", write(tmp_path, many), "--by", "level").err == (
        "warning: there are intervals of 3 prompts, and below 12 they are too narrow; n says of how many each is\n"
    )


BROKEN = [
    ([{"prompt": "a", "scores": {"mc": "high"}}], (), "row 1 has scores.mc \"high\"; give a number or null"),
    ([{"prompt": "a", "scores": [1]}], (), "row 1 has scores [1]; give an object of names and numbers"),
    ([{"prompt": "a", "utility": 0.5}], (), "row 1 has utility 0.5; give 0, 1 or null"),
    ([{"prompt": "a", "utility": "1"}], (), "row 1 has utility \"1\"; give 0, 1 or null"),
    ([{"sample": 0}], (), "row 1 has no prompt; give the prompt's id as text"),
    ([{"prompt": 1.5}], (), "row 1 has a float as its prompt; give the prompt's id as text"),
    ([[1]], (), "row 1 is a list; give one object a row"),
    ([{"prompt": "a", "sample": -1}], (), "row 1 has sample -1; give a whole number from 0 to below 2^63, or leave it out"),
    ([{"prompt": "a", "sample": 2**70}], (), "row 1 has sample 1180591620717411303424; give a whole number from 0 to below 2^63, or leave it out"),
    ([{"prompt": "a", "scores": {"mc": 10**400}}], (), f"row 1 has scores.mc 1{36 * '0'}...; give a finite number or null"),
    ([{"prompt": "a", "scores": {"mc": float("inf")}}], (), "row 1 has scores.mc Infinity; give a finite number or null"),
    ([{"prompt": "a", "sample": 1}] * 2, (), "prompt a has sample 1 twice; number the samples of a prompt, or leave sample out"),
    ([{"prompt": "a", "level": 1}, {"prompt": "a", "level": 2}], (), "row 2 gives its prompt level 2, and an earlier row 1; mend one"),
    ([], (), "holds no samples; give one object a row"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "options", "line"), BROKEN, ids=[str(n) for n in range(len(BROKEN))])
def test_a_broken_file_is_refused_in_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], document: list[Any], options: tuple[str, ...], line: str
) -> None:
    path = write(tmp_path, document)
    outcome = selfimprove(capfd, "measure", path, *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.removeprefix("error: ").replace(f"{path}: ", "", 1).strip() == line


WRONG = [
    (("--weighting", "Best:1"), "--weighting: Best:1 has no type; give Threshold:0.8, Quantile:0.7, Softmax:0.1 or TopK:2"),
    (("--weighting", "Quantile:1"), "--weighting: Quantile:1 has quantile 1; give a number from 0 to below 1"),
    (("--weighting", "Threshold:nan"), "--weighting: Threshold:nan has threshold nan; give a finite number"),
    (("--weighting", "Threshold:-inf"), "--weighting: Threshold:-inf has threshold -inf; give a finite number"),
    (("--weighting", "Softmax:inf"), "--weighting: Softmax:inf has beta inf; give a finite number above 0"),
    (("--weighting", "TopK"), "--weighting: TopK has k missing; give a whole number from 1"),
    (("--weighting", "x=TopK:1"), "--weighting: x is none of the scores; there are cot, mc"),
    (("--weighting", "TopK:1", "--weighting", "TopK:2"), "--weighting: two are given for all scores; keep one"),
    (("--score", "x"), "--score: x is in no row; there are cot, mc"),
    (("--combine", "Any"), "--combine: Any is neither All nor Mean; give one of them"),
    (("--combine", "Mean"), "--combine: Mean weighs the mean of ranks; give one --weighting, without a name"),
    (("--k", "0"), "--k: 0 is no list of whole numbers from 1; give 1,2,4"),
    (("--by", "color"), "--by: color is nothing that samples are told apart by; give level"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "line"), WRONG, ids=[" ".join(options) for options, _ in WRONG])
def test_an_option_that_does_not_fit_is_answered_in_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], options: tuple[str, ...], line: str
) -> None:
    outcome = selfimprove(capfd, "measure", write(tmp_path, rows()), *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.removeprefix("error: ").strip() == line


@pytest.mark.parametrize("command", [("measure",), ("sweep",)], ids=["measure", "sweep"])
@pytest.mark.parametrize(("low", "high"), [(0, 1), (1, 10), (5, 5)])
def test_a_quantile_of_two_values_is_refused_wherever_it_is_asked_for(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], command: tuple[str, ...], low: int, high: int
) -> None:
    path = write(tmp_path, [row | {"scores": {"gt": high if row["utility"] else low}} for row in rows()])
    outcome = selfimprove(capfd, *command, path, "--weighting", "Quantile:0.7")
    assert (outcome.code, outcome.out) == (2, "")
    there = " and ".join(dict.fromkeys((str(low), str(high))))
    assert outcome.err == (
        f"error: --weighting: Quantile asks for a share, and gt is only {there}, whose ties are kept or dropped as one; "
        f"give Threshold:{high}\n"
    )


MEAN = ("--combine", "Mean", "--weighting", "Quantile:0.7")


def test_a_quantile_of_the_mean_of_what_has_two_values_is_refused_too(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """By its values, not by its ranks, which differ from prompt to prompt."""
    right = [row | {"scores": {"gt": row["utility"], "other": 2 - row["utility"]}} for row in rows()]
    one = selfimprove(capfd, "measure", write(tmp_path, right), "--score", "gt", *MEAN)
    assert one.err.endswith("whose ties are kept or dropped as one; give Threshold:1, without --combine\n")
    both = selfimprove(capfd, "measure", write(tmp_path, right), *MEAN)
    assert "gt and other are only 0/2 and 1/1, whose" in both.err
    assert both.err.endswith("give each a Threshold, without --combine\n")


def test_a_quantile_of_two_scores_of_two_values_that_differ_is_a_share(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    apart = [row | {"scores": {"gt": row["utility"], "odd": i % 2}} for i, row in enumerate(rows())]
    assert selfimprove(capfd, "measure", write(tmp_path, apart), *MEAN).code == 0


def test_decimals_of_parquet_are_numbers(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    wide = pa.decimal128(5, 2)
    scores = pa.array([[("mc", Decimal(f"0.{n}5"))] for n in range(4)], pa.map_(pa.string(), wide))
    utility = pa.array([Decimal(n % 2) for n in range(4)], wide)
    path = tmp_path / "decimals.parquet"
    pq.write_table(pa.table({"prompt": ["p", "p", "q", "q"], "utility": utility, "scores": scores}), path)
    found = as_json(capfd, "measure", path)
    assert (found["utility"]["value"], found["scores"]["mc"]["auroc"]["value"]) == (0.5, 1.0)


def test_of_several_scores_the_one_of_two_values_gets_a_threshold_of_its_own(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, [row | {"scores": row["scores"] | {"binary": row["utility"]}} for row in rows()])
    said = selfimprove(capfd, "measure", path, "--weighting", "Quantile:0.5").err
    assert "binary is only 0 and 1" in said
    remedy = "--weighting binary=Threshold:1"
    assert said.endswith(f"give it one of its own, {remedy}\n")
    found = as_json(capfd, "measure", path, "--weighting", "Quantile:0.5", *remedy.split())
    assert found["keepRate"]["value"] > 0
