"""What tests of loading a model share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


def break_vllm(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a vLLM whose import fails, as one built for another CUDA does."""
    package = folder / "packages" / "vllm"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('raise ImportError("libcudart.so.12: cannot open")')
    monkeypatch.syspath_prepend(package.parent)
    for name in [name for name in sys.modules if name == "vllm" or name.startswith("vllm.")]:
        monkeypatch.delitem(sys.modules, name)
