"""Beginning a run and coming back to it: what is fixed, what may change, and what a person is told."""

from __future__ import annotations

import json
import os
import shlex
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from selfimprove.errors import SurroundingsError, UserError
from selfimprove.locks import run_lock
from selfimprove.runs import at_work, begin, find, look
from selfimprove.store import LocalStore
from tests.unit.cli_support import BuiltRun, as_json, built_run, manifest_of, selfimprove, write_yaml

Capture = pytest.CaptureFixture[str]


def record(folder: Path) -> Any:
    return json.loads((folder / "run.json").read_text())


def test_a_run_begins_at_storage_and_name_with_its_spec_as_given_and_resolved(tmp_path: Path) -> None:
    handle = begin(write_yaml(tmp_path, manifest_of("gsm8k")), str(tmp_path / "runs"))
    found = record(tmp_path / "runs" / "gsm8k")
    assert handle.uri == str(tmp_path / "runs" / "gsm8k")
    assert "verification" not in found["run"]["spec"]
    assert found["resolved"]["verification"]["methods"][0]["type"] == "GroundTruth"
    assert found["version"] and found["createdAt"]


@pytest.mark.parametrize("option", [True, False])
def test_storage_is_the_option_else_the_spec_s_else_the_folder_runs(
    option: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    named = write_yaml(tmp_path, manifest_of("named", storage={"uri": str(tmp_path / "spec")}), "named.yaml")
    bare = write_yaml(tmp_path, manifest_of("bare"), "bare.yaml")
    storage = str(tmp_path / "option") if option else None
    assert begin(named, storage).uri == str(tmp_path / ("option" if option else "spec") / "named")
    assert begin(bare, storage).uri == str(tmp_path / ("option" if option else "runs") / "bare")


def test_beginning_again_gives_the_same_run(tmp_path: Path) -> None:
    run = built_run(tmp_path)
    before = record(run.folder)
    again = begin(run.file, run.storage)
    assert (again.spec, record(run.folder)) == (run.handle.spec, before)


def test_of_processes_that_begin_at_once_all_get_the_run_of_the_first(tmp_path: Path) -> None:
    file = write_yaml(tmp_path, manifest_of())
    with ThreadPoolExecutor(8) as pool:
        handles = list(pool.map(lambda _: begin(file, str(tmp_path / "runs")), range(8)))
    assert {handle.uri for handle in handles} == {str(tmp_path / "runs" / "demo")}
    assert len({handle.spec.model_dump_json() for handle in handles}) == 1


@pytest.mark.parametrize(
    ("change", "field", "values"),
    [
        ("seed=7", "spec.seed", "7 differs from 0"),
        ("generation.temperature=1.5", "spec.generation.temperature", "1.5 differs from 0.7"),
        ("model.uri=hf://lab/other", "spec.model.uri", "hf://lab/other differs from hf://lab/base"),
        ("dataset.limit=10", "spec.dataset.limit", "10 differs from not set"),
    ],
)
def test_an_immutable_field_that_differs_is_named_with_both_values(
    change: str, field: str, values: str, tmp_path: Path
) -> None:
    run = built_run(tmp_path).baseline()
    with pytest.raises(UserError, match=r"which .* was begun with") as caught:
        begin(run.file, run.storage, [change])
    assert str(caught.value).startswith(f"{field}: {values}")


def test_a_mistake_of_the_first_attempt_does_not_cost_the_run_its_name(tmp_path: Path) -> None:
    run = built_run(tmp_path).prompts()
    log = run.folder / "i000/evaluate/00000/attempt-a/worker.log"
    log.parent.mkdir(parents=True)
    log.write_text("the model has no such file")
    mended = begin(run.file, run.storage, ["model.uri=hf://lab/other"])
    assert find(str(run.folder)).spec.model.uri == mended.spec.model.uri == "hf://lab/other"
    assert [path.name for path in run.folder.rglob("*") if path.is_file() and path.name != ".lock"] == ["run.json"]


@pytest.mark.parametrize(
    "key",
    [
        "data/train.jsonl",
        "README.txt",
        "seed1/run.json",
        "seed1/i000/x/part-0.parquet",
        "prompts/train.jsonl",
        "images/a.png",
        "i001/notes.txt",
    ],
)
def test_a_run_that_begins_anew_leaves_what_no_run_of_its_name_wrote(key: str, tmp_path: Path) -> None:
    run = built_run(tmp_path).prompts()
    own = run.folder / key
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text("somebody's own")
    begin(run.file, run.storage, ["model.uri=hf://lab/other"])
    assert own.read_text() == "somebody's own"
    assert not (run.folder / "prompts/manifest.json").exists()


def test_samples_that_are_there_keep_a_run_as_it_was_begun(tmp_path: Path) -> None:
    run = built_run(tmp_path)
    part = run.folder / "i000/evaluate/00000/attempt-a/part-00000.parquet"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"samples of the first attempt")
    with pytest.raises(UserError, match="was begun with"):
        begin(run.file, run.storage, ["model.uri=hf://lab/other"])
    assert part.exists()


