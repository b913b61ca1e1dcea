"""Commands about a run of a cluster: `sir/NAME`, read by kubectl, its artifacts found by what its status says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from selfimprove.crd.definition import definition
from selfimprove.kubectl import RESOURCE
from tests.unit.cli_support import BuiltRun, as_json, built_run, selfimprove
from tests.unit.cluster_support import FakeKubectl, refused_resource, resource_of

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeKubectl:
    return FakeKubectl(tmp_path / "bin", monkeypatch)


@pytest.fixture
def finished(tmp_path: Path, kubectl: FakeKubectl) -> BuiltRun:
    """A run of one iteration that is over, its M_1 better than M_0, as the cluster has it."""
    run = built_run(tmp_path).baseline(0.5).iteration(1, 0.75)
    (run.folder / "run.json").unlink()  # who looks by the resource needs none
    kubectl.answers(resource_of(run))
    return run


def half_done(tmp_path: Path, **spec: Any) -> BuiltRun:
    """A run of three iterations in the middle of its second."""
    run = built_run(tmp_path, maxIterations=3, **spec).baseline(0.5).iteration(1, 0.75)
    return run.generate(2).verify(2)


def test_kubectl_is_asked_for_the_resource_by_its_full_name(
    finished: BuiltRun, kubectl: FakeKubectl, capfd: Capture
) -> None:
    where = ["-n", "research", "--context", "lab", "--kubeconfig", "my file"]
    assert selfimprove(capfd, "status", "sir/demo", *where).code == 0
    assert kubectl.asked[1:] == [
        "get",
        definition()["metadata"]["name"],
        "demo",
        "--output=json",
        "--namespace=research",
        "--context=lab",
        "--kubeconfig=my file",
    ]
    assert definition()["metadata"]["name"] == RESOURCE


def test_status_as_json_is_the_status_as_it_stands_in_the_cluster(
    finished: BuiltRun, kubectl: FakeKubectl, capfd: Capture
) -> None:
    assert as_json(capfd, "status", "sir/demo") == resource_of(finished)["status"]


def test_status_shows_the_tables_of_a_run_on_one_machine(finished: BuiltRun, capfd: Capture) -> None:
    text = selfimprove(capfd, "status", "sir/demo").out
    assert text.startswith("demo: succeeded after iteration 1\n")
    assert "1          +10.0 [+5.0, +15.0]" in text
    assert "M_1 best  75.0 [70.0, 80.0]  +25.0 [+15.0, +35.0]" in text
    assert "Stopped   MaxIterations: 1 iteration is done" in text
    assert "Held out  accuracy 75.0 [70.0, 80.0] %; paired by prompt against M_0 +25.0 [+15.0, +35.0] points" in text


def test_status_and_plan_need_no_storage(tmp_path: Path, kubectl: FakeKubectl, capfd: Capture) -> None:
    kubectl.answers(resource_of(half_done(tmp_path), uri="s3://no-such-bucket/runs/demo"))
    assert selfimprove(capfd, "status", "sir/demo").code == 0
    assert selfimprove(capfd, "plan", "sir/demo").code == 0


def test_details_come_from_the_storage_of_the_run(finished: BuiltRun, capfd: Capture) -> None:
    assert "realised gain" not in selfimprove(capfd, "status", "sir/demo").out
    assert "realised gain" in selfimprove(capfd, "status", "sir/demo", "--details").out
    assert "details" not in as_json(capfd, "status", "sir/demo")
    found = as_json(capfd, "status", "sir/demo", "--details")["details"]
    assert [each["iteration"] for each in found] == [0, 1]
    assert found[1]["heldOut"]["update"]["realisedGain"]["value"] == 0.25


def test_details_have_the_strict_accuracy_and_the_gain_of_every_model(
    tmp_path: Path, kubectl: FakeKubectl, capfd: Capture
) -> None:
    run = built_run(tmp_path, maxIterations=2).baseline(0.5).iteration(1, 0.75).iteration(2, 0.6)
    kubectl.answers(resource_of(run))
    text = selfimprove(capfd, "status", "sir/demo", "--details").out
    here = selfimprove(capfd, "status", str(run.folder), "--details").out
    models = [line for line in here.splitlines() if line.startswith("M_") and "strict" not in line]
    assert "M_2       60.0 [55.0, 65.0]  50.0 [45.0, 55.0]   +10.0 [+0.0, +20.0]" in text
    assert [line for line in text.splitlines() if line.startswith("M_")] == models
    assert "More" not in text


def test_status_without_storage_has_of_a_gain_what_the_resource_has_and_says_where_the_rest_is(
    tmp_path: Path, kubectl: FakeKubectl, capfd: Capture
) -> None:
    run = built_run(tmp_path, maxIterations=2).baseline(0.5).iteration(1, 0.75).iteration(2, 0.6)
    kubectl.answers(resource_of(run))
    text = " ".join(selfimprove(capfd, "status", "sir/demo").out.split())
    assert "M_1 best 75.0 [70.0, 80.0] +25.0 [+15.0, +35.0]" in text
    assert "M_2 60.0 [55.0, 65.0] +10.0 [-20.0, +60.0] at 99.5%" in text
    assert "More strict accuracy, and each model's gain on M_0" in text
    assert "selfimprove status sir/demo -n research --details" in text


def test_status_says_what_is_running_and_what_the_plan_is(tmp_path: Path, kubectl: FakeKubectl, capfd: Capture) -> None:
    resource = resource_of(half_done(tmp_path), running=True)
    resource["status"]["step"] |= {"job": "demo-1a2b3c4d-i002-select-2", "attempt": 2}
    kubectl.answers(resource)
    text = selfimprove(capfd, "status", "sir/demo").out
    assert text.startswith("demo: running, iteration 2 of at most 3\n")
    assert "Now       i002-select is running, attempt 2; Job demo-1a2b3c4d-i002-select-2\n" in text
    assert "Next      i002-select: all samples are scored" in text


def test_status_says_since_when_a_step_waits(tmp_path: Path, kubectl: FakeKubectl, capfd: Capture) -> None:
    resource = resource_of(half_done(tmp_path))
    resource["status"]["step"] |= {"waitingSince": "2026-11-25T00:00:00Z"}
    resource["status"]["message"] = "i002-select waits for a pod, none has run since 2026-11-25T00:00:00Z: reasons"
    kubectl.answers(resource)
    text = selfimprove(capfd, "status", "sir/demo").out
    assert text.startswith("demo: pending, iteration 2 of at most 3\n")
    assert "Now       i002-select waits for a pod, none has run since 2026-11-25T00:00:00Z" in text


def test_status_says_what_is_wrong_in_the_cluster(tmp_path: Path, kubectl: FakeKubectl, capfd: Capture) -> None:
    resource = resource_of(half_done(tmp_path), running=True)
    for condition in resource["status"]["conditions"]:
        if condition["type"] == "Degraded":
            condition |= {"status": "True", "message": "the Secret s3 is missing; create it"}
    kubectl.answers(resource)
    assert "Warning   the Secret s3 is missing; create it\n" in selfimprove(capfd, "status", "sir/demo").out


def test_conditions_that_others_added_are_left_alone(finished: BuiltRun, kubectl: FakeKubectl, capfd: Capture) -> None:
    resource = resource_of(finished)
    resource["status"]["conditions"].append({"type": "lab.example/Audited", "status": "True"})
    kubectl.answers(resource)
    assert selfimprove(capfd, "status", "sir/demo").code == 0
    assert as_json(capfd, "status", "sir/demo")["conditions"][-1]["type"] == "lab.example/Audited"


def test_plan_is_the_operators_next_step_with_the_installations_defaults(
    tmp_path: Path, kubectl: FakeKubectl, capfd: Capture
) -> None:
    run = half_done(tmp_path)
    kubectl.answers(resource_of(run))
    plan = as_json(capfd, "plan", "sir/demo")
    assert (plan["next"]["step"], plan["runURI"]) == ("i002-select", run.folder.as_uri())
    assert plan["resolved"]["spec.storage.uri"] == "s3://lab/runs"
    assert plan["resolved"]["spec.verification.methods[0].type"] == "GroundTruth"


def test_plan_counts_by_whole_iterations_as_far_as_the_status_tells(
    tmp_path: Path, kubectl: FakeKubectl, capfd: Capture
) -> None:
    kubectl.answers(resource_of(half_done(tmp_path)))
    left = as_json(capfd, "plan", "sir/demo")["left"]
    whole, spent = 40 + 100 + 40, 40  # generate, distill and evaluate of iteration 1; generate of iteration 2
    assert (left["iterations"], left["tokens"]) == (2, 2 * whole - spent)
    assert left["unknown"] == ["generate"]  # nothing was graded here
    assert "of (generate): counted by selfimprove plan file:///" in selfimprove(capfd, "plan", "sir/demo").out


def test_plan_counts_samples_where_the_status_knows_them(tmp_path: Path, kubectl: FakeKubectl, capfd: Capture) -> None:
    resource = resource_of(half_done(tmp_path))
    resource["status"]["verdicts"] = {"Correct": 2, "Wrong": 2}
    kubectl.answers(resource)
    left = as_json(capfd, "plan", "sir/demo")["left"]
    generate, evaluate = 4, 200 * 2  # measured on 200 held-out prompts
    assert left["samples"] == generate + 2 * evaluate
    assert left["unknown"] == []


def test_plan_of_a_finished_run_has_the_words_that_its_status_has(
    finished: BuiltRun, kubectl: FakeKubectl, capfd: Capture
) -> None:
    resource = resource_of(finished)
    resource["status"]["stop"]["message"] = "in other words"
    kubectl.answers(resource)
    assert "Why   MaxIterations: in other words\n" in selfimprove(capfd, "plan", "sir/demo").out


def test_export_and_samples_find_the_artifacts_where_the_status_says(
    finished: BuiltRun, tmp_path: Path, capfd: Capture
) -> None:
    assert selfimprove(capfd, "export", "sir/demo", "--output", tmp_path / "best").code == 0
    assert (tmp_path / "best" / "model.safetensors").read_bytes() == b"weights of M_1"
    assert "p1 says 0" in selfimprove(capfd, "samples", "sir/demo").out


def test_prune_and_delete_of_a_run_that_is_over(finished: BuiltRun, capfd: Capture) -> None:
    assert "trainer state" in selfimprove(capfd, "prune", "sir/demo").out
    outcome = selfimprove(capfd, "delete", "sir/demo", "--yes")
    assert outcome.code == 0
    assert outcome.err == "its resource stays; remove it with: kubectl delete sir/demo --namespace=research\n"
    assert not finished.folder.exists()


def keys(run: BuiltRun) -> set[str]:
    return {entry.key for entry in run.handle.store.list()}


@pytest.mark.parametrize(
    ("command", "remedy"),
    [
        (["prune"], """hold it first: kubectl patch sir/demo --namespace=research --type=merge '--patch={"spec":"""),
        (["delete", "--yes"], "end it first: kubectl delete sir/demo --namespace=research, then selfimprove delete /"),
    ],
)
def test_nothing_goes_while_the_cluster_is_at_work(
    command: list[str], remedy: str, tmp_path: Path, kubectl: FakeKubectl, capfd: Capture
) -> None:
    run = half_done(tmp_path)
    kubectl.answers(resource_of(run, running=True))
    before = keys(run)
    outcome = selfimprove(capfd, command[0], "sir/demo", *command[1:])
    assert (outcome.code, outcome.err.count("\n")) == (4, 1)
    assert outcome.err.startswith("error: sir/demo: the cluster is at work on it (i002-select is running); ")
    assert remedy in outcome.err
    assert keys(run) == before


