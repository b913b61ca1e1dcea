"""`selection.seedTraining: References`: M_0 is the base model trained on the dataset's own solutions."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from selfimprove.artifacts import Manifest, load_ledger, read_manifest, step_folder
from selfimprove.errors import UserError
from selfimprove.ledger import StepId
from selfimprove.loop import BASE
from selfimprove.store import open_store
from selfimprove_workers.chat import end_of_turn
from selfimprove_workers.references import reference_examples
from tests.integration.runs_support import PROMPTS, selfimprove, start, status, write_run
from tests.integration.steps_support import Rows, workshop

SEED = StepId(0, "distill")


def rows(*rationales: str | None) -> Rows:
    return [
        {"id": f"p{i}", "question": f"What is {i} + 4?", "answer": str(i + 4), "rationale": rationale}
        for i, rationale in enumerate(rationales)
    ]


def seeded_run(folder: Path, model: Path, **changes: Any) -> Path:
    """A run whose prompts have solutions, and a test set for the last look at M_0."""
    path = write_run(folder, model, selection={"acceptTruncated": True, "seedTraining": "References"}, **changes)
    for file in (folder / "train.jsonl", folder / "held-out.jsonl"):
        known = [json.loads(line) for line in file.read_text().splitlines()]
        file.write_text("".join(json.dumps({**row, "why": f"The answer is {row['answer']}."}) + "\n" for row in known))
    test = folder / "test.jsonl"
    test.write_text((folder / "held-out.jsonl").read_text().replace("p10", "t10").replace("What is", "And"))
    text = path.read_text().replace("      answer: answer\n", "      answer: answer\n      rationale: why\n")
    path.write_text(text.replace("    heldOut:\n", f"    test: {{uri: {test}}}\n    heldOut:\n"))
    return path


def manifest(root: Path, step: StepId) -> Manifest:
    found = read_manifest(open_store(str(root)), step_folder(step))
    assert found is not None
    return found[0]


def weights(root: Path, step: StepId) -> str:
    """The digest of a checkpoint's weights."""
    return next(f.sha256 for f in manifest(root, step).files if f.path == "model.safetensors")