def test_a_default_that_is_written_down_is_no_change(tmp_path: Path) -> None:
    run = built_run(tmp_path)
    spelled = manifest_of(seed=0, verification={"methods": [{"type": "GroundTruth"}]})
    begin(write_yaml(tmp_path, spelled), run.storage)


def test_what_may_change_is_taken_from_the_file_and_remembered(tmp_path: Path) -> None:
    run = built_run(tmp_path)
    more = begin(run.file, run.storage, ["maxIterations=9", "stopping.minGap=0.2", "execution.backoffLimit=7"])
    by_folder = find(str(run.folder)).spec
    assert more.spec == by_folder
    assert (by_folder.max_iterations, by_folder.stopping.min_gap, by_folder.execution.backoff_limit) == (9, 0.2, 7)


def test_looking_with_a_changed_file_changes_nothing(tmp_path: Path) -> None:
    run = built_run(tmp_path)
    before = record(run.folder)
    assert look(str(run.file), run.storage, ["maxIterations=9"]).spec.max_iterations == 9
    assert record(run.folder) == before


READING = {
    "status": [],
    "samples": [],
    "plan": [],
    "prune": ["--dry-run"],
    "compare": ["FILE"],
    "delete": ["--yes"],
}
"""Commands that begin nothing, and what else they ask for."""


@pytest.mark.parametrize("command", READING)
def test_a_run_that_was_begun_with_set_is_found_by_its_file_and_what_differs_is_noted(
    command: str, tmp_path: Path, capfd: Capture
) -> None:
    run = _begun_with_set(tmp_path)
    words = [run.file if word == "FILE" else word for word in READING[command]]
    outcome = selfimprove(capfd, command, run.file, *words, "--storage", run.storage)
    assert (outcome.code, outcome.out != "") == (0, True)
    first, *rest = [line for line in outcome.err.splitlines() if not line.startswith("warning: ")]
    assert first.startswith(
        f"note: {run.folder} was begun with spec.maxIterations: 9 (FILE: 1), spec.seed: 7 (FILE: 0); "
        "this goes by what was begun"
    )
    assert set(rest) <= {first}


def test_what_is_shown_of_it_is_what_was_begun_and_json_stays_one_document(tmp_path: Path, capfd: Capture) -> None:
    run = _begun_with_set(tmp_path)
    by_file = as_json(capfd, "status", run.file, "--storage", run.storage)
    assert by_file == as_json(capfd, "status", run.folder)
    assert by_file["progress"] == "2/9"


def test_nothing_is_noted_where_the_file_says_what_was_begun(tmp_path: Path, capfd: Capture) -> None:
    run = built_run(tmp_path).baseline()
    assert selfimprove(capfd, "status", run.file, "--storage", run.storage).err == ""


def test_of_many_fields_that_differ_some_are_named_and_the_rest_is_counted(tmp_path: Path, capfd: Capture) -> None:
    run = built_run(tmp_path).baseline()
    changed = manifest_of(
        seed=1, maxIterations=2, stopping={"minGap": 0.2, "patience": 4}, generation={"topK": 3, "temperature": 1.0}
    )
    write_yaml(tmp_path, changed)
    note = selfimprove(capfd, "status", run.file, "--storage", run.storage).err
    assert note.count(" (FILE: ") == 5
    assert "fields more; this goes by what was begun\n" in note


