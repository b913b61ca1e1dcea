"""The commit protocol under fire: racing writers, and a process that dies at every write, on a folder and on S3.

The step is a small one but does what real ones do: it adopts what was left behind, works on the remaining prompts in
order, writes parts, commits. A death is real (`os._exit` in a forked process): nothing is flushed, nothing cleaned up.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pytest

from selfimprove.artifacts import (
    Manifest,
    Part,
    PartWriter,
    commit,
    load_ledger,
    read_manifest,
    read_rows,
    require_manifest,
)
from selfimprove.ledger import StepId
from selfimprove.seeds import derive_seed
from selfimprove.store import Store, open_store

FOLDER = "i001/generate/00000"
PROMPTS, A_PART, SAMPLES = 10, 3, 2
KILLED = 9
SCHEMA = pa.schema(
    [
        pa.field("prompt", pa.string(), False),
        pa.field("sample", pa.int32(), False),
        pa.field("seed", pa.int64(), False),
    ]
)


def rows_of(prompt: int) -> list[dict[str, Any]]:
    return [
        {"prompt": f"p{prompt}", "sample": s, "seed": derive_seed(0, "train", 1, "generate", f"p{prompt}", s)}
        for s in range(SAMPLES)
    ]


def run_step(store: Store, attempt: str, worked_on: Callable[[int], None] = lambda _: None) -> tuple[Manifest, str]:
    """The step, as a worker runs it: answers at once when it is committed, else goes on where it stands."""
    if found := read_manifest(store, FOLDER):
        return found
    writer = PartWriter(store, FOLDER, attempt, "digest", SCHEMA)
    while (first := writer.prompts_done) < PROMPTS:
        batch = range(first, min(first + A_PART, PROMPTS))
        for prompt in batch:
            worked_on(prompt)
        rows = [row for prompt in batch for row in rows_of(prompt)]
        writer.write(rows, len(batch), {"tokens": 5 * len(batch)})
    summary = {"step": "generate", "iteration": 1, "rows": writer.rows, "tokens": writer.totals["tokens"]}
    manifest = Manifest(
        step="generate", iteration=1, digest="digest", attempt=attempt, parts=writer.parts, summary=summary
    )
    return commit(store, FOLDER, manifest)


def result(store: Store) -> tuple[dict[str, Any], list[tuple[int, int]], list[dict[str, Any]]]:
    """What readers see of the step, without what may differ: who wrote which part, and when."""
    manifest, _ = require_manifest(store, FOLDER)
    rows = [row for batch in read_rows(store, manifest.parts, SCHEMA) for row in batch.to_pylist()]
    return manifest.summary, [(part.rows, part.prompts) for part in manifest.parts], rows


UNDISTURBED = (
    {"step": "generate", "iteration": 1, "rows": PROMPTS * SAMPLES, "tokens": 5 * PROMPTS},
    [(6, 3), (6, 3), (6, 3), (2, 1)],
    [row for prompt in range(PROMPTS) for row in rows_of(prompt)],
)


class Dying:
    """A store whose process dies before or after its n-th call."""

    def __init__(self, store: Store, at: int, when: str) -> None:
        self._store, self._at, self._when, self._calls = store, at, when, count()

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._store, name)
        return die_within(attribute, self._calls, self._at, self._when) if callable(attribute) else attribute


def dying_store(uri: str, at: int, when: str) -> Store:
    return cast(Store, Dying(open_store(uri), at, when))


def die_within(call: Callable[..., Any], calls: Iterator[int], at: int, when: str) -> Callable[..., Any]:
    """The call, but when it is the `at`-th of `calls` the process ends before or after it."""

    def dying(*args: Any, **named: Any) -> Any:
        due = next(calls) == at
        if due and when == "before":
            os._exit(KILLED)
        try:
            return call(*args, **named)
        finally:
            if due:
                os._exit(KILLED)

    return dying


def forked(work: Callable[[], object]) -> int:
    """Run the work in a child process: its exit status, 0 when it came to its end."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        work()
        os._exit(0)
    finally:
        os._exit(1)


def noted_in(path: Path) -> Callable[[int], None]:
    """Notes every prompt that is worked on, in a file that survives the process."""

    def note(prompt: int) -> None:
        with path.open("a") as file:
            file.write(f"{prompt}\n")

    return note


def complete_prompts(store: Store) -> int:
    """Prompts that a next attempt would not have to work on again."""
    if found := read_manifest(store, FOLDER):
        return sum(part.prompts for part in found[0].parts)
    return PartWriter(store, FOLDER, "look", "digest", SCHEMA).prompts_done


