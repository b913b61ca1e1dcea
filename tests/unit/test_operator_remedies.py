"""What a cluster says of pods that it does not take, and what to do: its texts are a real cluster's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from selfimprove.api.installation import Defaults, with_defaults
from selfimprove.api.spec import Spec
from selfimprove.ledger import StepId
from selfimprove_operator.observed import ObservedPod
from selfimprove_operator.origins import Origins
from selfimprove_operator.remedies import refused, refused_keys, unscheduled, waiting
from tests.unit.operator_support import DEFAULTS, START, run_manifest

FORBIDDEN = 'pods "gsm8k-x-0-" is forbidden: '
NODES = "0/2 nodes are available: "
AFTER = " no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."
POD = ObservedPod("pod-1", "u", "r", "i001-generate", 1, 0, "Pending", START)


def origins(execution: dict[str, Any] | None = None, defaults: Defaults = DEFAULTS, **spec_fields: Any) -> Origins:
    spec = Spec.model_validate(run_manifest(execution=execution or {}, **spec_fields)["spec"])
    return Origins(with_defaults(spec, defaults), defaults, StepId(1, "generate"), "research")


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        (
            "exceeded quota: none, requested: pods=1, used: pods=0, limited: pods=0",
            "raise ResourceQuota none of namespace research, or let others of its pods end",
        ),
        (
            "exceeded quota: none, requested: count/pods=1, used: count/pods=9, limited: count/pods=9",
            "raise ResourceQuota none of namespace research, or delete Jobs there that are over; with a lower "
            "spec.execution.ttlSecondsAfterFinished the next ones go sooner by themselves",
        ),
        (
            "exceeded quota: gpus, requested: requests.nvidia.com/gpu=4, used: requests.nvidia.com/gpu=0, limited: "
            "requests.nvidia.com/gpu=1",
            "raise ResourceQuota gpus of namespace research, let others of its pods end, or ask for less in "
            "spec.execution.defaults.resources",
        ),
        (
            "failed quota: must: must specify limits.memory for: worker",
            "give that in spec.execution.defaults.resources, or change ResourceQuota must of namespace research",
        ),
        (
            "[maximum cpu usage per Container is 1, but limit is 4, maximum memory usage per Container is 1Gi]",
            "change spec.execution.defaults.resources to lie within that, or the LimitRange of namespace research",
        ),
        (
            "cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000",
            "change spec.execution.defaults.resources to lie within that, or the LimitRange of namespace research",
        ),
        (
            'spec.containers[0].resources.requests: Invalid value: "1Gi": must be less than or equal to memory limit '
            "of 64Mi",
            "ask for less, or give a higher limit of memory, in spec.execution.defaults.resources; a LimitRange of "
            "namespace research gives one where that has none",
        ),
        (
            'violates PodSecurity "restricted:latest": hostPath volumes (volume "x")',
            "workers keep the restricted standard, so take away what was added to them, or set the label "
            "pod-security.kubernetes.io/enforce of namespace research lower",
        ),
        (
            "no PriorityClass with name high was found",
            "create PriorityClass high, or mend spec.execution.defaults.priorityClassName",
        ),
        (
            'pod rejected: RuntimeClass "nvidia" not found',
            "create RuntimeClass nvidia, or mend spec.execution.defaults.runtimeClassName",
        ),
        (
            'error looking up service account research/x: serviceaccount "x" not found',
            "create ServiceAccount x in namespace research, or mend spec.execution.serviceAccountName",
        ),
        ("no cost centre", "mend what it names, or ask who keeps namespace research"),
    ],
)
def test_a_refusal_of_pods_says_what_to_do(said: str, remedy: str) -> None:
    assert refused(FORBIDDEN + said, origins()) == f"the API server refuses its pods: {said}; {remedy}"


def test_a_refusal_of_the_job_itself_is_told_as_such() -> None:
    said = "exceeded quota: jobs, requested: count/jobs.batch=1, used: count/jobs.batch=0, limited: count/jobs.batch=0"
    assert refused(f'jobs.batch "gsm8k-x" is forbidden: {said}', origins()) == (
        f"the API server refuses its Job: {said}; raise ResourceQuota jobs of namespace research, or delete Jobs there "
        "that are over; with a lower spec.execution.ttlSecondsAfterFinished the next ones go sooner by themselves"
    )


def test_a_pod_that_is_invalid_is_told_without_its_name_which_changes_with_every_try() -> None:
    execution = {"steps": {"generate": {"resources": {"requests": {"cpu": 4}}}}}
    said = 'spec.containers[0].resources.requests: Invalid value: "4": must be less than or equal to cpu limit of 1'
    assert refused(f'Pod "gsm8k-x-0-7l5gz" is invalid: {said}', origins(execution)) == (
        f"the API server refuses its pods: {said}; ask for less, or give a higher limit of cpu, in "
        "spec.execution.steps.generate.resources; a LimitRange of namespace research gives one where that has none"
    )


def test_an_answer_of_another_form_is_told_whole() -> None:
    assert refused("who are you", origins()) == (
        "the API server refuses its pods: who are you; mend what it names, or ask who keeps namespace research"
    )


@pytest.mark.parametrize(
    ("said", "execution", "remedy"),
    [
        (
            "2 Insufficient nvidia.com/gpu.",
            {"steps": {"generate": {"resources": {}}}},
            "free nvidia.com/gpu on a node, add a node, or ask for less in spec.execution.steps.generate.resources",
        ),
        (
            "2 node(s) didn't match Pod's node affinity/selector.",
            {"defaults": {"affinity": {}}, "steps": {"generate": {"nodeSelector": {}}}},
            "label a node to match, or mend spec.execution.steps.generate.nodeSelector and "
            "spec.execution.defaults.affinity",
        ),
        (
            "1 Insufficient cpu, 1 node(s) had untolerated taint(s).",
            {},
            "free cpu on a node, add a node, or ask for less in spec.execution.defaults.resources, or name the taint "
            "in spec.execution.defaults.tolerations, or take it off a node",
        ),
        (
            'persistentvolumeclaim "data" not found.',
            {"volumes": [{"name": "d", "mountPath": "/d", "persistentVolumeClaim": {"claimName": "data"}}]},
            "create PersistentVolumeClaim data in namespace research, or mend "
            "spec.execution.volumes[0].persistentVolumeClaim.claimName",
        ),
        (
            'persistentvolumeclaim "data" not found.',
            {"cache": {"persistentVolumeClaimName": "data"}},
            "create PersistentVolumeClaim data in namespace research, or mend "
            "spec.execution.cache.persistentVolumeClaimName",
        ),
        ("2 Too many pods.", {}, "add a node that takes it, or change spec.execution"),
    ],
)
def test_a_pod_without_a_node_is_told_all_that_may_be_done(said: str, execution: dict[str, Any], remedy: str) -> None:
    line = unscheduled(replace(POD, unscheduled=f"{NODES}{said}{AFTER}"), origins(execution))
    assert line == f"no node takes pod-1: {NODES}{said.removesuffix('.')}; {remedy}"


def test_the_schedulers_slip_at_the_end_is_not_repeated() -> None:
    said = f'{NODES}persistentvolumeclaim "data" not found. not found'
    assert ' "data" not found; create' in unscheduled(replace(POD, unscheduled=said), origins())


def test_a_setting_of_the_charts_is_overruled_in_the_run() -> None:
    chart = Defaults.model_validate({**DEFAULTS.to_json(), "execution": {"nodeSelector": {"disk": "ssd"}}})
    said = f"{NODES}2 node(s) didn't match Pod's node affinity/selector."
    assert unscheduled(replace(POD, unscheduled=said), origins(defaults=chart)).endswith(
        "mend spec.execution.defaults.nodeSelector"
    )


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        (
            'ImagePullBackOff: Back-off pulling image "sampler:1"',
            "mend the image's name in spec.execution.images.sampler, or give spec.execution.imagePullSecrets",
        ),
        ("InvalidImageName: x y", "mend the image's name in spec.execution.images.sampler"),
        (
            'CreateContainerConfigError: secret "s3" not found',
            "create the Secret s3 in namespace research, or mend spec.storage.credentialsSecretName",
        ),
        (
            "CreateContainerConfigError: couldn't find key AWS_ACCESS_KEY_ID in Secret research/s3",
            "add the key AWS_ACCESS_KEY_ID there",
        ),
        (
            'CreateContainerConfigError: secret "other" not found',
            "create the Secret other in namespace research, or mend spec.execution.defaults.env",
        ),
        (
            'CreateContainerConfigError: configmap "proxies" not found',
            "create the ConfigMap proxies in namespace research, or mend spec.execution.defaults.env",
        ),
        ("CrashLoopBackOff: back-off", "see kubectl describe pod -n research pod-1"),
    ],
)
def test_a_container_that_does_not_start_says_what_to_do(said: str, remedy: str) -> None:
    assert waiting(replace(POD, waiting=said), origins()) == f"pod-1 can't start: {said}; {remedy}"


def test_a_container_that_waits_without_a_word_points_to_its_pod() -> None:
    assert waiting(POD, origins()) == (
        "pod-1 can't start: its image or its volumes do not come; see kubectl describe pod -n research pod-1"
    )


OWN = {
    "model": {"uri": "s3://models/base", "credentialsSecretName": "model-s3"},
    "dataset": {"uri": "s3://lab/train.jsonl", "task": "Math", "fields": {"answer": "answer"}},
}


@pytest.mark.parametrize(
    "said",
    [
        "s3://lab/runs: can't be reached (endpoint http://s3:1); check the network and storage.endpoint or "
        "AWS_ENDPOINT_URL",
        "s3://lab/runs: the certificate is not accepted (endpoint https://s3); set AWS_CA_BUNDLE or correct "
        "storage.endpoint",
        "s3://lab/runs: the bucket is in another region (endpoint https://s3); set AWS_REGION, or begin a run with its "
        "storage.region",
        "s3://lab/runs: the signature is refused as out of date (endpoint https://s3); set the clock of the machine",
        "spec.model.uri: hf://lab/base: the hub answered 503; wait until it answers again",
    ],
)
def test_a_trouble_that_keys_have_no_part_in_names_no_secret(said: str) -> None:
    assert refused_keys(said, origins()) == ""


@pytest.mark.parametrize(
    ("said", "secret", "field"),
    [
        ("s3://lab/runs/x: the secret key is refused (endpoint s3); check it", "s3", "storage.credentialsSecretName"),
        (
            "spec.model.uri: s3://models/base: access denied; set AWS_ACCESS_KEY_ID",
            "model-s3",
            "model.credentialsSecretName",
        ),
        (
            "spec.dataset.uri: s3://lab/train.jsonl: no credentials; set them",
            "s3",
            "storage.credentialsSecretName",
        ),
        ("s3://models/base-2: the access key is unknown there", "s3", "storage.credentialsSecretName"),
        (
            "SECRET_MODEL_S3_AWS_SECRET_ACCESS_KEY: the value of AWS_SECRET_ACCESS_KEY is empty; give it",
            "model-s3",
            "model.credentialsSecretName",
        ),
    ],
)
def test_keys_that_are_refused_are_told_with_the_secret_of_the_place_that_is_named(
    said: str, secret: str, field: str
) -> None:
    assert refused_keys(said, origins(**OWN)) == (
        f"; the keys come from Secret {secret} in namespace research, which spec.{field} names"
    )


def test_a_token_is_told_with_the_secret_of_the_model_or_of_the_source_that_has_its_own() -> None:
    model = {"uri": "hf://lab/base", "tokenSecretName": "hub"}
    said = "spec.model.uri: hf://lab/base: the hub answered 401; set HF_TOKEN, or tokenSecretName"
    assert "Secret hub in namespace research, which spec.model.tokenSecretName names" in refused_keys(
        said, origins(model=model)
    )


def test_two_fields_name_a_secret() -> None:
    model = {"uri": "s3://models/base", "credentialsSecretName": "s3"}
    assert refused_keys("s3://lab/runs: access denied; give", origins(model=model)).endswith(
        "which spec.model.credentialsSecretName and spec.storage.credentialsSecretName name"
    )


REFUSED = "s3://lab/runs: the secret key is refused; check it"
PAIR = [{"name": "AWS_ACCESS_KEY_ID", "value": "a"}, {"name": "AWS_SECRET_ACCESS_KEY", "value": "b"}]
STORAGE = "Secret s3 in namespace research, which spec.storage.credentialsSecretName names"


def test_keys_that_an_env_gives_over_the_secret_are_told_with_its_fields() -> None:
    execution = {"defaults": {"env": [{"name": "A", "value": "1"}, PAIR[0]]}, "steps": {"generate": {"env": [PAIR[1]]}}}
    assert refused_keys(REFUSED, origins(execution)) == (
        "; the keys come from spec.execution.defaults.env[1] (AWS_ACCESS_KEY_ID) and "
        "spec.execution.steps.generate.env[0] (AWS_SECRET_ACCESS_KEY)"
    )


def test_a_pair_of_which_an_env_gives_one_half_is_told_with_both_places() -> None:
    assert refused_keys(REFUSED, origins({"defaults": {"env": PAIR[1:]}})) == (
        f"; the keys come from spec.execution.defaults.env[0] (AWS_SECRET_ACCESS_KEY) and {STORAGE}"
    )


def test_an_env_of_another_step_gives_this_one_nothing() -> None:
    execution = {"steps": {"distill": {"env": PAIR}}}
    assert refused_keys(REFUSED, origins(execution)) == f"; the keys come from {STORAGE}"


def test_keys_that_the_chart_gives_are_the_charts() -> None:
    chart = Defaults.model_validate({**DEFAULTS.to_json(), "env": [{"name": "HF_TOKEN", "value": "x"}]})
    said = "spec.model.uri: hf://lab/base: the hub answered 401; set HF_TOKEN, or tokenSecretName"
    assert refused_keys(said, origins(defaults=chart)) == "; the keys come from the chart's defaults.env[0] (HF_TOKEN)"


def test_the_usual_variables_are_not_those_of_a_source_with_a_secret_of_its_own() -> None:
    said = "spec.model.uri: s3://models/base: access denied; set AWS_ACCESS_KEY_ID"
    own = [{"name": f"SECRET_MODEL_S3_{each['name']}", "value": "x"} for each in PAIR]
    assert "Secret model-s3 in" in refused_keys(said, origins({"defaults": {"env": PAIR}}, **OWN))
    assert refused_keys(said, origins({"defaults": {"env": own}}, **OWN)) == (
        "; the keys come from spec.execution.defaults.env[0] (SECRET_MODEL_S3_AWS_ACCESS_KEY_ID) and "
        "spec.execution.defaults.env[1] (SECRET_MODEL_S3_AWS_SECRET_ACCESS_KEY)"
    )