def test_a_server_that_has_moved_is_asked_where_the_file_says_and_is_no_difference(tmp_path: Path) -> None:
    run = built_run(tmp_path, model={"uri": "s3://lab/base", "endpoint": "http://old:1"}).baseline()
    write_yaml(tmp_path, manifest_of(model={"uri": "s3://lab/base", "endpoint": "http://new:1"}))
    found = find(str(run.file), run.storage)
    assert (found.spec.model.endpoint, found.differs) == ("http://new:1", [])


def test_plan_goes_by_what_run_would_do_and_says_so_where_that_is_another_thing_than_begun(
    tmp_path: Path, capfd: Capture
) -> None:
    run = built_run(tmp_path, maxIterations=3).baseline().iteration(1)
    write_yaml(tmp_path, manifest_of(maxIterations=2))
    outcome = selfimprove(capfd, "plan", run.file, "--storage", run.storage)
    again = f"selfimprove run {run.file} --storage {run.storage}"
    assert "iteration 2 of at most 2" in outcome.out
    assert outcome.err == (
        f"note: {run.folder} was begun with spec.maxIterations: 3 (FILE: 2); this goes by FILE, as `{again}` would\n"
    )


def test_plan_of_a_file_that_run_would_refuse_says_so_and_plans_what_was_begun(tmp_path: Path, capfd: Capture) -> None:
    run = _begun_with_set(tmp_path)
    outcome = selfimprove(capfd, "plan", run.file, "--storage", run.storage)
    again = f"selfimprove run {run.file} --storage {run.storage}"
    assert "i002-generate" in outcome.out
    assert outcome.err.endswith(f"this goes by what was begun, since `{again}` would be refused\n")
    assert selfimprove(capfd, *again.split()[1:]).code == 2


def test_plan_with_set_refuses_what_run_with_it_would(tmp_path: Path, capfd: Capture) -> None:
    run = built_run(tmp_path).baseline()
    outcome = selfimprove(capfd, "plan", run.file, "--storage", run.storage, "--set", "seed=7")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"error: spec.seed: 7 differs from 0, which {run.folder} was begun with; ")


def test_max_iterations_may_not_fall_below_the_iteration_reached(tmp_path: Path) -> None:
    run = built_run(tmp_path, maxIterations=3).baseline().iteration(1).generate(2)
    with pytest.raises(UserError, match=r"^spec\.maxIterations: 1 is below iteration 2"):
        begin(run.file, run.storage, ["maxIterations=1"])


def test_all_problems_of_a_file_come_at_once_each_on_its_line(tmp_path: Path, capfd: Capture) -> None:
    bad = manifest_of(generation={"temperature": -1}, seed="x", maxIterations=0)
    outcome = selfimprove(capfd, "run", write_yaml(tmp_path, bad), "--storage", tmp_path / "runs")
    assert outcome.code == 2
    fields = [line.removeprefix("error: ").split(": ")[0] for line in outcome.err.splitlines()]
    assert sorted(fields) == ["spec.generation.temperature", "spec.maxIterations", "spec.seed"]
    assert not (tmp_path / "runs").exists()


def test_what_is_not_built_yet_is_refused_before_anything_is_created(tmp_path: Path) -> None:
    file = write_yaml(tmp_path, manifest_of(distillation={"numNodes": 2}))
    with pytest.raises(UserError, match="valid but not built yet"):
        begin(file, str(tmp_path / "runs"))
    assert not (tmp_path / "runs").exists()


def test_a_storage_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(SurroundingsError, match="a file stands where a folder is needed"):
        begin(write_yaml(tmp_path, manifest_of()), str(tmp_path / "runs"))


@pytest.mark.parametrize("place", ["file", "/proc/x"])
def test_a_storage_that_cannot_be_made_is_one_line_and_exit_4(place: str, tmp_path: Path, capfd: Capture) -> None:
    if place.startswith("/proc") and not Path("/proc/self").exists():
        pytest.skip("no /proc on this system")
    (tmp_path / "file").write_text("")
    file = write_yaml(tmp_path, manifest_of())
    outcome = selfimprove(capfd, "run", file, "--storage", tmp_path / place)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (4, "", 1)
    assert outcome.err.startswith(f"error: {tmp_path / place / 'demo'}: ")
    assert "; " in outcome.err


