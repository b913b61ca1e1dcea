"""A GGUF file made into a Hugging Face folder, so that everything after this reads one format.

GGUF is how small models travel as one file. Training and vLLM want safetensors, so the weights are de-quantised once;
what transformers remembers of the quantisation is dropped, else the saved folder would claim to be quantised still. The
tokenizer that comes out is tried on text, since a wrong one would spoil a run silently.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from selfimprove.errors import UserError

log = logging.getLogger(__name__)

_PROBES = ("Hello, world! 12345 and 6.78", "  two spaces\n\n\tand a tab", "naïve café, 中文, 🙂", "x = (17 * 23) - 4")


def convert(gguf: Path, target: Path, field: str) -> None:
    """Write the model of a GGUF file to the folder `target`.

    Raises `UserError` when it can't be read or comes out wrong.
    """
    import torch
    import transformers

    log.info("converting %s to safetensors, once", gguf.name)
    transformers.utils.logging.disable_progress_bar()
    where = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name, "local_files_only": True}
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(**where)
        unpacked = transformers.GgufConfig(dequantize=True)
        model = transformers.AutoModelForCausalLM.from_pretrained(
            **where, dtype=torch.bfloat16, quantization_config=unpacked
        )
    except ImportError as error:
        raise UserError(
            f"{field}: a GGUF file needs the package gguf where workers run; pip install it there"
        ) from error
    except Exception as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise UserError(f"{field}: {gguf.name} can't be read as a model ({first})") from error
    _check_tokenizer(tokenizer, model, f"{field}: {gguf.name}")
    _forget_quantisation(model)
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)


def _forget_quantisation(model: Any) -> None:
    model.hf_quantizer = None
    model.is_quantized = False
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config


def _check_tokenizer(tokenizer: Any, model: Any, what: str) -> None:
    for text in _PROBES:
        back = tokenizer.decode(tokenizer.encode(text, add_special_tokens=False))
        if back != text:
            raise UserError(f"{what}: its tokenizer turns {text!r} into {back!r}; give the original model's folder")
    rows = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > rows:
        raise UserError(
            f"{what}: its tokenizer has {len(tokenizer)} tokens, the model {rows}; give the original folder"
        )
    if tokenizer.eos_token_id is None:
        raise UserError(f"{what}: its tokenizer has no end token; give the original model's folder")
