"""torchvision and its like made for another torch, as vLLM's CPU build brings them: one line that names the remedy."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.integration.runs_support import selfimprove, write_run

REMEDY = (
    "torchvision does not fit the torch that is installed here, and nothing of a run needs it; "
    "pip uninstall torchvision torchaudio torchcodec"
)


@pytest.fixture
def beside_torchvision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A torchvision is installed whose import fails, as one for another torch does."""
    place = tmp_path / "packages"
    (place / "torchvision").mkdir(parents=True)
    (place / "torchvision" / "__init__.py").write_text(
        'raise RuntimeError("operator torchvision::nms does not exist")\n'
    )
    (place / "torchvision-0.1.0.dist-info").mkdir()
    (place / "torchvision-0.1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: torchvision\nVersion: 0.1.0\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(place), os.environ.get("PYTHONPATH", "")]))


@pytest.mark.usefixtures("beside_torchvision")
@pytest.mark.parametrize("engine", ["Auto", "Transformers"])
def test_a_run_is_refused_once_and_not_tried_again(engine: str, tiny_model: Path, tmp_path: Path) -> None:
    path = write_run(tmp_path, tiny_model, generation={"engine": engine})
    done = selfimprove("run", path, "--storage", tmp_path)
    assert done.returncode == 4
    assert "Traceback" not in done.stderr
    assert "failed:" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"error: {REMEDY} (log: ")
    assert last.endswith("once that is mended, the same command goes on")
