"""Whether a model is of a kind that is sampled and trained here, told from its config before anything is loaded.

Code that comes with a model is never run. Left to itself transformers asks on the terminal whether to, and waits.
"""

from __future__ import annotations

import json
from pathlib import Path

from selfimprove.errors import UserError


def require_language_model(folder: Path, what: str) -> None:
    """Refuse a model whose kind transformers has no code for, or that is no causal language model with attention.

    `what` begins the message: field and place. Raises `UserError`.
    """
    from transformers import CONFIG_MAPPING, MODEL_FOR_CAUSAL_LM_MAPPING, AutoConfig, __version__

    stated = json.loads((folder / "config.json").read_text("utf-8"))
    kind = stated["model_type"]
    if kind not in CONFIG_MAPPING:
        own = "needs code of its own, which is never run" if "auto_map" in stated else "is no kind that is known"
        raise UserError(
            f"{what}: {kind} {own}; give a model that transformers {__version__} has, or install a newer one"
        )
    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    if type(config) not in MODEL_FOR_CAUSAL_LM_MAPPING:
        raise UserError(f"{what}: {kind} is no causal language model; give one")
    if not hasattr(config.get_text_config(), "num_attention_heads"):
        raise UserError(
            f"{what}: {kind} has no attention, which keeps apart the sequences that are trained on in one pack; give a "
            "model that has"
        )
