"""The checkpoint as a plain Hugging Face folder that transformers and vLLM both load, checked before it leaves.

Only the weights are new. Configuration, tokenizer and chat template are copied byte for byte from the model that
training started from, so that M_n differs from M_0 in nothing but its weights.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from selfimprove.errors import FailedError
from selfimprove_workers.training.weights import throw, to_bfloat16
from selfimprove_workers.training.writing import writing

SHARD = "5GB"
_COPIED = {".json", ".jinja", ".txt", ".model", ".tiktoken"}
Shapes = dict[str, tuple[int, ...]]


def save_model(
    model: Any, start: Path, target: Path, dtype: torch.dtype, seed: int, chat_template: str | None = None
) -> None:
    """Write `model` to the folder `target`, tensors as `dtype` (the model itself is converted), the rest from `start`.

    `seed` is for the rounding to bfloat16 (see `weights`); float16 is eight times as fine and rounded to the nearest.
    `chat_template` replaces the model's own. Raises `FailedError` when what was written is not what is in memory,
    `SurroundingsError` for a full disk.
    """
    with writing(target):
        _round(model, dtype, seed).save_pretrained(target, max_shard_size=SHARD)
        for path in sorted(start.iterdir()):
            if path.is_file() and path.suffix in _COPIED and not path.name.endswith(".index.json"):
                shutil.copyfile(path, target / path.name)
        if chat_template:
            (target / "chat_template.jinja").write_text(chat_template)
    verify(target, model, start)


def _round(model: Any, dtype: torch.dtype, seed: int) -> Any:
    dice = throw(seed)
    for weight in model.cpu().parameters():  # tied ones come once, and stay tied
        weight.data = to_bfloat16(weight.data.float(), dice) if dtype == torch.bfloat16 else weight.data.to(dtype)
    return model


def verify(target: Path, model: Any, start: Path) -> None:
    """Check that the files hold every tensor of the model, in its shape, and none besides.

    Names are those in memory or, where transformers renames on its way to disk, those of `start`; of tied weights one
    name is enough. Raises `FailedError`.
    """
    found = stored_shapes(target)
    aliases = _aliases(model)
    in_memory = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    if not any(_same(found, expected, aliases) for expected in (in_memory, stored_shapes(start))):
        missing = sorted(set(in_memory) - set(found) - aliases)[:3]
        beyond = sorted(set(found) - set(in_memory))[:3]
        raise FailedError(
            f"{target}: is not the model that was trained (missing {missing}, unknown {beyond}); "
            "its architecture can't be stored by this version of transformers"
        )


def stored_shapes(folder: Path) -> Shapes:
    """The shape of every tensor in a folder's safetensors files."""
    return {name: tuple(file.get_slice(name).get_shape()) for file, name in _stored(folder)}


def _stored(folder: Path) -> Iterator[tuple[Any, str]]:
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="pt") as file:
            yield from ((file, name) for name in list(file.keys()))


def _aliases(model: Any) -> set[str]:
    """Names in memory that share their tensor with an earlier name."""
    seen: set[int] = set()
    aliases = set()
    for name, tensor in model.state_dict().items():
        if tensor.data_ptr() in seen and tensor.numel():
            aliases.add(name)
        seen.add(tensor.data_ptr())
    return aliases


def _same(found: Shapes, expected: Shapes, aliases: set[str]) -> bool:
    return {n: s for n, s in found.items() if n not in aliases} == {
        n: s for n, s in expected.items() if n not in aliases
    }
