"""Parts: what a step writes, what the next attempt adopts, what readers are given."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfimprove.artifacts import Part, PartWriter, read_rows, write_table
from selfimprove.errors import SurroundingsError
from selfimprove.store import LocalStore

FOLDER = "i001/generate/00000"
SCHEMA = pa.schema(
    [
        pa.field("prompt", pa.string(), False),
        pa.field("sample", pa.int32(), False),
        pa.field("tokens", pa.list_(pa.int32()), False),
    ]
)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "run")


def rows(first: int, end: int) -> list[dict[str, Any]]:
    """Two samples for each prompt from `first` up to `end`, in order."""
    return [{"prompt": f"p{n}", "sample": s, "tokens": [n, s]} for n in range(first, end) for s in range(2)]


def writer(store: LocalStore, attempt: str, **more: Any) -> PartWriter:
    return PartWriter(store, FOLDER, attempt, "digest", SCHEMA, **more)


def work(store: LocalStore, attempt: str, *sizes: int) -> PartWriter:
    """An attempt that writes one part a size, from where it finds the step, and counts a token a row."""
    parts = writer(store, attempt)
    for size in sizes:
        first = parts.prompts_done
        parts.write(rows(first, first + size), size, {"tokens": 2 * size})
    return parts


def everything(store: LocalStore, parts: list[Part]) -> list[dict[str, Any]]:
    return [row for batch in read_rows(store, parts, SCHEMA) for row in batch.to_pylist()]


def flip_a_bit(path: Path, at: float) -> None:
    data = bytearray(path.read_bytes())
    data[int(at * (len(data) - 1))] ^= 1
    path.write_bytes(data)


def test_what_was_written_is_read_back_in_order(store: LocalStore) -> None:
    parts = work(store, "a", 3, 2, 5)

    assert everything(store, parts.parts) == rows(0, 10)
    assert (parts.prompts_done, parts.rows, parts.totals) == (10, 20, {"tokens": 20})


def test_parts_lie_numbered_under_their_attempt(store: LocalStore) -> None:
    assert [part.key for part in work(store, "a", 1, 1).parts] == [
        f"{FOLDER}/attempt-a/part-00000.parquet",
        f"{FOLDER}/attempt-a/part-00001.parquet",
    ]


def test_parts_are_zstd_with_a_checksum_on_every_page(store: LocalStore) -> None:
    [part] = work(store, "a", 3).parts

    metadata = pq.ParquetFile(store.local_path(part.key)).metadata
    assert {metadata.row_group(0).column(n).compression for n in range(metadata.num_columns)} == {"ZSTD"}
    flip_a_bit(store.local_path(part.key), 0.02)
    with pytest.raises(OSError, match="CRC"):
        pq.read_table(store.local_path(part.key), page_checksum_verification=True)


def test_a_second_attempt_goes_on_where_the_first_stopped(store: LocalStore) -> None:
    first = work(store, "a", 3, 2)

    second = work(store, "b", 5)

    assert second.parts[:2] == first.parts
    assert [part.key.split("/")[-2] for part in second.parts] == ["attempt-a", "attempt-a", "attempt-b"]
    assert everything(store, second.parts) == rows(0, 10)
    assert second.totals == {"tokens": 20}


def test_work_done_under_other_settings_is_not_adopted(store: LocalStore) -> None:
    work(store, "a", 3)

    assert PartWriter(store, FOLDER, "b", "another digest", SCHEMA).prompts_done == 0


def test_work_is_not_adopted_where_that_is_not_wanted(store: LocalStore) -> None:
    work(store, "a", 3)

    assert writer(store, "b", adopt=False).prompts_done == 0


def test_adoption_can_be_limited_to_what_another_table_has_reached(store: LocalStore) -> None:
    work(store, "a", 3, 2, 4)

    assert writer(store, "b", at_most=6).prompts_done == 5


def test_tables_of_one_step_do_not_mix(store: LocalStore) -> None:
    scores = writer(store, "a", table="score")
    scores.write(rows(0, 2), 2)

    assert writer(store, "b").prompts_done == 0
    assert writer(store, "b", table="score").prompts_done == 2
    assert scores.parts[0].key.endswith("/score-00000.parquet")


def test_two_attempts_at_once_never_touch_each_others_parts(store: LocalStore) -> None:
    slow, quick = writer(store, "slow"), writer(store, "quick")
    slow.write(rows(0, 2), 2)
    quick.write(rows(0, 3), 3)
    slow.write(rows(2, 10), 8)
    quick.write(rows(3, 10), 7)

    assert everything(store, slow.parts) == everything(store, quick.parts) == rows(0, 10)


def test_an_attempt_of_the_same_name_never_overwrites_a_part(store: LocalStore) -> None:
    """A process that was believed dead may still commit what it wrote."""
    zombie = writer(store, "a")
    successor = writer(store, "a")
    zombie.write(rows(0, 2), 2)
    successor.write(rows(0, 5), 5)

    assert everything(store, zombie.parts) == rows(0, 2)
    assert everything(store, successor.parts) == rows(0, 5)


@pytest.mark.parametrize("harm", ["truncated", "flipped", "emptied"])
def test_a_damaged_part_is_written_again_and_noted(store: LocalStore, harm: str) -> None:
    path = store.local_path(work(store, "a", 3, 3).parts[1].key)
    data = path.read_bytes()
    path.write_bytes({"truncated": data[:-20], "flipped": b"PAR1" + data[5:6] * 40 + data[44:], "emptied": b""}[harm])

    second = work(store, "b", 7)

    assert everything(store, second.parts) == rows(0, 10)
    assert second.totals == {"tokens": 20}
    assert len(second.notes) == 1
    assert f"{FOLDER}/attempt-a/part-00001.parquet: damaged, passed over" in second.notes[0]


def test_no_flipped_bit_in_a_part_changes_what_is_adopted(store: LocalStore) -> None:
    """Pages have checksums, the header its own digest; the rest of the footer either breaks or doesn't matter."""
    path = store.local_path(work(store, "a", 5).parts[0].key)
    sound = path.read_bytes()
    for at in range(len(sound)):
        path.write_bytes(sound[:at] + bytes([sound[at] ^ 1 << at % 8]) + sound[at + 1 :])
        adopted = writer(store, "b")
        assert adopted.prompts_done == 0 or (everything(store, adopted.parts), adopted.rows) == (rows(0, 5), 10)


