"""Mistakes that have nothing to do with one another are all named in the first round, whatever they are."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from selfimprove.api import cautions, check_built, problems
from selfimprove.api.kubeyaml import documents

(GOOD,) = documents(
    """\
apiVersion: selfimprove.dev/v1alpha1
kind: SelfImprovementRun
metadata: {name: several-of-everything}
spec:
  model: {uri: "hf://lab/model"}
  dataset:
    uri: "s3://lab/train.parquet"
    task: Math
    fields: {prompt: question, answer: answer}
    heldOut: {uri: "s3://lab/held-out.parquet"}
    test: {uri: "s3://lab/test.parquet"}
  verification:
    methods: [{type: MultipleChoice}, {type: CoTScore}, {type: Likelihood, verifier: {uri: "hf://lab/judge"}}]
  resampling: {strategy: Interactive, acceptThreshold: 0.5, teacher: {uri: "hf://lab/teacher"}}
  storage: {uri: "s3://lab/runs"}
  execution:
    steps: {generate: {env: [{name: A}, {name: B, value: b}]}, distill: {}}
    volumes: [{name: one, mountPath: /one, emptyDir: {}}, {name: two, mountPath: /two, emptyDir: {}}]
""",
    "good.yaml",
)

WRONG_BY_ITSELF: dict[str, Any] = {
    "model.endpoint": 3,
    "model.chatTemplat": "{{ messages }}",
    "model.revision": "main\n",
    "dataset.heldOut.limit": 0,
    "dataset.test.revision": ["main"],
    "maxIterations": "many",
    "generation.temperature": -1,
    "generation.topK": "half",
    "evaluation.topP": 2,
    "verification.combine": "Some",
    "verification.methods.0.votes": 100,
    "verification.methods.0.name": "-",
    "verification.methods.0.weighting": 0.7,
    "verification.methods.1.verifier": "hf://lab/judge",
    "verification.methods.2.verifier.engine": "Fast",
    "verification.methods.2.note": "the best",
    "verification.methods.3": "GroundTruth",
    "resampling.teacher.parallelism": 0,
    "distillation.epochs": 0,
    "storage.region": 3,
    "storage.retention": "Some",
    "execution.defaults": "small",
    "execution.steps.genrate": {},
    "execution.steps.distill": 3,
    "execution.steps.generate.env.0.value": 1,
    "execution.steps.generate.tolerations": "all",
    "execution.volumes.0.mountPath": 3,
    "execution.volumes.1.name": "Two!",
    "execution.volumes.0.hostPath": {"path": "/"},
    "execution.images.sampler": ["registry/sampler"],
    "execution.cache": 3,
}
WRONG_BESIDE_OTHERS: dict[str, Any] = {
    "model.credentialsSecretName": "key",
    "dataset.answerPattern": "(",
    "dataset.fields.answer": "",
    "dataset.heldOut.fraction": 0.1,
    "dataset.test.uri": "data.csv",
    "resumeFrom": {"uri": "ftp://x", "iteration": 0},
    "evaluation.topK": 0,
    "verification.methods.0.range": [10, 1],
    "verification.methods.1.template": "",
    "verification.methods.1.weighting": {"type": "Quantile", "beta": 1},
    "verification.methods.2.minMass": 0.5,
    "verification.methods.2.name": "CoTScore",
    "verification.methods.2.verifier.uri": "gym://chain_sum",
    "resampling.schedule": "Lines",
    "resampling.teacher.model": "teacher",
    "distillation.nllWeight": 1,
    "storage.endpoint": "nowhere",
    "execution.steps.generate.env.1.name": "1x",
    "execution.steps.generate.resources": {"limits": {"memory": "lots"}},
    "execution.steps.measure": {"activeDeadlineSeconds": 3_000_000_000},
    "execution.volumes.1.name": "one",
    "execution.volumes.1.emptyDir": {"sizeLimit": "big"},
    "execution.volumes.1.secret": {},
    "execution.steps.generate.env.1.valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}},
    "execution.images.trainer": "?",
    "execution.queueName": "-",
}
MISTAKES = WRONG_BY_ITSELF | WRONG_BESIDE_OTHERS


def lines_of(*mistakes: str) -> list[str]:
    """What is said of the good manifest with these mistakes in it."""
    return [str(problem) for problem in problems(spoilt(*mistakes))]


def spoilt(*mistakes: str) -> dict[str, Any]:
    """The good manifest with these mistakes in it."""
    document: dict[str, Any] = deepcopy(GOOD)
    for mistake in mistakes:
        here: Any = document["spec"]
        *way, last = [int(step) if step.isdecimal() else step for step in mistake.split(".")]
        for step in way:
            here = here[step] if isinstance(step, int) else here.setdefault(step, {})
        if last == 3:
            here.append(MISTAKES[mistake])
        else:
            here[last] = MISTAKES[mistake]
    return document


ALONE = {mistake: lines_of(mistake) for mistake in MISTAKES}


def test_the_manifest_is_good_and_each_mistake_is_one() -> None:
    assert lines_of() == []
    assert [mistake for mistake, lines in ALONE.items() if not lines] == []


@given(st.lists(st.sampled_from(list(MISTAKES)), unique=True, max_size=6))
def test_of_several_mistakes_just_that_is_said_which_is_said_of_each_alone(mistakes: list[str]) -> None:
    assert sorted(lines_of(*mistakes)) == sorted(line for mistake in mistakes for line in ALONE[mistake])


@given(st.lists(st.sampled_from(list(MISTAKES)), unique=True, max_size=6))
def test_lines_stand_in_one_order_whichever_there_are(mistakes: list[str]) -> None:
    every = lines_of(*MISTAKES)
    assert lines_of(*mistakes) == sorted(lines_of(*mistakes), key=every.index)


@given(st.lists(st.sampled_from(list(MISTAKES)), unique=True, max_size=6))
def test_what_is_not_built_yet_is_named_beside_whatever_is_wrong(mistakes: list[str]) -> None:
    document = spoilt(*mistakes)
    document["spec"].setdefault("distillation", {})["numNodes"] = 2
    assert [str(problem) for problem in check_built(document).problems] == [
        *lines_of(*mistakes),
        "spec.distillation.numNodes: 2 is valid but not built yet; give 1",
    ]


def test_a_wrong_number_of_nodes_is_not_called_unbuilt_as_well() -> None:
    document = spoilt()
    document["spec"]["distillation"] = {"numNodes": 0}
    (problem,) = check_built(document).problems
    assert str(problem) == "spec.distillation.numNodes: 0 is below 1; give a whole number of at least 1"


@given(st.lists(st.sampled_from(list(WRONG_BY_ITSELF)), unique=True, max_size=6))
def test_warnings_stand_beside_problems_and_never_hang_on_what_is_wrong(mistakes: list[str]) -> None:
    every, here = spoilt(), spoilt(*mistakes)
    for document in (every, here):
        document["spec"]["resampling"]["maxTokens"] = 1
        document["spec"]["dataset"]["heldOut"].setdefault("limit", 1)
    run, _, spec = check_built(here)
    sound = check_built(every).spec
    assert spec
    assert sound
    said = [str(caution) for caution in cautions(spec, whole=run is not None)]
    assert set(said) <= {str(caution) for caution in cautions(sound)}
    assert len(cautions(sound)) == 2
    assert "dataset.heldOut.limit" in mistakes or any(line.startswith("spec.dataset.heldOut.limit") for line in said)


def test_a_volume_without_a_right_name_still_has_to_have_one_source() -> None:
    document = spoilt()
    document["spec"]["execution"]["volumes"] = [
        {"name": "One!", "mountPath": "/one"},
        {"name": "Two!", "mountPath": "/two", "emptyDir": {}, "secret": {}},
    ]
    fields = [problem.field for problem in problems(document)]
    assert fields == [f"spec.execution.volumes[{n}]{end}" for end in (".name", "") for n in (0, 1)]


def test_a_variable_without_a_right_name_still_has_to_have_one_value() -> None:
    document = spoilt()
    document["spec"]["execution"]["steps"]["generate"]["env"] = [{"name": 3, "value": "a", "valueFrom": {}}]
    fields = [problem.field for problem in problems(document)]
    assert fields == [f"spec.execution.steps.generate.env[0]{end}" for end in (".name", "")]


def test_a_step_that_is_none_hides_nothing_of_the_others() -> None:
    assert lines_of("execution.steps.genrate", "execution.steps.generate.env.1.name") == [
        "spec.execution.steps.genrate: genrate is none of generate, verify, resample, select, distill, evaluate or "
        "measure; did you mean generate?",
        "spec.execution.steps.generate.env[1].name: 1x is no name of a variable; give letters, digits and _",
    ]


def test_what_is_no_method_at_all_hides_nothing_of_those_that_are() -> None:
    assert lines_of("verification.methods.3", "verification.methods.2.minMass") == [
        'spec.verification.methods[3]: "GroundTruth" is text; give an object with type',
        "spec.verification.methods[2].minMass: Likelihood does not read it; remove it (MultipleChoice may have it)",
    ]
