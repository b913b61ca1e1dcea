"""A model as a folder that others serve: whole or not at all, checked, and with a card that does not flatter."""

from __future__ import annotations

from pathlib import Path
from shutil import rmtree

import pytest
import yaml

from tests.unit.cli_support import BuiltRun, built_run, measures, selfimprove

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def finished(tmp_path: Path) -> BuiltRun:
    """Two iterations, the first one the best."""
    return built_run(tmp_path, maxIterations=2).baseline(0.5).iteration(1, 0.75).iteration(2, 0.6)


def test_the_best_model_is_exported_with_its_card(finished: BuiltRun, tmp_path: Path, capfd: Capture) -> None:
    target = tmp_path / "out" / "model"
    outcome = selfimprove(capfd, "export", finished.folder, "--output", target)
    assert (outcome.code, outcome.out) == (0, f"{target}\n")
    assert sorted(path.name for path in target.iterdir()) == ["README.md", "config.json", "model.safetensors"]
    assert (target / "model.safetensors").read_bytes() == b"weights of M_1"


def test_any_iteration_can_be_exported(finished: BuiltRun, tmp_path: Path, capfd: Capture) -> None:
    selfimprove(capfd, "export", finished.folder, "--iteration", "2", "--output", tmp_path / "m2")
    assert (tmp_path / "m2" / "model.safetensors").read_bytes() == b"weights of M_2"
    assert "not the best model of its run, which is M_1" in (tmp_path / "m2" / "README.md").read_text()


def test_the_card_says_origin_settings_and_what_was_measured(
    finished: BuiltRun, tmp_path: Path, capfd: Capture
) -> None:
    selfimprove(capfd, "export", finished.folder, "--output", tmp_path / "m")
    card = (tmp_path / "m" / "README.md").read_text()
    front = yaml.safe_load(card.split("---")[1])
    assert (front["base_model"], front["library_name"]) == ("lab/base", "transformers")
    assert f"run: `{finished.folder}`, the best model of its run" in card
    assert "| accuracy, flexible grading | 75.0 [70.0, 80.0] | 50.0 [45.0, 55.0] |" in card
    assert "| accuracy, strict grading | 65.0 [60.0, 70.0] | 40.0 [35.0, 45.0] |" in card
    assert "| gain on M_0 paired by prompt, flexible | +25.0 [+15.0, +35.0] | - |" in card
    assert "also chose the best model" in card
    assert "dataset.test" not in card.split("## Settings")[0]
    settings = yaml.safe_load(card.split("```yaml")[1].split("```")[0])["spec"]
    assert settings["generation"]["maxTokens"] == 32
    assert "storage" not in settings


def test_the_card_tells_test_figures_from_those_that_chose_the_model(
    finished: BuiltRun, tmp_path: Path, capfd: Capture
) -> None:
    finished.step(1, "measure", split="test", measures=measures(1, 0.62))
    selfimprove(capfd, "export", finished.folder, "--output", tmp_path / "m")
    card = (tmp_path / "m" / "README.md").read_text()
    chosen, test = card.index("also chose the best model"), card.index("Measured on dataset.test, used once")
    assert chosen < card.index("75.0 [70.0, 80.0]") < test < card.index("62.0 [57.0, 67.0]")


def test_an_output_that_holds_something_is_refused(finished: BuiltRun, tmp_path: Path, capfd: Capture) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    outcome = selfimprove(capfd, "export", finished.folder, "--output", tmp_path / "full")
    assert outcome.code == 2
    assert outcome.err.startswith(f"error: --output: {tmp_path / 'full'} exists and is not an empty folder")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_a_fine_output(finished: BuiltRun, tmp_path: Path, capfd: Capture) -> None:
    (tmp_path / "empty").mkdir()
    assert selfimprove(capfd, "export", finished.folder, "--output", tmp_path / "empty").code == 0
    assert (tmp_path / "empty" / "config.json").exists()


@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_a_fine_output_and_stays_one(there: bool, finished: BuiltRun, tmp_path: Path, capfd: Capture) -> None:
    target, link = tmp_path / "disk" / "empty", tmp_path / "link"
    target.mkdir(parents=True)
    link.symlink_to(target)
    if not there:
        target.rmdir()
    outcome = selfimprove(capfd, "export", finished.folder, "--output", link)
    assert (outcome.code, outcome.out) == (0, f"{link}\n")
    assert link.is_symlink() and (target / "config.json").exists()
    assert [path.name for path in target.parent.iterdir()] == ["empty"]


