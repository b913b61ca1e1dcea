"""What was made from a step that is no longer there is never taken for what was made from the one that is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from selfimprove.artifacts import Manifest, commit, load_ledger, manifest_key, step_folder
from selfimprove.artifacts.damage import damaged
from selfimprove.errors import SurroundingsError
from selfimprove.ledger import StepId
from selfimprove.store import LocalStore

GENERATE, VERIFY, SELECT = (StepId(1, name) for name in ("generate", "verify", "select"))


def make(store: LocalStore, step: StepId, *inputs: StepId, attempt: str = "a") -> None:
    """Commit a step that was made from what is there of others."""
    made_from = {step_folder(each): _sha256(store, each) for each in inputs}
    said = {"step": step.step, "iteration": step.iteration}
    manifest = Manifest(
        step=step.step, iteration=step.iteration, digest="d", inputs=made_from, summary=said, attempt=attempt
    )
    commit(store, step_folder(step), manifest)


def _sha256(store: LocalStore, step: StepId) -> str:
    return commit(store, step_folder(step), Manifest(step="", iteration=0, digest="", attempt="none"))[1]


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    """A run with three steps, each made from those before."""
    store = LocalStore(tmp_path / "run")
    make(store, GENERATE)
    make(store, VERIFY, GENERATE)
    make(store, SELECT, VERIFY)
    return store


def remove(store: LocalStore, step: StepId) -> None:
    store.delete([manifest_key(step_folder(step))])


def test_what_was_made_from_what_is_there_is_the_ledger(store: LocalStore) -> None:
    assert set(load_ledger(store).committed) == {GENERATE, VERIFY, SELECT}


@pytest.mark.parametrize("again", [False, True])
def test_a_step_that_is_gone_or_done_again_takes_all_that_was_made_from_it_along(
    store: LocalStore, again: bool
) -> None:
    remove(store, GENERATE)
    if again:
        make(store, GENERATE, attempt="b")
    with pytest.raises(SurroundingsError) as caught:
        load_ledger(store)
    said = str(caught.value)
    assert said.startswith(f"{store.uri}/i001/verify/00000/manifest.json: was made from another i001/generate/00000")
    named = re.findall(r"i001/[a-z]+/00000/manifest.json", said.partition(": ")[2])
    assert named == ["i001/select/00000/manifest.json", "i001/verify/00000/manifest.json"]


def test_of_a_damaged_step_all_that_was_made_from_it_is_named_at_once(store: LocalStore) -> None:
    said = str(damaged(store, f"{step_folder(GENERATE)}/attempt-a/part-00000.parquet", "5 bytes", "4"))
    first, *others = (f"i001/{name}/00000/manifest.json" for name in ("generate", "select", "verify"))
    assert said.endswith(
        "the manifest says 5 bytes, found 4; restore it, or delete what was made then and from it, so that it is done "
        f"again: {first}, {', '.join(others)} in {store.uri}"
    )
    store.delete([first, *others])
    assert load_ledger(store).committed == {}


def test_of_a_damaged_step_that_nothing_was_made_from_its_own_manifest_is_named(store: LocalStore) -> None:
    said = str(damaged(store, f"{step_folder(SELECT)}/attempt-a/part-00000.parquet", "5 bytes", "4"))
    assert said.endswith(f"delete {store.uri}/i001/select/00000/manifest.json so that the step is done again")


def test_once_those_are_deleted_too_the_run_goes_on_from_there(store: LocalStore) -> None:
    for step in (GENERATE, VERIFY, SELECT):
        remove(store, step)
    make(store, GENERATE, attempt="b")
    assert set(load_ledger(store).committed) == {GENERATE}
