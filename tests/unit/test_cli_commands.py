"""What the commands answer for a run that lies on disk: plan, status, validate, samples, prune, delete."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from selfimprove import __version__
from selfimprove.cli.samples import readable
from selfimprove.locks import run_lock
from tests.unit.cli_support import BuiltRun, as_json, built_run, manifest_of, measures, selfimprove, write_yaml

Capture = pytest.CaptureFixture[str]

STEPS = "generate, verify, resample, evaluate"
RUN = "give the FILE, the folder or the URI of a run"


@pytest.fixture
def finished(tmp_path: Path) -> BuiltRun:
    """A run of one iteration that is over, its M_1 better than M_0."""
    return built_run(tmp_path).baseline(0.5).iteration(1, 0.75)


def test_help_names_every_command_and_the_exit_codes(capfd: Capture) -> None:
    outcome = selfimprove(capfd, "--help")
    of_runs = ("run", "plan", "status", "validate", "export", "samples", "prune", "delete", "compare")
    of_samples = ("measure", "verify", "sweep", "matrix", "scaling")
    assert outcome.code == 0
    assert all(f" {command} " in outcome.out for command in of_runs + of_samples)
    assert "130 and 143 interrupted" in " ".join(outcome.out.split())


def test_no_command_at_all_shows_help(capfd: Capture) -> None:
    assert "Usage: selfimprove" in selfimprove(capfd).out


def test_version(capfd: Capture) -> None:
    assert selfimprove(capfd, "--version").out == f"selfimprove {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["plan"], "error: Missing argument 'RUN' (see --help)"),
        (["plan", "x", "--nonsense"], "error: No such option: --nonsense (see --help)"),
        (["export", "x"], "error: Missing option '--output' / '-o' (see --help)"),
        (["samples", "x", "--step", "select"], "error: --step: select has no samples; give one of " + STEPS),
        (["status", ""], f"error: RUN: is empty; {RUN}"),
        (["status", "run.yaml", "--storage", ""], "error: --storage: is empty; give a folder or s3://BUCKET/PREFIX"),
        (
            ["status", __file__, "--storage", "ftp://x"],
            "error: --storage: ftp://x has a scheme that is not read here; give s3://, file:// or a path",
        ),
        (["validate"], "error: Missing argument 'FILE' (see --help)"),
        (["status", "nowhere"], f"error: nowhere: no such file or folder; {RUN}"),
    ],
)
def test_wrong_words_are_one_line_on_standard_error_and_exit_2(arguments: list[str], line: str, capfd: Capture) -> None:
    outcome = selfimprove(capfd, *arguments)
    assert (outcome.code, outcome.out, outcome.err) == (2, "", f"{line}\n")


def test_plan_of_a_run_that_has_not_begun_names_the_first_step_and_creates_nothing(
    tmp_path: Path, capfd: Capture
) -> None:
    file = write_yaml(tmp_path, manifest_of())
    plan = as_json(capfd, "plan", file, "--storage", tmp_path / "runs")
    assert (plan["begun"], plan["next"]["step"]) == (False, "i000-evaluate")
    assert plan["resolved"]["spec.verification.methods[0].type"] == "GroundTruth"
    assert plan["left"]["atMostUnknown"] is None
    assert not (tmp_path / "runs").exists()


def test_plan_counts_what_is_left_from_the_prompts_and_from_what_samples_cost_so_far(
    tmp_path: Path, capfd: Capture
) -> None:
    run = built_run(tmp_path).baseline()
    plan = as_json(capfd, "plan", run.folder)
    assert plan["next"]["step"] == "i001-generate"
    assert (plan["left"]["samples"], plan["left"]["tokens"]) == (4, 40)  # evaluate once more, at the cost it had
    assert plan["left"]["atMostUnknown"] == {"samples": 4, "tokens": 4 * 32}  # generate: 2 prompts x 2 samples
    assert plan["spent"]["tokens"] == 40


def test_plan_reads_the_bound_of_every_kind_of_step_that_never_ran(tmp_path: Path, capfd: Capture) -> None:
    run = built_run(tmp_path, resampling={"strategy": "BruteForce", "maxRounds": 3, "target": 1}).prompts()
    left = as_json(capfd, "plan", run.folder)["left"]
    evaluated, generated, guided = 2 * (2 * 2), 2 * 2, 2 * 3
    assert left["atMostUnknown"]["samples"] == evaluated + generated + guided


def test_plan_gives_no_bound_of_samples_for_steps_that_draw_none(tmp_path: Path, capfd: Capture) -> None:
    run = built_run(tmp_path).baseline().generate(1).verify(1).select(1)
    text = selfimprove(capfd, "plan", run.folder).out
    assert "(distill): no samples; what they cost is not known before one has run" in text


def test_plan_of_a_finished_run_says_which_rule_ended_it(finished: BuiltRun, capfd: Capture) -> None:
    outcome = selfimprove(capfd, "plan", finished.folder)
    assert "Next  nothing: the run is over" in outcome.out
    assert "Why   MaxIterations: 1 iteration is done" in outcome.out


def test_plan_shows_what_more_iterations_would_bring_without_changing_the_run(
    finished: BuiltRun, capfd: Capture
) -> None:
    plan = as_json(capfd, "plan", finished.file, "--storage", finished.storage, "--set", "maxIterations=2")
    assert plan["next"]["step"] == "i002-generate"
    assert as_json(capfd, "plan", finished.folder)["next"] is None


def test_status_as_json_is_the_object_of_a_cluster(finished: BuiltRun, capfd: Capture) -> None:
    status = as_json(capfd, "status", finished.folder)
    assert (status["state"], status["progress"], status["stop"]["rule"]) == ("Succeeded", "1/1", "MaxIterations")
    assert status["best"]["iteration"] == 1
    assert Path(status["best"]["modelURI"], "model.safetensors").read_bytes() == b"weights of M_1"


def test_a_run_is_found_by_its_file_its_folder_and_its_uri(finished: BuiltRun, capfd: Capture) -> None:
    by_file = as_json(capfd, "status", finished.file, "--storage", finished.storage)["runURI"]
    by_folder = as_json(capfd, "status", finished.folder)["runURI"]
    by_uri = as_json(capfd, "status", f"file://{finished.folder}")["runURI"]
    assert by_file == by_folder == by_uri == str(finished.folder)


def test_status_shows_measures_with_intervals_the_best_model_and_why_it_stopped(
    finished: BuiltRun, capfd: Capture
) -> None:
    text = selfimprove(capfd, "status", finished.folder).out
    assert "M_1 best  75.0 [70.0, 80.0]  65.0 [60.0, 70.0]  +25.0 [+15.0, +35.0]" in text
    assert "Stopped   MaxIterations: 1 iteration is done" in text
    assert f"Model     {finished.folder}/i001/distill/00000/attempt-a1/model\n" in text


def test_the_conditions_of_a_run_carry_the_time_of_its_last_commit(finished: BuiltRun, capfd: Capture) -> None:
    place = finished.folder / "i001/measure/00000/manifest.json"
    place.write_text(json.dumps({**json.loads(place.read_text()), "createdAt": "2099-01-03T10:00:00+00:00"}))
    conditions = as_json(capfd, "status", finished.folder)["conditions"]
    assert {condition["lastTransitionTime"] for condition in conditions} == {"2099-01-03T10:00:00Z"}


def test_the_conditions_of_a_run_that_committed_nothing_carry_the_time_it_began(tmp_path: Path, capfd: Capture) -> None:
    run = built_run(tmp_path)
    record = run.folder / "run.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "createdAt": "2026-01-01T10:00:00+00:00"}))
    conditions = as_json(capfd, "status", run.folder)["conditions"]
    assert {condition["lastTransitionTime"] for condition in conditions} == {"2026-01-01T10:00:00Z"}


def test_status_through_a_pipe_has_no_colours_and_cuts_no_number(finished: BuiltRun, capfd: Capture) -> None:
    text = selfimprove(capfd, "status", finished.folder).out
    assert "\x1b" not in text
    assert "…" not in text
    assert max(map(len, text.split("Stopped")[0].splitlines())) <= 120


def test_status_says_while_a_process_is_at_work(tmp_path: Path, capfd: Capture) -> None:
    run = built_run(tmp_path).baseline()
    assert "demo: not running, iteration 1 of at most 1" in selfimprove(capfd, "status", run.folder).out
    assert as_json(capfd, "status", run.folder)["state"] == "Pending"
    with run_lock(run.handle.store):
        assert "demo: running, iteration 1 of at most 1" in selfimprove(capfd, "status", run.folder).out
        document = as_json(capfd, "status", run.folder)
        assert (document["state"], document["step"]["state"]) == ("Running", "Running")


def test_a_lock_that_holds_nonsense_says_nothing_of_who_is_at_work(finished: BuiltRun, capfd: Capture) -> None:
    (finished.folder / ".lock").write_bytes(b"\xff\xfe")
    assert selfimprove(capfd, "status", finished.folder).code == 0
    assert selfimprove(capfd, "prune", finished.folder).code == 0


def test_status_of_a_run_that_has_not_begun_says_how_to_begin_it(tmp_path: Path, capfd: Capture) -> None:
    file = write_yaml(tmp_path, manifest_of())
    outcome = selfimprove(capfd, "status", file, "--storage", tmp_path / "runs")
    where, begin = tmp_path / "runs" / "demo", f"selfimprove run {file} --storage {tmp_path / 'runs'}"
    assert outcome.code == 2
    assert outcome.err == f"error: {file}: {where} has not begun; begin it with `{begin}`\n"


def test_a_storage_folder_is_not_a_run_but_names_the_runs_in_it(finished: BuiltRun, capfd: Capture) -> None:
    outcome = selfimprove(capfd, "status", finished.storage)
    assert outcome.code == 2
    assert outcome.err.endswith("it holds the runs demo: give the folder of one\n")


@pytest.mark.parametrize("command", ["status", "samples", "delete"])
def test_a_file_that_is_whole_by_its_set_alone_is_refused_with_another_way_to_name_its_run(
    command: str, tmp_path: Path, capfd: Capture
) -> None:
    document = manifest_of()
    del document["spec"]["model"]
    file = write_yaml(tmp_path, document)
    outcome = selfimprove(capfd, command, file)
    assert outcome.code == 2
    lacking, remedy = outcome.err.splitlines()
    assert lacking.startswith("error: spec.model: ")
    assert remedy.endswith(f"{file}: where --set gave what it lacks, name the run by its folder or URI instead")


def test_a_folder_that_is_no_run_is_said_to_be_none_however_deep_and_closed_what_is_in_it(
    tmp_path: Path, capfd: Capture
) -> None:
    deep = os.open(tmp_path, os.O_RDONLY)
    try:
        for _ in range(20):
            os.mkdir("x" * 250, dir_fd=deep)
            deeper = os.open("x" * 250, os.O_RDONLY, dir_fd=deep)
            os.close(deep)
            deep = deeper
    finally:
        os.close(deep)
    (tmp_path / "closed").mkdir(mode=0)
    outcome = selfimprove(capfd, "status", tmp_path)
    assert outcome.code == 2
    missing = "no run was begun here, run.json is missing; give the FILE, the folder or the URI of a run"
    assert outcome.err == f"error: {tmp_path}: {missing}\n"


def test_a_corrupt_run_record_is_one_line_and_exit_4(finished: BuiltRun, capfd: Capture) -> None:
    (finished.folder / "run.json").write_text('{"name": "demo"')
    outcome = selfimprove(capfd, "status", finished.folder)
    assert outcome.code == 4
    assert outcome.err.startswith(f"error: {finished.folder}/run.json: is no record of a run")
    assert outcome.err.count("\n") == 1


def test_a_corrupt_manifest_is_one_line_and_exit_4(finished: BuiltRun, capfd: Capture) -> None:
    (finished.folder / "i001/select/00000/manifest.json").write_text("{}")
    outcome = selfimprove(capfd, "plan", finished.folder)
    assert outcome.code == 4
    assert outcome.err.count("\n") == 1


def test_debug_shows_where_an_error_comes_from(tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFIMPROVE_DEBUG", "1")
    outcome = selfimprove(capfd, "status", tmp_path)
    assert (outcome.code, "Traceback" in outcome.err) == (2, True)


def test_validate_gives_every_problem_of_every_file_and_exit_2(tmp_path: Path, capfd: Capture) -> None:
    good = write_yaml(tmp_path, manifest_of(), "good.yaml")
    bad = write_yaml(tmp_path, manifest_of(generation={"temperature": -1, "topP": 2}), "bad.yaml")
    outcome = selfimprove(capfd, "validate", good, bad)
    assert outcome.code == 2
    assert outcome.out.splitlines()[0] == f"{good}: valid"
    assert [line.split(": ")[:2] for line in outcome.out.splitlines()[1:]] == [
        [str(bad), "spec.generation.temperature"],
        [str(bad), "spec.generation.topP"],
    ]


def test_validate_names_a_file_that_is_not_there_once(tmp_path: Path, capfd: Capture) -> None:
    good, missing = write_yaml(tmp_path, manifest_of(), "good.yaml"), tmp_path / "none.yaml"
    lines = selfimprove(capfd, "validate", good, missing).out.splitlines()
    assert lines[1] == f"{missing}: no such file; give the YAML of a SelfImprovementRun"


def test_validate_of_one_file_gives_lines_that_begin_with_the_field(tmp_path: Path, capfd: Capture) -> None:
    bad = write_yaml(tmp_path, manifest_of(generation={"temperature": -1}))
    outcome = selfimprove(capfd, "validate", bad)
    assert (outcome.code, outcome.out) == (
        2,
        "spec.generation.temperature: -1 is below 0; give a number from 0 to 2\n",
    )


def test_validate_as_json_lists_problems_by_file(tmp_path: Path, capfd: Capture) -> None:
    missing = tmp_path / "none.yaml"
    outcome = selfimprove(capfd, "validate", missing, "--json")
    document = json.loads(outcome.out)
    assert (outcome.code, document["valid"], document["files"][0]["file"]) == (2, False, str(missing))
    assert "no such file" in document["files"][0]["problems"][0]


def test_a_single_held_out_prompt_is_warned_of_and_refused_by_nobody(tmp_path: Path, capfd: Capture) -> None:
    file = write_yaml(tmp_path, manifest_of(dataset={"uri": "gym://chain_sum?size=8", "task": "Gym"}))
    line = "spec.dataset.heldOut.fraction: 0.1 leaves one held-out prompt, of which no figure can have an interval"
    validated = selfimprove(capfd, "validate", file)
    assert (validated.code, validated.out) == (0, f"{file}: valid\n")
    planned = selfimprove(capfd, "plan", file, "--storage", tmp_path / "runs")
    for outcome in (validated, planned):
        assert outcome.err.startswith(f"warning: {line}")
        assert outcome.err.count("\n") == 1
    (found,) = as_json(capfd, "validate", file)["files"]
    assert found["problems"] == []
    assert found["warnings"][0].startswith(line)
    assert as_json(capfd, "plan", file, "--storage", tmp_path / "runs")["warnings"] == found["warnings"]


def test_samples_read_as_prompt_text_verdict_weight_and_why(finished: BuiltRun, capfd: Capture) -> None:
    text = selfimprove(capfd, "samples", finished.folder).out
    assert "== p1  level 2  gold 0\n   user: What is p1?\n" in text
    assert "-- #0, Correct (0), strict NoAnswer, kept with weight 0.5\n   p1 says 0\n" in text
    assert "-- #1, Wrong (1), strict NoAnswer, not kept: not accepted\n   p2 says 1\n" in text


def test_samples_as_json_carry_scores_and_decisions(finished: BuiltRun, capfd: Capture) -> None:
    document = as_json(capfd, "samples", finished.folder, "--prompt", "p2")
    (prompt,) = document["prompts"]
    assert (document["iteration"], document["step"], prompt["prompt"]) == (1, "generate", "p2")
    assert [each["scores"] for each in prompt["samples"]] == [{"GroundTruth": 0.0}] * 2
    assert [each["kept"] for each in prompt["samples"]] == [False, False]


@pytest.mark.parametrize("step", ["generate", "evaluate"])
def test_samples_of_the_tail_are_those_of_prompts_below_the_target(
    step: str, finished: BuiltRun, capfd: Capture
) -> None:
    prompts = as_json(capfd, "samples", finished.folder, "--tail", "--step", step)["prompts"]
    assert [prompt["prompt"] for prompt in prompts] == ["p2"]


def test_samples_of_held_out_prompts_have_verdicts_and_no_decision(finished: BuiltRun, capfd: Capture) -> None:
    document = as_json(capfd, "samples", finished.folder, "--step", "evaluate", "--iteration", "0", "--limit", "1")
    (first,) = document["prompts"]
    assert (first["prompt"], first["samples"][0]["verdict"]) == ("p1", "Correct")
    assert "kept" not in first["samples"][0]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--iteration", "7"], "--iteration: 7 has no samples of generate; there are those of iteration 1"),
        (
            ["--iteration", "0"],
            "--iteration: 0 has no samples of generate; there are those of iteration 1; "
            "iteration 0 only has --step evaluate",
        ),
        (["--prompt", "p9"], "--prompt: p9 has no samples here; run without --prompt to see ids"),
    ],
)
def test_samples_that_are_not_there_are_one_line(
    options: list[str], line: str, finished: BuiltRun, capfd: Capture
) -> None:
    outcome = selfimprove(capfd, "samples", finished.folder, *options)
    assert (outcome.code, outcome.err) == (2, f"error: {line}\n")


def test_a_damaged_part_is_found_when_its_samples_are_read(finished: BuiltRun, capfd: Capture) -> None:
    part = finished.folder / "i001/generate/00000/attempt-a1/part-00000.parquet"
    part.write_bytes(part.read_bytes()[:-1] + b"?")
    outcome = selfimprove(capfd, "samples", finished.folder)
    assert outcome.code == 4
    assert "is damaged" in outcome.err


def test_a_library_that_a_bare_installation_lacks_is_named_with_the_extra_that_brings_it(
    finished: BuiltRun, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "selfimprove.cli.reading", raising=False)
    outcome = selfimprove(capfd, "samples", finished.folder)
    assert (outcome.code, outcome.err) == (
        2,
        "error: pyarrow: not installed here; pip install 'selfimprove[data]'\n",
    )


def test_test_set_figures_are_told_apart_from_those_that_chose_the_model(tmp_path: Path, capfd: Capture) -> None:
    run = built_run(tmp_path).baseline().iteration(1, 0.75)
    run.step(1, "measure", split="test", measures=measures(1, 0.6))
    text = selfimprove(capfd, "status", run.folder).out
    held_out, test = (next(s for s in text.splitlines() if s.startswith(word)) for word in ("Held out", "Test set"))
    assert "accuracy 75.0" in held_out
    assert "accuracy 60.0" in test


@pytest.mark.parametrize(
    ("wrote", "shown"), [("\x1b[2Jgone", r"\x1b[2Jgone"), ("a\tb\nç€", "a\tb\nç€"), ("\u202eabc", r"\u202eabc")]
)
def test_what_a_terminal_would_obey_is_spelled_out(wrote: str, shown: str) -> None:
    assert readable(wrote) == shown
