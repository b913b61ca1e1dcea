"""An error is laid at a package's door only where importing that package raised it."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from selfimprove.errors import SurroundingsError
from selfimprove_workers.misfits import misfit, misfits_named


def package(folder: Path, name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(text)
    monkeypatch.syspath_prepend(str(folder))
    importlib.invalidate_caches()


def test_a_package_whose_import_fails_is_named_with_the_remedy_whatever_came_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, "torchcodec", 'raise OSError("Could not load this library")', monkeypatch)
    with pytest.raises(SurroundingsError) as raised, misfits_named():
        try:
            importlib.import_module("torchcodec")
        except OSError as error:
            raise ModuleNotFoundError("Could not import module 'LlamaConfig'") from error
    assert str(raised.value) == (
        "torchcodec does not fit the torch that is installed here, and nothing of a run needs it; "
        "pip uninstall torchvision torchaudio torchcodec"
    )


def test_another_package_whose_import_fails_is_left_to_say_so_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, "of_somebody", 'raise RuntimeError("torchvision is none of mine")', monkeypatch)
    with pytest.raises(RuntimeError, match="none of mine") as raised, misfits_named():
        importlib.import_module("of_somebody")
    assert misfit(raised.value) is None


def test_what_such_a_package_raises_once_it_is_imported_is_no_misfit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, "torchaudio", 'def load():\n    raise ValueError("no such file")\n', monkeypatch)
    with pytest.raises(ValueError, match="no such file") as raised:
        importlib.import_module("torchaudio").load()
    assert misfit(raised.value) is None
