"""Secrets in what is shown: nowhere, however they got there."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from selfimprove.api.execution import Storage
from selfimprove.api.source import Source
from selfimprove.cli import end_of
from selfimprove.errors import SurroundingsError
from selfimprove.ledger import StepId
from selfimprove.secret_values import MaskingFormatter, masked
from selfimprove.store import open_store
from selfimprove_workers.desk import _failure
from selfimprove_workers.logs import StepLog
from selfimprove_workers.sources import fetch
from selfimprove_workers.sources.credentials import credentials_of

NAMES = ("OPENAI_API_KEY", "SECRET_TUTOR_OPENAI_API_KEY", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", ["s3cr3t-key", "s3cr3t-key\n", "s3cr3t\nkey", "s3cr3t-ké", "s3cr3t'\"key"])
def test_no_secret_is_shown_however_it_is_quoted(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    for quoted in (value, repr(value), repr(f"Bearer {value}".encode()), ascii(value), f"{ValueError(value)!r}"):
        assert "s3cr3t" not in masked(f"Illegal header value {quoted}; try another")
        assert masked(f"{quoted} is it").endswith(" is it")


def test_placeholders_of_servers_without_keys_stay_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    assert masked("the next text") == "the next text"


def test_the_log_of_a_step_and_what_it_says_of_an_error_hold_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "s3cr3t-key\n")
    store = open_store(str(tmp_path))
    error = ValueError("Illegal header value b'Bearer s3cr3t-key\\n'")
    with StepLog(store, "log") as log:
        logging.getLogger("selfimprove_workers").warning("of %s", "s3cr3t-key", exc_info=error)
        log.say(f"at {error}")
        failure = _failure(StepId(1, "resample"), error)
    kept = store.read("log").decode()
    assert kept.count("***") == 3
    shown = (kept, failure.message, capsys.readouterr().err)
    assert all("***" in text and "s3cr3t" not in text for text in shown)


def test_a_command_s_last_line_and_its_traceback_hold_no_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SELFIMPROVE_DEBUG", "1")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "s3cr3t-key\n")

    def command() -> None:
        raise ValueError("Invalid header value b's3cr3t-key\\n'")

    assert end_of(command) == 1
    said = capsys.readouterr().err
    assert "Traceback" in said and "***" in said
    assert "s3cr3t" not in said


def test_a_record_is_formatted_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_s3cr3t")
    record = logging.LogRecord("any", logging.WARNING, "", 0, "token %s", ("hf_s3cr3t",), None)
    assert MaskingFormatter("%(message)s").format(record) == "token ***"


def test_a_token_of_the_hub_that_is_none_is_named_before_the_hub_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_s3cr3t-ké")
    with pytest.raises(SurroundingsError, match=r"^spec\.model\.tokenSecretName: .*HF_TOKEN") as told:
        fetch(Source(uri="hf://lab/small"), kind="model", storage=Storage(uri="s3://lab/runs"))
    assert "s3cr3t" not in str(told.value)


def test_a_source_s_own_keys_are_bare_and_one_that_is_none_is_named_and_not_quoted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = Source(uri="s3://lab/x", credentials_secret_name="lab")
    monkeypatch.setenv("SECRET_LAB_AWS_SESSION_TOKEN", "s3cr3t-key\n")
    assert credentials_of(source) == {"AWS_SESSION_TOKEN": "s3cr3t-key"}
    monkeypatch.setenv("SECRET_LAB_AWS_SESSION_TOKEN", "s3cr3t-ké")
    with pytest.raises(SurroundingsError, match=r"^SECRET_LAB_AWS_SESSION_TOKEN: .*AWS_SESSION_TOKEN") as told:
        credentials_of(source)
    assert "s3cr3t" not in str(told.value)
