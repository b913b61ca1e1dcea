"""Secrets from the YAML to the source that is read with them: the operator names keys, the worker finds values."""

from __future__ import annotations

from typing import Any

import pytest

from selfimprove.api.secret_names import prefix_of
from selfimprove.api.source import Source
from selfimprove.api.spec import Spec
from selfimprove_operator.secrets import secret_variables
from selfimprove_workers.sources.credentials import credentials_of
from selfimprove_workers.teachers.endpoint import key_of


def spec(**changes: Any) -> Spec:
    document: dict[str, Any] = {
        "model": {"uri": "hf://lab/base", "tokenSecretName": "hub"},
        "dataset": {"uri": "s3://lab/train.jsonl", "task": "Math", "credentialsSecretName": "lab-s3"},
        "storage": {"uri": "s3://runs/a", "credentialsSecretName": "runs"},
    }
    return Spec.model_validate(document | changes)


def pod(spec: Spec, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of a worker as the kubelet makes it: every value says from which Secret it is."""
    made = {}
    for variable in secret_variables(spec):
        reference = variable["valueFrom"]["secretKeyRef"]
        made[variable["name"]] = f"{reference['key']} of {reference['name']}"
        monkeypatch.setenv(variable["name"], made[variable["name"]])
    return made


def test_storage_and_model_have_the_usual_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    made = pod(spec(), monkeypatch)
    assert made["AWS_ACCESS_KEY_ID"] == "AWS_ACCESS_KEY_ID of runs"
    assert made["HF_TOKEN"] == "HF_TOKEN of hub"


def test_a_source_finds_the_keys_of_its_own_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    run = spec()
    pod(run, monkeypatch)
    assert credentials_of(run.dataset) == {
        key: f"{key} of lab-s3" for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    }


def test_a_source_with_the_runs_own_secret_takes_the_usual_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    run = spec(dataset={"uri": "s3://lab/train.jsonl", "task": "Math", "credentialsSecretName": "runs"})
    pod(run, monkeypatch)
    assert credentials_of(run.dataset) == {}
    assert credentials_of(Source(uri="s3://lab/x")) == {}


def test_a_verifier_of_another_lab_has_its_own_token(monkeypatch: pytest.MonkeyPatch) -> None:
    method = {"type": "MultipleChoice", "verifier": {"uri": "hf://other/judge", "tokenSecretName": "judge.hub"}}
    run = spec(verification={"methods": [method]})
    pod(run, monkeypatch)
    assert run.verification is not None
    verifier = run.verification.methods[0].verifier
    assert verifier is not None
    assert credentials_of(verifier) == {"HF_TOKEN": "HF_TOKEN of judge.hub"}


def test_a_teachers_key_comes_from_its_own_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    named = {"apiURL": "http://t/v1", "model": "big", "credentialsSecretName": "tutor.key"}
    run = spec(resampling={"strategy": "Interactive", "teacher": named})
    pod(run, monkeypatch)
    assert run.resampling.teacher is not None
    assert key_of(run.resampling.teacher) == "OPENAI_API_KEY of tutor.key"


@pytest.mark.parametrize(("one", "other"), [("lab-s3", "lab.s3"), ("a.b-c", "a-b.c"), ("a.b", "a-b")])
def test_no_two_secrets_share_a_variable(one: str, other: str) -> None:
    assert prefix_of(one) != prefix_of(other)


def test_a_plain_name_reads_as_it_is_written() -> None:
    assert prefix_of("lab-s3") == "SECRET_LAB_S3_"
