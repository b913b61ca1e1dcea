"""`selfimprove run` on a real model, made on the spot: interrupted twice, gone on with to the end, and exported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.unit.cli_support import built_run, manifest_of, selfimprove, write_yaml

pytest.importorskip("torch", reason="a real run needs the workers' libraries")

PATIENCE_SECONDS = 240.0
Capture = pytest.CaptureFixture[str]


@dataclass(frozen=True)
class Ended:
    """How a process ended, and which manifests it left committed, with the time of each."""

    code: int
    out: str
    err: str
    committed: dict[str, int]
    workers: list[int]
    """Processes it had started that outlived it."""


@dataclass(frozen=True)
class Story:
    """One run in three goes: Ctrl-C in the first, SIGTERM in the second, the third comes to the end."""

    file: Path
    storage: Path
    goes: Sequence[Ended]

    @property
    def folder(self) -> Path:
        return self.storage / "tiny"


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Story:
    folder = tmp_path_factory.mktemp("story")
    file, storage = write_yaml(folder, small_run(tiny_model)), folder / "runs"
    command = [sys.executable, "-m", "selfimprove", "run", str(file), "--storage", str(storage)]
    interrupted = go(command, storage / "tiny", "i000-evaluate: done", signal.SIGINT, everybody=True)
    terminated = go(command, storage / "tiny", "i001-generate: done", signal.SIGTERM)
    finished = go([*command, "--json"], storage / "tiny")
    return Story(file, storage, [interrupted, terminated, finished])


def test_ctrl_c_ends_with_130_and_says_how_to_go_on(story: Story) -> None:
    first = story.goes[0]
    assert first.code == 130, first.err
    again = f"selfimprove run {story.file} --storage {story.storage}"
    assert first.err.endswith(f"interrupted; everything committed is kept; go on with: {again}\n")
    assert first.out == ""


def test_what_heals_outside_ends_with_4_and_says_that_the_same_command_goes_on(tmp_path: Path) -> None:
    document = manifest_of("away")
    document["spec"]["dataset"] |= {"uri": "s3://lab/x.jsonl", "endpoint": "http://127.0.0.1:9"}
    command = [sys.executable, "-m", "selfimprove", "run", str(write_yaml(tmp_path, document))]
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_MAX_ATTEMPTS": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=os.environ | keys, capture_output=True, text=True)
    assert done.returncode == 4, done.stderr
    last = done.stderr.splitlines()[-1]
    assert "http://127.0.0.1:9 can't be reached for s3://lab/x.jsonl; check the network or the endpoint" in last
    assert last.endswith("; once that is mended, the same command goes on")


def test_sigterm_ends_with_143_and_leaves_no_worker_behind(story: Story) -> None:
    second = story.goes[1]
    assert second.code == 143, second.err
    assert "terminated; everything committed is kept; go on with: selfimprove run" in second.err
    assert second.workers == []


def test_what_was_committed_is_never_done_again(story: Story) -> None:
    first, second, third = (each.committed for each in story.goes)
    assert "i000/evaluate/00000/manifest.json" in first
    assert first.items() <= second.items() <= third.items()
    assert "i001/measure/00000/manifest.json" in third


def test_json_is_one_document_on_standard_output_whatever_the_workers_print(story: Story) -> None:
    last = story.goes[2]
    assert last.code == 0, last.err
    assert json.loads(last.out)["state"] == "Succeeded"


def test_the_same_command_again_answers_at_once(story: Story, capfd: Capture) -> None:
    outcome = selfimprove(capfd, "run", story.file, "--storage", story.storage, "--json")
    assert outcome.code == 0
    assert json.loads(outcome.out)["usage"] == json.loads(story.goes[2].out)["usage"]
    assert len(outcome.err.splitlines()) == 1


def test_real_samples_are_shown_with_their_scores_and_decisions(story: Story, capfd: Capture) -> None:
    document = json.loads(selfimprove(capfd, "samples", story.folder, "--limit", "3", "--json").out)
    assert len(document["prompts"]) == 3
    first = document["prompts"][0]["samples"][0]
    assert first["verdict"] in ("Wrong", "NoAnswer", "Correct")
    assert set(first["scores"]) == {"GroundTruth", "Likelihood"}
    assert first["kept"] == (first["weight"] > 0)


def test_what_a_model_wrote_can_t_steer_the_terminal(story: Story, capfd: Capture) -> None:
    """An untrained model writes any byte there is."""
    text = selfimprove(capfd, "samples", story.folder).out
    assert all(c == "\n" or c == "\t" or c.isprintable() for c in text)


@pytest.mark.parametrize("iteration", ["0", "1"])
def test_an_exported_model_is_loaded_by_transformers(
    iteration: str, story: Story, tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    target = tmp_path / "model"
    outcome = selfimprove(capfd, "export", story.folder, "--iteration", iteration, "--output", target)
    assert outcome.code == 0, outcome.err
    model, tokenizer = AutoModelForCausalLM.from_pretrained(target), AutoTokenizer.from_pretrained(target)
    tokens = tokenizer.apply_chat_template(
        [{"role": "user", "content": "1 + 1"}], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    with torch.no_grad():
        assert torch.isfinite(model(**tokens).logits).all()
    assert f"# tiny, M_{iteration}\n" in (target / "README.md").read_text()


def test_a_base_model_that_can_t_be_fetched_ends_with_the_worker_s_exit_code(
    tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    run = built_run(tmp_path, model={"uri": f"file://{tmp_path}/nothing-here"}).baseline(0.8)
    outcome = selfimprove(capfd, "export", run.folder, "--iteration", "0", "--output", tmp_path / "m")
    assert outcome.code in (2, 4)
    assert "Traceback" not in outcome.err
    assert "could not be fetched; the lines above say why" in outcome.err
    assert [line.startswith("error: ") for line in outcome.err.splitlines()].count(True) == 1
    assert not (tmp_path / "m").exists()


def go(command: Sequence[str], folder: Path, until: str = "", number: int = 0, everybody: bool = False) -> Ended:
    """Run a command; once standard error holds `until`, send it the signal (a terminal's Ctrl-C reaches everybody)."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    out, err = folder.parent.parent / "out", folder.parent.parent / "err"
    with out.open("w") as stdout, err.open("w") as stderr:
        process = subprocess.Popen(command, env=env, stdout=stdout, stderr=stderr, start_new_session=True)
    try:
        workers: list[psutil.Process] = []
        if number:
            for _ in heartbeats(process):
                if until in err.read_text(errors="replace"):
                    break
            workers = psutil.Process(process.pid).children(recursive=True)
            (os.killpg if everybody else os.kill)(process.pid, number)
        code = process.wait(PATIENCE_SECONDS)
        alive = [worker.pid for worker in workers if worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE]
    finally:
        process.kill()
    committed = {str(p.relative_to(folder)): p.stat().st_mtime_ns for p in folder.glob("i*/*/*/manifest.json")}
    return Ended(code, out.read_text(), err.read_text(errors="replace"), committed, alive)


def heartbeats(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """A moment at a time while the process lives, for as long as a slow machine may need."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        yield
        time.sleep(0.05)


def small_run(base: Path) -> dict[str, object]:
    sums = "gym://chain_sum?size={}&seed={}&min_terms=2&max_terms=2&min_digits=1&max_digits=1"
    document = manifest_of("tiny")
    document["spec"] = {
        "model": {"uri": str(base)},
        "dataset": {
            "uri": sums.format(16, 1000),
            "task": "Gym",
            "fields": {"difficulty": "metadata.num_terms"},
            "heldOut": {"uri": sums.format(8, 900000)},
        },
        "maxIterations": 1,
        "verification": {"methods": [{"type": "Likelihood", "weighting": {"type": "Quantile", "quantile": 0.5}}]},
        "selection": {"acceptTruncated": True},
        "generation": {
            "samplesPerPrompt": 4,
            "temperature": 1.0,
            "topP": 1.0,
            "maxTokens": 16,
            "engine": "Transformers",
        },
        "evaluation": {"samplesPerPrompt": 2},
        "distillation": {"learningRate": 1e-3, "batchSize": 8, "maxLength": 256},
    }
    return document
