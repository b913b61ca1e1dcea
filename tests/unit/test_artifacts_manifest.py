"""Keys, manifests and the ledger that is read from them."""

from __future__ import annotations

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from selfimprove.api.execution import Storage
from selfimprove.artifacts import (
    Manifest,
    Part,
    commit,
    digest_of,
    load_ledger,
    load_summaries,
    read_manifest,
    require_manifest,
    step_folder,
)
from selfimprove.artifacts.keys import attempt_folder, folder_of, is_step_manifest
from selfimprove.errors import FailedError, SurroundingsError
from selfimprove.ledger import StepId
from selfimprove.store import LocalStore

GENERATE = StepId(1, "generate")


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "run")


def manifest(step: StepId = GENERATE, shard: int = 0, attempt: str = "a", tokens: int = 7) -> Manifest:
    summary = {"step": step.step, "iteration": step.iteration, "split": step.split, "shard": shard, "tokens": tokens}
    return Manifest(
        step=step.step, iteration=step.iteration, split=step.split, shard=shard, digest="d", attempt=attempt,
        summary=summary, parts=[Part(key="k", size=1, sha256="s", rows=2, prompts=1)],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("step", "shard", "folder"),
    [
        (StepId(1, "generate"), 3, "i001/generate/00003"),
        (StepId(0, "evaluate"), 0, "i000/evaluate/00000"),
        (StepId(12, "evaluate", "test"), 0, "i012/evaluate-test/00000"),
        (StepId(1000, "select"), 0, "i1000/select/00000"),
    ],
)
def test_a_step_has_its_folder(step: StepId, shard: int, folder: str) -> None:
    assert step_folder(step, shard) == folder
    assert is_step_manifest(f"{folder}/manifest.json")
    assert folder_of(f"{attempt_folder(folder, 'x-1')}/part-00000.parquet") == folder


@pytest.mark.parametrize(
    "key",
    [
        "prompts/manifest.json",
        "i001/distill/00000/attempt-a/model/manifest.json",
        "i001/generate/00000/manifest.json.bak",
        "other/i001/generate/00000/manifest.json",
    ],
)
def test_no_other_object_passes_for_a_steps_manifest(key: str) -> None:
    assert not is_step_manifest(key)


def test_a_folder_without_a_manifest_is_not_committed(store: LocalStore) -> None:
    assert read_manifest(store, "i001/generate/00000") is None


def test_a_missing_input_fails_for_good_and_says_which(store: LocalStore) -> None:
    with pytest.raises(FailedError, match=r"i001/generate/00000/manifest.json: is missing; run the step"):
        require_manifest(store, "i001/generate/00000")


def test_a_committed_manifest_is_read_back_with_the_digest_of_its_bytes(store: LocalStore) -> None:
    committed, digest = commit(store, "f", manifest())

    assert require_manifest(store, "f") == (committed, digest)
    assert digest == sha256(store.read("f/manifest.json")).hexdigest()
    assert committed.parts[0].rows == 2


def test_the_loser_adopts_what_the_winner_committed(store: LocalStore) -> None:
    winner = commit(store, "f", manifest(attempt="quick"))

    assert commit(store, "f", manifest(attempt="slow")) == winner
    assert winner[0].attempt == "quick"


def test_a_summary_that_is_none_is_refused_before_it_is_committed(store: LocalStore) -> None:
    broken = manifest().model_copy(update={"summary": {"step": "generate", "tokens": "many"}})

    with pytest.raises(ValidationError):
        commit(store, "f", broken)
    assert read_manifest(store, "f") is None


@pytest.mark.parametrize("data", [b"", b"{}", b'{"step": "generate", "iter', b"[]"])
def test_a_broken_manifest_is_one_line_with_a_remedy(store: LocalStore, data: bytes) -> None:
    store.write("f/manifest.json", data)

    with pytest.raises(
        SurroundingsError, match=r"f/manifest.json: is no manifest .*; restore it, or delete it"
    ) as error:
        read_manifest(store, "f")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("change", [{"lineage": "x"}, {"summary": {"step": "generate", "iteration": 1, "joules": 7}}])
