"""What a user gets wrong is refused at `kubectl apply`, by the field's name; what admission can't see is listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.crd_support import manifest
from tests.fixtures.cluster import Cluster
from tests.unit.test_api_broken import TABLE

pytestmark = pytest.mark.cluster

BROKEN = Path(__file__).parents[1] / "unit" / "broken"

UNSEEN = {
    "spec.dataset.answerPattern: #### (.* is no regular expression": "no CEL reads Python's regular expressions",
    "spec.dataset.answerPattern: (a)(b) has 2 groups": "no CEL reads Python's regular expressions",
    "spec.dataset.template: line 1": "no CEL reads Jinja",
    "spec.model.chatTemplate: line 1": "no CEL reads Jinja",
    "spec.verification.methods[0].template": "no CEL reads Jinja",
    "spec.verification.methods[0].verifier.chatTemplate: line 1": "no CEL reads Jinja",
    "spec.dataset.heldOut.uri: gym://chain_sum?seed=1&size=5 is the same data": "spellings of one URI",
    "spec.dataset.uri: s3://lab/data/*.TXT is no dataset": "the definition knows endings in lower case alone",
    "spec.dataset.heldOut.uri: s3://lab/held.json.gz is no dataset": "the definition knows the plainest endings alone",
    "spec.dataset.uri: Chain_Sum is no name of a task": "no CEL knows the tasks of reasoning-gym",
    "spec.dataset.uri: size is no setting": "what a gym:// asks for, setting by setting",
    "spec.dataset.uri: size= is no whole number": "what a gym:// asks for, setting by setting",
    "spec.dataset.uri: max-terms=2 is no setting": "what a gym:// asks for, setting by setting",
    "spec.dataset.uri: size is there twice": "what a gym:// asks for, setting by setting",
    "spec.dataset.uri: seed=2147483648 is above": "what a gym:// asks for, setting by setting",
    "spec.dataset.test.uri: gym://chain_sum?size=10&seed=299 uses seeds": "which seeds two gym:// use",
    "spec.dataset.test.uri: gym://chain_sum?size=9&seed=507 uses seeds": "which seeds two gym:// use",
    "spec.dataset.test.uri: gym://chain_sum would begin at seed": "which seeds two gym:// use",
    "spec.dataset.test.uri: s3://lab//h.parquet is the same data": "spellings of one URI",
    "spec.execution.defaults.resources.limits.cpu: a list stands here": "borrowed type: a dry run of the pods sees it",
    "spec.verification.methods[0].verifier.uri: gym://judge": "the definition is as big as it may be",
    "spec.verification.methods[0].weighting.threshold: 4 is above 3": "how many rounds so many samples play",
    "spec.verification.methods[0].weighting.k: 8 keeps all 8 samples": "TopK is not built yet",
    "spec.generation.samplesPerPrompt: 1 gives method DPO": "the definition is full",
    "spec.verification.methods[0].weighting.type: Softmax keeps every sample": "the definition is full",
    "spec.verification.weighting.type: Quantile keeps every sample": "the definition is full",
    "spec.verification.weighting.type: Quantile can't rank": "the definition is full",
    "spec.verification.weighting.threshold: 1.5 is above 1": "the definition is full",
    "spec.verification.weighting.threshold: 0 lets every": "the definition is full",
    "spec.verification.weighting.k: 8 keeps all 8 samples": "the definition is full",
    "spec.verification.combine: Mean ranks": "the definition is full",
    "spec.resampling.teacher": "the definition is full",
    "spec.resampling.template": "no CEL reads Jinja",
    "spec.resampling.critiqueTemplate": "no CEL reads Jinja",
    "spec.storage.uri: s3://[x/runs": "the definition is full",
    "spec.model.uri: s3://[::1/m": "the definition is full",
    "spec.storage.uri: s3://UPPER_case": "the definition is full",
    "spec.dataset.uri: s3://lab:9000": "the definition is full",
    "spec.resumeFrom.uri: s3://lab?x": "the definition is full",
    "spec.storage.endpoint: http://host:99999999": "the definition is full",
    "spec.dataset.endpoint: http://host:s3": "the definition is full",
    "spec.model.endpoint: http://[::1": "the definition is full",
    "spec.model.endpoint: http://:9000": "the definition is full",
    "spec.generation.chatTemplateKwargs: tokenize": "the definition is full",
    "spec.resampling.teacher.apiURL: https://t/v1/chat/completions names": "the definition is full",
    "spec.resampling.teacher.apiURL: http://t:8000/v1/completions/ names": "the definition is full",
    "spec.storage.region: eu west is no region": "the definition is full",
    "spec.execution.defaults.resources.requests.cpu: many is no quantity": "the definition is full",
    "spec.execution.steps.distill.resources.limits.memory: 12Gb is no quantity": "the definition is full",
    "spec.execution.steps.distill.resources.limits[nvidia.com/gpu]: -1 is no quantity": "the definition is full",
    "spec.execution.volumes[0].emptyDir.sizeLimit: True is no quantity": "borrowed type",
    "spec.execution.volumes[0].ephemeral.volumeClaimTemplate": "borrowed type",
    "spec.execution.pendingDeadlineSeconds: 99999999999999 is above": "the definition is full",
    "spec.execution.ttlSecondsAfterFinished: 2147483648 is above": "the definition is full",
    "spec.execution.steps.distill.activeDeadlineSeconds: 2147483648 is above": "the definition is full",
    "spec.execution.volumes[1].mountPath: /data/../proc/1 would hide": "the definition is full",
    "spec.execution.volumes[2].mountPath: /data/../tmp would hide": "the definition is full",
    "spec.dataset.fields.id: is empty": "the definition is full",
    "spec.dataset.fields.prompt: is empty": "the definition is full",
    "spec.dataset.fields.answer: is empty": "the definition is full",
    "spec.dataset.fields.rationale: is empty": "the definition is full",
    "spec.dataset.fields.difficulty: is empty": "the definition is full",
    "spec.dataset.fields.choices: is empty": "the definition is full",
    "spec.execution.images": "the definition is full",
    'spec.model.uri: "hf://lab/base': "the definition is full",
    'spec.model.revision: "main ': "the definition is full",
    'spec.dataset.uri: "s3://lab/train': "the definition is full",
    'spec.dataset.test.uri: "s3://lab/test': "the definition is full",
    'spec.storage.region: "eu-west-1': "the definition is full",
    'spec.dataset.fields.prompt: "question': "the definition is full",
    'spec.dataset.answerPattern: "#### (.*)': "the definition is full",
    r"spec.dataset.answerPattern: \n#### (.* is no regular expression": "no CEL reads Python's regular expressions",
}
"""The beginnings of lines that `selfimprove validate` says and the API server does not, and why. All of them show in
the condition Accepted, which the operator answers by the same checks as `validate`."""


def unseen(line: str) -> bool:
    return any(line.startswith(beginning) for beginning in UNSEEN)


SEEN_ROWS = [(sets, lines) for _, sets, lines in TABLE if not all(map(unseen, lines))]
UNSEEN_ROWS = [(sets, lines) for _, sets, lines in TABLE if all(map(unseen, lines))]
FILES = {
    "list-for-object.yaml": "spec.model",
    "misspelled-kind.yaml": "SelfImprovementRuns",
    "misspelled-spec.yaml": "specs",
    "wrong-indentation.yaml": 'unknown field "model"',
    "tab.yaml": "line 5",
    "not-finite.yaml": "Inf",
    "empty.yaml": "no objects passed to apply",
    "text.yaml": "invalid object to validate",
}
"""Broken files, and the word by which kubectl's answer names what is wrong. Of a key that is there twice kubectl keeps
the last one and says nothing; `selfimprove validate` refuses it."""


def test_more_than_forty_bad_manifests_are_tried() -> None:
    assert len(SEEN_ROWS) + len(FILES) >= 40


@pytest.mark.parametrize(("sets", "lines"), SEEN_ROWS, ids=[lines[0].partition(": ")[0] for _, lines in SEEN_ROWS])
def test_a_bad_manifest_is_refused_by_the_name_of_its_field(
    crd_cluster: Cluster, sets: list[str], lines: list[str]
) -> None:
    answer = crd_cluster.apply(manifest(sets), dry_run=True)
    assert not answer.ok
    for line in lines:
        if not unseen(line):
            assert any(name in answer.message for name in names(line))


@pytest.mark.parametrize(("sets", "lines"), UNSEEN_ROWS, ids=[lines[0].partition(": ")[0] for _, lines in UNSEEN_ROWS])
def test_what_admission_can_not_see_is_known_by_name(crd_cluster: Cluster, sets: list[str], lines: list[str]) -> None:
    answer = crd_cluster.apply(manifest(sets), dry_run=True)
    assert answer.ok, f"now seen, so take it from the list: {answer.message}"


def test_a_name_that_pods_can_not_have_is_told_under_its_field(crd_cluster: Cluster) -> None:
    answer = crd_cluster.apply(manifest([], name="gsm.8k"), dry_run=True)
    assert not answer.ok
    assert "metadata.name: Invalid value: " in answer.message


@pytest.mark.parametrize(("name", "word"), FILES.items(), ids=FILES)
def test_a_broken_file_is_refused_by_what_is_wrong_in_it(crd_cluster: Cluster, name: str, word: str) -> None:
    answer = crd_cluster.kubectl("apply", "--dry-run=server", "-f", str(BROKEN / name))
    assert not answer.ok
    assert word in answer.message


def names(line: str) -> list[str]:
    """The field that a line is about, as the server may name it: itself, or the list whose entries are compared."""
    path = line.partition(": ")[0]
    last = path.rpartition(".")[2].partition("[")[0]
    return [path.partition("[")[0]] if last == "type" else [last, "in version" if path == "apiVersion" else path]
