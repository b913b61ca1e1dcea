"""Mistakes that have nothing to do with one another are all named in the first round, whatever they are."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from selfimprove.api import problems
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
    steps: {generate: {env: [{name: A}, {name: B}]}, distill: {}}
    volumes: [{name: one, mountPath: /one, emptyDir: {}}, {name: two, mountPath: /two, emptyDir: {}}]
""",
    "good.yaml",
)

WRONG_BY_ITSELF: dict[str, Any] = {
    "model.endpoint": 3,
    "model.chatTemplat": "{{ messages }}",
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
    "execution.volumes.0.hostPath": {"path": "/"},
    "execution.images.sampler": ["registry/sampler"],
    "execution.cache": 3,
}
WRONG_BESIDE_OTHERS: dict[str, Any] = {
    "model.credentialsSecretName": "key",
    "dataset.answerPattern": "(",
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
    "execution.images.trainer": "?",
    "execution.queueName": "-",
}
MISTAKES = WRONG_BY_ITSELF | WRONG_BESIDE_OTHERS


def lines_of(*mistakes: str) -> list[str]:
    """What is said of the good manifest with these mistakes in it."""
    document = deepcopy(GOOD)
    for mistake in mistakes:
        here: Any = document["spec"]
        *way, last = [int(step) if step.isdecimal() else step for step in mistake.split(".")]
        for step in way:
            here = here[step] if isinstance(step, int) else here.setdefault(step, {})
        if last == 3:
            here.append(MISTAKES[mistake])
        else:
            here[last] = MISTAKES[mistake]
    return [str(problem) for problem in problems(document)]


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