def test_a_manifest_of_a_newer_version_names_that_version_and_is_not_to_be_deleted(
    store: LocalStore, change: dict[str, object]
) -> None:
    folder = step_folder(GENERATE)
    written = {**manifest().to_json(), "version": "12.0.1", **change}
    store.write(f"{folder}/manifest.json", json.dumps(written).encode())

    with pytest.raises(SurroundingsError) as caught:
        load_ledger(store)
    line = str(caught.value)
    assert line.startswith(f"{store.uri}/{folder}/manifest.json: was written by selfimprove 12.0.1, and this is ")
    assert line.endswith("; use 12.0.1 or newer")
    assert "delete" not in line and "\n" not in line


def test_a_summary_that_this_version_wrote_and_somebody_broke_is_one_line_with_a_remedy(store: LocalStore) -> None:
    folder = step_folder(GENERATE)
    written = {**manifest().to_json(), "summary": {"step": "generate", "iteration": "first"}}
    store.write(f"{folder}/manifest.json", json.dumps(written).encode())

    with pytest.raises(
        SurroundingsError, match=r"manifest.json: is no manifest of this version \(iteration: .*; restore"
    ):
        load_ledger(store)


def test_the_ledger_is_what_the_manifests_say(store: LocalStore) -> None:
    verify, test = StepId(1, "verify"), StepId(2, "evaluate", "test")
    for step, shard in [(GENERATE, 0), (GENERATE, 1), (verify, 0), (test, 0)]:
        commit(store, step_folder(step, shard), manifest(step, shard))

    ledger = load_ledger(store)

    assert {step: ledger.shards_done(step) for step in ledger.committed} == {
        GENERATE: {0, 1}, verify: {0}, test: {0}
    }  # fmt: skip
    assert ledger.usage.tokens == 28


def test_a_summary_says_where_its_manifest_is_and_what_it_hashes_to(store: LocalStore) -> None:
    _, digest = commit(store, step_folder(GENERATE), manifest())

    [summary] = load_summaries(store)

    assert summary.manifest.uri == f"{store.uri}/i001/generate/00000/manifest.json"
    assert summary.manifest.sha256 == digest


def test_uncommitted_attempts_prompt_sets_and_checkpoints_are_not_in_the_ledger(store: LocalStore) -> None:
    store.write("i001/generate/00000/attempt-a/part-00000.parquet", b"")
    store.write("i001/distill/00000/attempt-a/model/manifest.json", b"not ours")
    store.write("prompts/manifest.json", b"{}")
    store.write("run.json", b"{}")

    assert load_summaries(store) == []


def test_the_ledger_loads_without_any_data_library() -> None:
    heavy = "{'pyarrow', 'numpy', 'boto3', 'botocore'} & set(sys.modules)"
    program = f"import sys, selfimprove.artifacts, selfimprove.store, selfimprove.locks; sys.exit(str({heavy} or ''))"

    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stderr.strip() == ""


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.dictionaries(st.text(), json_values))
def test_a_digest_does_not_depend_on_the_order_of_keys(settings: dict[str, object]) -> None:
    assert digest_of(dict(reversed(settings.items()))) == digest_of(settings)


@given(json_values, json_values)
def test_digests_tell_how_values_are_grouped(one: object, other: object) -> None:
    assert digest_of(one, other) != digest_of([one, other])


def test_a_digest_tells_values_apart() -> None:
    assert len({digest_of(1), digest_of("1"), digest_of([1]), digest_of(1, 1), digest_of(None)}) == 5


def test_a_digest_of_settings_sees_what_was_set() -> None:
    storage = Storage(uri="./runs")

    assert digest_of(storage) == digest_of(Storage(uri="./runs", retention="BestAndLast"))
    assert digest_of(storage) != digest_of(Storage(uri="./other"))


def test_a_digest_of_nan_is_refused() -> None:
    with pytest.raises(ValueError, match=r"not JSON compliant"):
        digest_of(float("nan"))