def test_a_link_to_what_holds_something_is_refused(finished: BuiltRun, tmp_path: Path, capfd: Capture) -> None:
    (tmp_path / "link").symlink_to(finished.folder)
    outcome = selfimprove(capfd, "export", finished.folder, "--output", tmp_path / "link")
    assert outcome.code == 2 and "exists and is not an empty folder" in outcome.err


@pytest.mark.parametrize("damage", [b"weights of M_9", b"", None])
def test_a_checkpoint_that_is_not_what_its_manifest_says_is_never_exported(
    damage: bytes | None, finished: BuiltRun, tmp_path: Path, capfd: Capture
) -> None:
    weights = finished.folder / "i001/distill/00000/attempt-a1/model/model.safetensors"
    weights.unlink() if damage is None else weights.write_bytes(damage)
    outcome = selfimprove(capfd, "export", finished.folder, "--output", tmp_path / "m")
    assert outcome.code == 4
    assert "is damaged" in outcome.err
    assert not (tmp_path / "m").exists()
    assert [path.name for path in tmp_path.glob(".m-*")] == []


def test_a_model_that_was_never_made_is_named_with_those_that_were(
    finished: BuiltRun, tmp_path: Path, capfd: Capture
) -> None:
    outcome = selfimprove(capfd, "export", finished.folder, "--iteration", "9", "--output", tmp_path / "m")
    assert outcome.code == 2
    assert outcome.err.endswith("there is M_0, M_1, M_2\n")


def test_a_pruned_model_says_that_it_was_pruned(tmp_path: Path, capfd: Capture) -> None:
    run = built_run(tmp_path, maxIterations=3).baseline().iteration(1, 0.9).iteration(2, 0.6).iteration(3, 0.7)
    selfimprove(capfd, "prune", run.folder)
    outcome = selfimprove(capfd, "export", run.folder, "--iteration", "2", "--output", tmp_path / "m")
    assert outcome.code == 2
    assert "M_2 was pruned" in outcome.err


@pytest.mark.parametrize("which", [[], ["--iteration", "3"]], ids=["best", "last"])
def test_a_model_that_is_never_pruned_and_gone_is_told_of_as_missing(
    which: list[str], tmp_path: Path, capfd: Capture
) -> None:
    run = built_run(tmp_path, maxIterations=3).baseline().iteration(1, 0.9).iteration(2, 0.6).iteration(3, 0.7)
    n = 3 if which else 1
    rmtree(run.folder / f"i00{n}/distill/00000/attempt-a1/model")
    outcome = selfimprove(capfd, "export", run.folder, *which, "--output", tmp_path / "m")
    assert outcome.code == 4
    assert f"i00{n}/distill/00000: the files of M_{n} are missing" in outcome.err and "was pruned" not in outcome.err


def test_the_base_model_is_the_result_when_nothing_beat_it(tmp_path: Path, capfd: Capture) -> None:
    base = tmp_path / "base"
    run = built_run(tmp_path, model={"uri": str(base)}).baseline(0.8).iteration(1, 0.5)
    text = selfimprove(capfd, "status", run.folder).out
    assert "Best      M_0, the base model: nothing beat it\n" in text
    assert f"Model     {base}\n" in text


def test_before_another_model_is_measured_nothing_was_beaten(tmp_path: Path, capfd: Capture) -> None:
    run = built_run(tmp_path).baseline(0.8)
    assert "Best      M_0, the base model: no other is measured yet\n" in selfimprove(capfd, "status", run.folder).out


def test_a_base_model_is_exported_only_where_the_workers_libraries_are_installed(
    tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = built_run(tmp_path).baseline()
    monkeypatch.setattr("selfimprove.worker_process.NEEDED", ("a_library_nobody_has",))
    outcome = selfimprove(capfd, "export", run.folder, "--output", tmp_path / "m")
    said = "a_library_nobody_has: not installed here; pip install 'selfimprove[workers]'"
    assert (outcome.code, outcome.err) == (2, f"error: {said}\n")
    assert not (tmp_path / "m").exists()
