"""A `selfimprove-worker serve` beside us: an order in, a reply out, and its end in peace or by force.

It shares our standard error for its progress, and our terminal's Ctrl-C, which it answers by committing the part at
hand.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import IO

from pydantic import ValidationError

from selfimprove.artifacts.keys import log_key, step_folder
from selfimprove.errors import (
    INTERRUPTED,
    TERMINATED,
    UNEXPECTED,
    SelfImproveError,
    SurroundingsError,
    ToldError,
    UserError,
)
from selfimprove.failing import naming_log
from selfimprove.orders import Failure, Order, Reply
from selfimprove.store.base import Store

GRACE_SECONDS = 30.0
"""How long a worker may take to commit its part before it is killed."""

STARTER = "SELFIMPROVE_STARTER"
"""The number of the process that a worker shall not outlive; it stops as by a signal when that is gone."""

NEEDED = ("torch", "transformers", "pyarrow", "reasoning_gym")


def have_done(command: str, order: str, failure: str) -> None:
    """Have a worker of its own do one command (`fetch-model`, `score-samples`), heard on standard error.

    `order`: what it is told, as JSON. Raises `SelfImproveError` with `failure` and the worker's exit code, a
    `ToldError` where the worker ended itself and so said why, and `UserError` when the workers' libraries are not
    installed.
    """
    require_workers()
    asked = [sys.executable, "-m", "selfimprove_workers.main", command]
    ours = {**os.environ, STARTER: str(os.getpid())}
    done = subprocess.run(asked, input=order, text=True, stdout=sys.stderr, check=False, env=ours)
    if done.returncode:
        error = ToldError(failure) if done.returncode > 0 else SelfImproveError(failure)
        error.exit_code = done.returncode if done.returncode > 0 else 128 - done.returncode
        raise error


class WorkerProcess:
    """One worker process. Raises `UserError` at birth when the workers' libraries are not installed.

    `store`: of the run, where a worker that died has left its log.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        require_workers()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "selfimprove_workers.main", "serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def alive(self) -> bool:
        """Whether it can take another order."""
        return self._process.poll() is None

    def ask(self, order: Order) -> Reply:
        """Have an order done. A worker that dies over it is a failure like any other, with the reason of its death."""
        line = order.model_dump_json(by_alias=True, exclude_none=True)
        try:
            print(line, file=_pipe(self._process.stdin), flush=True)
            answer = _pipe(self._process.stdout).readline()
            return Reply.model_validate_json(answer)
        except (BrokenPipeError, ValidationError):
            return Reply(failure=self._death(order))

    def end(self, interrupt: bool = False) -> None:
        """End it and wait. `interrupt`: it is at work, and shall commit the part at hand first."""
        if interrupt and self.alive:
            self._process.send_signal(signal.SIGTERM)
        with suppress(BrokenPipeError):
            _pipe(self._process.stdin).close()
        try:
            self._process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        finally:
            _pipe(self._process.stdout).close()

    def _death(self, order: Order) -> Failure:
        """Why there is no reply."""
        try:
            code = self._process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        step = order.steps[0].id.name
        if code in (INTERRUPTED, TERMINATED):
            return Failure(
                step=step, exit_code=TERMINATED, message=f"{step}: stopped by a signal; what was done is kept"
            )
        message, log = _obituary(code), self._log(order)
        return Failure(step=step, exit_code=UNEXPECTED, message=naming_log(message, log) if log else message)

    def _log(self, order: Order) -> str | None:
        """The log of the last step that it came to, where it left one."""
        folders = [step_folder(step.id, order.shard) for step in reversed(order.steps)]
        keys = [log_key(folder, order.attempt) for folder in folders]
        with suppress(SurroundingsError):
            return next((f"{self._store.uri}/{key}" for key in keys if any(self._store.list(key))), None)
        return None


def require_workers() -> None:
    """Raises `UserError` when the workers' libraries are not installed."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(f"{', '.join(missing)}: not installed here; pip install 'selfimprove[workers]'")


def _obituary(code: int) -> str:
    if code == -signal.SIGKILL:
        return (
            "its worker was killed; if it was for want of memory, lower generation.engineArgs.maxBatchTokens, or the "
            "verifier's where it has its own"
        )
    if code < 0:
        return f"its worker died of {signal.Signals(-code).name}"
    return f"its worker ended with exit code {code} without an answer"


def _pipe(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        raise AssertionError("the worker was started with pipes")
    return stream
