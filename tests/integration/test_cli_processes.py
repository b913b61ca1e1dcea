"""The command line as a process: what reaches which stream, what is imported, and runs that lie on S3."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from selfimprove.runs import begin, find
from selfimprove.store import open_store
from tests.fixtures.s3 import S3Place
from tests.unit.cli_support import built_run, manifest_of, selfimprove, write_yaml

HEAVY = ("torch", "transformers", "numpy", "pyarrow", "boto3")


def process(*arguments: str | Path, code: str = "") -> subprocess.CompletedProcess[str]:
    """`python -m selfimprove` with these arguments, or `python -c CODE`."""
    words = ["-c", code] if code else ["-m", "selfimprove"]
    return subprocess.run(
        [sys.executable, *words, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def imported_by(arguments: Sequence[str]) -> list[str]:
    """Which heavy libraries a command line imports."""
    code = (
        "import sys; from selfimprove.cli import main; main(sys.argv[1:]); "
        f"print(*[name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    return process(*arguments, code=code).stderr.splitlines()[-1].split()


@pytest.mark.parametrize("command", ["plan", "status", "validate", "--help"])
def test_commands_that_only_look_import_no_heavy_library(command: str, tmp_path: Path) -> None:
    run = built_run(tmp_path).baseline().iteration(1)
    place = {"validate": [str(run.file)], "--help": []}.get(command, [str(run.folder)])
    assert imported_by([command, *place]) == []


def test_help_does_not_even_import_pydantic() -> None:
    code = "import sys; from selfimprove.cli import main; main(['--help']); sys.exit('pydantic' in sys.modules)"
    assert process(code=code).returncode == 0


def test_run_of_a_finished_run_answers_at_once_with_one_json_document(tmp_path: Path) -> None:
    run = built_run(tmp_path).baseline().iteration(1, 0.75)
    done = process("run", run.file, "--storage", run.storage, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["stop"]["rule"] == "MaxIterations"
    assert done.stderr == f"stopped: {json.loads(done.stdout)['message']}\n"


def test_run_of_a_finished_run_prints_the_final_table(tmp_path: Path) -> None:
    run = built_run(tmp_path).baseline().iteration(1, 0.75)
    done = process("run", run.file, "--storage", run.storage)
    assert "M_1 best  75.0 [70.0, 80.0]" in done.stdout
    assert done.stdout == process("status", run.folder).stdout


def test_a_run_that_failed_for_good_ends_with_exit_3(tmp_path: Path) -> None:
    run = built_run(tmp_path).baseline().generate(1).verify(1)
    nothing = {"training": {"prompts": 2, "samples": 4, "emptyFilterRate": 1.0}, "examples": 0}
    run.step(1, "select", selected=nothing)
    done = process("run", run.file, "--storage", run.storage)
    assert done.returncode == 3
    assert "NothingToLearn" in done.stdout


def test_a_suspended_run_is_refused(tmp_path: Path) -> None:
    file = write_yaml(tmp_path, manifest_of(suspend=True))
    done = process("run", file, "--storage", tmp_path / "runs")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: spec.suspend: true holds the run; set it to false to go on\n"


def test_an_unreachable_s3_is_told_at_once_and_is_one_error_line_and_exit_4(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    storage = {"uri": "s3://lab/runs", "endpoint": "http://127.0.0.1:9"}
    done = process("run", write_yaml(tmp_path, manifest_of(storage=storage)))
    assert (done.returncode, done.stdout) == (4, "")
    waiting, error = done.stderr.splitlines()
    assert waiting.endswith("; trying again for up to 20 s")
    assert error.startswith("error: s3://lab/runs/demo")


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    run = built_run(tmp_path).baseline().iteration(1)
    command = f"'{sys.executable}' -m selfimprove samples '{run.folder}' | true; exit ${{PIPESTATUS[0]}}"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(["bash", "-c", command], env=env, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "error" not in done.stderr


@pytest.mark.s3
def test_a_run_on_s3_is_found_read_pruned_and_deleted_by_its_uri(
    s3: S3Place, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = built_run(tmp_path, at=s3.uri).baseline().iteration(1, 0.75)
    uri = f"{s3.uri}/demo"
    assert run.handle.uri == uri
    assert json.loads(selfimprove(capfd, "status", uri, "--json").out)["runURI"] == uri
    assert "M_1 best" in selfimprove(capfd, "status", run.file, "--storage", s3.uri).out
    assert "p1 says 0" in selfimprove(capfd, "samples", uri).out
    assert selfimprove(capfd, "export", uri, "--output", tmp_path / "m").code == 0
    assert (tmp_path / "m" / "model.safetensors").read_bytes() == b"weights of M_1"
    assert "trainer state" in selfimprove(capfd, "prune", uri).out
    assert selfimprove(capfd, "delete", uri, "--yes").code == 0
    assert list(open_store(uri).list()) == []


def test_the_run_of_another_folder_is_never_touched_by_delete(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    first = built_run(tmp_path).baseline()
    (tmp_path / "other").mkdir()
    second = write_yaml(tmp_path / "other", manifest_of("demo-two"))
    other = begin(second, first.storage)
    selfimprove(capfd, "delete", first.folder, "--yes")
    assert find(other.uri).run.metadata.name == "demo-two"


def shell(command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`python -m selfimprove` and the rest of a line of bash."""
    return subprocess.run(
        ["bash", "-c", f"'{sys.executable}' -m selfimprove {command}"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("buffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("option", ["", "--json"])
def test_a_result_that_finds_no_room_is_one_line_and_exit_4(tmp_path: Path, option: str, buffered: str) -> None:
    file = write_yaml(tmp_path, manifest_of())
    done = shell(f"validate '{file}' {option} > /dev/full", PYTHONUNBUFFERED=buffered)
    line = "error: standard output: No space left on device; write it to another place\n"
    assert (done.returncode, done.stderr) == (4, line)


ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def test_where_letters_are_ascii_alone_json_is_the_same_and_other_letters_are_spelled(tmp_path: Path) -> None:
    file = write_yaml(tmp_path, manifest_of(maxIterations="é"))
    (line,) = json.loads(shell(f"validate '{file}' --json", **ASCII).stdout)["files"][0]["problems"]
    assert line.startswith('spec.maxIterations: "é" is text; ')
    assert shell(f"validate '{file}'", **ASCII).stdout.startswith(r'spec.maxIterations: "\xe9" is text; ')
