"""The engine that runs anywhere: our own decoding loop over a transformers model.

`model.generate` can't give every sample its own noise, keeps finished rows in the batch, pads every row to the longest
and prefills the same prompt once a sample. This engine does none of that; see `decoding` and `slots`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray

from selfimprove.api.sampling import EngineArgs
from selfimprove_workers.engines import scoring
from selfimprove_workers.engines.base import Completion, SampleRequest
from selfimprove_workers.engines.capacity import Capacity, Queue, waves
from selfimprove_workers.engines.decoding import Decoder, Memory
from selfimprove_workers.engines.device import (
    best_device,
    choose_dtype,
    free_unused,
    no_memory,
    out_of_memory,
    pack_linears,
)
from selfimprove_workers.engines.ending import Ending, eos_ids, fitting
from selfimprove_workers.engines.head import Head
from selfimprove_workers.engines.padded import PaddedMemory
from selfimprove_workers.engines.proof import bytes_per_token, use_slots
from selfimprove_workers.engines.slots import SlotMemory

log = logging.getLogger(__name__)

Report = Callable[[int, int], None]


class TransformersEngine:
    """A model from a plain Hugging Face folder, on this machine's best device."""

    name = "transformers"

    def __init__(self, folder: Path, args: EngineArgs, tokenizer: Any):
        self.tokenizer = tokenizer
        self.device = best_device()
        self.model = _load(folder, args, self.device)
        config = self.model.config.get_text_config()
        self.max_model_len = args.max_model_len or int(getattr(config, "max_position_embeddings", 0) or 2**20)
        self.eos_token_ids = eos_ids(tokenizer, self.model.generation_config, config)
        self.head = Head(self.model)
        self.head.slots = use_slots(self.head)
        self.capacity = Capacity(self.device, args.max_batch_tokens, bytes_per_token(self.head))
        log.info("transformers on %s, %s, %s", self.device.type, self.model.dtype, self.capacity)

    def sample(
        self, requests: Sequence[SampleRequest], progress: Report | None = None
    ) -> Generator[tuple[int, Completion]]:
        """Draw every request; see `Engine.sample`."""
        tally = _Tally(progress)
        queue: Queue = []
        for index, request in enumerate(requests):
            if fitting(request, self.max_model_len) <= 0:
                yield tally.finished(index, Completion([], 0.0, "length"))
            else:
                queue.append((index, _clip(request, self.max_model_len)))
        for wave, slots, width in waves(queue, self.capacity):
            for index, completion in self._draw(wave, slots, width, tally):
                yield tally.finished(index, completion)

    def _draw(self, wave: Queue, slots: int, width: int, tally: _Tally) -> Iterator[tuple[int, Completion]]:
        """Draw one wave; when memory runs out, what is left is begun again with half the slots."""
        left = dict(wave)
        while left:
            try:
                for index, completion in self._decoder(slots, width, tally).run(list(left.items())):
                    del left[index]
                    yield index, completion
            except RuntimeError as error:
                if not out_of_memory(error):
                    raise
                if slots == 1:
                    raise no_memory(self.device) from error
                slots //= 2
                self.capacity.shrink(slots * width)
                log.warning("out of memory on %s; going on with %d sequences at once", self.device.type, slots)
            # Only here, with the error gone that held on to the frames, is the batch's memory really free.
            free_unused(self.device)

    def _decoder(self, slots: int, width: int, tally: _Tally) -> Decoder:
        memory: Memory = SlotMemory(self.head, slots, width) if self.head.slots else PaddedMemory(self.head, slots)
        return Decoder(memory, Ending(self.eos_token_ids, self.tokenizer), tally.tokens)

    def label_logprobs(self, contexts: Sequence[Sequence[int]], labels: Sequence[int]) -> NDArray[np.float64]:
        """Log-probability of each label as the next token of each context; see `Engine.label_logprobs`."""
        return scoring.label_logprobs(self.head, contexts, labels)

    def logprobs(
        self, contexts: Sequence[Sequence[int]], continuations: Sequence[Sequence[int]]
    ) -> list[NDArray[np.float64]]:
        """Log-probability of every token of each continuation; see `Engine.logprobs`."""
        return scoring.logprobs(self.head, contexts, continuations)

    def take_reads(self) -> None:
        """There is no prefix cache; see `Engine.take_reads`."""

    def close(self) -> None:
        """Drop the model and give its memory back."""
        del self.head, self.model
        free_unused(self.device)


class _Tally:
    """Counts samples and tokens, and tells the caller."""

    def __init__(self, report: Report | None):
        self.report, self.samples, self.drawn = report, 0, 0

    def tokens(self, count: int) -> None:
        self.drawn += count
        if self.report:
            self.report(self.samples, self.drawn)

    def finished(self, index: int, completion: Completion) -> tuple[int, Completion]:
        self.samples += 1
        self.tokens(0)
        return index, completion


def _load(folder: Path, args: EngineArgs, device: torch.device) -> Any:
    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    dtype = choose_dtype(args.dtype, device, getattr(config, "dtype", None))
    transformers.utils.logging.disable_progress_bar()
    model = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=dtype, local_files_only=True, trust_remote_code=False
    )
    model = model.eval().requires_grad_(False).to(device)
    if device.type == "cpu":
        pack_linears(model)
    return model


def _clip(request: SampleRequest, max_model_len: int) -> SampleRequest:
    tokens = fitting(request, max_model_len)
    if tokens == request.max_tokens:
        return request
    return replace(request, max_tokens=tokens)