def survive(uri: str, log: Path, attempt: Callable[[str, int], object]) -> None:
    """Kill an attempt at its n-th call, for every n in a fresh place: the next attempt must end well."""
    for n in count():
        place = f"{uri}/{n}"
        status = forked(partial(attempt, place, n))
        assert status in (0, KILLED)
        store = open_store(place)
        kept = complete_prompts(store)
        log.unlink(missing_ok=True)

        run_step(store, "second", noted_in(log))

        worked_on = [int(line) for line in log.read_text().split()] if log.exists() else []
        assert worked_on == list(range(kept, PROMPTS)), f"killed at call {n}"
        assert result(store) == UNDISTURBED, f"killed at call {n}"
        if status == 0:
            assert n > PROMPTS // A_PART, "the attempt was never killed"
            return


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_any_store_call_nothing_is_lost_and_nothing_done_twice(
    store: Store, tmp_path: Path, when: str
) -> None:
    def attempt(place: str, n: int) -> None:
        run_step(dying_store(place, n, when), "first")

    survive(store.uri, tmp_path / "log", attempt)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "calls", [[(os, "fsync")], [(os, "link")], [(Path, "unlink")], [(Path, "mkdir")], [(Path, "open"), (os, "open")]],
    ids=["sync", "link", "unlink", "mkdir", "open"],
)  # fmt: skip
def test_killed_at_any_step_of_a_write_to_disk_nothing_is_lost(
    tmp_path: Path, when: str, calls: list[tuple[Any, str]]
) -> None:
    """Within a write too: between the temporary file, its sync, its link and its removal."""

    def attempt(place: str, n: int) -> None:
        numbers = count()
        for owner, name in calls:
            setattr(owner, name, die_within(getattr(owner, name), numbers, n, when))
        run_step(open_store(place), "first")

    survive(str(tmp_path / "store"), tmp_path / "log", attempt)


def test_killed_over_and_over_the_step_still_ends_with_every_prompt_once(store: Store, tmp_path: Path) -> None:
    """Each attempt looks for a manifest, lists, opens and reads what it adopts, writes one part, and dies."""
    log = tmp_path / "log"
    for attempt in count():
        dying = dying_store(store.uri, 2 + 2 * attempt, "after")
        if forked(partial(run_step, dying, str(attempt), noted_in(log))) == 0:
            break

    assert result(store) == UNDISTURBED
    assert [part.key.split("/")[-2] for part in require_manifest(store, FOLDER)[0].parts] == [
        "attempt-0", "attempt-1", "attempt-2", "attempt-3"
    ]  # fmt: skip
    assert [int(line) for line in log.read_text().split()] == list(range(PROMPTS))


@pytest.mark.parametrize("round_", range(3))
def test_of_eight_racing_writers_exactly_one_commits_and_all_read_the_same(store: Store, round_: int) -> None:
    barrier, ends = threading.Barrier(8), []

    def race(attempt: str) -> None:
        mine = open_store(store.uri)
        manifest = Manifest(step="generate", iteration=1, digest="d", attempt=attempt, settings={"pad": "x" * 20_000})
        barrier.wait()
        ends.append(commit(mine, FOLDER, manifest))

    threads = [threading.Thread(target=race, args=(str(n),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ends == [require_manifest(store, FOLDER)] * 8
    assert ends[0][0].attempt in {str(n) for n in range(8)}


def test_of_eight_racing_processes_all_end_with_the_same_manifest(store: Store) -> None:
    program = (
        f"from {__name__} import open_store, run_step, sys; print(run_step(open_store(sys.argv[1]), sys.argv[2])[1])"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program, store.uri, str(n)], stdout=subprocess.PIPE, text=True)
        for n in range(8)
    ]
    digests = {process.communicate()[0].strip() for process in processes}

    assert [process.returncode for process in processes] == [0] * 8
    assert digests == {require_manifest(store, FOLDER)[1]}
    assert result(store) == UNDISTURBED


def test_a_committed_step_is_not_done_again(store: Store, tmp_path: Path) -> None:
    first = run_step(store, "first")

    assert run_step(store, "second", noted_in(tmp_path / "log")) == first
    assert not (tmp_path / "log").exists()


def test_a_corrupt_part_is_found_by_its_reader_and_deleting_the_manifest_mends_it(store: Store) -> None:
    manifest, _ = run_step(store, "first")
    store.write(manifest.parts[1].key, store.read(manifest.parts[1].key)[:-100] + b"\0" * 100)

    with pytest.raises(Exception, match=r"attempt-first/part-00001.parquet: is damaged: .*; restore it, or delete"):
        result(store)
    store.delete([f"{FOLDER}/manifest.json"])
    run_step(store, "second")
    assert result(store) == UNDISTURBED


def test_the_ledger_is_the_same_from_a_folder_and_from_s3(store: Store) -> None:
    run_step(store, "first")

    ledger = load_ledger(store)
    assert ledger.usage.tokens == 5 * PROMPTS
    assert ledger.shards_done(StepId(1, "generate")) == {0}


def test_memory_of_a_reader_is_bounded_by_a_part(store: Store) -> None:
    """Rows come one part at a time: the second part isn't touched before the first is used up."""
    manifest, _ = run_step(store, "first")
    parts: list[Part] = [manifest.parts[0], manifest.parts[1].model_copy(update={"sha256": "0" * 64})]
    batches = read_rows(store, parts, SCHEMA)

    assert next(batches).num_rows == 6
    with pytest.raises(Exception, match="is damaged"):
        next(batches)