@pytest.fixture(scope="module")
def finished(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A seeded run at its end: its manifest and its own folder."""
    folder = tmp_path_factory.mktemp("seeded")
    path = seeded_run(folder, tiny_model)
    planned = selfimprove("plan", path, "--storage", folder / "runs")
    assert "Next  i000-distill" in planned.stdout, planned.stderr
    done = selfimprove("run", path, "--storage", folder / "runs")
    assert done.returncode == 0, done.stderr
    return path, folder / "runs" / "tiny"


def test_m_0_is_trained_first_and_everything_after_is_of_that_m_0(finished: tuple[Path, Path]) -> None:
    _, root = finished
    seed = manifest(root, SEED)
    assert seed.summary["counts"]["examples"] == PROMPTS
    for step in (StepId(0, "evaluate"), StepId(1, "generate"), StepId(0, "evaluate", "test")):
        read = manifest(root, step)
        assert read.settings["model"] == {"iteration": 0}
        assert step_folder(SEED) in read.inputs


def test_training_starts_from_the_base_model_and_not_from_m_0(finished: tuple[Path, Path]) -> None:
    _, root = finished
    trained = manifest(root, StepId(1, "distill"))
    assert trained.settings["model"] == manifest(root, SEED).settings["model"]
    assert list(trained.inputs) == [step_folder(StepId(1, "select"))]


def test_status_and_export_know_m_0_as_a_checkpoint_of_the_run(finished: tuple[Path, Path], tmp_path: Path) -> None:
    path, root = finished
    found = status(path, root.parent)
    assert found["best"]["iteration"] == 0
    assert "/i000/distill/" in found["best"]["modelURI"]
    done = selfimprove("export", path, "--storage", root.parent, "--iteration", "0", "--output", tmp_path / "m0")
    assert done.returncode == 0, done.stderr
    assert "The base model trained on reference solutions" in (tmp_path / "m0" / "README.md").read_text()
    (weights_of_m_0,) = root.glob("i000/distill/00000/attempt-*/model/model.safetensors")
    assert (tmp_path / "m0" / "model.safetensors").read_bytes() == weights_of_m_0.read_bytes()


def test_a_fork_of_a_seeded_run_takes_its_m_0_over(finished: tuple[Path, Path], tmp_path: Path) -> None:
    path, root = finished
    fork = path.with_name("fork.yaml")
    fork.write_text(path.read_text().replace("name: tiny", "name: fork"))
    done = selfimprove("run", fork, "--storage", tmp_path, "--set", f"resumeFrom={{uri: {root}, iteration: 0}}")
    assert done.returncode == 0, done.stderr
    assert weights(tmp_path / "fork", SEED) == weights(root, SEED)


def test_a_run_killed_before_m_0_is_trained_goes_on_to_the_same_m_0(
    finished: tuple[Path, Path], tmp_path: Path
) -> None:
    path, root = finished
    log = tmp_path / "log"
    process = start("run", path, "--storage", tmp_path, log=log)
    until = time.monotonic() + 120
    while time.monotonic() < until and not list(tmp_path.glob("tiny/prompts/manifest.json")):
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = selfimprove("run", path, "--storage", tmp_path)
    assert done.returncode == 0, done.stderr
    assert weights(tmp_path / "tiny", SEED) == weights(root, SEED)
    assert StepId(1, "measure") in load_ledger(open_store(str(tmp_path / "tiny"))).committed


def test_a_reference_trains_under_the_plain_prompt_and_ends_its_turn(tiny_model: Path, tmp_path: Path) -> None:
    shop = workshop(tmp_path, tiny_model, rows(" The answer is 4.\n"), selection={"seedTraining": "References"})
    context = shop.context("distill", 0)
    tokenizer = context.models.tokenizer(context.model_folder(BASE))
    (row,) = reference_examples(context, tokenizer)[0].to_pylist()
    assert tokenizer.decode(row["tokens"][:-1]) == "The answer is 4."
    assert row["tokens"][-1] == end_of_turn(tokenizer)
    assert "The answer" not in tokenizer.decode(row["prompt_tokens"])
    assert (row["weight"], row["iteration"], row["strategy"]) == (1.0, 0, "")


def test_references_that_miss_or_do_not_state_the_answer_are_left_out_and_counted(
    tiny_model: Path, tmp_path: Path
) -> None:
    shop = workshop(tmp_path, tiny_model, rows("It is 4.", None, "So it is 99.", "  "))
    context = shop.context("distill", 0)
    tokenizer = context.models.tokenizer(context.model_folder(BASE))
    table, counts = reference_examples(context, tokenizer)
    assert table["prompt"].to_pylist() == ["p0"]
    assert counts == {"noReference": 2, "wrongReference": 1}


def test_a_reference_whose_answer_nobody_can_read_trains_nothing_and_is_counted(
    tiny_model: Path, tmp_path: Path
) -> None:
    known = rows("It is 4.", "It is ???.", "It is 99.")
    shop = workshop(tmp_path, tiny_model, [known[0], {**known[1], "answer": "???"}, known[2]])
    context = shop.context("distill", 0)
    tokenizer = context.models.tokenizer(context.model_folder(BASE))
    table, counts = reference_examples(context, tokenizer)
    assert table["prompt"].to_pylist() == ["p0"]
    assert counts == {"wrongReference": 1, "unreadableGold": 1}


def test_a_dataset_without_one_usable_reference_is_one_clear_line(tiny_model: Path, tmp_path: Path) -> None:
    shop = workshop(tmp_path, tiny_model, rows("It is 99.", None))
    context = shop.context("distill", 0)
    tokenizer = context.models.tokenizer(context.model_folder(BASE))
    with pytest.raises(UserError) as refused:
        reference_examples(context, tokenizer)
    assert str(refused.value).startswith("spec.selection.seedTraining: References: 1 of 2 training prompts have")


def test_preferences_begin_with_an_m_0_that_was_told_the_solutions(tiny_model: Path, tmp_path: Path) -> None:
    path = seeded_run(
        tmp_path,
        tiny_model,
        generation={"samplesPerPrompt": 4},
        distillation={"method": "DPO", "startFrom": "Previous", "learningRate": 1.0e-4},
    )
    done = selfimprove("run", path, "--storage", tmp_path)
    assert done.returncode == 0, done.stderr
    trained = manifest(tmp_path / "tiny", StepId(1, "distill"))
    assert trained.settings["model"] == trained.settings["reference"] == {"iteration": 0}