def test_another_attempts_copy_is_taken_for_a_damaged_part(store: LocalStore) -> None:
    a, b = writer(store, "a"), writer(store, "b")
    for attempt in (a, b):
        attempt.write(rows(0, 3), 3)
        attempt.write(rows(3, 6), 3)
    flip_a_bit(store.local_path(a.parts[0].key), 0.02)

    third = writer(store, "c")

    assert [part.key.split("/")[-2] for part in third.parts] == ["attempt-b", "attempt-a"]
    assert everything(store, third.parts) == rows(0, 6)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_whatever_survives_of_several_attempts_the_step_ends_with_every_row_once(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        store = LocalStore(Path(folder))
        for attempt in range(data.draw(st.integers(1, 3), label="attempts")):
            parts = work(store, str(attempt), *data.draw(st.lists(st.integers(1, 3), max_size=2), label="sizes"))
            for part in parts.parts:
                harm = data.draw(st.sampled_from(["none", "none", "delete", "truncate", "flip"]), label=part.key)
                path = store.local_path(part.key)
                if harm == "delete":
                    path.unlink(missing_ok=True)
                elif harm == "truncate" and path.exists():
                    path.write_bytes(path.read_bytes()[: data.draw(st.integers(0, part.size - 1))])
                elif harm == "flip" and path.exists():
                    flip_a_bit(path, data.draw(st.floats(0, 1)))

        last = writer(store, "last")
        last.write(rows(last.prompts_done, 20), 20 - last.prompts_done, {"tokens": 2 * (20 - last.prompts_done)})

        assert everything(store, last.parts) == rows(0, 20)
        assert last.totals == {"tokens": 40}


def test_a_part_whose_prompts_needed_nothing_has_no_rows(store: LocalStore) -> None:
    first = writer(store, "a")
    first.write([], 4)

    assert writer(store, "b").prompts_done == 4
    assert everything(store, first.parts) == []


def test_rows_of_more_prompts_than_the_part_completes_are_refused(store: LocalStore) -> None:
    with pytest.raises(ValueError, match="3 prompts, more than the 2"):
        writer(store, "a").write(rows(0, 3), 2)


def test_a_null_where_the_schema_has_none_is_refused(store: LocalStore) -> None:
    with pytest.raises(pa.ArrowInvalid):
        writer(store, "a").write([{"prompt": None, "sample": 0, "tokens": []}], 1)


def test_a_table_is_as_good_as_a_list_of_rows(store: LocalStore) -> None:
    table = pa.Table.from_pylist(rows(0, 3), schema=SCHEMA).select(["tokens", "sample", "prompt"])
    parts = writer(store, "a")
    parts.write(table, 3)

    assert everything(store, parts.parts) == rows(0, 3)


def test_an_attempt_id_that_would_leave_its_folder_is_refused(store: LocalStore) -> None:
    with pytest.raises(ValueError, match="attempt id"):
        writer(store, "../b")


def test_batches_are_bounded_and_have_only_the_columns_asked_for(store: LocalStore) -> None:
    batches = list(read_rows(store, work(store, "a", 5, 5).parts, SCHEMA, ["sample", "prompt"], batch_rows=4))

    assert max(batch.num_rows for batch in batches) == 4
    assert all(batch.schema.names == ["sample", "prompt"] for batch in batches)
    assert sum(batch.num_rows for batch in batches) == 20


def test_a_corrupt_part_gives_no_row_and_names_key_digests_and_remedy(store: LocalStore) -> None:
    [part] = work(store, "a", 5).parts
    path = store.local_path(part.key)
    flip_a_bit(path, 0.5)

    with pytest.raises(SurroundingsError) as error:
        next(read_rows(store, [part], SCHEMA))
    assert str(error.value).startswith(f"{path}: is damaged: the manifest says sha256 {part.sha256}, found ")
    assert str(error.value).endswith(
        f"restore it, or delete {store.uri}/{FOLDER}/manifest.json so that the step is done again"
    )


def test_a_missing_part_is_told_in_the_same_words(store: LocalStore) -> None:
    [part] = work(store, "a", 5).parts
    store.delete([part.key])

    with pytest.raises(SurroundingsError, match=f"manifest says {part.size} bytes, found no such object; restore it"):
        next(read_rows(store, [part], SCHEMA))


def test_rows_of_another_schema_are_refused_by_the_columns_that_differ(store: LocalStore) -> None:
    [part] = work(store, "a", 1).parts
    other = SCHEMA.set(1, pa.field("sample", pa.int64(), False))

    with pytest.raises(SurroundingsError, match=r"another schema \(columns sample differ\)"):
        next(read_rows(store, [part], other))


def test_a_single_table_is_read_like_a_part(store: LocalStore) -> None:
    part = write_table(store, "prompts/attempt-a/train.parquet", rows(0, 4), SCHEMA, prompts=4)

    assert part.key == "prompts/attempt-a/train.parquet"
    assert everything(store, [part]) == rows(0, 4)
