"""What `prune` and `delete` remove, and what they must never touch."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfimprove.cli.remove import in_order, size_text
from selfimprove.locks import run_lock
from tests.unit.cli_support import BuiltRun, as_json, built_run, selfimprove

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def finished(tmp_path: Path) -> BuiltRun:
    """A run of one iteration that is over."""
    return built_run(tmp_path).baseline(0.5).iteration(1, 0.75)


def keys(run: BuiltRun) -> set[str]:
    return {entry.key for entry in run.handle.store.list()}


def test_prune_keeps_the_best_and_the_last_model_and_lets_trainer_states_go(tmp_path: Path, capfd: Capture) -> None:
    run = built_run(tmp_path, maxIterations=3).baseline()
    run.iteration(1, 0.9).iteration(2, 0.6).iteration(3, 0.7)
    before = keys(run)
    document = as_json(capfd, "prune", run.folder)
    gone = before - keys(run)
    assert {key.split("/attempt-a1/")[0] for key in gone if "/model/" in key} == {"i002/distill/00000"}
    assert {key for key in before if "/state/" in key} <= gone
    assert {removed["key"] for removed in document["removed"]} == gone
    assert all("/attempt-" in key for key in gone)


def test_prune_removes_what_losing_attempts_left_of_a_committed_step_only(tmp_path: Path, capfd: Capture) -> None:
    run = built_run(tmp_path, maxIterations=2).baseline().iteration(1)
    done, open_ = "i001/generate/00000/attempt-b/part-00000.parquet", "i002/generate/00000/attempt-b/part-00000.parquet"
    for key in (done, open_, "i001/generate/00000/attempt-b/worker.log"):
        run.handle.store.write(key, b"x")
    selfimprove(capfd, "prune", run.folder)
    assert done not in keys(run)
    assert {open_, "i001/generate/00000/attempt-b/worker.log"} <= keys(run)


def test_a_pruned_run_answers_status_samples_and_plan_as_before(tmp_path: Path, capfd: Capture) -> None:
    run = built_run(tmp_path, maxIterations=2).baseline().iteration(1, 0.5).iteration(2, 0.7)
    looks = (["status", run.folder], ["samples", run.folder], ["plan", run.folder])
    before = [selfimprove(capfd, *look).out for look in looks]
    selfimprove(capfd, "prune", run.folder)
    assert [selfimprove(capfd, *look).out for look in looks] == before


def test_prune_under_all_keeps_every_model(tmp_path: Path, capfd: Capture) -> None:
    run = built_run(tmp_path, maxIterations=2, storage={"retention": "All"}).baseline()
    run.iteration(1, 0.4).iteration(2, 0.4)
    selfimprove(capfd, "prune", run.folder)
    assert len([key for key in keys(run) if key.endswith("model/model.safetensors")]) == 2


def test_a_dry_run_of_prune_removes_nothing_and_says_how_much_would_go(finished: BuiltRun, capfd: Capture) -> None:
    before = keys(finished)
    outcome = selfimprove(capfd, "prune", finished.folder, "--dry-run")
    assert outcome.out.splitlines() == [
        "i001/distill/00000: 1 file, 500 B, trainer state of a step that is done",
        "would free 1 file, 500 B",
    ]
    assert keys(finished) == before


@pytest.mark.parametrize("command", [["prune"], ["delete", "--yes"]])
def test_nothing_is_removed_while_a_process_is_at_work(command: list[str], finished: BuiltRun, capfd: Capture) -> None:
    before = keys(finished)
    with run_lock(finished.handle.store):
        outcome = selfimprove(capfd, command[0], finished.folder, *command[1:])
    assert outcome.code == 4
    assert "is at work on this run" in outcome.err
    assert keys(finished) == before


def test_delete_removes_the_whole_folder_after_a_yes(finished: BuiltRun, capfd: Capture) -> None:
    outcome = selfimprove(capfd, "delete", finished.folder, "--yes")
    assert outcome.code == 0
    assert not finished.folder.exists()
    assert Path(finished.storage).exists()


def test_a_deletion_that_is_cut_short_never_leaves_a_manifest_whose_parts_are_gone(finished: BuiltRun) -> None:
    everything = sorted(keys(finished))
    order = in_order(everything)
    last_manifest = max(place for place, key in enumerate(order) if key.endswith("/manifest.json"))
    first_part = min(place for place, key in enumerate(order) if "/attempt-" in key)
    assert sorted(order) == everything
    assert last_manifest < first_part
    assert order[-1] == "run.json"


@pytest.mark.parametrize("record", ['{"name": "demo", "ru', "", "{}"])
@pytest.mark.parametrize("named_by", ["folder", "file"])
def test_delete_says_that_a_record_cannot_be_read_and_deletes_all_the_same(
    record: str, named_by: str, finished: BuiltRun, capfd: Capture
) -> None:
    (finished.folder / "run.json").write_text(record)
    named = [finished.folder] if named_by == "folder" else [finished.file, "--storage", finished.storage]
    outcome = selfimprove(capfd, "delete", *named, "--yes")
    assert outcome.code == 0
    assert outcome.err.startswith(f"{finished.folder}/run.json: is no record of a run (")
    assert outcome.err.count("\n") == 1 and outcome.out.startswith(f"deleted {finished.folder}: ")
    assert not finished.folder.exists()


def test_delete_asks_before_it_deletes_a_run_whose_record_cannot_be_read(finished: BuiltRun, capfd: Capture) -> None:
    (finished.folder / "run.json").write_text("")
    outcome = selfimprove(capfd, "delete", finished.folder)
    assert outcome.code == 2 and outcome.err.endswith("error: --yes: is needed here, where nobody can be asked\n")
    assert finished.folder.exists()


def test_delete_spares_a_folder_that_is_not_a_runs_though_a_run_json_is_there(tmp_path: Path, capfd: Capture) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "thesis.tex").write_text("years of work")
    (tmp_path / "run.json").write_text('{"script": "make"}')
    outcome = selfimprove(capfd, "delete", tmp_path, "--yes")
    assert outcome.code == 4
    assert outcome.err.endswith("; src/thesis.tex lies there too, which no run wrote, so nothing was deleted\n")
    assert (tmp_path / "src" / "thesis.tex").exists()


def test_delete_asks_and_nobody_to_ask_means_no(finished: BuiltRun, capfd: Capture) -> None:
    outcome = selfimprove(capfd, "delete", finished.folder)
    assert (outcome.code, outcome.err) == (2, "error: --yes: is needed here, where nobody can be asked\n")
    assert finished.folder.exists()


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (2_500_000, "2.5 MB"), (10**16, "10000.0 TB")]
)
def test_sizes_read_as_people_write_them(size: int, text: str) -> None:
    assert size_text(size) == text


def test_delete_leaves_what_no_run_wrote_and_names_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run = built_run(tmp_path).baseline()
    own = [run.folder / name for name in ("data/train.jsonl", "seed1/run.json")]
    for path in own:
        path.parent.mkdir()
        path.write_text("{}")
    told = selfimprove(capfd, "delete", run.folder, "--yes").out
    assert told.endswith("; what no run wrote stays: data/train.jsonl, seed1/run.json\n")
    assert sorted(path for path in run.folder.rglob("*") if path.is_file()) == own
    assert not (run.folder / "i000").exists()
