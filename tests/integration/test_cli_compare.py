"""`selfimprove compare` of runs that ask the same questions in another way."""

from __future__ import annotations

import json
from pathlib import Path

from tests.integration.runs_support import HELD_OUT, selfimprove, write_run

EXAMPLE = {"prompt": "What is 1 + 1 + 1?", "completion": "The answer is 3."}


def test_runs_with_and_without_worked_examples_share_the_prompts_that_have_no_ids(
    tiny_model: Path, tmp_path: Path
) -> None:
    storage, folders = tmp_path / "runs", []
    for name, examples in (("bare", []), ("shown", [EXAMPLE])):
        path = write_run(tmp_path / name, tiny_model, name, maxIterations=1, dataset={"fewShot": examples})
        manifest = path.read_text().replace("      id: id\n", "")
        assert "id: id" not in manifest
        path.write_text(manifest)
        done = selfimprove("run", path, "--storage", storage)
        assert done.returncode == 0, done.stderr
        folders.append(storage / name)
    compared = selfimprove("compare", *folders, "--json")
    assert compared.returncode == 0, compared.stderr
    found = json.loads(compared.stdout)
    assert (found["sharedPrompts"], found["notShared"]) == (HELD_OUT, [0, 0])
    assert found["figures"]["accuracy"]["change"]["n"] == HELD_OUT
    assert "spec.dataset.fewShot" in " ".join(each["field"] for each in found["settings"])
