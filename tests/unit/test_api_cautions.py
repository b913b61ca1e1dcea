"""What is valid, and warned of all the same."""

from __future__ import annotations

from typing import Any

import pytest

from selfimprove.api import Spec, cautions
from selfimprove.api.rules.methods import PARAMETER
from tests.unit.cli_support import manifest_of


def spec_of(uri: str = "gym://chain_sum?size=40", **held_out: Any) -> Spec:
    task = "Gym" if uri.startswith("gym") else "Math"
    dataset = {"uri": uri, "task": task, **({"heldOut": held_out} if held_out else {})}
    return Spec.model_validate(manifest_of(dataset=dataset)["spec"])


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        (
            spec_of(fraction=0.5, limit=1),
            "spec.dataset.heldOut.limit: 1 leaves one held-out prompt, of which no figure",
        ),
        (spec_of("/data/sums.jsonl", fraction=0.5, limit=1), "spec.dataset.heldOut.limit: 1 leaves one "),
        (spec_of(fraction=0.02), "spec.dataset.heldOut.fraction: 0.02 leaves one "),
        (spec_of(uri="gym://chain_sum?size=4"), "spec.dataset.heldOut.fraction: 0.1 leaves one "),
    ],
)
def test_a_single_held_out_prompt_is_warned_of_by_the_field_that_leaves_it(spec: Spec, line: str) -> None:
    assert [str(caution)[: len(line)] for caution in cautions(spec)] == [line]


def test_a_generated_held_out_set_of_one_is_named_by_its_uri() -> None:
    dataset = {"uri": "gym://chain_sum", "task": "Gym", "heldOut": {"uri": "gym://chain_sum?size=1"}}
    (caution,) = cautions(Spec.model_validate(manifest_of(dataset=dataset)["spec"]))
    assert str(caution).startswith("spec.dataset.heldOut.uri: gym://chain_sum?size=1 leaves one held-out prompt")


def test_two_held_out_prompts_are_nothing_to_be_warned_of() -> None:
    assert cautions(spec_of(fraction=0.05)) == []
    assert cautions(spec_of(fraction=0.05, limit=2)) == []


def test_of_files_it_is_known_once_they_are_counted() -> None:
    files = spec_of("/data/sums.jsonl", fraction=0.1)
    assert cautions(files) == cautions(files, 2) == []
    assert [caution.field for caution in cautions(files, 1)] == ["spec.dataset.heldOut.fraction"]


def guided(**resampling: Any) -> Spec:
    return Spec.model_validate(manifest_of(resampling=resampling, generation={"maxTokens": 40})["spec"])


@pytest.mark.parametrize(
    ("resampling", "line"),
    [
        ({"strategy": "BruteForce", "maxTokens": 39}, "39 does not pay for one prompt's turn, which may take 40 "),
        ({"strategy": "BruteForce", "samplesPerRound": 4, "maxTokens": 159}, "159 does not pay for one prompt's turn"),
        ({"strategy": "Interactive", "maxTokens": 79}, "79 does not pay for one prompt's turn, which may take 80 "),
        (
            {"strategy": "BruteForce", "maxTokens": 119, "leakProbe": True},
            "119 does not pay for one prompt's turn, which may take 120 (samplesPerRound times generation.maxTokens, "
            "and the leak probe)",
        ),
        (
            {"strategy": "StateReset", "maxTokens": 79, "leakProbe": True},
            "79 does not pay for one prompt's turn, which",
        ),
    ],
)
def test_tokens_that_pay_for_nothing_are_warned_of(resampling: dict[str, Any], line: str) -> None:
    (caution,) = cautions(guided(**resampling), held_out=2)
    assert str(caution).startswith(f"spec.resampling.maxTokens: {line}")


@pytest.mark.parametrize(
    "resampling", [{"strategy": "BruteForce", "maxTokens": 40}, {"strategy": "BruteForce"}, {"maxTokens": 1}]
)
def test_tokens_that_pay_for_a_turn_or_limit_nothing_are_not(resampling: dict[str, Any]) -> None:
    assert cautions(guided(**resampling), held_out=2) == []


