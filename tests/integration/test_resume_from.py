"""A run that goes on from another one, in folders and on S3, on one machine and in pods."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the workers' libraries are not installed")

from selfimprove.artifacts import load_summaries
from selfimprove.ledger import StepId
from selfimprove.store import Store, open_store
from selfimprove.store.copying import copy_objects
from selfimprove.summaries import Summary
from tests.fixtures.s3 import S3Place
from tests.integration.pods_support import Bench
from tests.integration.runs_support import selfimprove, status, write_run

LARGE = 70 << 20
"""Bytes above which S3 copies in parts."""


def forked(path: Path, folder: Path, uri: str, iteration: int) -> Path:
    """The same run under another name, going on from the first one."""
    folder.mkdir()
    text = path.read_text().replace("name: tiny", "name: fork").replace("maxIterations: 1", "maxIterations: 2")
    (folder / "run.yaml").write_text(f"{text}  resumeFrom: {{uri: '{uri}', iteration: {iteration}}}\n")
    return folder / "run.yaml"


def steps(uri: str) -> set[str]:
    return {StepId(s.iteration, s.step, s.split).name for s in load_summaries(open_store(uri))}


def test_a_fork_of_a_finished_run_does_the_new_work_only(tiny_model: Path, tmp_path: Path) -> None:
    path = write_run(tmp_path / "source", tiny_model)
    assert selfimprove("run", path, "--storage", tmp_path).returncode == 0
    source = tmp_path / "tiny"
    before = {p: p.read_bytes() for p in source.rglob("*") if p.is_file() and p.name != ".lock"}
    fork = forked(path, tmp_path / "forked", str(source), 1)
    assert "it is taken over from" in selfimprove("plan", fork, "--storage", tmp_path).stdout
    done = selfimprove("run", fork, "--storage", tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"iterations 0 to 1 are taken over from {source}" in done.stderr
    assert "i001-" not in done.stderr.split("i002-generate", 1)[0]
    assert steps(str(tmp_path / "fork")) >= {"i000-measure", "i001-distill", "i002-distill", "i002-measure"}
    assert [row["iteration"] for row in status(fork, tmp_path)["iterations"]] == [1, 2]
    assert {p: p.read_bytes() for p in before} == before, "what retention removes of the fork stays in the other run"
    weights = "distill/00000/attempt-*/model/model.safetensors"
    assert not list((tmp_path / "fork" / "i001").glob(weights))
    assert list((tmp_path / "fork" / "i002").glob(weights)) and list((source / "i001").glob(weights))
    shutil.rmtree(source)
    again = selfimprove("run", fork, "--storage", tmp_path)
    assert (again.returncode, "taken over" in again.stderr) == (0, False)


@pytest.mark.s3
def test_a_pod_answers_a_step_that_another_run_did_without_any_model(
    tiny_model: Path, tmp_path: Path, s3: S3Place
) -> None:
    bench = Bench(tmp_path, str(tiny_model), f"{s3.uri}/lab/first-1a2b3c4d", in_cluster=True)
    first = bench.work("evaluate", "measure", iteration=0)
    assert first.returncode == 0, first.stderr
    assert "transformers on cpu" in first.stderr
    fork = Bench(tmp_path, "/nowhere", f"{s3.uri}/lab/second-5e6f7a8b", in_cluster=True)
    fork.model, fork.changes = bench.model, {"resumeFrom": {"uri": bench.uri, "iteration": 0}}
    second = fork.work("evaluate", "measure", iteration=0)
    assert second.returncode == 0, second.stderr
    assert "transformers" not in second.stderr
    told = [[Summary.model_validate_json(line) for line in run.stdout.splitlines()] for run in (first, second)]
    assert [s.manifest.sha256 for s in told[1]] == [s.manifest.sha256 for s in told[0]]
    assert all(s.manifest.uri.startswith(fork.uri) for s in told[1])
    fork.changes |= {"seed": 3}
    fork.uri = f"{s3.uri}/lab/third-9c0d1e2f"
    refused = fork.work("evaluate", iteration=0)
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: i000-evaluate: spec.seed: 3 differs from 0, by which ")


@pytest.mark.s3
@pytest.mark.parametrize("kinds", ["folder folder", "s3 s3", "folder s3", "s3 folder"])
def test_objects_go_from_every_kind_of_store_to_every_other(kinds: str, tmp_path: Path, s3: S3Place) -> None:
    def store(kind: str, name: str) -> Store:
        return open_store(str(tmp_path / name)) if kind == "folder" else s3.store(name)

    source, target = (store(kind, f"place-{number}") for number, kind in enumerate(kinds.split()))
    large = bytes(range(256)) * (LARGE // 256)
    source.write("a/small", b"few")
    (tmp_path / "large").write_bytes(large)
    source.upload("a/large", tmp_path / "large")
    for _ in range(2):
        copy_objects(source, target, ["a/small", "a/large"])
    assert target.read("a/small") == b"few"
    assert target.read("a/large") == large
    with pytest.raises(FileNotFoundError, match=r"^a/none$"):
        copy_objects(source, target, ["a/none"])
