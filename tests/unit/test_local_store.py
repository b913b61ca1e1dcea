"""A folder as a store: atomic, resumable, and plain about what the disk refuses."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from selfimprove.errors import SurroundingsError, UserError
from selfimprove.store import Entry, LocalStore, open_store


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "not" / "there" / "yet")


def leftovers(store: LocalStore) -> list[str]:
    """Files that are no objects."""
    objects = {entry.key for entry in store.list()}
    files = (path.relative_to(store.root).as_posix() for path in store.root.rglob("*") if path.is_file())
    return [name for name in files if name not in objects]


def test_a_folder_is_made_when_the_first_object_is_written(store: LocalStore) -> None:
    store.write("a/b.txt", b"hello")

    assert store.read("a/b.txt") == b"hello"
    assert leftovers(store) == []


def test_a_store_that_is_not_there_yet_is_empty(store: LocalStore) -> None:
    assert list(store.list()) == []
    assert not store.root.exists()


@pytest.mark.parametrize("call", [LocalStore.read, LocalStore.open])
@pytest.mark.parametrize("key", ["nothing", "a", "a/b/c"], ids=["no file", "a folder", "below a file"])
def test_a_missing_object_is_file_not_found(
    store: LocalStore, call: Callable[[LocalStore, str], object], key: str
) -> None:
    store.write("a/b", b"")

    with pytest.raises(FileNotFoundError):
        call(store, key)


def test_write_replaces_what_was_there(store: LocalStore) -> None:
    store.write("a", b"a long first version")
    store.write("a", b"second")

    assert store.read("a") == b"second"


def test_create_keeps_what_was_there(store: LocalStore) -> None:
    assert store.create("a", b"first")
    assert not store.create("a", b"second")
    assert store.read("a") == b"first"
    assert leftovers(store) == []


def test_of_eight_threads_that_create_one_object_exactly_one_succeeds(store: LocalStore) -> None:
    barrier, made = threading.Barrier(8), []

    def contend(name: str) -> None:
        barrier.wait()
        if store.create("a/manifest.json", name.encode()):
            made.append(name)

    threads = [threading.Thread(target=contend, args=(str(n),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [store.read("a/manifest.json").decode()] == made


def test_create_is_atomic_even_when_the_check_before_it_saw_nothing(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process may create the object between our look and our link."""
    store.create("a", b"first")
    monkeypatch.setattr(Path, "exists", lambda path: path.is_dir())

    assert not store.create("a", b"second")
    assert store.read("a") == b"first"


def test_objects_are_listed_by_prefix_in_the_order_of_keys(store: LocalStore) -> None:
    for key in ("b", "a/c", "a/b/z", "ab", "a-b", "a/b.c"):
        store.write(key, b"xy")

    assert [entry.key for entry in store.list()] == ["a-b", "a/b.c", "a/b/z", "a/c", "ab", "b"]
    assert list(store.list("a/b")) == [Entry("a/b.c", 2), Entry("a/b/z", 2)]
    assert list(store.list("a/b/")) == [Entry("a/b/z", 2)]
    assert list(store.list("nothing/here")) == []


def test_what_a_killed_process_left_half_written_is_no_object(store: LocalStore) -> None:
    store.write("a/b", b"")
    (store.root / "a" / ".tmp-0123456789abcdef").write_bytes(b"half of")
    (store.root / ".lock").write_text("process 1 on host")

    assert [entry.key for entry in store.list()] == ["a/b"]


def test_deleting_removes_emptied_folders_and_forgives_missing_objects(store: LocalStore) -> None:
    store.write("a/b/c", b"")
    store.write("a/d", b"")
    store.delete(["a/b/c", "a/nothing", "x/y"])

    assert [path.relative_to(store.root).as_posix() for path in store.root.rglob("*")] == ["a", "a/d"]


