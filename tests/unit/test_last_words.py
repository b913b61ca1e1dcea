"""Why an engine's process died, as far as what it said tells."""

from __future__ import annotations

import pytest

pytest.importorskip("numpy", reason="the workers' libraries are not installed")

from selfimprove_workers.engines.last_words import cause_in

HEAD_DIM = "RuntimeError: Unsupported CPU attention configuration: head_dim=16"
WORKER = f"""vLLM, VllmWorker-0: ERROR WorkerProc hit an exception.
Traceback (most recent call last):
  File "cpu_attn.py", line 253, in build
    raise RuntimeError: no end of a line
{HEAD_DIM}
"""
CORE = """vLLM, EngineCore: ERROR EngineCore encountered a fatal error.
Traceback (most recent call last):
RuntimeError: Worker failed with error 'Unsupported', please check the stack trace above for the root cause
"""
KILLED = """vLLM, EngineCore: ERROR Worker proc VllmWorker-0 died unexpectedly (exit code: -9), shutting down executor.
Traceback (most recent call last):
RuntimeError: Executor failed.
"""


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (WORKER + CORE, HEAD_DIM),
        ("torch.OutOfMemoryError: CUDA out of memory.\n" + CORE, "torch.OutOfMemoryError: CUDA out of memory."),
        ("Fatal Python error: Segmentation fault\n\nThread 0x1:\n", "Fatal Python error: Segmentation fault"),
        ("terminate called\n", "its last words are in the log"),
        (KILLED, "it seems to have been killed, perhaps for want of memory"),
        ("", "it seems to have been killed, perhaps for want of memory"),
    ],
)
def test_the_cause_is_the_last_error_that_points_to_no_other(said: str, cause: str) -> None:
    assert cause_in(said) == cause


def test_a_cause_is_never_longer_than_a_line_may_be() -> None:
    assert len(cause_in(f"ValueError: {'x' * 1000}")) == 300