def test_a_dry_run_of_prune_is_always_free(tmp_path: Path, kubectl: FakeKubectl, capfd: Capture) -> None:
    kubectl.answers(resource_of(half_done(tmp_path), running=True))
    assert "would free 1 file" in selfimprove(capfd, "prune", "sir/demo", "--dry-run").out


def test_a_suspended_run_may_be_pruned_and_deleted(tmp_path: Path, kubectl: FakeKubectl, capfd: Capture) -> None:
    run = half_done(tmp_path, suspend=True)
    kubectl.answers(resource_of(run))
    assert "trainer state" in selfimprove(capfd, "prune", "sir/demo").out
    assert selfimprove(capfd, "delete", "sir/demo", "--yes").code == 0
    assert not run.folder.exists()


@pytest.mark.parametrize("change", [{"generation": 2}, {"deletionTimestamp": "2026-11-25T00:00:00Z"}])
def test_a_change_that_the_operator_has_not_seen_may_have_set_it_to_work_again(
    change: dict[str, Any], finished: BuiltRun, kubectl: FakeKubectl, capfd: Capture
) -> None:
    kubectl.answers(resource_of(finished, **change))
    outcome = selfimprove(capfd, "delete", "sir/demo", "--yes")
    assert outcome.code == 4
    assert "the operator has not looked at its last change yet" in outcome.err
    assert "Warning   the operator has not looked" in selfimprove(capfd, "status", "sir/demo").out


