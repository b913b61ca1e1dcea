"""Defaults that depend on something, what may change once a run has begun, and the round trip to JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove.api import (
    Run,
    Spec,
    Surroundings,
    apply_sets,
    below_reached,
    changed_immutable,
    is_fixed,
    problems,
    resolve,
    resolved_defaults,
    too_many_shards,
)
from tests.unit.api_support import good

HERE = Surroundings(storage_uri="./runs")

ANSWERS = st.sampled_from([{}, {"answer": "a"}, {"answer": "a", "rationale": "r"}])
METHOD_CHOICES: list[dict[str, Any]] = [
    {"type": "Likelihood"},
    {"type": "Likelihood", "weighting": {"type": "Softmax", "beta": 0.5}},
    {"type": "MajorityVote"},
    {"type": "MajorityVote", "weighting": {"type": "Threshold", "threshold": 0.75}},
    {"type": "MultipleChoice", "minMass": 0.1},
    {"type": "MultipleChoice", "labels": {"positive": "right", "negative": "wrong"}},
    {"type": "CoTScore", "votes": 2},
    {"type": "CoTBinary", "name": "judge"},
    {"type": "Tournament"},
    {"type": "CoTScore", "verifier": {"uri": "hf://lab/judge"}},
    {
        "type": "Tournament",
        "verifier": {"uri": "hf://lab/judge", "engine": "VLLM", "engineArgs": {"maxModelLen": 4096}},
    },
]
METHODS = st.lists(
    st.sampled_from(METHOD_CHOICES), min_size=1, max_size=4, unique_by=lambda method: str(method["type"])
)
COMBINED = st.one_of(
    st.builds(lambda methods: {"methods": methods}, METHODS),
    st.builds(
        lambda methods, combine: {
            "methods": methods,
            "combine": combine,
            "weighting": {"type": "Quantile", "quantile": 0.5},
        },
        METHODS.filter(lambda methods: [method["type"] for method in methods] != ["CoTBinary"]),  # no ranks of 0 and 1
        st.sampled_from(["Mean", "Weighted"]),
    ),
)


def section(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


SPECS = st.fixed_dictionaries(
    {
        "model": st.just({"uri": "hf://lab/base"}),
        "dataset": st.builds(
            lambda fields, more: {"uri": "./train.jsonl", "task": "Exact", "fields": fields, **more},
            ANSWERS,
            section(
                heldOut=st.sampled_from([{"fraction": 0.2}, {"uri": "./held.jsonl", "limit": 9}]),
                limit=st.integers(1000, 2000),
                test=st.just({"uri": "./test.jsonl"}),
            ),
        ),
    },
    optional={
        "seed": st.integers(0, 2**53),
        "maxIterations": st.integers(1, 1000),
        "suspend": st.booleans(),
        "generation": section(
            samplesPerPrompt=st.integers(2, 64),
            temperature=st.floats(0.01, 2),
            topP=st.floats(0.01, 1),
            topK=st.sampled_from([-1, 2, 50]),
            maxTokens=st.integers(1, 1024),
            stop=st.lists(st.text("ab\n", min_size=1), max_size=3),
            shards=st.integers(1, 1000),
        ),
        "evaluation": section(
            samplesPerPrompt=st.integers(1, 8),
            topP=st.floats(0.01, 1),
            topK=st.sampled_from([-1, 5]),
            maxTokens=st.integers(1, 99),
            stop=st.lists(st.text("ab", min_size=1), max_size=2),
        ),
        "verification": COMBINED,
        "resampling": section(maxTokens=st.integers(1, 500), target=st.integers(1, 9)),
        "distillation": section(lora=section(rank=st.integers(1, 64)), learningRate=st.floats(1e-9, 1)),
        "storage": st.sampled_from([{}, {"uri": "s3://lab/runs", "region": "eu-1"}, {"retention": "All"}]),
        "execution": section(colocate=st.booleans(), steps=st.just({"distill": {"nodeSelector": {"a": "b"}}})),
    },
)


def manifest(spec: dict[str, Any]) -> dict[str, Any]:
    return {**good(), "spec": spec}


@given(SPECS)
def test_resolving_again_changes_nothing_wherever_it_is_done(spec: dict[str, Any]) -> None:
    once = resolve(Spec.model_validate(spec), surroundings=HERE)
    assert resolve(once, surroundings=HERE) == once
    assert resolve(once, surroundings=Surroundings("s3://elsewhere")) == once


@given(SPECS)
def test_a_valid_spec_goes_to_json_and_back_resolved_or_not(spec: dict[str, Any]) -> None:
    assert problems(manifest(spec)) == []
    written = Run.model_validate(manifest(spec)).spec
    for each in (written, resolve(written, surroundings=HERE)):
        document = json.loads(json.dumps(each.to_json()))
        assert problems(manifest(document)) == []
        assert Spec.model_validate(document) == each


@given(SPECS)
def test_what_was_resolved_is_exactly_what_resolving_added(spec: dict[str, Any]) -> None:
    written = Spec.model_validate(spec)
    resolved = resolve(written, surroundings=HERE)
    added = resolved_defaults(written, resolved)
    assert resolved_defaults(resolved, resolved) == {}
    assert ("spec.storage.uri" in added) == ("uri" not in spec.get("storage", {}))
    assert ("spec.dataset.heldOut.fraction" in added) == ("heldOut" not in spec["dataset"])


@given(SPECS)
def test_a_default_written_down_is_no_change(spec: dict[str, Any]) -> None:
    resolved = resolve(Spec.model_validate(spec), surroundings=HERE)
    assert changed_immutable(resolved, Spec.model_validate(resolved.to_json())) is None


def resolved(*sets: str) -> Spec:
    return resolve(Run.model_validate(apply_sets(good(), sets)).spec, surroundings=HERE)


def test_mapped_answers_make_ground_truth_the_method() -> None:
    verification = resolved().verification
    assert verification is not None
    assert [method.to_json() for method in verification.methods] == [
        {
            "type": "GroundTruth",
            "name": "GroundTruth",
            "weighting": {"type": "Threshold", "threshold": 1.0},
            "weight": 1.0,
            "votes": 1,
        }
    ]


def test_a_gym_has_answers_by_itself() -> None:
    verification = resolved("dataset={uri: 'gym://chain_sum', task: Gym}").verification
    assert verification is not None
    assert verification.methods[0].type == "GroundTruth"


def test_without_answers_the_model_judges_itself_by_two_labels_and_a_quantile() -> None:
    verification = resolved("dataset.fields.answer=").verification
    assert verification is not None
    (method,) = verification.methods
    assert (method.type, method.weighting and method.weighting.quantile) == ("MultipleChoice", 0.7)
    assert method.labels is not None


def test_the_question_of_a_gym_is_found_where_gyms_have_it() -> None:
    gym = resolved("dataset={uri: 'gym://chain_sum', task: Gym, fields: {difficulty: level}}")
    assert gym.dataset.fields.prompt == "question"
    assert changed_immutable(gym, resolve(Spec.model_validate(gym.to_json()), surroundings=HERE)) is None


def test_a_tenth_is_held_out_and_at_most_500() -> None:
    held_out = resolved().dataset.held_out
    assert held_out is not None
    assert (held_out.fraction, held_out.limit) == (0.1, 500)


def test_evaluation_samples_as_generation_does_where_it_says_nothing() -> None:
    spec = resolved("generation.topP=0.5", "generation.stop=[END]", "evaluation.maxTokens=64")
    assert (spec.evaluation.top_p, spec.evaluation.stop, spec.evaluation.max_tokens) == (0.5, ["END"], 64)


JUDGE = "verification.methods=[{type: Likelihood, verifier: {uri: 'hf://lab/judge'%s}}]"
OF_GENERATION = ("generation.engine=Transformers", "generation.engineArgs={dtype: float32, maxModelLen: 2048}")


def judge_of(spec: Spec) -> dict[str, Any]:
    assert spec.methods[0].verifier is not None
    return spec.methods[0].verifier.to_json()


def test_a_verifier_runs_as_generation_does_where_it_says_nothing_of_its_engine() -> None:
    spec = resolved(*OF_GENERATION, JUDGE % "")
    settings = {"dtype": "float32", "maxModelLen": 2048}
    assert judge_of(spec) == {"uri": "hf://lab/judge", "engine": "Transformers", "engineArgs": settings}


def test_a_verifiers_own_settings_are_taken_whole_and_nothing_of_generations_with_them() -> None:
    settings = {"tensorParallelSize": 4}
    spec = resolved(*OF_GENERATION, JUDGE % f", engineArgs: {settings}")
    assert judge_of(spec) == {
        "uri": "hf://lab/judge",
        "engine": "Transformers",
        "engineArgs": {**settings, "dtype": "auto"},
    }


def test_what_a_verifier_has_of_generation_is_shown_among_the_defaults() -> None:
    written = Run.model_validate(apply_sets(good(), [*OF_GENERATION, JUDGE % ""])).spec
    field = "spec.verification.methods[0].verifier"
    found = resolved_defaults(written, resolved(*OF_GENERATION, JUDGE % ""))
    assert {name: value for name, value in found.items() if name.startswith(field)} == {
        f"{field}.engine": "Transformers",
        f"{field}.engineArgs.dtype": "float32",
        f"{field}.engineArgs.maxModelLen": 2048,
    }


def test_a_manifest_is_known_by_no_more_of_a_verifiers_engine_than_of_generations() -> None:
    engines = ("", ", engine: VLLM", ", engine: Transformers, engineArgs: {dtype: float32}")
    found = [resolved(JUDGE % engine) for engine in engines]
    recipes = [each.verification.recipe() for each in found if each.verification]
    assert recipes[0] == recipes[1] == recipes[2]
    assert all(each.methods[0].recipe()["verifier"] == {"uri": "hf://lab/judge"} for each in found)


def test_what_a_manifest_is_known_by_is_all_else_of_the_verification() -> None:
    verification = resolved().verification
    assert verification is not None
    assert verification.recipe() == verification.to_json()
    assert verification.methods[0].recipe() == verification.methods[0].to_json()


@pytest.mark.parametrize("engine", ["engine: VLLM", "engineArgs: {dtype: float32}"])
def test_a_verifiers_engine_is_fixed_as_generations_is(engine: str) -> None:
    field = f"spec.verification.methods[0].verifier.{engine.partition(':')[0]}"
    found = changed_immutable(resolved(JUDGE % ""), resolved(JUDGE % f", {engine}"))
    assert found is not None
    assert found.startswith(field)
    assert is_fixed(found)


def test_the_shortest_manifest_shows_what_was_decided_for_it() -> None:
    written = Run.model_validate(good()).spec
    assert resolved_defaults(written, resolve(written, surroundings=HERE)) == {
        "spec.dataset.heldOut.fraction": 0.1,
        "spec.dataset.heldOut.limit": 500,
        "spec.evaluation.topP": 0.9,
        "spec.evaluation.topK": -1,
        "spec.evaluation.maxTokens": 512,
        "spec.evaluation.stop": [],
        "spec.verification.methods[0].type": "GroundTruth",
        "spec.verification.methods[0].name": "GroundTruth",
        "spec.verification.methods[0].weighting.type": "Threshold",
        "spec.verification.methods[0].weighting.threshold": 1.0,
        "spec.storage.uri": "./runs",
    }


MUTABLE = [
    "suspend=true",
    "maxIterations=9",
    "stopping.patience=5",
    "stopping.budget.tokens=1000",
    "execution.backoffLimit=9",
    "execution.volumes=[{name: a, mountPath: /a, emptyDir: {}}]",
    "dataset.endpoint=http://s3:1",
    "dataset.credentialsSecretName=other",
    "model.tokenSecretName=other",
    "storage.credentialsSecretName=other",
    "storage.endpoint=http://s3:1",
]
IMMUTABLE = [
    ("seed=1", "spec.seed"),
    ("model.uri=hf://lab/other", "spec.model.uri"),
    ("generation.temperature=0.5", "spec.generation.temperature"),
    ("generation.stop=[x]", "spec.generation.stop"),
    ("dataset.test.uri=./t.jsonl", "spec.dataset.test.uri"),
    ("verification.methods=[{type: Likelihood}]", "spec.verification.methods[0].type"),
    (
        "verification.methods=[{type: GroundTruth}, {type: Likelihood}]",
        "spec.verification.methods[1].type",
    ),
    ("storage.retention=All", "spec.storage.retention"),
    ("distillation.lora.rank=8", "spec.distillation.lora.rank"),
]


@pytest.mark.parametrize("change", MUTABLE)
def test_a_mutable_field_may_change_and_come_and_go(change: str) -> None:
    assert changed_immutable(resolved(), resolved(change)) is None
    assert changed_immutable(resolved(change), resolved()) is None


@pytest.mark.parametrize(("change", "field"), IMMUTABLE, ids=[change for change, _ in IMMUTABLE])
def test_an_immutable_field_that_changed_is_named(change: str, field: str) -> None:
    assert changed_immutable(resolved(), resolved(change)) == field
    assert changed_immutable(resolved(change), resolved()) is not None


@pytest.mark.parametrize("field", [field for _, field in IMMUTABLE])
def test_an_immutable_field_is_known_by_its_name(field: str) -> None:
    assert is_fixed(field)


@pytest.mark.parametrize("change", MUTABLE)
def test_a_mutable_field_is_known_by_its_name(change: str) -> None:
    assert not is_fixed(f"spec.{change.partition('=')[0]}")


def test_where_the_definition_compares_a_section_whole_its_servers_are_fixed_too() -> None:
    assert is_fixed("spec.verification.methods[0].verifier.endpoint")
    assert is_fixed("spec.resampling.teacher.tokenSecretName")
    assert not is_fixed("metadata.labels")
    assert not is_fixed("spec")


def test_iterations_may_not_end_before_where_the_run_is() -> None:
    assert below_reached(resolved("maxIterations=3"), 3) is None
    assert str(below_reached(resolved("maxIterations=2"), 3)) == (
        "spec.maxIterations: 2 is below iteration 3, which the run has reached; give at least 3"
    )


def test_shards_are_counted_again_when_the_prompts_are_known() -> None:
    assert too_many_shards(resolved("generation.shards=4"), 4) is None
    assert str(too_many_shards(resolved("generation.shards=4"), 3)) == (
        "spec.generation.shards: 4 is more than the 3 prompts; give at most 3"
    )


def test_the_resource_needs_no_data_library_and_no_template_engine() -> None:
    code = (
        "import sys; sys.modules['jinja2'] = None; import selfimprove.api, selfimprove.status; "
        "from selfimprove.api import problems; "
        "print(problems({'spec': {'model': {'uri': 'hf://a/b', 'chatTemplate': '{% if %}'}}})); "
        "print(sorted({'numpy', 'pyarrow', 'boto3', 'torch', 'kubernetes', 'rich', 'typer'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "Jinja" not in done.stdout
