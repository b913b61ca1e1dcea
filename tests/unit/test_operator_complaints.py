"""What the API server has against a Job is told of the run's own field: its texts here are a real server's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from selfimprove.api.installation import Defaults
from selfimprove_operator.client import ApiError, Cause
from selfimprove_operator.complaints import complaint
from selfimprove_operator.observed import Observed
from selfimprove_operator.trial import Trial, trials
from tests.unit.operator_support import DEFAULTS, START, run_manifest

WORKER = "spec.template.spec.containers[0]"
POD = "spec.template.spec"
CHART = DEFAULTS.model_copy(
    update={
        "execution": Defaults.model_validate({"execution": {"affinity": {}, "env": [{"name": "A"}]}}).execution,
        "env": Defaults.model_validate({"env": [{"name": "B"}]}).env,
    }
)
DATA = {"name": "data", "mountPath": "/data", "secret": {}}
RESOURCES = {"resources": {"requests": {"cpu": 4}}}


def trial(step: str, defaults: Defaults = DEFAULTS, **spec: Any) -> Trial:
    found = trials(Observed(run_manifest(**spec)), defaults, START + timedelta(0))
    return next(each for each in found if each.origins.step.step == step)


def told(causes: list[tuple[str, str]], step: str = "generate", defaults: Defaults = DEFAULTS, **spec: Any) -> str:
    """What a run is told when the server has these causes against the Job of a step."""
    asked = trial(step, defaults, **spec)
    error = ApiError(422, "Job.batch is invalid", causes=[Cause(*cause) for cause in causes])
    return complaint(error, asked.job, asked.origins)


def told_of_text(message: str, status: int = 400, defaults: Defaults = DEFAULTS, **spec: Any) -> str:
    asked = trial("generate", defaults, **spec)
    return complaint(ApiError(status, message), asked.job, asked.origins)


def index_of(asked: Trial, field: str, name: str) -> int:
    """Where a variable, a mount or a volume of that name lies in a Job."""
    pod = asked.job["spec"]["template"]["spec"]
    entries = pod[field] if field == "volumes" else pod["containers"][0][field]
    return [entry["name"] for entry in entries].index(name)


@pytest.mark.parametrize(
    ("cause", "execution", "line"),
    [
        (
            (f"{WORKER}.resources.requests", 'Invalid value: "4": must be less than or equal to cpu limit of 2'),
            {"defaults": RESOURCES},
            "spec.execution.defaults.resources.requests.cpu: 4 is refused (must be less than or equal to cpu limit of "
            "2); lower it, or raise the limit",
        ),
        (
            (f"{WORKER}.resources.limits[nvidia.com/gpu]", 'Invalid value: "1500m": must be an integer'),
            {"defaults": RESOURCES, "steps": {"generate": RESOURCES}},
            "spec.execution.steps.generate.resources.limits[nvidia.com/gpu]: 1500m is refused (must be an integer); "
            "give a whole number",
        ),
        (
            (f"{WORKER}.resources.requests", 'Invalid value: "4": must be less than or equal to cpu limit of 2'),
            {"defaults": RESOURCES, "steps": {"generate": {"resources": {"requests": {"memory": "1Gi"}}}}},
            "spec.execution.defaults.resources.requests.cpu: 4 is refused (must be less than or equal to cpu limit of "
            "2); lower it, or raise the limit",
        ),
        (
            (f"{POD}.tolerations[0].operator", 'Unsupported value: "Is": supported values: "Equal", "Exists"'),
            {"defaults": {"tolerations": [{"operator": "Is"}]}, "steps": {"distill": {"tolerations": []}}},
            "spec.execution.defaults.tolerations[0].operator: Is is none of Equal, Exists; give one of them",
        ),
        (
            (f"{POD}.affinity.nodeAffinity.nodeSelectorTerms", "Required value: must have at least one node selector"),
            {"steps": {"generate": {"affinity": {}}}},
            "spec.execution.steps.generate.affinity.nodeAffinity.nodeSelectorTerms: is missing (must have at least one "
            "node selector); give it",
        ),
        (
            (f"{POD}.nodeSelector", "Invalid value: \"a b\": name part must be alphanumeric (e.g. 'MyName', regex)"),
            {"defaults": {"nodeSelector": {"a b": "c"}}},
            "spec.execution.defaults.nodeSelector: a b is refused (name part must be alphanumeric); give letters, "
            "digits, -, _ and ., with a letter or a digit at both ends",
        ),
        (
            (f"{POD}.priorityClassName", "Invalid value: \"a..b\": a lowercase RFC 1123 subdomain (e.g. 'x')"),
            {"defaults": {"priorityClassName": "a..b"}},
            "spec.execution.defaults.priorityClassName: a..b is refused (a lowercase RFC 1123 subdomain); give "
            "lower-case letters, digits, - and .",
        ),
        (
            (f"{POD}.imagePullSecrets[0].name", "Invalid value: \"a..b\": a lowercase RFC 1123 subdomain (e.g. 'x')"),
            {"imagePullSecrets": [{"name": "a..b"}]},
            "spec.execution.imagePullSecrets[0].name: a..b is refused (a lowercase RFC 1123 subdomain); give "
            "lower-case letters, digits, - and .",
        ),
        (
            ("spec.activeDeadlineSeconds", "Forbidden: not today"),
            {"steps": {"generate": {"activeDeadlineSeconds": 5}}},
            "spec.execution.steps.generate.activeDeadlineSeconds: is not allowed (not today); remove it",
        ),
        (
            ("spec.completions", 'Invalid value: 7: must be {"less": 3}'),
            {},
            'spec.completions: 7 is refused (must be {"less": 3}); mend it',
        ),
    ],
)
def test_a_complaint_names_the_field_that_set_it_with_value_and_remedy(
    cause: tuple[str, str], execution: dict[str, Any], line: str
) -> None:
    assert told([cause], execution=execution) == line


def test_what_the_chart_set_is_said_to_be_the_charts() -> None:
    cause = (f"{POD}.affinity.nodeAffinity", "Required value")
    assert told([cause], defaults=CHART) == "the chart's defaults.execution.affinity.nodeAffinity: is missing; give it"


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("A", "the chart's defaults.execution.env[0]"),
        ("B", "the chart's defaults.env[0]"),
        ("C", "spec.execution.defaults.env[1]"),
        ("D", "spec.execution.steps.generate.env[0]"),
        ("AWS_ACCESS_KEY_ID", "spec.storage.credentialsSecretName"),
    ],
)
def test_a_variable_is_named_as_the_layer_that_gave_it_last_names_it(name: str, field: str) -> None:
    variables = [{"name": "D", "value": "1"}, {"name": "C", "value": "1"}]
    execution = {"defaults": {"env": variables}, "steps": {"generate": {"env": variables[:1]}}}
    index = index_of(trial("generate", CHART, execution=execution), "env", name)
    rest = "" if name.startswith("AWS") else ".valueFrom"
    line = told([(f"{WORKER}.env[{index}].valueFrom", "Required value")], defaults=CHART, execution=execution)
    assert line == f"{field}{rest}: is missing; give it"


def test_a_volume_is_named_once_and_its_mounts_are_not_told_of() -> None:
    execution = {"volumes": [DATA]}
    asked = trial("generate", execution=execution)
    causes = [
        (f"{POD}.volumes[{index_of(asked, 'volumes', 'data')}].secret.secretName", "Required value"),
        (f"{WORKER}.volumeMounts[{index_of(asked, 'volumeMounts', 'data')}].name", 'Not found: "data"'),
    ]
    assert told(causes, execution=execution) == "spec.execution.volumes[0].secret.secretName: is missing; give it"


def test_the_claim_of_the_cache_is_the_caches() -> None:
    execution = {"cache": {"persistentVolumeClaimName": "models"}}
    index = index_of(trial("generate", execution=execution), "volumes", "scratch-cache")
    line = told([(f"{POD}.volumes[{index}].persistentVolumeClaim.claimName", "Forbidden: x")], execution=execution)
    assert line == "spec.execution.cache.persistentVolumeClaimName: is not allowed (x); remove it"


def test_two_complaints_of_one_field_are_one() -> None:
    causes = [(f"{WORKER}.resources.limits[gpus]", f'Invalid value: "gpus": must be a standard {x}') for x in "ab"]
    assert told(causes, execution={"defaults": RESOURCES}).count("limits.gpus") == 1


@pytest.mark.parametrize("field", [f"{WORKER}.env[99].name", f"{POD}.volumes[99]", f"{WORKER}.volumeMounts[99].name"])
def test_what_a_webhook_added_is_told_of_all_the_same(field: str) -> None:
    assert "is refused (wrong)" in told([(field, 'Invalid value: "x": wrong')])


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (
            'strict decoding error: unknown field "spec.template.spec.affinity.nodeAffinty"',
            "spec.execution.defaults.affinity.nodeAffinty: no such field; mend its name, or remove it",
        ),
        (
            "json: cannot unmarshal array into Go struct field Affinity.spec.template.spec.affinity.nodeAffinity of "
            "type v1.NodeAffinity",
            "spec.execution.defaults.affinity.nodeAffinity: a list stands here; give a NodeAffinity",
        ),
        (
            "json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.valueFrom of "
            "type string",
            "spec.execution.defaults.env: a number stands here; give text",
        ),
    ],
)
def test_what_can_not_be_read_as_a_job_is_named_too(said: str, line: str) -> None:
    text = f'Job in version "v1" cannot be handled as a Job: {said}'
    assert told_of_text(text, execution={"defaults": {"affinity": {"nodeAffinty": {}}}}) == line


def test_an_amount_of_the_charts_that_is_none_is_the_charts() -> None:
    chart = Defaults.model_validate({**DEFAULTS.to_json(), "execution": {"resources": {"limits": {"cpu": "many"}}}})
    text = 'Job in version "v1" cannot be handled as a Job: quantities must match the regular expression'
    assert told_of_text(text, defaults=chart) == (
        "the chart's defaults.execution.resources: has an amount that is no quantity; give numbers from 0, as 2, 500m "
        "or 16Gi"
    )


def test_a_rule_of_the_clusters_own_is_told_in_its_words_and_with_whom_to_ask() -> None:
    text = 'admission webhook "cost.example.com" denied the request: no cost centre'
    assert told_of_text(text, 403) == (
        f"the API server refuses its Jobs: {text}; mend what it names, or ask who keeps namespace research"
    )


def test_a_right_that_the_operator_lacks_is_the_charts_to_give() -> None:
    text = 'jobs.batch is forbidden: User "operator" cannot create resource "jobs" in API group "batch"'
    assert told_of_text(text, 403) == (
        f"the API server refuses its Jobs: {text}; name research in watchNamespaces of the operator's chart, or leave "
        "that empty"
    )


@pytest.mark.parametrize(
    ("status", "message", "transient"),
    [
        (
            403,
            'jobs.batch "gsm8k" is forbidden: cannot set blockOwnerDeletion in this case because cannot find '
            "RESTMapping for APIVersion selfimprove.dev/v1alpha1 Kind SelfImprovementRun: no matches for kind",
            True,
        ),
        (403, 'jobs.batch is forbidden: User "operator" cannot create resource "jobs"', False),
    ],
)
def test_a_definition_that_admission_does_not_know_yet_is_known_soon(
    status: int, message: str, transient: bool
) -> None:
    assert ApiError(status, message).transient is transient