def test_artifacts_in_a_volume_not_mounted_here_are_told_so(
    finished: BuiltRun, kubectl: FakeKubectl, capfd: Capture
) -> None:
    kubectl.answers(resource_of(finished, uri="file:///no/such/volume/demo"))
    outcome = selfimprove(capfd, "samples", "sir/demo")
    line = (
        "its artifacts lie in a volume of the cluster, at /no/such/volume/demo; mount that volume here at the same path"
    )
    assert (outcome.code, outcome.err) == (4, f"error: sir/demo: {line}\n")


def test_artifacts_that_are_gone_are_not_taken_for_a_run_that_did_nothing(
    finished: BuiltRun, kubectl: FakeKubectl, tmp_path: Path, capfd: Capture
) -> None:
    (tmp_path / "empty").mkdir()
    kubectl.answers(resource_of(finished, uri=(tmp_path / "empty").as_uri()))
    outcome = selfimprove(capfd, "export", "sir/demo", "--output", tmp_path / "best")
    assert outcome.code == 4
    assert f"sir/demo: nothing lies at {tmp_path / 'empty'}: it was deleted, or moved; give its URI; " in outcome.err
    assert not (tmp_path / "best").exists()


@pytest.mark.parametrize("command", [["plan"], ["samples"], ["prune"], ["delete", "--yes"], ["export", "-o", "x"]])
def test_a_run_that_was_not_accepted_has_nothing_but_the_reason(
    command: list[str], tmp_path: Path, kubectl: FakeKubectl, capfd: Capture
) -> None:
    why = "spec.storage.uri: is not given, and the installation has no default; give one"
    kubectl.answers(refused_resource(built_run(tmp_path), why))
    outcome = selfimprove(capfd, command[0], "sir/demo", *command[1:])
    assert (outcome.code, outcome.err) == (2, f"error: sir/demo: has not begun: {why}\n")
    text = selfimprove(capfd, "status", "sir/demo").out
    assert text.startswith("demo: not accepted\n")
    assert f"Warning   not accepted: {why}\n" in text


