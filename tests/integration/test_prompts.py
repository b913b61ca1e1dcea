"""The prompt sets of a run: committed once, the same for every shard, whatever races for them."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from selfimprove.api.spec import Spec
from selfimprove.artifacts import PROMPTS, require_manifest
from selfimprove.errors import FailedError, SurroundingsError, UserError
from selfimprove.seeds import bucket
from selfimprove.store import Store, open_store
from selfimprove_workers.prompts import PromptRow, ensure_prompts, load_prompts


def spec_of(folder: Path, **dataset: Any) -> Spec:
    path = folder / "train.jsonl"
    if not path.exists():
        rows = [
            {"q": f"What is {n}+{n}?", "a": str(2 * n), "level": n % 3, "why": f"{n}+{n}={2 * n}"} for n in range(60)
        ]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    fields = {"prompt": "q", "answer": "a", "difficulty": "level", "rationale": "why"}
    settings = {"uri": str(path), "task": "Math", "fields": fields, "heldOut": {"fraction": 0.2}, **dataset}
    return Spec.model_validate({"model": {"uri": "m"}, "dataset": settings})


def test_prompts_come_back_as_they_were_made(store: Store, tmp_path: Path) -> None:
    ensure_prompts(store, spec_of(tmp_path), "a1")
    rows = load_prompts(store, "train")
    row = next(row for row in rows if row.answer == "40")
    assert row == PromptRow(row.id, [{"role": "user", "content": "What is 20+20?"}], "40", "20+20=40", "2", None)
    assert len(rows) + len(load_prompts(store, "heldOut")) == 60


def test_held_out_prompts_need_no_reference_solution(store: Store, tmp_path: Path) -> None:
    held_out = tmp_path / "held-out.jsonl"
    held_out.write_text(json.dumps({"q": "What is 61+61?", "a": "122", "level": 1}) + "\n")
    ensure_prompts(store, spec_of(tmp_path, heldOut={"uri": str(held_out)}), "a1")
    assert [row.rationale for row in load_prompts(store, "heldOut")] == [None]
    assert all(row.rationale for row in load_prompts(store, "train"))


def test_shards_part_the_prompts_in_the_order_of_the_whole(store: Store, tmp_path: Path) -> None:
    ensure_prompts(store, spec_of(tmp_path), "a1")
    whole = [row.id for row in load_prompts(store, "train")]
    shards = [[row.id for row in load_prompts(store, "train", shard, 3)] for shard in range(3)]
    assert sorted(one for shard in shards for one in shard) == sorted(whole)
    for number, shard in enumerate(shards):
        assert shard == [one for one in whole if bucket(one, 3) == number]


def test_the_manifest_accounts_for_levels_sources_and_what_was_dropped(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "run"))
    manifest = ensure_prompts(store, spec_of(tmp_path), "a1")
    train = manifest.settings["train"]
    assert sum(train["levels"].values()) == train["prompts"] == len(load_prompts(store, "train"))
    assert train["source"]["uri"].endswith("train.jsonl")
    assert len(train["source"]["digest"]) == 64
    assert manifest.tables["train"][0].rows == train["prompts"]


def test_a_generated_set_keeps_what_its_scorer_needs(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "run"))
    dataset = {"uri": "gym://chain_sum?size=40&max_digits=1&max_terms=2", "task": "Gym"}
    manifest = ensure_prompts(store, Spec.model_validate({"model": {"uri": "m"}, "dataset": dataset}), "a1")
    row = load_prompts(store, "heldOut")[0]
    assert row.extra is not None
    assert row.extra["gym"] == "chain_sum"
    assert row.extra["entry"]["answer"] == row.answer
    assert manifest.settings["train"]["source"]["seeds"] == [0, 40]
    assert manifest.settings["train"]["dropped"]["duplicates"] > 0


def test_a_single_held_out_prompt_is_warned_of_once(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spec = spec_of(tmp_path, heldOut={"fraction": 0.5, "limit": 1})
    for attempt in ("a1", "a2"):
        ensure_prompts(store, spec, attempt)
    (line,) = caplog.messages
    assert line.startswith("warning: spec.dataset.heldOut.limit: 1 leaves one held-out prompt")


def test_the_dataset_is_read_once(store: Store, tmp_path: Path) -> None:
    spec = spec_of(tmp_path)
    first = ensure_prompts(store, spec, "a1")
    (tmp_path / "train.jsonl").unlink()
    assert ensure_prompts(store, spec, "a2") == first


def test_who_loses_the_race_reads_what_the_winner_committed(store: Store, tmp_path: Path) -> None:
    spec = spec_of(tmp_path)
    found: list[Any] = []
    racers = [threading.Thread(target=lambda n=n: found.append(ensure_prompts(store, spec, f"a{n}"))) for n in range(4)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert len({manifest.attempt for manifest in found}) == 1
    assert require_manifest(store, PROMPTS)[0] == found[0]
    assert load_prompts(store, "train")


@pytest.mark.parametrize("change", [{"limit": 5}, {"system": "Be brief."}, {"heldOut": {"fraction": 0.3}}])
def test_another_dataset_under_the_same_run_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    store = open_store(str(tmp_path / "run"))
    ensure_prompts(store, spec_of(tmp_path), "a1")
    with pytest.raises(UserError, match=r"^spec\.dataset: is not what .* was begun with; restore it, or start"):
        ensure_prompts(store, spec_of(tmp_path, **change), "a2")


def test_how_a_source_is_reached_may_change(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "run"))
    first = ensure_prompts(store, spec_of(tmp_path), "a1")
    again = spec_of(tmp_path, endpoint="http://elsewhere", credentialsSecretName="other", grading="Strict")
    assert ensure_prompts(store, again, "a2") == first


def test_nothing_is_committed_of_a_dataset_that_is_wrong(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "run"))
    with pytest.raises(UserError):
        ensure_prompts(store, spec_of(tmp_path, answerPattern="no such thing"), "a1")
    with pytest.raises(FailedError, match="run the step that writes it first"):
        load_prompts(store, "train")


def test_a_set_that_the_run_has_not_is_named(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "run"))
    ensure_prompts(store, spec_of(tmp_path), "a1")
    with pytest.raises(ValueError, match="the run has no test prompts, only heldOut, train"):
        load_prompts(store, "test")


def test_a_prompt_file_that_changed_is_found(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "run"))
    manifest = ensure_prompts(store, spec_of(tmp_path), "a1")
    path = store.local_path(manifest.tables["train"][0].key)
    assert path is not None
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-10] + b"corruption")
    with pytest.raises(SurroundingsError, match=r"train\.parquet"):
        load_prompts(store, "train")