def test_who_comes_second_with_another_file_is_told_who_is_at_work_and_changes_nothing(
    tmp_path: Path, capfd: Capture
) -> None:
    run = built_run(tmp_path)
    before = record(run.folder)
    with run_lock(run.handle.store):
        outcome = selfimprove(capfd, "run", run.file, "--storage", run.storage, "--set", "maxIterations=9")
    assert outcome.code == 4
    assert outcome.err.startswith(f"error: {run.folder}: process {os.getpid()} on")
    assert record(run.folder) == before


def test_from_the_change_of_the_record_to_the_end_of_the_work_nobody_comes_between(tmp_path: Path) -> None:
    run = built_run(tmp_path)
    with at_work(run.file, run.storage, ["maxIterations=9"]) as handle, run_lock(handle.store):
        with ThreadPoolExecutor(1) as pool, pytest.raises(SurroundingsError, match="is at work on this run"):
            pool.submit(begin, run.file, run.storage, ["maxIterations=5"]).result()
        assert record(run.folder)["resolved"]["maxIterations"] == handle.spec.max_iterations == 9


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted")]
)
def test_a_signal_while_the_run_begins_is_answered_with_how_to_go_on(
    number: int, code: int, word: str, tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_yaml(tmp_path, manifest_of())
    monkeypatch.setattr(LocalStore, "probe", lambda store: os.kill(os.getpid(), number))
    options = ["--storage", str(tmp_path / "my runs"), "--endpoint", "http://s3:1", "--region", "eu-1"]
    outcome = selfimprove(capfd, "run", file, *options, "--set", "seed=3", "--json")
    again = shlex.join(["selfimprove", "run", str(file), *options, "--set", "seed=3", "--json"])
    assert (outcome.code, outcome.out) == (code, "")
    assert outcome.err == f"{word}; everything committed is kept; go on with: {again}\n"


def test_a_library_that_retries_whatever_goes_wrong_does_not_swallow_sigterm(
    tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def probe(store: LocalStore) -> None:
        with suppress(Exception):
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(LocalStore, "probe", probe)
    outcome = selfimprove(capfd, "run", write_yaml(tmp_path, manifest_of()), "--storage", tmp_path / "runs")
    assert outcome.code == 143


def test_a_file_may_be_named_by_its_uri_wherever_one_is_asked_for(tmp_path: Path, capfd: Capture) -> None:
    (tmp_path / "my runs").mkdir()
    file = write_yaml(tmp_path / "my runs", manifest_of(suspend=True))
    uri = file.as_uri()
    assert "%20" in uri
    assert selfimprove(capfd, "validate", uri).out == f"{uri}: valid\n"
    suspended = selfimprove(capfd, "run", uri, "--storage", tmp_path / "runs")
    assert suspended.err == "error: spec.suspend: true holds the run; set it to false to go on\n"
    assert selfimprove(capfd, "plan", uri, "--storage", tmp_path / "runs").code == 0


@pytest.mark.parametrize("command", ["run", "validate"])
def test_a_file_of_another_machine_is_told(command: str, capfd: Capture) -> None:
    outcome = selfimprove(capfd, command, "s3://lab/run.yaml")
    assert outcome.code == 2
    assert "s3://lab/run.yaml: is no file of this machine; give a path or file:///path" in outcome.out + outcome.err


@pytest.mark.parametrize("word", ["n" * 300, "a:b.yaml", "~nobody-of-this-name/x"])
def test_a_name_that_no_file_can_have_is_one_line(word: str, capfd: Capture) -> None:
    outcome = selfimprove(capfd, "status", word)
    assert outcome.code in (2, 4)
    assert outcome.err.startswith("error: ")
    assert (word in outcome.err, outcome.err.count("\n"), "unexpected" in outcome.err) == (True, 1, False)


def test_set_needs_a_file(tmp_path: Path) -> None:
    run = built_run(tmp_path)
    with pytest.raises(UserError, match=r"^--set: changes a FILE"):
        look(str(run.folder), sets=["seed=1"])


def _begun_with_set(folder: Path) -> BuiltRun:
    """A run of two models, whose FILE has neither the seed nor the iterations that it was begun with."""
    run = built_run(folder, seed=7, maxIterations=9).baseline().iteration(1)
    write_yaml(folder, manifest_of())
    return run