def test_files_go_in_and_out_whole(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(bytes(range(256)) * 10_000)
    store.upload("model/weights", tmp_path / "source")
    store.download("model/weights", tmp_path / "new folder" / "copy")

    assert (tmp_path / "new folder" / "copy").read_bytes() == (tmp_path / "source").read_bytes()
    assert [path.name for path in (tmp_path / "new folder").iterdir()] == ["copy"]


def test_an_object_is_a_file_of_this_machine(store: LocalStore) -> None:
    assert store.local_path("a/b") == store.root / "a" / "b"


@pytest.mark.parametrize("key", ["/etc/passwd", "../other", "a/../../b"])
def test_a_key_that_would_leave_the_store_is_refused(store: LocalStore, key: str) -> None:
    with pytest.raises(ValueError, match=r"leaves its store"):
        store.write(key, b"")


def test_the_probe_accepts_a_folder_and_leaves_nothing_behind(store: LocalStore) -> None:
    store.probe()

    assert list(store.root.iterdir()) == []


def test_the_probe_refuses_a_file_system_whose_link_overwrites(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "exists", lambda path: path.is_dir())
    monkeypatch.setattr(os, "link", lambda source, target: target.write_bytes(source.read_bytes()))

    with pytest.raises(SurroundingsError, match=r"ignores `If-None-Match"):
        store.probe()


@pytest.mark.parametrize(
    ("code", "line"),
    [
        (errno.ENOSPC, "the disk is full; free some space or choose another folder"),
        (errno.EDQUOT, "the disk quota is used up; free some space or choose another folder"),
        (errno.EIO, "the disk reports an input/output error; check the disk"),
    ],
)
@pytest.mark.parametrize("write", [LocalStore.write, LocalStore.create])
def test_what_the_disk_refuses_is_one_line_and_leaves_nothing_behind(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, write: Callable[..., Any], code: int, line: str
) -> None:
    store.write("a/kept", b"kept")

    def refuse(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(SurroundingsError) as error:
        write(store, "a/new", b"data")
    assert str(error.value).startswith(f"{store.uri}: {line}")
    monkeypatch.undo()
    assert [entry.key for entry in store.list()] == ["a/kept"]
    assert leftovers(store) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_disk_that_is_really_full_is_told_as_such(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's own ENOSPC, by a temporary file that is a link to /dev/full."""
    opened = Path.open

    def open_full(path: Path, mode: str = "r", *args: Any, **named: Any) -> Any:
        return opened(Path("/dev/full"), "wb") if mode == "xb" else opened(path, mode, *args, **named)

    monkeypatch.setattr(Path, "open", open_full)
    with pytest.raises(SurroundingsError, match=rf"^{store.uri}: the disk is full; free some space"):
        store.write("a", b"data")


@contextmanager
def as_anybody() -> Iterator[None]:
    """Within, not as root, who may read and write anywhere."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_folder_without_the_right_to_write_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with as_anybody(), pytest.raises(SurroundingsError, match=r"permission denied; give this user the right to write"):
        LocalStore(tmp_path).write("a", b"")


@pytest.mark.parametrize("closed", ["run.json", "i001"])
def test_what_may_not_be_read_is_named_with_the_right_that_is_missing(closed: str) -> None:
    with TemporaryDirectory() as root:  # a parent that anybody may pass
        Path(root).chmod(0o755)
        store = LocalStore(Path(root))
        store.write("run.json", b"{}")
        store.write("i001/a", b"")
        (store.root / closed).chmod(0)
        line = f"{store.root / closed}: permission denied; give this user the right to read it"
        with as_anybody(), pytest.raises(SurroundingsError) as error:
            store.read("run.json")
            list(store.list())
        (store.root / closed).chmod(0o755)
    assert str(error.value) == line


def test_a_file_where_the_folder_should_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")

    with pytest.raises(SurroundingsError, match=r"runs: a file stands where a folder is needed; remove it"):
        LocalStore(tmp_path / "runs").write("a/b", b"")


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("file", "a file stands where a folder is needed; remove it"),
        ("file/below", "a file stands where a folder is needed; remove it"),
        ("dangling", "a file stands where a folder is needed; remove it"),
        ("/proc/x", "no folder can be made there; choose another folder"),
        ("n" * 300, "the path is too long; choose a folder with a shorter path"),
    ],
)
@pytest.mark.parametrize(
    "use", [lambda s: s.probe(), lambda s: s.write("a", b""), lambda s: s.upload("a", Path(__file__))]
)
def test_a_folder_that_cannot_be_made_is_told_by_its_path(
    place: str, line: str, use: Callable[[LocalStore], None], tmp_path: Path
) -> None:
    if place.startswith("/proc") and not Path("/proc/self").exists():
        pytest.skip("no /proc on this system")
    (tmp_path / "file").write_text("")
    (tmp_path / "dangling").symlink_to("nowhere")
    with pytest.raises(SurroundingsError) as error:
        use(LocalStore(tmp_path / place))
    assert str(error.value).startswith(f"{tmp_path / place}: {line}")


def test_a_folder_that_vanishes_while_it_is_made_is_made_again(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when someone deletes the last object of a folder in which another one is just being written."""
    made, vanish = Path.mkdir, iter([FileNotFoundError(), FileExistsError()])

    def mkdir(path: Path, *args: Any, **named: Any) -> None:
        if path == store.root and (gone := next(vanish, None)):
            raise gone
        made(path, *args, **named)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    store.write("a", b"data")
    assert store.read("a") == b"data"


def test_a_file_system_without_hard_links_is_refused(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(SurroundingsError, match=r"its file system has no hard links, which commits rely on; choose"):
        store.create("a", b"")


@pytest.mark.parametrize("uri", ["{}", "file://{}", "file://localhost{}"])
def test_a_folder_may_be_named_as_a_path_or_a_file_uri(tmp_path: Path, uri: str) -> None:
    assert open_store(uri.format(tmp_path / "runs")).uri == str(tmp_path / "runs")


def test_a_file_uri_may_hold_escapes(tmp_path: Path) -> None:
    assert open_store(f"file://{tmp_path}/my%20runs").uri == f"{tmp_path}/my runs"


def test_a_home_folder_is_found() -> None:
    assert open_store("~/runs").uri == str(Path.home() / "runs")


@pytest.mark.parametrize("uri", ["gs://bucket/x", "file://host/x", "hf://models/x", "file://"])
def test_a_place_that_is_no_store_is_the_users_to_mend(uri: str) -> None:
    with pytest.raises(UserError, match=rf"^storage.uri: '{uri}' is no place this can write to; give a folder"):
        open_store(uri)


def test_a_uri_without_a_bucket_is_the_users_to_mend() -> None:
    with pytest.raises(UserError, match=r"^storage.uri: 's3:///runs' names no bucket"):
        open_store("s3:///runs")


def test_brackets_in_a_uri_are_the_users_to_mend() -> None:
    with pytest.raises(UserError, match=r"^storage.uri: 'file://\[x/runs' is no place this can write to"):
        open_store("file://[x/runs")
