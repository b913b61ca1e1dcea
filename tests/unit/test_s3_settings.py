"""What boto3 does not take of the settings around a run: each line names the setting that is wrong, and no other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest.importorskip("boto3", reason="the data libraries are not installed")

from selfimprove.errors import CredentialsError, UserError
from selfimprove.store import open_store


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine that runs the tests."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


def refusal(endpoint: str | None = None, region: str | None = None) -> str:
    with pytest.raises(UserError) as caught:
        open_store("s3://lab/run", endpoint=endpoint, region=region)
    line = str(caught.value)
    assert "\n" not in line
    return line


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("AWS_REGION", "a b", "AWS_REGION: 'a b' is no region; give one like us-east-1"),
        ("AWS_DEFAULT_REGION", "a/b", "AWS_DEFAULT_REGION: 'a/b' is no region; give one like us-east-1"),
        ("AWS_ENDPOINT_URL", "lab", "AWS_ENDPOINT_URL: 'lab' is no URL; write http://host:port or https://host"),
        ("AWS_ENDPOINT_URL_S3", "lab", "AWS_ENDPOINT_URL_S3: 'lab' is no URL; write http://host:port or https://host"),
        (
            "AWS_ENDPOINT_URL",
            "http://[::1",
            "AWS_ENDPOINT_URL: 'http://[::1' is no URL; write http://host:port or https://host",
        ),
        *(
            (
                "AWS_MAX_ATTEMPTS",
                value,
                f"AWS_MAX_ATTEMPTS: '{value}' is no number of attempts; give 1 or more, or unset it",
            )
            for value in ("abc", "0", "-1", "1.5")
        ),
    ],
)
def test_a_variable_that_is_wrong_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, line: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert refusal() == line


@pytest.mark.parametrize(
    ("variable", "value"), [("AWS_METADATA_SERVICE_TIMEOUT", "soon"), ("AWS_DEFAULTS_MODE", "quick")]
)
def test_a_variable_that_only_boto3_knows_is_found_by_the_value_it_quotes(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    line = refusal()
    assert line.startswith(f"{variable}: is refused by boto3 (") and value in line and line.endswith("; correct it")


@pytest.mark.parametrize("variable", ["AWS_MAX_ATTEMPTS", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION"])
def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "")
    open_store("s3://lab/run")


def test_what_the_spec_says_is_told_of_as_the_specs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://lab")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    assert refusal(region="a b") == "storage.region: 'a b' is no region; give one like us-east-1"
    assert refusal(endpoint="lab:8333").startswith("storage.endpoint: 'lab:8333' is no URL; ")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[default]\nregion = a b\n", "region in the AWS config file: 'a b' is no region; "),
        ("[default]\nendpoint_url = lab\n", "endpoint in the AWS config file: 'lab' is no URL; "),
    ],
)
def test_what_a_config_file_says_is_told_of_as_the_files(tmp_path: Path, text: str, line: str) -> None:
    (tmp_path / "config").write_text(text)
    assert refusal().startswith(line)


@pytest.mark.parametrize(
    ("name", "variable"), [("config", "AWS_CONFIG_FILE"), ("credentials", "AWS_SHARED_CREDENTIALS_FILE")]
)
def test_a_config_file_that_is_none_is_named(tmp_path: Path, name: str, variable: str) -> None:
    (tmp_path / name).write_text("[default\nregion=x\n")
    line = f"{tmp_path / name}: can't be read as an AWS config file; mend it, or set {variable} to another"
    assert refusal() == line


def test_a_profile_that_is_not_there_is_still_a_matter_of_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(CredentialsError, match="correct AWS_PROFILE"):
        open_store("s3://lab/run")
