"""Which engine serves a run: vLLM where it is installed and works, else transformers.

Under `engine: Auto` a vLLM that is installed but doesn't work (a wrong CUDA, a broken wheel, a model whose shape its
kernels lack) must not end a run: it is said in a line, and transformers goes on. Under `engine: VLLM` it is one clear
line. Every model that is loaded tries anew, and nothing is kept for the workers after this one: what failed may have
been the memory that the last process still held, or a verifier's model, and a run that never tried again would be slow
to its end for it.
"""

from __future__ import annotations

import logging
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfimprove.api.sampling import EngineName, Generation
from selfimprove.errors import UserError
from selfimprove_workers.engines.base import SETTINGS, Engine, EngineDiedError, SampleRequest
from selfimprove_workers.hushing import hush
from selfimprove_workers.misfits import misfit

if TYPE_CHECKING:
    from selfimprove_workers.engines.vllm import VLLMEngine

log = logging.getLogger(__name__)


def load_engine(folder: Path, settings: Generation, tokenizer: Any, field: str = SETTINGS) -> Engine:
    """Load the model of `folder` into the engine that `settings.engine` names.

    `field` is where messages say that `engine` and `engineArgs` stand. Raises `UserError` when `VLLM` is asked for and
    can't be had.
    """
    if settings.engine == "Transformers":
        return _transformers(folder, settings, tokenizer)
    found = _working_vllm(folder, settings, tokenizer, field)
    if not isinstance(found, str):
        return found
    if settings.engine == "VLLM":
        raise _no_vllm(field, found)
    log.info("engine: transformers, since vLLM can't be had: %s", found)
    return _transformers(folder, settings, tokenizer)


def check_engine(name: EngineName, field: str) -> None:
    """Raises `UserError` when `VLLM` is asked for and can't be had, as far as is known before a model is loaded."""
    if name == "VLLM" and (problem := vllm_problem()):
        raise _no_vllm(field, problem)


def vllm_problem() -> str | None:
    """Why vLLM can't be had in this process, or None: its import and its idea of the platform, no model."""
    if find_spec("vllm") is None:
        return "it is not installed"
    hush()
    try:
        from vllm.platforms import current_platform

        if not current_platform.device_type:
            return "it finds no device that it can use"
    except Exception as error:
        return f"it can't be imported ({_line(error)})"
    return None


def _no_vllm(field: str, problem: str) -> UserError:
    return UserError(f"{field}.engine: VLLM: {problem}; mend it, or use Auto or Transformers")


def _working_vllm(folder: Path, settings: Generation, tokenizer: Any, field: str) -> Engine | str:
    """The model in vLLM, after it drew a first sample; or why it can't be had."""
    if problem := vllm_problem():
        return problem
    try:
        engine = _vllm(folder, settings, tokenizer, field)
    except UserError:
        raise
    except Exception as error:
        log.debug("vLLM", exc_info=error)
        return f"it doesn't start ({_line(error)})"
    try:
        _draw_once(engine)
    except Exception as error:
        log.debug("vLLM", exc_info=error)
        engine.close()
        return f"it starts, but fails at a first sample ({_line(error)})"
    log.info(engine.about)
    return engine


def _draw_once(engine: Engine) -> None:
    """A few tokens: kernels that don't know a model's shape are found out here, and not when it starts."""
    for _ in engine.sample([SampleRequest([0, 1, 2], seed=0, max_tokens=4)]):
        pass
    engine.take_reads()  # they are no step's


def _transformers(folder: Path, settings: Generation, tokenizer: Any) -> Engine:
    from selfimprove_workers.engines.transformers import TransformersEngine

    return TransformersEngine(folder, settings.engine_args, tokenizer)


def _vllm(folder: Path, settings: Generation, tokenizer: Any, field: str) -> VLLMEngine:
    from selfimprove_workers.engines.vllm import VLLMEngine

    return VLLMEngine(folder, settings.engine_args, tokenizer, field)


def _line(error: BaseException) -> str:
    if problem := misfit(error):
        return problem
    text = (error.cause if isinstance(error, EngineDiedError) else str(error)).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__