def test_a_run_without_a_status_waits_for_the_operator(
    finished: BuiltRun, kubectl: FakeKubectl, capfd: Capture
) -> None:
    resource = resource_of(finished)
    del resource["status"]
    kubectl.answers(resource)
    outcome = selfimprove(capfd, "status", "sir/demo")
    assert (outcome.code, outcome.err.count("\n")) == (4, 1)
    assert outcome.err.startswith("error: sir/demo: has no status yet, which the operator writes; wait a moment")


def test_a_resource_of_another_version_is_read_as_far_as_it_is_known(
    finished: BuiltRun, kubectl: FakeKubectl, capfd: Capture
) -> None:
    resource = resource_of(finished)
    resource["spec"]["generation"]["later"] = resource["status"]["later"] = 1
    resource["status"]["defaults"] = {**resource["status"]["defaults"], "later": 1}
    kubectl.answers(resource)
    assert selfimprove(capfd, "status", "sir/demo").code == 0
    resource["status"]["iterations"][0]["tokens"] = "many"
    kubectl.answers(resource)
    outcome = selfimprove(capfd, "status", "sir/demo")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "this version of selfimprove can't read it (iterations.0.tokens: " in outcome.err


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["run", "sir/demo"], "sir/demo: the cluster runs it by itself; see `selfimprove status sir/demo`, or"),
        (["plan", "sir/demo", "--set", "seed=1"], "--set: changes a FILE, and sir/demo is a run of a cluster; give"),
        (["status", "sir/demo", "--storage", "x"], "--storage: sir/demo says itself where it lies; give --endpoint"),
        (["status", "x.yaml", "-n", "y"], "--namespace, --context, --kubeconfig: name a cluster, and x.yaml is not"),
        (["status", "sir/"], "sir/: names no run of a cluster; give sir/NAME [-n NAMESPACE], NAME of"),
        (["status", "sir/--all"], "sir/--all: names no run of a cluster; give sir/NAME"),
        (["status", "sir/lab/demo"], "sir/lab/demo: names no run of a cluster; give sir/NAME"),
    ],
)
def test_wrong_words_about_a_cluster_are_one_line_and_exit_2(
    arguments: list[str], line: str, finished: BuiltRun, capfd: Capture
) -> None:
    outcome = selfimprove(capfd, *arguments)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert outcome.err.startswith(f"error: {line}")


def test_a_folder_of_that_name_is_still_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    run = built_run(tmp_path, at=str(tmp_path / "sir"))
    monkeypatch.chdir(tmp_path)
    assert json.loads(selfimprove(capfd, "status", "./sir/demo", "--json").out)["runURI"] == str(run.folder)
