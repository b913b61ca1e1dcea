"""Checkpoints in and out of storage: whole and checked, or one clear line."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfimprove.artifacts import Manifest, fetch_files, files_in_place, write_files
from selfimprove.errors import SurroundingsError
from selfimprove.store import LocalStore

FOLDER = "i001/distill/00000"
CONTENT = {"config.json": b"{}", "model-00001.safetensors": bytes(range(256)) * 100, "sub/vocab.txt": b"a\nb\n"}


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "run")


@pytest.fixture
def checkpoint(store: LocalStore, tmp_path: Path) -> Manifest:
    source = tmp_path / "trained"
    for name, data in CONTENT.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(data)
    files = write_files(store, FOLDER, "a", source)
    return Manifest(step="distill", iteration=1, digest="d", attempt="a", files=files)


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_file_lies_under_the_attempt_by_its_own_name(checkpoint: Manifest) -> None:
    assert [(file.path, file.key) for file in checkpoint.files] == [
        (name, f"{FOLDER}/attempt-a/model/{name}") for name in sorted(CONTENT)
    ]
    assert [file.size for file in checkpoint.files] == [len(CONTENT[name]) for name in sorted(CONTENT)]


def test_a_fetched_checkpoint_is_a_plain_folder_with_the_same_files(
    store: LocalStore, checkpoint: Manifest, tmp_path: Path
) -> None:
    target = tmp_path / "cache" / "m1"

    assert fetch_files(store, checkpoint, target) == target
    assert content_of(target) == CONTENT
    assert [path.name for path in target.parent.iterdir()] == ["m1"]


def test_fetching_again_keeps_what_is_there(store: LocalStore, checkpoint: Manifest, tmp_path: Path) -> None:
    target = fetch_files(store, checkpoint, tmp_path / "m1")
    (target / "README.md").write_text("a person's own note")
    store.delete(file.key for file in checkpoint.files)

    assert fetch_files(store, checkpoint, target) == target
    assert (target / "README.md").exists()


def test_a_folder_that_holds_something_else_is_left_alone(
    store: LocalStore, checkpoint: Manifest, tmp_path: Path
) -> None:
    target = tmp_path / "mine"
    target.mkdir()
    (target / "config.json").write_text("another model")

    with pytest.raises(SurroundingsError, match=r"mine: can't become the checkpoint .*; remove it or choose another"):
        fetch_files(store, checkpoint, target)
    assert content_of(target) == {"config.json": b"another model"}
    assert not list(tmp_path.glob(".mine-*"))


@pytest.mark.parametrize("way", [fetch_files, lambda store, manifest, _: files_in_place(store, manifest)])
@pytest.mark.parametrize(
    ("harm", "found"),
    [("missing", "no such object"), ("short", "found 25599;"), ("changed", "manifest says sha256")],
)
def test_a_torn_checkpoint_is_one_line_and_no_folder(
    store: LocalStore, checkpoint: Manifest, tmp_path: Path, way: object, harm: str, found: str
) -> None:
    path = store.local_path(checkpoint.files[1].key)
    data = path.read_bytes()
    path.unlink()
    if harm != "missing":
        path.write_bytes(data[:-1] if harm == "short" else b"x" + data[1:])

    with pytest.raises(SurroundingsError) as error:
        way(store, checkpoint, tmp_path / "m1")  # type: ignore[operator]
    assert str(error.value).startswith(f"{path}: is damaged")
    assert found in str(error.value)
    assert f"delete {store.uri}/{FOLDER}/manifest.json so that the step is done again" in str(error.value)
    assert not list(tmp_path.glob("*m1*"))


def test_on_this_machine_a_checkpoint_is_used_where_it_lies(store: LocalStore, checkpoint: Manifest) -> None:
    folder = files_in_place(store, checkpoint)

    assert folder == store.root / FOLDER / "attempt-a" / "model"
    assert content_of(folder) == CONTENT


def test_a_manifest_without_files_has_no_folder(store: LocalStore, checkpoint: Manifest) -> None:
    assert files_in_place(store, checkpoint.model_copy(update={"files": []})) is None


def test_a_file_that_would_leave_the_folder_is_refused(store: LocalStore, checkpoint: Manifest, tmp_path: Path) -> None:
    escaping = checkpoint.files[0].model_copy(update={"path": "../evil"})

    with pytest.raises(ValueError, match=r"leaves its folder"):
        fetch_files(store, checkpoint.model_copy(update={"files": [escaping]}), tmp_path / "m1")
    assert not list(tmp_path.glob("*m1*"))
