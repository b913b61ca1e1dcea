"""Whether a folder holds a whole model, told from its files' names and safetensors headers, before anything is loaded.

A safetensors file begins with the length of its header and a JSON header that says where each tensor ends, so a file
that was cut is told by its size alone.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from selfimprove.errors import UserError

TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "spiece.model", "tekken.json")
_MAX_HEADER = 100 << 20


def check_model(folder: Path, what: str) -> None:
    """Check that config, weights and tokenizer are there and whole. `what` begins the message: field and place.

    Raises `UserError` naming the first file that is missing, torn or not what it should be.
    """
    if not folder.is_dir():
        raise UserError(f"{what}: there is no model folder; check the path")
    config = _json(folder / "config.json", what)
    if "model_type" not in config:
        raise UserError(f"{what}: config.json has no model_type; it is no language model's folder")
    for name in _weight_files(folder, what):
        _check_safetensors(folder / name, what)
    if not any((folder / name).is_file() for name in TOKENIZER_FILES):
        raise UserError(
            f"{what}: no tokenizer file ({', '.join(TOKENIZER_FILES[:3])}, ...); save the tokenizer there too"
        )


def _weight_files(folder: Path, what: str) -> list[str]:
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        shards = _json(index, what).get("weight_map")
        if not isinstance(shards, dict) or not shards:
            raise UserError(f"{what}: {index.name} lists no weights; save the model again")
        return sorted(set(shards.values()))
    names = sorted(path.name for path in folder.glob("*.safetensors"))
    if names:
        return names
    if any(folder.glob("*.bin")) or any(folder.glob("*.pt")):
        raise UserError(f"{what}: weights are there as pickle only (.bin); convert them to safetensors")
    raise UserError(f"{what}: no weights (model.safetensors); give a folder of safetensors or a GGUF file")


def _check_safetensors(path: Path, what: str) -> None:
    if not path.is_file():
        raise UserError(f"{what}: weights {path.name} are listed but missing; fetch the model again")
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or not 2 <= length <= min(_MAX_HEADER, size):
            raise UserError(f"{what}: {path.name} is torn or no safetensors file ({size:,} bytes); fetch it again")
        expected = 8 + length + _end_of_tensors(file.read(length), path, what)
    if size != expected:
        raise UserError(f"{what}: {path.name} is torn: {size:,} of {expected:,} bytes; fetch it again")


def _end_of_tensors(header: bytes, path: Path, what: str) -> int:
    try:
        tensors = json.loads(header)
        return max((entry["data_offsets"][1] for name, entry in tensors.items() if name != "__metadata__"), default=0)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise UserError(f"{what}: {path.name} has a broken header; fetch it again") from None


def _json(path: Path, what: str) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise UserError(f"{what}: no {path.name}; give the folder of a Hugging Face model or a GGUF file") from None
    except ValueError:
        raise UserError(f"{what}: {path.name} is no JSON; fetch the model again") from None
    if not isinstance(content, dict):
        raise UserError(f"{what}: {path.name} is no JSON object; fetch the model again")
    return content