def test_a_probe_of_what_nobody_guides_is_warned_of() -> None:
    (caution,) = cautions(guided(leakProbe=True), held_out=2)
    assert str(caution).startswith("spec.resampling.leakProbe: true has no effect: strategy None guides nobody")
    assert cautions(guided(strategy="AnswerDriven", leakProbe=True), held_out=2) == []


SOFTMAX = {"type": "Softmax", "beta": 1.0}


def verified(*methods: dict[str, Any], **verification: Any) -> Spec:
    return Spec.model_validate(manifest_of(verification={"methods": list(methods), **verification})["spec"])


@pytest.mark.parametrize("type", ["GroundTruth", "CoTBinary"])
def test_a_softmax_of_scores_that_are_0_or_1_is_warned_of_since_it_trains_on_prompts_with_wrong_samples_alone(
    type: str,
) -> None:
    (caution,) = cautions(verified({"type": type, "weighting": SOFTMAX}))
    assert str(caution) == (
        f"spec.verification.methods[0].weighting.type: Softmax weighs {type} scores, which are 0 or 1, against the "
        "prompt's highest: where all its samples are wrong, all train at full weight; give "
        "{type: Threshold, threshold: 1}"
    )


@pytest.mark.parametrize("combine", ["Mean", "Weighted"])
def test_so_is_a_softmax_of_their_combined_ranks(combine: str) -> None:
    (caution,) = cautions(
        verified({"type": "GroundTruth"}, {"type": "CoTBinary"}, combine=combine, weighting=SOFTMAX), held_out=2
    )
    assert str(caution) == (
        "spec.verification.weighting.type: Softmax weighs ranks of GroundTruth and CoTBinary scores, which are 0 or 1, "
        "against the prompt's highest: where all its samples are wrong, all train at full weight; give combine All, "
        "and each method {type: Threshold, threshold: 1}"
    )


def test_combined_ranks_with_a_finer_score_among_them_or_cut_otherwise_are_nothing_to_be_warned_of() -> None:
    truth, likelihood = {"type": "GroundTruth"}, {"type": "Likelihood"}
    half = {"type": "Threshold", "threshold": 0.5}
    assert cautions(verified(truth, likelihood, combine="Mean", weighting=SOFTMAX), held_out=2) == []
    assert cautions(verified(truth, combine="Mean", weighting=half), held_out=2) == []


def test_a_softmax_of_finer_scores_and_one_beside_a_threshold_are_nothing_to_be_warned_of() -> None:
    truth = {"type": "GroundTruth", "weighting": {"type": "Threshold", "threshold": 1}}
    assert cautions(verified({"type": "Likelihood", "weighting": SOFTMAX})) == []
    assert cautions(verified({"type": "CoTBinary", "weighting": SOFTMAX}, truth)) == []


def combined(own: Any, combine: str = "Mean", **spec: Any) -> list[str]:
    method = {"type": "Likelihood", "weighting": {"type": own, PARAMETER[own]: 1 if own == "TopK" else 0.5}}
    common = {"weighting": {"type": "Quantile", "quantile": 0.5}} if combine != "All" else {}
    methods = [method, {"type": "MajorityVote"}]
    verification = {"methods": methods, "combine": combine, **common}
    found = cautions(Spec.model_validate(manifest_of(verification=verification, **spec)["spec"]))
    return [str(caution) for caution in found if ".weighting:" in str(caution)]


@pytest.mark.parametrize("own", ["Quantile", "TopK", "Softmax"])
@pytest.mark.parametrize("combine", ["Mean", "Weighted"])
def test_a_weighting_of_a_method_s_own_that_nothing_reads_is_warned_of(own: Any, combine: str) -> None:
    assert combined(own, combine) == [
        f"spec.verification.methods[0].weighting: {own} has no effect: under combine {combine} samples are weighed by "
        "verification.weighting (Quantile) alone; remove it, or give combine All"
    ]
    assert combined(own, "All") == []


def test_a_threshold_among_combined_ranks_filters_nothing_and_serves_resampling_alone() -> None:
    (line,) = combined("Threshold")
    assert "weighting: Threshold only says what counts as accepted: under combine Mean samples are weighed by" in line
    assert combined("Threshold", resampling={"strategy": "BruteForce"}) == []
